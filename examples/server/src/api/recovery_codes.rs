//! `/v1/b2b/recovery_codes`: for a token that is lost.

use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::error::{ApiError, ErrorBody, ErrorType};
use super::exchange::{Answer, Body, Outcome};
use super::objects::{AboutMember, member_totp_id};
use super::people::Membership;
use super::sign_in::{Proved, SessionArguments};
use super::totp::Authenticated;
use crate::accounts::{Factor, FactorKind};
use crate::app::Shared;
use crate::clock::now;
use crate::second_factor::recovery_code_texts;

/// Logs in with a recovery code.
#[derive(Deserialize, ToSchema)]
pub(super) struct RecoverRequest {
    organization_id: String,
    member_id: String,
    #[schema(min_length = 1)]
    recovery_code: String,
    #[serde(flatten)]
    session: SessionArguments,
    /// Accepted and ignored.
    #[allow(dead_code)]
    telemetry_id: Option<String>,
}

/// A member who is in.
#[derive(Serialize, ToSchema)]
pub(super) struct Recovered {
    #[serde(flatten)]
    authenticated: Authenticated,
    recovery_codes_remaining: usize,
}

/// Accepts a recovery code, once. The session may then replace the token for five minutes.
#[utoipa::path(post, operation_id = "recovery_codes_recover", path = "/v1/b2b/recovery_codes/recover", request_body = RecoverRequest,
    responses((status = 200, body = Answer<Recovered>), (status = "default", body = ErrorBody)))]
pub(super) async fn recover(
    State(app): State<Shared>,
    Body(request): Body<RecoverRequest>,
) -> Outcome<Recovered> {
    let now = now();
    let it = Membership::find(&app, &request.organization_id, &request.member_id).await?;
    ApiError::require_typed(&request.recovery_code, ErrorType::InvalidRecoveryCode)?;
    let plan = request.session.plan(&app, &it.subject, now).await?;
    let typed = &request.recovery_code;
    let accepted = app.recover(&it.subject, typed, now).await;
    let (accepted, factors) = accepted.map_err(ApiError::of_recovery_code)?;
    let remaining = accepted.remaining();
    let name = member_totp_id(accepted.registration_id());
    let proved = Proved {
        factor: Factor::new(FactorKind::RecoveryCode, Some(name), now),
        proof: accepted.into(),
        factors,
    };
    let signed_in = plan.sign_in(&app, proved, Some(&it.organization)).await?;
    Ok(Answer::from(Recovered {
        authenticated: Authenticated::new(&app, &it, signed_in, now).await?,
        recovery_codes_remaining: remaining,
    }))
}

/// Makes new recovery codes.
#[derive(Deserialize, ToSchema)]
pub(super) struct RotateRequest {
    organization_id: String,
    member_id: String,
}

/// New recovery codes, shown this once.
#[derive(Serialize, ToSchema)]
pub(super) struct Rotated {
    #[serde(flatten)]
    about: AboutMember,
    recovery_codes: Vec<String>,
}

/// Makes new recovery codes; the old ones stop working. Call it for a member who has just logged in.
#[utoipa::path(post, operation_id = "recovery_codes_rotate", path = "/v1/b2b/recovery_codes/rotate", request_body = RotateRequest,
    responses((status = 200, body = Answer<Rotated>), (status = "default", body = ErrorBody)))]
pub(super) async fn rotate(
    State(app): State<Shared>,
    Body(request): Body<RotateRequest>,
) -> Outcome<Rotated> {
    let now = now();
    let it = Membership::find(&app, &request.organization_id, &request.member_id).await?;
    let codes = app
        .second_factor
        .rotate_recovery_codes(&it.subject, now)
        .await;
    let codes = codes.map_err(ApiError::of_totp)?;
    Ok(Answer::from(Rotated {
        about: it.about(&app, now).await?,
        recovery_codes: recovery_code_texts(&codes),
    }))
}

/// Recovery codes are kept as digests and can't be shown again: this always answers with an error
/// that points to `rotate`.
#[utoipa::path(get, operation_id = "recovery_codes_show", path = "/v1/b2b/recovery_codes/{organization_id}/{member_id}",
    params(("organization_id" = String, Path), ("member_id" = String, Path)),
    responses((status = "default", body = ErrorBody)))]
pub(super) async fn show(
    State(app): State<Shared>,
    Path((organization_id, member_id)): Path<(String, String)>,
) -> ApiError {
    match Membership::find(&app, &organization_id, &member_id).await {
        Err(error) => error,
        Ok(_) => not_retrievable(),
    }
}

/// What was hashed can't be shown.
pub(super) fn not_retrievable() -> ApiError {
    let message = "recovery codes are shown once, when they are made, and kept as digests: make new \
                   ones with POST /v1/b2b/recovery_codes/rotate";
    ApiError::new(ErrorType::RecoveryCodesNotRetrievable, message)
}
