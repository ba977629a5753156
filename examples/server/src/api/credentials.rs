//! HTTP Basic: the project's id and its secret.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use data_encoding::BASE64;

use super::error::{ApiError, ErrorType};
use crate::app::{App, Shared};

/// Lets nobody through but the project.
pub(crate) async fn require_project(
    State(app): State<Shared>,
    request: Request,
    next: Next,
) -> Response {
    if is_admitted(&app, request.headers()) {
        return next.run(request).await;
    }
    let message = "give the project's id and secret as HTTP Basic credentials";
    ApiError::new(ErrorType::UnauthorizedCredentials, message).into_response()
}

/// Whether the request carries the project's credentials.
pub(crate) fn is_admitted(app: &App, headers: &HeaderMap) -> bool {
    credentials(headers).is_some_and(|(id, secret)| app.keys.admit(&id, &secret))
}

fn credentials(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = BASE64.decode(encoded.trim().as_bytes()).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}
