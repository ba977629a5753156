//! `/v1/b2b/passwords`: the first factor.

use axum::extract::State;
use keyfob::UnixTime;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::error::{ApiError, ErrorBody};
use super::exchange::{Answer, Body, Outcome, filled};
use super::objects::{AboutMember, MemberSession};
use super::people::{Membership, organization};
use super::sign_in::{SessionArguments, SignedIn};
use crate::accounts::{Factor, FactorKind, MfaPolicy, Subject};
use crate::app::{App, Shared};
use crate::clock::{now, rfc3339};

/// Logs in with a password.
#[derive(Deserialize, ToSchema)]
pub(super) struct PasswordRequest {
    organization_id: String,
    email_address: String,
    password: String,
    /// What `known_device_token` was when this person logged in on the same device before. Attempts with
    /// it are counted apart, so that others who guess at the address don't make them wait.
    #[serde(default, deserialize_with = "filled")]
    known_device_token: Option<String>,
    #[serde(flatten)]
    session: SessionArguments,
}

/// A session, or a first factor that waits for the second.
#[derive(Serialize, ToSchema)]
pub(super) struct PasswordAccepted {
    #[serde(flatten)]
    about: AboutMember,
    organization_id: String,
    /// To be kept on the person's device, in a cookie say, and sent with their next log-in.
    known_device_token: String,
    /// Whether the member is in; if not, the second factor is due.
    member_authenticated: bool,
    /// Empty where the member is in.
    intermediate_session_token: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    intermediate_session_token_expires_at: Option<String>,
    session_token: String,
    session_jwt: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    member_session: Option<MemberSession>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mfa_required: Option<MfaRequired>,
}

/// Which second factor the member has.
#[derive(Serialize, ToSchema)]
struct MfaRequired {
    member_options: MemberOptions,
}

#[derive(Serialize, ToSchema)]
struct MemberOptions {
    mfa_phone_number: String,
    /// Empty for a member who must register one first.
    totp_registration_id: String,
}

/// Checks a member's password (Argon2id).
#[utoipa::path(post, operation_id = "passwords_authenticate", path = "/v1/b2b/passwords/authenticate", request_body = PasswordRequest,
    responses((status = 200, body = Answer<PasswordAccepted>), (status = "default", body = ErrorBody)))]
pub(super) async fn authenticate(
    State(app): State<Shared>,
    Body(request): Body<PasswordRequest>,
) -> Outcome<PasswordAccepted> {
    let now = now();
    let terms = request.session.terms()?;
    let organization = organization(&app, &request.organization_id).await?;
    let accepted = app
        .accounts
        .member_by_password(
            &organization.id,
            &request.email_address,
            &request.password,
            request.known_device_token.as_deref(),
            now,
        )
        .await?
        .map_err(ApiError::of_password)?;
    let it = Membership {
        subject: Subject::member(&organization.id, &accepted.member.id),
        organization,
        member: accepted.member,
    };
    let factor = Factor::new(FactorKind::Password, None, now);
    let mut answer = PasswordAccepted::new(&app, &it, accepted.device, now).await?;
    let factors = app.factors(&it.subject, now).await?;
    if factors.has_second() || it.organization.mfa_policy == MfaPolicy::RequiredForAll {
        let started = app.accounts.start_intermediate(it.subject, factor, now);
        let (token, intermediate) = started.await?;
        let expires_at = UnixTime::from_seconds(intermediate.expires_at);
        answer.intermediate_session_token = token;
        answer.intermediate_session_token_expires_at = Some(rfc3339(expires_at));
    } else {
        let (whose, organization) = ((it.subject.clone(), factors), &it.organization);
        let signed_in =
            SignedIn::by_first_factor(&app, whose, &terms, factor, organization, now).await?;
        let session = MemberSession::new(&signed_in.session, &it.member, &it.organization);
        answer.member_authenticated = true;
        answer.session_token = signed_in.session_token;
        answer.session_jwt = signed_in.session_jwt;
        answer.member_session = Some(session);
        answer.mfa_required = None;
    }
    Ok(Answer::from(answer))
}

impl PasswordAccepted {
    /// The answer for a member whose second factor is due.
    async fn new(
        app: &App,
        it: &Membership,
        known_device_token: String,
        now: UnixTime,
    ) -> Result<Self, ApiError> {
        let about = it.about(app, now).await?;
        let member_options = MemberOptions {
            mfa_phone_number: String::new(),
            totp_registration_id: about.totp_registration_id().to_owned(),
        };
        Ok(Self {
            about,
            organization_id: it.organization.id.clone(),
            known_device_token,
            member_authenticated: false,
            intermediate_session_token: String::new(),
            intermediate_session_token_expires_at: None,
            session_token: String::new(),
            session_jwt: String::new(),
            member_session: None,
            mfa_required: Some(MfaRequired { member_options }),
        })
    }
}
