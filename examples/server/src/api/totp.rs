//! `/v1/b2b/totp`: a member's token.

use axum::extract::{Path, State};
use keyfob::{ExistingRecoveryCodes, Migration, Params, Secret, UnixTime};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::enrolment::{enrol, lifetime};
use super::error::{ApiError, ErrorBody, ErrorType};
use super::exchange::{Answer, Body, Outcome, whole};
use super::objects::{AboutMember, MemberSession, member_totp_id};
use super::people::Membership;
use super::sign_in::{Proved, SessionArguments, SessionTokens, SignedIn};
use crate::accounts::{Factor, FactorKind};
use crate::app::{App, Shared};
use crate::clock::now;
use crate::second_factor::recovery_code_texts;

/// Starts a registration.
#[derive(Deserialize, ToSchema)]
pub(super) struct CreateRequest {
    organization_id: String,
    member_id: String,
    /// How long it waits for its first code.
    #[schema(minimum = 5, maximum = 1440, default = 60)]
    #[serde(default, deserialize_with = "whole")]
    expiration_minutes: Option<i64>,
    #[serde(flatten)]
    tokens: SessionTokens,
}

/// A registration that waits for its first code. Secret and recovery codes are shown this once.
#[derive(Serialize, ToSchema)]
pub(super) struct Created {
    #[serde(flatten)]
    about: AboutMember,
    totp_registration_id: String,
    /// Base32, to be typed into an authenticator.
    secret: String,
    /// A PNG image as a data URI.
    qr_code: String,
    /// Empty over an active registration: the codes that the member has stay good.
    recovery_codes: Vec<String>,
}

/// Starts a registration. Over an active one, `session_token` or `session_jwt` must be of a log-in
/// of the last five minutes with it; the old token then works until the new one's first code.
#[utoipa::path(post, operation_id = "totp_create", path = "/v1/b2b/totp", request_body = CreateRequest,
    responses((status = 200, body = Answer<Created>), (status = "default", body = ErrorBody)))]
pub(super) async fn create(
    State(app): State<Shared>,
    Body(request): Body<CreateRequest>,
) -> Outcome<Created> {
    let now = now();
    let lifetime = lifetime(request.expiration_minutes, 60)?;
    let it = Membership::find(&app, &request.organization_id, &request.member_id).await?;
    let prior = request.tokens.prior(&app, &it.subject, now).await?;
    let account = &it.member.email_address;
    let new = enrol(&app, &it.subject, &prior, lifetime, account, now).await?;
    let about = it.about(&app, now).await?;
    Ok(Answer::from(Created {
        totp_registration_id: about.totp_registration_id().to_owned(),
        secret: new.secret,
        qr_code: new.qr_code,
        recovery_codes: new.recovery_codes,
        about,
    }))
}

/// Logs in with a code.
#[derive(Deserialize, ToSchema)]
pub(super) struct AuthenticateRequest {
    organization_id: String,
    member_id: String,
    #[schema(min_length = 1)]
    code: String,
    #[serde(flatten)]
    session: SessionArguments,
    /// Changes nothing: an active token is always asked for. `unenroll` is refused.
    #[schema(value_type = Option<MfaEnrollment>)]
    set_mfa_enrollment: Option<String>,
    /// Accepted and ignored: there is one method.
    #[allow(dead_code)]
    set_default_mfa: Option<bool>,
    /// Accepted and ignored.
    #[allow(dead_code)]
    telemetry_id: Option<String>,
}

/// That this member is asked for a second factor.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum MfaEnrollment {
    Enroll,
}

/// A member who is in.
#[derive(Serialize, ToSchema)]
pub(super) struct Authenticated {
    #[serde(flatten)]
    about: AboutMember,
    /// Empty where the session was named by its JWT: the opaque token is kept as a digest only.
    session_token: String,
    session_jwt: String,
    member_session: MemberSession,
}

/// Accepts a code, once: confirms a registration, logs in, or lets a new token take over. A first code and
/// a take-over end the member's other sessions.
#[utoipa::path(post, operation_id = "totp_authenticate", path = "/v1/b2b/totp/authenticate", request_body = AuthenticateRequest,
    responses((status = 200, body = Answer<Authenticated>), (status = "default", body = ErrorBody)))]
pub(super) async fn authenticate(
    State(app): State<Shared>,
    Body(request): Body<AuthenticateRequest>,
) -> Outcome<Authenticated> {
    let now = now();
    request.require_enrolment()?;
    ApiError::require_typed(&request.code, ErrorType::InvalidTotpCode)?;
    let it = Membership::find(&app, &request.organization_id, &request.member_id).await?;
    let plan = request.session.plan(&app, &it.subject, now).await?;
    let accepted = app.authenticate(&it.subject, &request.code, now).await;
    let (accepted, factors) = accepted.map_err(ApiError::of_totp)?;
    let name = member_totp_id(accepted.registration_id());
    let proved = Proved {
        factor: Factor::new(FactorKind::Totp, Some(name), now),
        proof: accepted.into(),
        factors,
    };
    let signed_in = plan.sign_in(&app, proved, Some(&it.organization)).await?;
    let authenticated = Authenticated::new(&app, &it, signed_in, now).await?;
    Ok(Answer::from(authenticated))
}

impl AuthenticateRequest {
    /// A token that is active is asked for: nobody can be excused from it.
    fn require_enrolment(&self) -> Result<(), ApiError> {
        let message = match self.set_mfa_enrollment.as_deref() {
            None | Some("enroll") => return Ok(()),
            Some("unenroll") => {
                "set_mfa_enrollment: an active token is always asked for; delete it to unenroll"
            }
            Some(_) => "set_mfa_enrollment must be enroll, or left out",
        };
        Err(ApiError::new(ErrorType::InvalidRequest, message))
    }
}

impl Authenticated {
    pub(super) async fn new(
        app: &App,
        it: &Membership,
        signed_in: SignedIn,
        now: UnixTime,
    ) -> Result<Self, ApiError> {
        Ok(Self {
            about: it.about(app, now).await?,
            member_session: MemberSession::new(&signed_in.session, &it.member, &it.organization),
            session_token: signed_in.session_token,
            session_jwt: signed_in.session_jwt,
        })
    }
}

/// Takes over a token that another system registered.
#[derive(Deserialize, ToSchema)]
pub(super) struct MigrateRequest {
    organization_id: String,
    member_id: String,
    /// Base32, 80 to 1,024 bits.
    #[schema(min_length = 1)]
    secret: String,
    /// The codes that the member has already; new ones are made if there are none.
    #[serde(default)]
    recovery_codes: Option<Vec<String>>,
}

/// A token that is active at once.
#[derive(Serialize, ToSchema)]
pub(super) struct Migrated {
    #[serde(flatten)]
    about: AboutMember,
    totp_registration_id: String,
    recovery_codes: Vec<String>,
    /// How many of the given codes were not taken over: given twice, more than 16, or unusable.
    skipped_recovery_codes: usize,
}

/// Takes over a token (SHA-1, six digits, 30 seconds), active at once. Codes of its present window
/// are burned.
#[utoipa::path(post, operation_id = "totp_migrate", path = "/v1/b2b/totp/migrate", request_body = MigrateRequest,
    responses((status = 200, body = Answer<Migrated>), (status = "default", body = ErrorBody)))]
pub(super) async fn migrate(
    State(app): State<Shared>,
    Body(request): Body<MigrateRequest>,
) -> Outcome<Migrated> {
    let now = now();
    let it = Membership::find(&app, &request.organization_id, &request.member_id).await?;
    let secret = Secret::from_legacy_base32(&request.secret)
        .map_err(|error| ApiError::new(ErrorType::InvalidSecret, error))?;
    let existing = request.recovery_codes.unwrap_or_default();
    let borrowed: Vec<&str> = existing.iter().map(String::as_str).collect();
    let migration = Migration {
        recovery_codes: ExistingRecoveryCodes::from(borrowed.as_slice()),
        ..Migration::new(secret, Params::default())
    };
    let migrated = app.second_factor.migrate(&it.subject, migration, now).await;
    let migrated = migrated.map_err(ApiError::of_totp)?;
    let about = it.about(&app, now).await?;
    let minted = recovery_code_texts(migrated.recovery_codes());
    Ok(Answer::from(Migrated {
        totp_registration_id: about.totp_registration_id().to_owned(),
        recovery_codes: if minted.is_empty() { existing } else { minted },
        skipped_recovery_codes: migrated.skipped_recovery_codes().total(),
        about,
    }))
}

/// Forgets a member's token and recovery codes. All their sessions end.
#[utoipa::path(delete, operation_id = "totp_delete", path = "/v1/b2b/organizations/{organization_id}/members/{member_id}/totp",
    params(("organization_id" = String, Path), ("member_id" = String, Path)),
    responses((status = 200, body = Answer<AboutMember>), (status = "default", body = ErrorBody)))]
pub(super) async fn delete(
    State(app): State<Shared>,
    Path((organization_id, member_id)): Path<(String, String)>,
) -> Outcome<AboutMember> {
    let now = now();
    let it = Membership::find(&app, &organization_id, &member_id).await?;
    let removed = app.remove_factor(&it.subject, now).await;
    removed.map_err(ApiError::of_totp)?;
    Ok(Answer::from(it.about(&app, now).await?))
}
