//! `/v1/b2b/sessions` and `/v1/sessions`: the keys that session tokens are verified by.

use axum::extract::{Path, State};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::error::{ApiError, ErrorBody, ErrorType};
use super::exchange::{Answer, Outcome};
use crate::app::Shared;
use crate::error::Unavailable;

/// Public keys (RFC 7517).
#[derive(Serialize, ToSchema)]
pub(super) struct PublicKeys {
    keys: Vec<Value>,
}

/// The same, for services without organizations.
#[utoipa::path(get, operation_id = "user_sessions_public_keys", path = "/v1/sessions/jwks/{project_id}",
    params(("project_id" = String, Path)), security(()),
    responses((status = 200, body = Answer<PublicKeys>), (status = "default", body = ErrorBody)))]
pub(super) async fn user_public_keys(
    state: State<Shared>,
    project_id: Path<String>,
) -> Outcome<PublicKeys> {
    public_keys(state, project_id).await
}

/// The public keys of this project. Anybody may have them.
#[utoipa::path(get, operation_id = "sessions_public_keys", path = "/v1/b2b/sessions/jwks/{project_id}",
    params(("project_id" = String, Path)), security(()),
    responses((status = 200, body = Answer<PublicKeys>), (status = "default", body = ErrorBody)))]
pub(super) async fn public_keys(
    State(app): State<Shared>,
    Path(project_id): Path<String>,
) -> Outcome<PublicKeys> {
    if project_id != app.keys.project_id {
        let message = "this server has another project_id";
        return Err(ApiError::new(ErrorType::ProjectNotFound, message));
    }
    let keys = app.accounts.public_keys().keys;
    let keys: Result<_, _> = keys.iter().map(serde_json::to_value).collect();
    let keys = keys.map_err(|error| Unavailable::new("the public keys", error))?;
    Ok(Answer::from(PublicKeys { keys }))
}
