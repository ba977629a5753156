//! Why a person isn't let in.

use core::fmt;

use super::lock::{LockState, Wait};
use crate::{CodeError, CodeFormat};

/// Why a request was refused. Its text is fit to be shown to the person who made it.
///
/// Only [`Mismatch`](Self::Mismatch) counts towards the throttle. Recovery codes that need a slow hash
/// are an exception: each one counts before it is hashed, whatever comes of it, until a success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rejection {
    /// The code is wrong. It was counted.
    Mismatch {
        /// Whether another attempt can be made.
        lock: LockState,
    },
    /// The code was right and is already used.
    Replayed,
    /// The code was right, but codes of its time are refused: a code of a later time was used, or a
    /// fence refuses them.
    TooEarly(Wait),
    /// Too many failures: no attempt is made before the wait is over.
    Locked(Wait),
    /// Failures in a row reached the policy's limit: only `unlock` helps.
    Disabled,
    /// There is no such registration.
    Unknown,
    /// The registration wasn't confirmed in time.
    Expired,
    /// The registration isn't confirmed yet, so this can't be done with it.
    Pending,
    /// There is an active registration: replace or delete it.
    AlreadyRegistered,
    /// Codes of this token are written in another way. No attempt was made.
    Format {
        /// How this token's codes are written.
        expected: CodeFormat,
    },
    /// What was typed is no code. No attempt was made.
    NoCode(CodeError),
    /// A recovery code was given where a code of the token is wanted. No attempt was made.
    RecoveryCodeAsCode,
    /// A code of the token was given where a recovery code is wanted. No attempt was made.
    CodeAsRecoveryCode,
    /// It can't be a recovery code of this registration. No attempt was made.
    RecoveryCodeFormat,
    /// No recovery code is left.
    NoRecoveryCodes,
    /// The proof is of another registration, or older than five minutes.
    StaleProof,
    /// The secret has fewer than 128 bits and the policy refuses such.
    LegacySecret,
    /// Recovery codes that keyfob didn't make, or short ones, and neither `pbkdf2` nor `argon2` in
    /// the policy to hash them.
    WeakRecoveryCodes,
    /// Recovery codes were to be taken over, and this build has none: it lacks the feature `sha2`.
    RecoveryCodes,
    /// What only a time-based or only a counter-based token can do was asked of the other.
    WrongKind,
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mismatch { lock } => {
                f.write_str("the code is wrong: check the account and the clock of the token")?;
                return lock.warn(f);
            }
            Self::Replayed => "this code was already used: enter the next one",
            Self::TooEarly(wait) => {
                return write!(
                    f,
                    "codes of this token are not accepted yet: try again in {wait}, or ask an operator to forget future steps"
                );
            }
            Self::Locked(wait) => {
                return write!(f, "too many wrong codes: try again in {wait}");
            }
            Self::Disabled => "too many wrong codes in a row: an operator must unlock this token",
            Self::Unknown => "no token is registered here: register one first",
            Self::Expired => "the registration was not confirmed in time: start it again",
            Self::Pending => "the registration is not confirmed yet: enter a code of the new token first",
            Self::AlreadyRegistered => "a token is registered already: replace or delete it",
            Self::Format { expected } => return write!(f, "codes of this token have {expected}"),
            Self::NoCode(error) => return error.fmt(f),
            Self::RecoveryCodeAsCode => {
                "this is a recovery code: enter it where a recovery code is asked for"
            }
            Self::CodeAsRecoveryCode => {
                "this is a code of the token: enter it where such a code is asked for"
            }
            Self::RecoveryCodeFormat => "this is no recovery code: enter all of one as it was shown",
            Self::NoRecoveryCodes => "no recovery code is left: make new ones after logging in",
            Self::StaleProof => "log in again first: this needs a log-in of the last five minutes",
            Self::LegacySecret => {
                "the secret has fewer than 128 bits: make a new one, or accept legacy secrets in the policy"
            }
            Self::WeakRecoveryCodes => {
                "these recovery codes need a slow hash: set one in the policy, or make new ones"
            }
            Self::RecoveryCodes => {
                "recovery codes can't be taken over without the feature sha2: turn it on, or leave them out"
            }
            Self::WrongKind => "this can't be done with a token of this kind",
        })
    }
}

impl core::error::Error for Rejection {}

impl LockState {
    /// Fails unless an attempt can be made.
    pub(super) const fn admit(self) -> Result<(), Rejection> {
        match self {
            Self::Open { .. } => Ok(()),
            Self::Locked { wait, .. } => Err(Rejection::Locked(wait)),
            Self::Disabled => Err(Rejection::Disabled),
        }
    }
}
