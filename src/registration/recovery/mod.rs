//! Recovery codes: shown once, kept as salted digests, burned by the same write as everything else.

#[cfg(feature = "sha2")]
mod code;
#[cfg(feature = "sha2")]
mod hash;
#[cfg(feature = "sha2")]
mod pepper;
mod set;
#[cfg(feature = "sha2")]
mod skipped;
#[cfg(feature = "sha2")]
mod slow;

#[cfg(feature = "sha2")]
pub(super) use code::NormalForm;
#[cfg(feature = "sha2")]
pub use code::{RecoveryCode, RecoveryCodes};
#[cfg(feature = "sha2")]
pub(super) use hash::{Recipe, Rejected};
#[cfg(feature = "sha2")]
pub use pepper::Pepper;
pub(super) use set::{Digest, Hashing, RecoverySet, Shape, Spelling};
#[cfg(feature = "sha2")]
pub use skipped::SkippedRecoveryCodes;
