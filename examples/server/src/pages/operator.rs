//! The operator, by the project's id and secret.

use askama::Template;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::WWW_AUTHENTICATE;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use axum_extra::TypedHeader;
use axum_extra::headers::Authorization;
use axum_extra::headers::authorization::Basic;
use axum_extra::typed_header::TypedHeaderRejection;

use super::page::page;
use crate::app::Shared;

/// None and unreadable ones are the same: both are asked for again.
type Credentials = Result<TypedHeader<Authorization<Basic>>, TypedHeaderRejection>;

#[derive(Template)]
#[template(path = "operator.html")]
struct OperatorPage;

/// Lets nobody through but who has the API's credentials.
pub(crate) async fn require_operator(
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
    let challenge = [(
        WWW_AUTHENTICATE,
        "Basic realm=\"keyfob-server, for its operator\"",
    )];
    (challenge, page(StatusCode::UNAUTHORIZED, &OperatorPage)).into_response()
}
