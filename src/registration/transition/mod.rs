//! Every decision, as a pure function: (record, input, time, policy) → [`Proposal`].
//!
//! [`Engine`](crate::Engine) and [`AsyncEngine`](crate::AsyncEngine) are short loops around these:
//! load, decide, swap. Call them yourself where neither fits your store, and keep to the order: an
//! answer can be had from a proposal only by telling what became of its write.

mod administer;
mod authenticate;
mod create;
mod export;
mod migrate;
#[cfg(feature = "sha2")]
mod recover;
mod replace;
mod resync;
#[cfg(feature = "sha2")]
mod rotate;

pub use administer::{delete, fence, forget_future_steps, set_drift, status, unlock};
pub use authenticate::{Authenticated, authenticate, authenticate_typed};
pub use create::{Enrollment, NewRegistration, create};
pub use export::export;
pub use migrate::{ExistingRecoveryCodes, Migrated, Migration, OtherSystem, migrate};
#[cfg(feature = "sha2")]
pub use recover::{
    CountedRecoveryCode, HashedRecoveryCode, Recovered, Recovery, finish_recovery, recover,
};
pub use replace::{Proof, replace};
pub use resync::{Resynced, resync};
#[cfg(feature = "sha2")]
pub use rotate::rotate_recovery_codes;

use core::fmt;

#[cfg(feature = "sha2")]
use super::Pepper;
use super::proposal::Proposal;
use super::record::Record;
use super::{Failure, Policy, Registration, Rejection};
use crate::{Algorithm, OtpKey, Secret, UnixTime};

/// What a decision depends on besides the record and the input.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The moment of the decision.
    pub now: UnixTime,
    /// The embedder's choices.
    pub policy: &'a Policy,
    /// The key that recovery codes are hashed under besides their salt, if there is one.
    #[cfg(feature = "sha2")]
    pub pepper: Option<&'a Pepper>,
    /// Keys kept ready, if there are any.
    pub keys: Option<&'a dyn PreparedKeys>,
}

impl<'a> Context<'a> {
    /// A context without a pepper.
    #[must_use]
    pub const fn new(now: UnixTime, policy: &'a Policy) -> Self {
        Self {
            now,
            policy,
            #[cfg(feature = "sha2")]
            pepper: None,
            keys: None,
        }
    }
}

/// Keys that are kept ready between decisions. `KeyCache` (feature `std`) keeps some; without any, a
/// key is made for each decision.
pub trait PreparedKeys: fmt::Debug + Sync {
    /// The key of `secret` for `algorithm`, and of no other secret: whatever it finds, it compares,
    /// in constant time.
    ///
    /// `tag` is the same for one registration each time, and random otherwise. It isn't secret, and
    /// may tell where to look.
    fn key(&self, tag: u64, algorithm: Algorithm, secret: &Secret) -> OtpKey;
}

/// Decides about the registration that is stored, if there is one.
#[inline]
fn with_registration<T>(
    record: Option<&Record>,
    decide: impl FnOnce(&Record, &mut Registration) -> Result<Proposal<T>, Failure>,
) -> Result<Proposal<T>, Failure> {
    let Some(record) = record else {
        return Ok(Proposal::rejected(Rejection::Unknown));
    };
    // Lent from where it was read to: it is too large to be moved for nothing.
    match Registration::read(record) {
        Ok(ref mut registration) => decide(record, registration),
        Err(error) => Err(Failure::Corrupt(error)),
    }
}

/// Proposes to store the changed registration in the record's place.
#[inline]
fn update<T>(
    record: &Record,
    registration: &Registration,
    answer: Result<T, Rejection>,
) -> Proposal<T> {
    let previous = record.revision();
    let next = registration.to_record(previous);
    Proposal::new(Some(previous), Some(next), answer)
}

/// Makes an attempt, and proposes to store what came of it: a success, or a failure that was counted.
/// Any other refusal writes nothing, unless a wait had to be shortened.
#[inline]
fn attempt<T>(
    record: &Record,
    registration: &mut Registration,
    attempt: impl FnOnce(&mut Registration) -> Result<Result<T, Rejection>, Failure>,
) -> Result<Proposal<T>, Failure> {
    let before = registration.throttles();
    Ok(match attempt(registration)? {
        Err(rejection) if registration.throttles() == before => Proposal::rejected(rejection),
        outcome => update(record, registration, outcome),
    })
}
