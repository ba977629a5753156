//! What operators and owners do besides logging in.

use super::{Context, update, with_registration};
use crate::Params;
use crate::registration::proposal::Proposal;
use crate::registration::record::Record;
use crate::registration::recovery::RecoverySet;
use crate::registration::throttle::Failures;
use crate::registration::{
    Failure, LockState, Registration, Rejection, State, Status, StatusState,
};

/// Tells what can be told of a registration. Nothing is written.
///
/// # Errors
/// A [`Failure`] if the record can't be read.
pub fn status(record: Option<&Record>, context: &Context<'_>) -> Result<Proposal<Status>, Failure> {
    with_registration(record, |_, registration| {
        Ok(Proposal::unwritten(registration.status(context)))
    })
}

impl Registration {
    fn status(&self, context: &Context<'_>) -> Status {
        let Context { now, policy, .. } = *context;
        Status {
            registration_id: self.lineage.registration_id(),
            state: match self.state {
                State::Active { since } => StatusState::Active { since },
                State::Pending { until } if now >= until => StatusState::Lapsed,
                State::Pending { until } => StatusState::Pending { until },
            },
            last_use: self.last_use,
            params: self.token.params,
            legacy_secret: self.token.secret.is_legacy(),
            drift_steps: self.token.drift,
            replacement_until: self
                .replacement_at(now)
                .map(|replacement| replacement.until),
            recovery_codes: self.recovery.as_ref().map_or(0, RecoverySet::remaining),
            codes: LockState::of(self.failures, now, policy),
            recovery: LockState::of(self.recovery_failures, now, policy),
        }
    }
}

/// Decides about deleting a registration, a damaged one included.
///
/// # Duties of the embedder
/// Without the registration the person logs in without this factor: ask for a fresh log-in or an
/// operator.
///
/// # Errors
/// None today.
pub fn delete(record: Option<&Record>) -> Result<Proposal<()>, Failure> {
    Ok(match record {
        None => Proposal::rejected(Rejection::Unknown),
        Some(record) => Proposal::new(Some(record.revision()), None, Ok(())),
    })
}

/// Decides about forgetting all failures, so that a locked or disabled registration takes codes
/// again.
///
/// # Errors
/// A [`Failure`] if the record can't be read.
pub fn unlock(record: Option<&Record>) -> Result<Proposal<()>, Failure> {
    with_registration(record, |record, registration| {
        registration.failures = Failures::default();
        registration.recovery_failures = Failures::default();
        Ok(update(record, registration, Ok(())))
    })
}

/// Decides about setting how many steps the token's clock is ahead of ours, as its vendor's file or
/// a measurement says. For a counter-based token it is [`Rejection::WrongKind`].
///
/// # Errors
/// A [`Failure`] if the record can't be read.
pub fn set_drift(record: Option<&Record>, steps: i16) -> Result<Proposal<()>, Failure> {
    with_registration(record, |record, registration| {
        if matches!(registration.token.params, Params::Hotp(_)) {
            return Ok(Proposal::rejected(Rejection::WrongKind));
        }
        registration.token.drift = steps;
        Ok(update(record, registration, Ok(())))
    })
}

/// Decides about refusing every code up to now, those of the window's future side included.
///
/// After a restore from a backup, or a failover that may have lost writes, the store has forgotten
/// steps that were burned. The fence burns all that a code could have been accepted for. What it
/// can't bring back: used recovery codes are good again, so rotate them, and a counter-based
/// token's counter is only moved on by the look-ahead.
///
/// # Errors
/// A [`Failure`] if the record can't be read.
pub fn fence(record: Option<&Record>, context: &Context<'_>) -> Result<Proposal<()>, Failure> {
    with_registration(record, |record, registration| {
        let Context { now, policy, .. } = *context;
        registration.token.burn_window(now, policy);
        if let Some(replacement) = &mut registration.replacement {
            replacement.token.burn_window(now, policy);
        }
        Ok(update(record, registration, Ok(())))
    })
}
