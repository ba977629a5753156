//! A registration, read from its record.

use super::Policy;
use super::lineage::{Lineage, RegistrationId};
use super::record::{Corrupt, Record, Revision};
use super::recovery::RecoverySet;
use super::rejection::Rejection;
use super::throttle::Failures;
use crate::{Burned, CodeFormat, Params, Secret, Step, UnixTime};

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

/// One token: its secret, what is agreed with it, and what it has used up.
#[derive(Clone)]
pub(super) struct Token {
    pub(super) secret: Secret,
    pub(super) params: Params,
    pub(super) burned: Burned,
    /// How many steps the token's clock is ahead of ours.
    pub(super) drift: i16,
}

impl Registration {
    /// Reads a stored record.
    #[inline]
    pub(super) fn read(record: &Record) -> Result<Self, Corrupt> {
        super::codec::decode(record.as_bytes())
    }

    /// The record to be written over the one of `previous`.
    #[inline]
    pub(super) fn to_record(&self, previous: Revision) -> Record {
        let mut record = Record::empty(previous, self.state.lapses_at(), self.recovery.is_some());
        super::codec::encode(self, record.bytes_mut());
        record.take_next_revision();
        record
    }

    /// Whether it was never confirmed and can't be any more.
    pub(super) fn lapsed(&self, now: UnixTime) -> bool {
        matches!(self.state, State::Pending { until } if now >= until)
    }

    /// The replacement, if it can still take over.
    pub(super) fn replacement_at(&self, now: UnixTime) -> Option<&Replacement> {
        self.replacement
            .as_ref()
            .filter(|replacement| now < replacement.until)
    }

    /// Fails unless the registration is confirmed.
    pub(super) fn require_active(&self, now: UnixTime) -> Result<(), Rejection> {
        match self.state {
            State::Active { .. } => Ok(()),
            State::Pending { until } if now >= until => Err(Rejection::Expired),
            State::Pending { .. } => Err(Rejection::Pending),
        }
    }
}

impl Token {
    /// A token that has used up nothing.
    pub(super) fn new(secret: Secret, params: Params) -> Self {
        Self {
            secret,
            params,
            burned: Burned::NOTHING,
            drift: 0,
        }
    }

    /// How this token's codes are written.
    pub(super) fn format(&self) -> CodeFormat {
        self.params.format()
    }

    /// The step that a token with this drift is at, or the next counter.
    pub(super) fn expected_step(&self, now: UnixTime) -> Step {
        let step = match self.params {
            Params::Hotp(_) => return self.burned.next().unwrap_or(Step::new(u64::MAX)),
            Params::Totp(params) => params.step_at(now),
        };
        Step::new(step.number().saturating_add_signed(self.drift.into()))
    }

    /// Follows the token's clock by one step at most, and not past the cap (RFC 6238 §6).
    pub(super) fn follow_drift(&mut self, offset: i8, policy: &Policy) {
        let cap = i16::from(policy.drift.as_steps()).max(self.drift.saturating_abs());
        let followed = self.drift.saturating_add(i16::from(offset.signum()));
        if matches!(self.params, Params::Totp(_)) && policy.drift.as_steps() > 0 {
            self.drift = followed.clamp(cap.saturating_neg(), cap);
        }
    }

    /// Burns every step that a code could be accepted for at `now`.
    pub(super) fn burn_window(&mut self, now: UnixTime, policy: &Policy) {
        let window = match self.params {
            Params::Totp(_) => policy.window,
            Params::Hotp(_) => policy.look_ahead,
        };
        let last = self.expected_step(now).number();
        self.burned
            .burn(Step::new(last.saturating_add(window.future().into())));
    }
}

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

/// Whether attempts are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LockState {
    /// They are; so many failures in a row came before.
    Open {
        /// Failures in a row.
        failures: u8,
    },
    /// Not before this moment.
    Locked {
        /// When the next attempt may be made.
        until: UnixTime,
    },
    /// Not until an operator unlocks it.
    Disabled,
}

impl LockState {
    pub(super) fn of(failures: Failures, now: UnixTime, policy: &Policy) -> Self {
        match failures.admit(now, policy.throttle) {
            Err(Rejection::Locked { until }) => Self::Locked { until },
            Err(_) => Self::Disabled,
            Ok(()) => Self::Open {
                failures: failures.count,
            },
        }
    }
}
