//! HTTP Basic: the project's id and its secret.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum_extra::TypedHeader;
use axum_extra::headers::Authorization;
use axum_extra::headers::authorization::Basic;
use axum_extra::typed_header::TypedHeaderRejection;

use super::error::{ApiError, ErrorType};
use crate::app::Shared;

/// What the request carries; none and unreadable ones are the same.
type Credentials = Result<TypedHeader<Authorization<Basic>>, TypedHeaderRejection>;

/// Lets nobody through but the project.
pub(super) async fn require_project(
    State(app): State<Shared>,
    credentials: Credentials,
    request: Request,
    next: Next,
) -> Response {
    let admitted = credentials.is_ok_and(|TypedHeader(Authorization(basic))| {
        app.keys.admit(basic.username(), basic.password())
    });
    if admitted {
        return next.run(request).await;
    }
    let message = "give the project's id and secret as HTTP Basic credentials";
    ApiError::new(ErrorType::UnauthorizedCredentials, message).into_response()
}
