//! The engine's refusals in the words of these pages, which have one word for whatever shows codes: an
//! authenticator.

use axum::http::StatusCode;
use keyfob::{LockState, Rejection};

use super::notice::sentence;

/// What to do, for the person.
pub(super) fn text(rejection: Rejection) -> String {
    let text = match rejection {
        Rejection::Mismatch {
            lock: LockState::Locked { .. },
        } => "The code is wrong, and too many were.",
        Rejection::Mismatch { .. } => {
            "The code is wrong. Check that it is for this account, and that the clock of your \
             authenticator is right."
        }
        Rejection::Replayed => "This code was already used. Enter a new one.",
        Rejection::TooEarly(_) => {
            "Codes of your authenticator are not accepted yet. If this takes too long, ask the operator."
        }
        Rejection::Locked(_) => "Too many wrong codes.",
        Rejection::Disabled => {
            "Too many wrong codes in a row. Ask the operator to unlock your authenticator."
        }
        Rejection::Unknown => "You have no authenticator. Set one up first.",
        Rejection::Expired => {
            "The first code of the authenticator wasn’t entered in time. Set it up again."
        }
        Rejection::Pending => {
            "The authenticator isn’t in use yet. Enter its first code before you do this."
        }
        Rejection::AlreadyRegistered => {
            "You have an authenticator already. Change it, or remove it first."
        }
        Rejection::Format { expected } => {
            return format!("The codes of your authenticator have {expected}.");
        }
        Rejection::RecoveryCodeAsCode => {
            "This is a recovery code. Log in with it on the page “Use a recovery code”."
        }
        Rejection::CodeAsRecoveryCode => {
            "This is a code of your authenticator. Log in with it on the page “Enter a code”."
        }
        Rejection::RecoveryCodeFormat => {
            "This is not a recovery code. Enter all of it, as it was shown to you."
        }
        Rejection::NoRecoveryCodes => {
            "No recovery code is left. Log in with your authenticator, and make new ones."
        }
        Rejection::StaleProof => {
            "Log in again first: this needs a log-in of the last five minutes."
        }
        other => return sentence(&other.to_string()),
    };
    text.to_owned()
}

/// A wrong code isn't 401: a browser that has the operator's credentials for this site would take
/// them to be the ones refused, and forget them.
pub(super) const fn status(rejection: Rejection) -> StatusCode {
    match rejection {
        Rejection::Locked(_) => StatusCode::TOO_MANY_REQUESTS,
        Rejection::Mismatch { .. }
        | Rejection::Replayed
        | Rejection::TooEarly(_)
        | Rejection::Disabled
        | Rejection::StaleProof => StatusCode::FORBIDDEN,
        Rejection::AlreadyRegistered
        | Rejection::Unknown
        | Rejection::Expired
        | Rejection::Pending => StatusCode::CONFLICT,
        _ => StatusCode::BAD_REQUEST,
    }
}
