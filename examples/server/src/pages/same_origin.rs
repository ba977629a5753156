//! Forms are taken from our own pages only. The browser tells where one was sent from, which no page
//! of another site can forge.

use axum::extract::{Request, State};
use axum::http::header::{HOST, HeaderName, ORIGIN};
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::problem::Problem;
use crate::app::Shared;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

pub(super) async fn refuse_others(
    State(app): State<Shared>,
    request: Request,
    next: Next,
) -> Response {
    let changes_nothing = [Method::GET, Method::HEAD].contains(request.method());
    if changes_nothing || is_ours(request.headers(), &app.public_url) {
        return next.run(request).await;
    }
    Problem::Elsewhere.into_response()
}

/// `Sec-Fetch-Site` decides where there is one: browsers leave it out over plain HTTP.
fn is_ours(headers: &HeaderMap, public_url: &str) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    match (text(SEC_FETCH_SITE), text(ORIGIN)) {
        (Some(site), _) => site == "same-origin",
        (None, Some(origin)) => origin == public_url || host_of(origin) == text(HOST),
        (None, None) => false,
    }
}

/// Host and port of an origin.
fn host_of(origin: &str) -> Option<&str> {
    origin.split_once("://").map(|(_, host)| host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(headers: &[(HeaderName, &'static str)]) -> bool {
        let headers = headers
            .iter()
            .cloned()
            .map(|(name, value)| (name, value.parse().unwrap()));
        is_ours(&headers.collect(), "https://login.example.com")
    }

    #[test]
    fn our_own_forms_are_taken() {
        assert!(judge(&[(SEC_FETCH_SITE, "same-origin"), (ORIGIN, "null")]));
        assert!(judge(&[
            (HOST, "10.0.0.1:8080"),
            (ORIGIN, "http://10.0.0.1:8080")
        ]));
        assert!(judge(&[
            (HOST, "inside"),
            (ORIGIN, "https://login.example.com")
        ]));
    }

    #[test]
    fn forms_of_others_are_refused() {
        assert!(!judge(&[]));
        assert!(!judge(&[(HOST, "here")]));
        assert!(!judge(&[(HOST, "here"), (ORIGIN, "null")]));
        assert!(!judge(&[(HOST, "here"), (ORIGIN, "http://there")]));
        assert!(!judge(&[(HOST, "here"), (ORIGIN, "http://here:81")]));
        for site in ["cross-site", "same-site", "none"] {
            assert!(!judge(&[
                (HOST, "h"),
                (ORIGIN, "http://h"),
                (SEC_FETCH_SITE, site)
            ]));
        }
    }
}
