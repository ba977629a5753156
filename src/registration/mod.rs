//! What is remembered of a token, and every decision about it as a pure function.
//!
//! Nothing here reads a clock, draws randomness or touches a store: [`transition`] takes a record,
//! an input, the time and the policy, and proposes what to write and what to answer.

mod codec;
mod failure;
mod lineage;
mod lock;
mod policy;
mod proposal;
mod record;
mod recovery;
#[allow(clippy::module_inception)] // the registration itself, in the room of the same name
mod registration;
mod rejection;
mod status;
mod throttle;
mod token;
pub mod transition;

#[cfg(feature = "seal")]
pub(crate) use codec::told_beside;
pub use failure::Failure;
use lineage::Lineage;
pub use lineage::RegistrationId;
pub use lock::{LockState, Wait};
#[cfg(feature = "pbkdf2")]
pub use policy::Pbkdf2Iterations;
pub use policy::{
    DriftCap, LegacySecrets, PendingLifetime, Policy, RecoveryCount, RecoveryFormat,
    RecoveryPolicy, ResyncReach, SlowHash, Throttle,
};
pub use proposal::{Conflict, Proposal, Swap, Write};
pub use record::{Corrupt, Record, Revision};
#[cfg(feature = "sha2")]
pub use recovery::{Pepper, RecoveryCode, RecoveryCodes, SkippedRecoveryCodes};
use registration::{Registration, State};
pub use rejection::Rejection;
pub use status::{Status, StatusState};
use token::Token;
