//! A token whose clock or counter went astray, found again by two consecutive codes.

use super::{Context, attempt, with_registration};
use crate::registration::proposal::Proposal;
use crate::registration::record::Record;
use crate::registration::throttle::Failures;
use crate::registration::{Failure, Registration, Rejection, Token};
use crate::{Code, OtpKey, Params, Step};

/// A token was found again; both codes are burned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resynced {
    /// The step of the second code.
    pub step: Step,
    /// How many steps the token's clock is ahead of ours; 0 for a counter-based token.
    pub drift_steps: i16,
}

/// Decides about two consecutive codes (RFC 4226 §7.4).
///
/// A counter-based token is searched as many counters ahead as the policy's
/// [`resync`](crate::Policy::resync) says. A time-based one is searched around the time that is
/// expected of it, as far as the policy's [`drift`](crate::Policy::drift) and window reach: where no
/// drift is followed, it is found in the window only. All of that is computed whatever is found, at
/// most 1,601 codes.
///
/// A failure counts like a wrong code, and the drift is remembered. It proves less than a log-in, so it
/// isn't one: let the person log in with the next code.
///
/// # Errors
/// A [`Failure`] if the record can't be read.
pub fn resync(
    record: Option<&Record>,
    first: &Code,
    second: &Code,
    context: &Context<'_>,
) -> Result<Proposal<Resynced>, Failure> {
    with_registration(record, |record, registration| {
        attempt(record, registration, |registration| {
            Ok(registration.resync(first, second, context))
        })
    })
}

impl Registration {
    fn resync(
        &mut self,
        first: &Code,
        second: &Code,
        context: &Context<'_>,
    ) -> Result<Resynced, Rejection> {
        let Context { now, policy, .. } = *context;
        self.failures.lock(now, policy.throttle, 1).admit()?;
        if self.lapsed(now, policy) {
            return Err(Rejection::Expired);
        }
        let expected = self.token.format();
        if first.format() != expected || second.format() != expected {
            return Err(Rejection::Format { expected });
        }
        let Some(step) = self.token.find_consecutive(first, second, context) else {
            let lock = self.failures.count(now, policy.throttle, 1);
            return Err(Rejection::Mismatch { lock });
        };
        if self.token.burned.contains(step) {
            return Err(Rejection::Replayed);
        }
        self.token.settle_at(step, context);
        self.failures = Failures::default();
        Ok(Resynced {
            step,
            drift_steps: self.token.drift,
        })
    }
}

impl Token {
    /// The step of the second of two consecutive codes.
    fn find_consecutive(&self, first: &Code, second: &Code, context: &Context<'_>) -> Option<Step> {
        let Context { now, policy, .. } = *context;
        let (back, ahead) = match self.params {
            Params::Hotp(_) => (self.fenced.into(), policy.resync.as_steps()),
            Params::Totp(_) => {
                let reach = |window: u8| u16::from(policy.drift.as_steps().saturating_add(window));
                let (past, future) = (policy.window.past(), policy.window.future());
                (reach(past).saturating_add(1), reach(future))
            }
        };
        let expected = self.expected_step(now).number();
        let start = Step::new(expected.saturating_sub(back.into()));
        let steps = u32::from(back).saturating_add(ahead.into());
        OtpKey::new(self.params.algorithm(), &self.secret)
            .find_consecutive(first, second, start, steps)
    }

    /// Burns the step, and takes the token's clock to stand there.
    fn settle_at(&mut self, step: Step, context: &Context<'_>) {
        self.burned.burn(step);
        self.fenced = 0;
        if let Params::Totp(params) = self.params {
            let expected = i128::from(params.step_at(context.now).number());
            let drift = i128::from(step.number()).saturating_sub(expected);
            let drift = i16::try_from(drift).unwrap_or(self.drift);
            self.set_drift(drift, context.policy);
        }
    }
}
