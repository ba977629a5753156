//! A registration, read from its record.

use super::lineage::Lineage;
use super::policy::{PendingLifetime, Policy};
use super::record::{Corrupt, Record, Revision};
use super::recovery::RecoverySet;
use super::rejection::Rejection;
use super::throttle::Failures;
use super::token::Token;
use crate::{CodeFormat, UnixTime};

/// By how many seconds the clocks of two servers may differ, so that what one wrote is taken by the
/// other as it was meant.
pub(super) const CLOCK_SKEW_SECONDS: u64 = 30;

/// All that is remembered of one registration.
#[derive(Clone)]
pub(super) struct Registration {
    pub(super) lineage: Lineage,
    pub(super) state: State,
    pub(super) last_use: Option<UnixTime>,
    pub(super) failures: Failures,
    pub(super) recovery_failures: Failures,
    pub(super) token: Token,
    pub(super) replacement: Option<Replacement>,
    pub(super) recovery: Option<RecoverySet>,
}

/// Whether the registration was confirmed by a first code.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Pending { until: UnixTime },
    Active { since: UnixTime },
}

impl State {
    /// When the row may go; see [`Record::lapses_at`].
    pub(super) const fn lapses_at(self) -> Option<UnixTime> {
        match self {
            Self::Pending { until } => Some(until),
            Self::Active { .. } => None,
        }
    }
}

/// A token that takes over at its first code.
#[derive(Clone)]
pub(super) struct Replacement {
    pub(super) until: UnixTime,
    pub(super) token: Token,
}

impl PendingLifetime {
    /// Whether what waits until then still waits at `now`. What would wait longer than this was made
    /// while a clock was ahead.
    fn is_waiting(self, until: UnixTime, now: UnixTime) -> bool {
        let longest = self.as_seconds().saturating_add(CLOCK_SKEW_SECONDS);
        now < until && until.seconds_since(now) <= longest
    }
}

impl Registration {
    /// Reads a stored record.
    #[inline]
    pub(super) fn read(record: &Record) -> Result<Self, Corrupt> {
        super::codec::decode(record.as_bytes())
    }

    /// The record to be written over the one of `previous`.
    #[inline(always)]
    #[allow(clippy::inline_always)] // made where it stays: it is too large to be moved for nothing
    pub(super) fn to_record(&self, previous: Revision) -> Record {
        let mut record = Record::empty(previous, self.state.lapses_at(), self.recovery.is_some());
        super::codec::encode(self, record.bytes_mut());
        record.take_next_revision();
        record
    }

    /// Whether it was never confirmed and can't be any more.
    pub(super) fn lapsed(&self, now: UnixTime, policy: &Policy) -> bool {
        let lifetime = policy.pending_lifetime;
        matches!(self.state, State::Pending { until } if !lifetime.is_waiting(until, now))
    }

    /// The replacement, if it can still take over.
    pub(super) fn replacement_at(&self, now: UnixTime, policy: &Policy) -> Option<&Replacement> {
        self.replacement
            .as_ref()
            .filter(|replacement| policy.pending_lifetime.is_waiting(replacement.until, now))
    }

    /// Fails unless the registration is confirmed.
    pub(super) fn require_active(&self, now: UnixTime, policy: &Policy) -> Result<(), Rejection> {
        match self.state {
            State::Active { .. } => Ok(()),
            State::Pending { .. } if self.lapsed(now, policy) => Err(Rejection::Expired),
            State::Pending { .. } => Err(Rejection::Pending),
        }
    }

    /// The failures that are remembered, of codes and of recovery codes.
    pub(super) const fn throttles(&self) -> [Failures; 2] {
        [self.failures, self.recovery_failures]
    }

    /// How many failures a wrong code counts as: in how many windows it is tried, at least 1. Codes
    /// of another format than a token's aren't tried with it.
    pub(super) fn cost(&self, format: CodeFormat, now: UnixTime, policy: &Policy) -> u8 {
        let waiting = self.replacement_at(now, policy);
        let waiting = waiting.map_or(0, |replacement| replacement.token.windows(format));
        self.token.windows(format).saturating_add(waiting).max(1)
    }
}
