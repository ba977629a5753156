//! A new token, as its owner needs it.

use keyfob::{
    Base32Buffer, Enrollment, KeyUri, NewRegistration, PendingLifetime, PixelsPerModule, QrBuffer,
    QrCode, Secret, UnixTime,
};

use super::error::{ApiError, ErrorType};
use super::sign_in::Prior;
use crate::accounts::Subject;
use crate::app::App;
use crate::error::Unavailable;
use crate::second_factor::{is_active, recovery_code_texts};

/// What is shown once. A token that replaces another has no recovery codes of its own: the present ones
/// stay good, and an answer that is lost loses none.
pub(super) struct NewToken {
    pub(super) secret: String,
    pub(super) qr_code: String,
    pub(super) recovery_codes: Vec<String>,
}

/// Starts a registration. One that is active is replaced, at the next code of the new token, for a
/// person who has just logged in with it.
pub(super) async fn enrol(
    app: &App,
    subject: &Subject,
    prior: &Prior,
    lifetime: PendingLifetime,
    account: &str,
    now: UnixTime,
) -> Result<NewToken, ApiError> {
    let new = NewRegistration {
        lifetime: Some(lifetime),
        ..NewRegistration::default()
    };
    let status = app.second_factor.status(subject, now).await?;
    if !status.as_ref().is_some_and(is_active) {
        let created = app.second_factor.create(subject, &new, now).await;
        let enrollment = created.map_err(ApiError::of_totp)?;
        return NewToken::new(app, &enrollment, account);
    }
    let proof = prior.proof().ok_or_else(|| {
        let message = "a token is registered already: give a session_token or session_jwt of a \
                       log-in with it, or delete it first";
        ApiError::new(ErrorType::ActiveTotpExists, message)
    })?;
    let replaced = app.second_factor.replace(subject, proof, &new, now).await;
    let enrollment = replaced.map_err(ApiError::of_totp)?;
    NewToken::new(app, &enrollment, account)
}

/// The minutes that a registration waits for its first code.
pub(super) fn lifetime(minutes: Option<i64>, default: u16) -> Result<PendingLifetime, ApiError> {
    u16::try_from(minutes.unwrap_or(default.into()))
        .ok()
        .and_then(PendingLifetime::from_minutes)
        .ok_or_else(|| {
            let message = "expiration_minutes must be from 5 to 1440";
            ApiError::new(ErrorType::InvalidExpirationMinutes, message)
        })
}

impl NewToken {
    fn new(app: &App, enrollment: &Enrollment, account: &str) -> Result<Self, ApiError> {
        let failed = |error: &dyn std::error::Error| {
            ApiError::from(Unavailable::new("the QR code", error.to_string()))
        };
        let uri = KeyUri::new(
            enrollment.secret(),
            *enrollment.params(),
            &app.issuer,
            account,
        );
        let uri = uri.map_err(|error| failed(&error))?;
        let mut buffer = QrBuffer::new();
        let qr = QrCode::new(&uri, &mut buffer).map_err(|error| failed(&error))?;
        Ok(Self {
            secret: base32(enrollment.secret()),
            qr_code: qr.png_data_uri(PixelsPerModule::DEFAULT),
            recovery_codes: recovery_code_texts(enrollment.recovery_codes()),
        })
    }
}

/// A secret as people type it in.
fn base32(secret: &Secret) -> String {
    secret.to_base32(&mut Base32Buffer::new()).to_owned()
}
