//! Why no decision could be made.

use core::fmt;

use super::record::Corrupt;
use crate::EntropyError;

/// Why a transition could make no decision. Nothing was written and nothing should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// The stored record can't be read.
    Corrupt(Corrupt),
    /// The source of randomness failed.
    Entropy(EntropyError),
    /// The recovery codes were hashed under a pepper and none was given.
    PepperMissing,
    /// The stored recovery codes ask for more work than
    /// [`RecoveryPolicy::max_pbkdf2_iterations`](crate::RecoveryPolicy::max_pbkdf2_iterations)
    /// allows. Told when a recovery code is tried; nothing was hashed and nothing counted.
    CostlyRecoveryCodes {
        /// How many iterations of PBKDF2 a try takes.
        iterations: u32,
    },
}

impl From<Corrupt> for Failure {
    fn from(error: Corrupt) -> Self {
        Self::Corrupt(error)
    }
}

impl From<EntropyError> for Failure {
    fn from(error: EntropyError) -> Self {
        Self::Entropy(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Corrupt(error) => error.fmt(f),
            Self::Entropy(error) => error.fmt(f),
            Self::PepperMissing => f.write_str(
                "the recovery codes were hashed under a pepper: give the engine the same one",
            ),
            Self::CostlyRecoveryCodes { iterations } => write!(
                f,
                "the stored recovery codes ask for {iterations} iterations of PBKDF2, more than the policy allows: raise its max_pbkdf2_iterations, or make new codes"
            ),
        }
    }
}

impl core::error::Error for Failure {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Corrupt(error) => Some(error),
            Self::Entropy(error) => Some(error),
            Self::PepperMissing | Self::CostlyRecoveryCodes { .. } => None,
        }
    }
}
