//! Errors as hosted services answer them: a type for programs, a message for people.

use std::fmt::Display;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use keyfob::{Rejection, UnixTime};
use serde::Serialize;
use utoipa::ToSchema;

use crate::accounts::PasswordRefusal;
use crate::app::Shared;
use crate::clock::now;
use crate::error::Unavailable;
use crate::request_id::current_request_id;
use crate::second_factor::{Refusal, retry_at};

/// Why a request isn't fulfilled, for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ErrorType {
    ActiveTotpExists,
    ExpiredTotp,
    InvalidTotpCode,
    TotpNotFound,
    TotpCodeAlreadyAuthenticated,
    TotpCodeUsedAsRecoveryCode,
    RecoveryCodeUsedAsTotpCode,
    UnableToAuthenticateTotp,
    UnableToAuthenticateRecoveryCode,
    InvalidRecoveryCode,
    RecoveryCodesNotFound,
    RecoveryCodesNotRetrievable,
    InvalidSecret,
    IntermediateSessionNotFound,
    SessionNotFound,
    TooManySessionArguments,
    InvalidSessionDurationMinutes,
    InvalidExpirationMinutes,
    CustomClaimsTooLarge,
    MemberNotFound,
    MemberEmailExists,
    OrganizationNotFound,
    ProjectNotFound,
    UserLockLimitReached,
    UnauthorizedCredentials,
    InvalidRequest,
    RouteNotFound,
    InternalServerError,
}

impl ErrorType {
    const fn status(self) -> StatusCode {
        match self {
            Self::UnableToAuthenticateTotp
            | Self::UnableToAuthenticateRecoveryCode
            | Self::TotpCodeAlreadyAuthenticated
            | Self::ExpiredTotp
            | Self::UnauthorizedCredentials => StatusCode::UNAUTHORIZED,
            Self::TotpNotFound
            | Self::RecoveryCodesNotFound
            | Self::IntermediateSessionNotFound
            | Self::SessionNotFound
            | Self::MemberNotFound
            | Self::OrganizationNotFound
            | Self::ProjectNotFound
            | Self::RouteNotFound => StatusCode::NOT_FOUND,
            Self::UserLockLimitReached => StatusCode::TOO_MANY_REQUESTS,
            Self::InternalServerError => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

/// An error on its way to the client.
#[derive(Clone, Debug)]
pub(crate) struct ApiError {
    error_type: ErrorType,
    status: StatusCode,
    message: String,
    retry_at: Option<UnixTime>,
}

impl ApiError {
    pub(crate) fn new(error_type: ErrorType, message: impl Display) -> Self {
        Self {
            error_type,
            status: error_type.status(),
            message: message.to_string(),
            retry_at: None,
        }
    }

    /// Nothing is no code, whoever's registration it is for: /openapi.json says so.
    pub(crate) fn require_typed(typed: &str, error_type: ErrorType) -> Result<(), Self> {
        if !typed.is_empty() {
            return Ok(());
        }
        Err(Self::new(error_type, "the code is empty: enter one"))
    }

    /// The refusal of a code of the token, or of what concerns the token.
    pub(crate) fn of_totp(refusal: Refusal) -> Self {
        Self::refused(refusal, ErrorType::UnableToAuthenticateTotp)
    }

    /// The refusal of a recovery code.
    pub(crate) fn of_recovery_code(refusal: Refusal) -> Self {
        Self::refused(refusal, ErrorType::UnableToAuthenticateRecoveryCode)
    }

    /// The refusal of a password.
    pub(crate) fn of_password(refusal: PasswordRefusal) -> Self {
        match refusal {
            PasswordRefusal::Wrong => {
                let message = "the e-mail address or the password is wrong";
                Self::new(ErrorType::UnauthorizedCredentials, message)
            }
            PasswordRefusal::Locked { until } => {
                let message = "too many wrong passwords: wait as long as Retry-After says";
                let error = Self::new(ErrorType::UserLockLimitReached, message);
                Self {
                    retry_at: Some(until),
                    ..error
                }
            }
        }
    }

    /// What the framework refuses by itself.
    pub(crate) fn of_framework(status: StatusCode) -> Self {
        let error_type = match status {
            StatusCode::NOT_FOUND => ErrorType::RouteNotFound,
            status if status.is_server_error() => ErrorType::InternalServerError,
            _ => ErrorType::InvalidRequest,
        };
        let message = match status {
            StatusCode::NOT_FOUND => "there is no such route: /openapi.json lists them",
            StatusCode::METHOD_NOT_ALLOWED => "the route has another method: see /openapi.json",
            StatusCode::PAYLOAD_TOO_LARGE => "the request is too large: send less than 1 MiB",
            _ => "the request can't be answered",
        };
        let error = Self::new(error_type, message);
        Self { status, ..error }
    }

    fn refused(refusal: Refusal, unable: ErrorType) -> Self {
        let rejection = match refusal {
            Refusal::Unavailable(error) => return error.into(),
            Refusal::Rejected(rejection) => rejection,
        };
        let mut error = Self::new(error_type(rejection, unable), rejection);
        error.retry_at = retry_at(&rejection);
        error
    }
}

/// A rejection in the API's words; `unable` is what a wrong code is called.
fn error_type(rejection: Rejection, unable: ErrorType) -> ErrorType {
    let is_totp = unable == ErrorType::UnableToAuthenticateTotp;
    match rejection {
        Rejection::Replayed if is_totp => ErrorType::TotpCodeAlreadyAuthenticated,
        Rejection::Mismatch { .. } | Rejection::Replayed | Rejection::TooEarly(_) => unable,
        Rejection::Locked(_) | Rejection::Disabled => ErrorType::UserLockLimitReached,
        Rejection::Unknown | Rejection::Pending => ErrorType::TotpNotFound,
        Rejection::Expired => ErrorType::ExpiredTotp,
        Rejection::AlreadyRegistered | Rejection::StaleProof => ErrorType::ActiveTotpExists,
        Rejection::Format { .. } | Rejection::NoCode(_) => ErrorType::InvalidTotpCode,
        Rejection::RecoveryCodeAsCode => ErrorType::RecoveryCodeUsedAsTotpCode,
        Rejection::CodeAsRecoveryCode => ErrorType::TotpCodeUsedAsRecoveryCode,
        Rejection::RecoveryCodeFormat | Rejection::RecoveryCodes | Rejection::WeakRecoveryCodes => {
            ErrorType::InvalidRecoveryCode
        }
        Rejection::NoRecoveryCodes => ErrorType::RecoveryCodesNotFound,
        Rejection::LegacySecret => ErrorType::InvalidSecret,
        _ => ErrorType::InvalidRequest,
    }
}

impl From<Unavailable> for ApiError {
    /// The client is told to try again; the log has the cause.
    fn from(error: Unavailable) -> Self {
        tracing::error!(request_id = current_request_id(), %error, "not answered");
        let message = "the server can't do this now: try again";
        Self::new(ErrorType::InternalServerError, message)
    }
}

/// What stands in an error's answer.
#[derive(Serialize, ToSchema)]
pub(crate) struct ErrorBody {
    status_code: u16,
    request_id: String,
    error_type: ErrorType,
    /// What to do, for a person.
    error_message: String,
    /// Where the type is explained.
    error_url: String,
}

/// The error waits in the answer for [`write_errors`], which knows the server's address.
impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Writes every error of the API in one form, those that the framework makes included.
pub(crate) async fn write_errors(
    State(app): State<Shared>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = next.run(request).await;
    if response.status().is_success() {
        return response;
    }
    let error = response.extensions_mut().remove::<ApiError>();
    let error = error.unwrap_or_else(|| ApiError::of_framework(response.status()));
    write(error, &app.public_url)
}

fn write(error: ApiError, public_url: &str) -> Response {
    let body = ErrorBody {
        status_code: error.status.as_u16(),
        request_id: current_request_id(),
        error_type: error.error_type,
        error_url: format!("{public_url}/openapi.json"),
        error_message: error.message,
    };
    let mut response = (error.status, Json(body)).into_response();
    let headers = response.headers_mut();
    if let Some(until) = error.retry_at {
        let seconds = until.seconds_since(now()).max(1);
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if error.status == StatusCode::UNAUTHORIZED {
        let basic = HeaderValue::from_static("Basic realm=\"keyfob\"");
        headers.insert(header::WWW_AUTHENTICATE, basic);
    }
    response
}

#[cfg(test)]
mod tests {
    use keyfob::{CodeError, LockState, Wait};

    use super::*;

    /// What a rejection is called where a code of the token was given, and its status.
    fn of_totp(rejection: Rejection) -> (ErrorType, u16) {
        let error = ApiError::of_totp(Refusal::Rejected(rejection));
        (error.error_type, error.status.as_u16())
    }

    #[test]
    fn each_rejection_has_its_name_and_status() {
        let wait = Wait::between(UnixTime::EPOCH, UnixTime::EPOCH);
        let lock = LockState::Open { failures: 1 };
        for (rejection, expected) in [
            (
                Rejection::Mismatch { lock },
                (ErrorType::UnableToAuthenticateTotp, 401),
            ),
            (
                Rejection::Replayed,
                (ErrorType::TotpCodeAlreadyAuthenticated, 401),
            ),
            (
                Rejection::TooEarly(wait),
                (ErrorType::UnableToAuthenticateTotp, 401),
            ),
            (Rejection::Expired, (ErrorType::ExpiredTotp, 401)),
            (Rejection::Unknown, (ErrorType::TotpNotFound, 404)),
            (Rejection::Pending, (ErrorType::TotpNotFound, 404)),
            (
                Rejection::Locked(wait),
                (ErrorType::UserLockLimitReached, 429),
            ),
            (Rejection::Disabled, (ErrorType::UserLockLimitReached, 429)),
            (Rejection::StaleProof, (ErrorType::ActiveTotpExists, 400)),
            (
                Rejection::AlreadyRegistered,
                (ErrorType::ActiveTotpExists, 400),
            ),
            (
                Rejection::NoCode(CodeError::Empty),
                (ErrorType::InvalidTotpCode, 400),
            ),
            (
                Rejection::NoRecoveryCodes,
                (ErrorType::RecoveryCodesNotFound, 404),
            ),
            (
                Rejection::WeakRecoveryCodes,
                (ErrorType::InvalidRecoveryCode, 400),
            ),
            (Rejection::LegacySecret, (ErrorType::InvalidSecret, 400)),
            (Rejection::WrongKind, (ErrorType::InvalidRequest, 400)),
        ] {
            assert_eq!(of_totp(rejection), expected);
        }
    }

    #[test]
    fn a_used_recovery_code_is_no_used_totp_code() {
        let error = ApiError::of_recovery_code(Refusal::Rejected(Rejection::Replayed));
        assert_eq!(
            error.error_type,
            ErrorType::UnableToAuthenticateRecoveryCode
        );
    }
}
