//! What operators and owners do besides logging in.

use core::iter;

use super::{Context, update, with_registration};
use crate::Params;
use crate::registration::proposal::Proposal;
use crate::registration::record::Record;
use crate::registration::recovery::RecoverySet;
use crate::registration::throttle::Failures;
use crate::registration::{Failure, Registration, Rejection, State, Status, StatusState, Token};

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
        let cost = self.cost(self.token.format(), now, policy);
        let waiting = self.replacement_at(now, policy);
        let lock = |mut failures: Failures, cost| failures.lock(now, policy.throttle, cost);
        Status {
            registration_id: self.lineage.registration_id(),
            state: match self.state {
                State::Active { since } => StatusState::Active { since },
                State::Pending { .. } if self.lapsed(now, policy) => StatusState::Lapsed,
                State::Pending { until } => StatusState::Pending { until },
            },
            last_use: self.last_use,
            params: self.token.params,
            legacy_secret: self.token.secret.is_legacy(),
            drift_steps: self.token.drift,
            refused_until: self.token.refused_until(self.token.drift, now, policy),
            replacement_until: waiting.map(|replacement| replacement.until),
            recovery_codes: self.recovery.as_ref().map_or(0, RecoverySet::remaining),
            codes: lock(self.failures, cost),
            recovery: lock(self.recovery_failures, 1),
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
/// steps that were burned. The fence burns all that a code could have been accepted for, also if drift
/// was followed, or a token resynchronised, in the lost writes.
///
/// # What it costs the owner
/// - A time-based token is refused ([`Rejection::TooEarly`]) for as many steps as the policy's
///   [`drift`](crate::Policy::drift) cap and window reach ahead: one or two by default, 22 under
///   [`lenient_for_hardware_tokens`](crate::Policy::lenient_for_hardware_tokens), which is 11 minutes.
/// - A counter-based token is refused ([`Rejection::Replayed`], not counted) until it is past the
///   look-ahead: eleven codes by default.
///
/// # What it can't know
/// - Used recovery codes are good again: rotate them.
/// - A counter-based token's counter is moved on by the look-ahead only. If more log-ins than that
///   were lost, codes of later ones are good again.
/// - A drift beyond the cap that was lost (an operator's [`set_drift`], an import): set it again
///   before.
/// - Codes of the future, if a clock was ahead when it accepted them. Fence at the latest time that
///   any server may have had.
/// - Registrations, replacements and rotations that were lost: the old ones are back. Failures and
///   lock-outs are forgotten.
///
/// # Errors
/// A [`Failure`] if the record can't be read.
pub fn fence(record: Option<&Record>, context: &Context<'_>) -> Result<Proposal<()>, Failure> {
    with_registration(record, |record, registration| {
        for token in registration.tokens() {
            token.fence(context.now, context.policy);
        }
        Ok(update(record, registration, Ok(())))
    })
}

/// Decides about forgetting that steps of the future are burned, so that a time-based token is accepted
/// again which was used while a clock was ahead. What can be accepted at `now` stays burned, as after a
/// [`fence`]. For a counter-based token it is [`Rejection::WrongKind`].
///
/// # What it costs
/// The codes that were accepted while the clock was ahead are accepted once more when their time
/// comes. Whoever saw one of them can use it then: replace the token if that matters.
///
/// # Errors
/// A [`Failure`] if the record can't be read.
pub fn forget_future_steps(
    record: Option<&Record>,
    context: &Context<'_>,
) -> Result<Proposal<()>, Failure> {
    with_registration(record, |record, registration| {
        if matches!(registration.token.params, Params::Hotp(_)) {
            return Ok(Proposal::rejected(Rejection::WrongKind));
        }
        for token in registration.tokens() {
            token.forget_future_steps(context.now, context.policy);
        }
        Ok(update(record, registration, Ok(())))
    })
}

impl Registration {
    /// The token, and one that waits to replace it.
    fn tokens(&mut self) -> impl Iterator<Item = &mut Token> {
        let waiting = self.replacement.as_mut();
        iter::once(&mut self.token).chain(waiting.map(|replacement| &mut replacement.token))
    }
}
