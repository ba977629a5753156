//! What a request to an engine can come to besides success.

use core::fmt;

use crate::{Corrupt, EntropyError, Failure, Rejection};

/// Why a request to an engine wasn't fulfilled. In no case was a code accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error<E> {
    /// The person isn't let in; what was to be counted is stored.
    Rejected(Rejection),
    /// The store can't be used now, or didn't tell what became of a write. If it was stored, the
    /// code is used up.
    Store(E),
    /// The source of randomness failed.
    Entropy(EntropyError),
    /// The stored record can't be read.
    Corrupt(Corrupt),
    /// The recovery codes were hashed under a pepper that the engine doesn't have.
    PepperMissing,
    /// The stored recovery codes ask for more work than the policy's
    /// [`max_pbkdf2_iterations`](crate::RecoveryPolicy::max_pbkdf2_iterations) allows.
    CostlyRecoveryCodes {
        /// How many iterations of PBKDF2 a try takes.
        iterations: u32,
    },
    /// Others wrote in between, again and again: try again.
    Contended,
}

impl<E> Error<E> {
    /// The rejection, if it is one.
    #[must_use]
    pub const fn rejection(&self) -> Option<Rejection> {
        match self {
            Self::Rejected(rejection) => Some(*rejection),
            _ => None,
        }
    }
}

impl<E> From<Failure> for Error<E> {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Corrupt(error) => Self::Corrupt(error),
            Failure::Entropy(error) => Self::Entropy(error),
            Failure::PepperMissing => Self::PepperMissing,
            Failure::CostlyRecoveryCodes { iterations } => Self::CostlyRecoveryCodes { iterations },
        }
    }
}

impl<E: fmt::Display> fmt::Display for Error<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rejected(rejection) => rejection.fmt(f),
            Self::Store(error) => write!(f, "the store failed, nothing was accepted: {error}"),
            Self::Entropy(error) => error.fmt(f),
            Self::Corrupt(error) => error.fmt(f),
            Self::PepperMissing => Failure::PepperMissing.fmt(f),
            Self::CostlyRecoveryCodes { iterations } => {
                let iterations = *iterations;
                Failure::CostlyRecoveryCodes { iterations }.fmt(f)
            }
            Self::Contended => {
                f.write_str("too many requests for this registration at once: try again")
            }
        }
    }
}

impl<E: core::error::Error + 'static> core::error::Error for Error<E> {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Rejected(rejection) => Some(rejection),
            Self::Store(error) => Some(error),
            Self::Entropy(error) => Some(error),
            Self::Corrupt(error) => Some(error),
            Self::PepperMissing | Self::CostlyRecoveryCodes { .. } | Self::Contended => None,
        }
    }
}
