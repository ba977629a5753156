//! A token whose clock or counter went astray, found again by two consecutive codes.

use super::{Context, conclude, with_registration};
use crate::registration::proposal::Proposal;
use crate::registration::record::Record;
use crate::registration::throttle::Failures;
use crate::registration::{Failure, Registration, Rejection, Token};
use crate::{Code, OtpKey, Params, Step, UnixTime};

/// A token was found again; both codes are burned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resynced {
    /// The step of the second code.
    pub step: Step,
    /// How many steps the token's clock is ahead of ours; 0 for a counter-based token.
    pub drift_steps: i16,
}

/// Decides about two consecutive codes (RFC 4226 §7.4), searched as far as the policy reaches.
///
/// The whole reach is computed whatever is found, at most 3,002 codes. A failure counts like a
/// wrong code, and the drift is remembered. It proves less than a log-in, so it isn't one: let the
/// person log in with the next code.
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
        let outcome = registration.resync(first, second, context);
        Ok(conclude(record, registration, outcome, context))
    })
}

impl Registration {
    fn resync(
        &mut self,
        first: &Code,
        second: &Code,
        context: &Context<'_>,
    ) -> Result<Resynced, Rejection> {
        self.failures.admit(context.now, context.policy.throttle)?;
        if self.lapsed(context.now) {
            return Err(Rejection::Expired);
        }
        let expected = self.token.format();
        if first.format() != expected || second.format() != expected {
            return Err(Rejection::Format { expected });
        }
        let reach = context.policy.resync.as_steps();
        let step = self.token.find(first, second, reach, context.now)?;
        self.token.settle_at(step, context.now);
        self.failures = Failures::default();
        Ok(Resynced {
            step,
            drift_steps: self.token.drift,
        })
    }
}

impl Token {
    /// The step of the second of two consecutive codes.
    fn find(
        &self,
        first: &Code,
        second: &Code,
        reach: u16,
        now: UnixTime,
    ) -> Result<Step, Rejection> {
        let (start, steps) = match self.params {
            Params::Hotp(_) => (self.expected_step(now), u32::from(reach)),
            Params::Totp(params) => (
                Step::new(params.step_at(now).number().saturating_sub(reach.into())),
                u32::from(reach).saturating_mul(2),
            ),
        };
        let step = OtpKey::new(self.params.algorithm(), &self.secret)
            .find_consecutive(first, second, start, steps)
            .ok_or(Rejection::Mismatch)?;
        if self.burned.contains(step) {
            return Err(Rejection::Replayed);
        }
        Ok(step)
    }

    /// Burns the step, and takes the token's clock to stand there.
    fn settle_at(&mut self, step: Step, now: UnixTime) {
        self.burned.burn(step);
        if let Params::Totp(params) = self.params {
            let expected = i128::from(params.step_at(now).number());
            let drift = i128::from(step.number()).saturating_sub(expected);
            self.drift = i16::try_from(drift).unwrap_or(self.drift);
        }
    }
}
