//! Where no page can be shown as asked.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};

use super::page::page;
use crate::error::Unavailable;
use crate::request_id::current_request_id;

/// Why there is another page than the one asked for.
pub(super) enum Problem {
    /// Something that the server stands on failed.
    Unavailable(Unavailable),
    /// The form was sent from another site.
    Elsewhere,
    /// Nobody is logged in here, or no longer.
    LogInFirst,
    /// There is no such page, or it is asked for in another way.
    NoPage(StatusCode),
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage {
    title: &'static str,
    text: &'static str,
    request_id: String,
}

impl From<Unavailable> for Problem {
    fn from(error: Unavailable) -> Self {
        Self::Unavailable(error)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, title, text) = match self {
            Self::LogInFirst => return Redirect::to("/log-in").into_response(),
            Self::Elsewhere => (
                StatusCode::FORBIDDEN,
                "This was not sent from here",
                "The form came from another site, so nothing was done. If you meant it, open the page \
                 here and send it again.",
            ),
            Self::NoPage(status) => (
                status,
                "There is no such page",
                "The address may be mistyped. Your account has links to all there is.",
            ),
            Self::Unavailable(error) => {
                tracing::error!(request_id = current_request_id(), %error, "no page");
                (
                    StatusCode::SERVICE_UNAVAILABLE,
                    "This doesn’t work at the moment",
                    "Nothing that you typed is at fault. Try again in a minute.",
                )
            }
        };
        let request_id = current_request_id();
        page(
            status,
            &ProblemPage {
                title,
                text,
                request_id,
            },
        )
    }
}
