//! What can be told of a registration.

use super::lineage::RegistrationId;
use super::lock::LockState;
use crate::{Params, UnixTime};

/// What can be told of a registration to its owner or an operator: no secret, no code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// The registration's own name.
    pub registration_id: RegistrationId,
    /// Whether it is confirmed.
    pub state: StatusState,
    /// When a code, recovery codes included, was last accepted.
    pub last_use: Option<UnixTime>,
    /// What the token and its verifier agree on.
    pub params: Params,
    /// Whether the secret has fewer than 128 bits and should be replaced.
    pub legacy_secret: bool,
    /// How many steps the token's clock is ahead of ours, as far as it is followed.
    pub drift_steps: i16,
    /// When codes of the token are accepted again, if steps are burned so far ahead that none is
    /// now: after a fence, or after a log-in while the clock was ahead.
    /// [`forget_future_steps`](crate::transition::forget_future_steps) helps.
    pub refused_until: Option<UnixTime>,
    /// Until when a replacement token can take over, if one is waiting.
    pub replacement_until: Option<UnixTime>,
    /// How many recovery codes are left.
    pub recovery_codes: usize,
    /// Whether codes of the token are attempted.
    pub codes: LockState,
    /// Whether recovery codes are attempted.
    pub recovery: LockState,
}

/// Whether a registration is confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StatusState {
    /// It waits for its first code.
    Pending {
        /// It lapses at this moment.
        until: UnixTime,
    },
    /// It was not confirmed in time.
    Lapsed,
    /// It was confirmed.
    Active {
        /// When.
        since: UnixTime,
    },
}
