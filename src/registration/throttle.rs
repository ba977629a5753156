//! Failures in a row, and the wait after each.

use super::lock::{LockState, Wait};
use super::policy::Throttle;
use crate::UnixTime;

/// Failures in a row of one kind of code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Failures {
    pub(super) count: u8,
    pub(super) wait_until: UnixTime,
}

impl Failures {
    /// Whether an attempt that costs so many failures if it is wrong can be made at `now`.
    ///
    /// It must wait as long as so many failures one after the other would have to, so that a guesser
    /// gains nothing from a code that is tried in several windows at once.
    pub(super) fn lock(&mut self, now: UnixTime, throttle: Throttle, cost: u8) -> LockState {
        self.heal(now, throttle);
        let failures = self.count;
        if failures.saturating_add(cost) > throttle.disabled_at() {
            return LockState::Disabled;
        }
        let more = throttle.waits_before(failures, cost);
        let until = self.wait_until.saturating_add(more);
        let is_free = more == 0 && throttle.wait_seconds(failures) == 0;
        if is_free || now >= until {
            return LockState::Open { failures };
        }
        let wait = Wait::between(now, until);
        LockState::Locked { failures, wait }
    }

    /// Shortens a wait that is longer than any can be: the clock was ahead when it was counted.
    fn heal(&mut self, now: UnixTime, throttle: Throttle) {
        let latest = now.saturating_add(throttle.longest_wait_seconds());
        self.wait_until = self.wait_until.min(latest);
    }

    /// Counts an attempt that was wrong at `now` and costs so many failures.
    pub(super) fn count(&mut self, now: UnixTime, throttle: Throttle, cost: u8) -> LockState {
        self.count = self.count.saturating_add(cost);
        self.wait_until = now.saturating_add(throttle.wait_seconds(self.count));
        self.lock(now, throttle, cost)
    }
}
