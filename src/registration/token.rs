//! One token: its secret, what is agreed with it, and what it has used up.

use super::policy::Policy;
use crate::{Burned, CodeFormat, Params, Secret, Step, TotpParams, UnixTime, Window};

/// One token: its secret, what is agreed with it, and what it has used up.
#[derive(Clone)]
pub(super) struct Token {
    pub(super) secret: Secret,
    pub(super) params: Params,
    pub(super) burned: Burned,
    /// How many steps the clock of a time-based token is ahead of ours.
    pub(super) drift: i16,
    /// How many of a counter-based token's last burned counters a fence has burned. The token may
    /// still be at any of them.
    pub(super) fenced: u8,
}

impl Token {
    /// Most counters that are remembered as fenced.
    pub(super) const MAX_FENCED: u8 = 100;

    /// A token that has used up nothing.
    pub(super) const fn new(secret: Secret, params: Params) -> Self {
        Self {
            secret,
            params,
            burned: Burned::NOTHING,
            drift: 0,
            fenced: 0,
        }
    }

    /// How this token's codes are written.
    pub(super) const fn format(&self) -> CodeFormat {
        self.params.format()
    }

    /// In how many windows a code of this format is tried.
    pub(super) fn windows(&self, format: CodeFormat) -> u8 {
        match self.drift {
            _ if format != self.format() => 0,
            0 => 1,
            _ => 2,
        }
    }

    /// The step that the token is at if its clock is so many steps ahead, or its next counter.
    pub(super) fn step_at(&self, now: UnixTime, drift: i16) -> Step {
        match self.params {
            Params::Hotp(_) => self.burned.next().unwrap_or(Step::new(u64::MAX)),
            Params::Totp(params) => drifted(params.step_at(now), drift),
        }
    }

    /// The step that the token is at, as far as is known.
    pub(super) fn expected_step(&self, now: UnixTime) -> Step {
        self.step_at(now, self.drift)
    }

    /// When a token whose clock is so many steps ahead shows a code that can be accepted, if all that
    /// it could be accepted for now is burned.
    pub(super) fn refused_until(
        &self,
        drift: i16,
        now: UnixTime,
        policy: &Policy,
    ) -> Option<UnixTime> {
        let Params::Totp(params) = self.params else {
            return None;
        };
        let last = self.step_at(now, drift).number();
        let last = last.saturating_add(policy.window.future().into());
        let burned = self.burned.last().filter(|burned| burned.number() > last)?;
        let next = drifted(burned, drift.saturating_neg()).number();
        Some(params.start_of(Step::new(next.saturating_add(1))))
    }

    /// The steps around the expected one that are tried. Those before a counter-based token's are
    /// burned; they tell a used code from a wrong one.
    pub(super) fn window(&self, policy: &Policy) -> Window {
        match self.params {
            Params::Totp(_) => policy.window,
            Params::Hotp(_) => policy.look_ahead.reaching_back(self.fenced),
        }
    }

    /// How many steps the clock may be followed away from ours: the policy's cap, or as far as it
    /// was followed already.
    fn reach(&self, policy: &Policy) -> i16 {
        i16::from(policy.drift.as_steps()).max(self.drift.saturating_abs())
    }

    /// Follows the token's clock by one step at most, and not past the cap (RFC 6238 §6).
    pub(super) fn follow_drift(&mut self, offset: i8, policy: &Policy) {
        if matches!(self.params, Params::Totp(_)) {
            self.set_drift(self.drift.saturating_add(offset.signum().into()), policy);
        }
    }

    /// Sets the drift, within the cap.
    pub(super) fn set_drift(&mut self, drift: i16, policy: &Policy) {
        let reach = self.reach(policy);
        self.drift = drift.clamp(reach.saturating_neg(), reach);
    }

    /// The last step that a code could be accepted for at `now`, however far the token's clock was
    /// followed.
    pub(super) fn last_acceptable(
        &self,
        params: TotpParams,
        now: UnixTime,
        policy: &Policy,
    ) -> Step {
        let ahead = i16::from(policy.drift.as_steps()).max(self.drift);
        let step = drifted(params.step_at(now), ahead).number();
        Step::new(step.saturating_add(policy.window.future().into()))
    }

    /// Burns every step that a code could have been accepted for up to `now`, whatever of the
    /// token's clock was forgotten.
    pub(super) fn fence(&mut self, now: UnixTime, policy: &Policy) {
        match self.params {
            Params::Totp(params) => self.burned.burn(self.last_acceptable(params, now, policy)),
            Params::Hotp(_) => {
                let ahead = policy.look_ahead.future();
                let last = self.expected_step(now).number();
                self.burned
                    .burn(Step::new(last.saturating_add(ahead.into())));
                let fenced = self.fenced.saturating_add(ahead).saturating_add(1);
                self.fenced = fenced.min(Self::MAX_FENCED);
            }
        }
    }

    /// Takes the burned steps back to those that a fence at `now` burns.
    pub(super) fn forget_future_steps(&mut self, now: UnixTime, policy: &Policy) {
        if let (Params::Totp(params), Some(burned)) = (self.params, self.burned.last()) {
            let last = self.last_acceptable(params, now, policy);
            self.burned = Burned::up_to(burned.min(last));
        }
    }
}

/// The step that is so many steps later.
fn drifted(step: Step, drift: i16) -> Step {
    Step::new(step.number().saturating_add_signed(drift.into()))
}
