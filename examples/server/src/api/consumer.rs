//! `/v1/totps`: the same for users without organizations.

use axum::extract::State;
use keyfob::UnixTime;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::enrolment::{enrol, lifetime};
use super::error::{ApiError, ErrorBody, ErrorType};
use super::exchange::{Answer, Body, Outcome, whole};
use super::objects::{User, UserSession, user_totp_id};
use super::people::user;
use super::recovery_codes::not_retrievable;
use super::sign_in::{Proved, SessionArguments, SessionTokens, SignedIn};
use crate::accounts::{Factor, FactorKind};
use crate::app::{App, Shared};
use crate::clock::now;

/// Starts a registration.
#[derive(Deserialize, ToSchema)]
pub(super) struct UserCreateRequest {
    #[schema(min_length = 1, max_length = 128, pattern = r"^\P{Cc}*$")]
    user_id: String,
    #[schema(minimum = 5, maximum = 1440, default = 1440)]
    #[serde(default, deserialize_with = "whole")]
    expiration_minutes: Option<i64>,
    #[serde(flatten)]
    tokens: SessionTokens,
}

/// A registration that waits for its first code.
#[derive(Serialize, ToSchema)]
pub(super) struct UserCreated {
    totp_id: String,
    secret: String,
    qr_code: String,
    /// Empty over an active registration: the codes that the user has stay good.
    recovery_codes: Vec<String>,
    user: User,
    user_id: String,
}

/// Starts a registration.
#[utoipa::path(post, operation_id = "user_create", path = "/v1/totps", request_body = UserCreateRequest,
    responses((status = 200, body = Answer<UserCreated>), (status = "default", body = ErrorBody)))]
pub(super) async fn create(
    State(app): State<Shared>,
    Body(request): Body<UserCreateRequest>,
) -> Outcome<UserCreated> {
    let now = now();
    let lifetime = lifetime(request.expiration_minutes, 1_440)?;
    let subject = user(&request.user_id)?;
    let prior = request.tokens.prior(&app, &subject, now).await?;
    let account = request.user_id.replace(':', "_");
    let new = enrol(&app, &subject, &prior, lifetime, &account, now).await?;
    let (user, totp_id) = user_and_totp(&app, &request.user_id, now).await?;
    Ok(Answer::from(UserCreated {
        totp_id,
        secret: new.secret,
        qr_code: new.qr_code,
        recovery_codes: new.recovery_codes,
        user,
        user_id: request.user_id,
    }))
}

/// Logs in with a code.
#[derive(Deserialize, ToSchema)]
pub(super) struct UserAuthenticateRequest {
    #[schema(min_length = 1, max_length = 128, pattern = r"^\P{Cc}*$")]
    user_id: String,
    #[schema(min_length = 1)]
    totp_code: String,
    #[serde(flatten)]
    session: SessionArguments,
}

/// A user who is in.
#[derive(Serialize, ToSchema)]
pub(super) struct UserAuthenticated {
    user_id: String,
    user: User,
    totp_id: String,
    session_token: String,
    session_jwt: String,
    session: UserSession,
}

/// Accepts a code, once.
#[utoipa::path(post, operation_id = "user_authenticate", path = "/v1/totps/authenticate", request_body = UserAuthenticateRequest,
    responses((status = 200, body = Answer<UserAuthenticated>), (status = "default", body = ErrorBody)))]
pub(super) async fn authenticate(
    State(app): State<Shared>,
    Body(request): Body<UserAuthenticateRequest>,
) -> Outcome<UserAuthenticated> {
    let now = now();
    let subject = user(&request.user_id)?;
    ApiError::require_typed(&request.totp_code, ErrorType::InvalidTotpCode)?;
    let plan = request.session.plan(&app, &subject, now).await?;
    let accepted = app.authenticate(&subject, &request.totp_code, now).await;
    let (accepted, factors) = accepted.map_err(ApiError::of_totp)?;
    let name = user_totp_id(accepted.registration_id());
    let proved = Proved {
        factor: Factor::new(FactorKind::Totp, Some(name), now),
        proof: accepted.into(),
        factors,
    };
    let signed_in = plan.sign_in(&app, proved, None).await?;
    UserAuthenticated::new(&app, request.user_id, signed_in, now).await
}

/// Logs in with a recovery code.
#[derive(Deserialize, ToSchema)]
pub(super) struct UserRecoverRequest {
    #[schema(min_length = 1, max_length = 128, pattern = r"^\P{Cc}*$")]
    user_id: String,
    #[schema(min_length = 1)]
    recovery_code: String,
    #[serde(flatten)]
    session: SessionArguments,
}

/// Accepts a recovery code, once.
#[utoipa::path(post, operation_id = "user_recover", path = "/v1/totps/recover", request_body = UserRecoverRequest,
    responses((status = 200, body = Answer<UserAuthenticated>), (status = "default", body = ErrorBody)))]
pub(super) async fn recover(
    State(app): State<Shared>,
    Body(request): Body<UserRecoverRequest>,
) -> Outcome<UserAuthenticated> {
    let now = now();
    let subject = user(&request.user_id)?;
    ApiError::require_typed(&request.recovery_code, ErrorType::InvalidRecoveryCode)?;
    let plan = request.session.plan(&app, &subject, now).await?;
    let accepted = app.recover(&subject, &request.recovery_code, now).await;
    let (accepted, factors) = accepted.map_err(ApiError::of_recovery_code)?;
    let name = user_totp_id(accepted.registration_id());
    let proved = Proved {
        factor: Factor::new(FactorKind::RecoveryCode, Some(name), now),
        proof: accepted.into(),
        factors,
    };
    let signed_in = plan.sign_in(&app, proved, None).await?;
    UserAuthenticated::new(&app, request.user_id, signed_in, now).await
}

impl UserAuthenticated {
    async fn new(app: &App, user_id: String, it: SignedIn, now: UnixTime) -> Outcome<Self> {
        let (user, totp_id) = user_and_totp(app, &user_id, now).await?;
        Ok(Answer::from(Self {
            user_id,
            user,
            totp_id,
            session: UserSession::from(&it.session),
            session_token: it.session_token,
            session_jwt: it.session_jwt,
        }))
    }
}

/// Asks for a user's recovery codes.
#[derive(Deserialize, ToSchema)]
pub(super) struct UserRecoveryCodesRequest {
    #[schema(min_length = 1, max_length = 128, pattern = r"^\P{Cc}*$")]
    user_id: String,
}

/// Recovery codes are kept as digests and can't be shown again: this always answers with an error.
#[utoipa::path(post, operation_id = "user_recovery_codes", path = "/v1/totps/recovery_codes", request_body = UserRecoveryCodesRequest,
    responses((status = "default", body = ErrorBody)))]
pub(super) async fn recovery_codes(Body(request): Body<UserRecoveryCodesRequest>) -> ApiError {
    match user(&request.user_id) {
        Err(error) => error,
        Ok(_) => not_retrievable(),
    }
}

async fn user_and_totp(
    app: &App,
    user_id: &str,
    now: UnixTime,
) -> Result<(User, String), ApiError> {
    let status = app.second_factor.status(&user(user_id)?, now).await?;
    let totp_id = status
        .as_ref()
        .map_or_else(String::new, |status| user_totp_id(status.registration_id));
    Ok((User::new(user_id, status.as_ref()), totp_id))
}
