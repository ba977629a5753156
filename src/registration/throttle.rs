//! Failures in a row, and the wait after each.

use super::policy::Throttle;
use super::rejection::Rejection;
use crate::UnixTime;

/// Failures in a row of one kind of code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Failures {
    pub(super) count: u8,
    pub(super) wait_until: UnixTime,
}

impl Failures {
    /// Whether an attempt may be made at `now`.
    pub(super) fn admit(self, now: UnixTime, throttle: Throttle) -> Result<(), Rejection> {
        if self.count >= throttle.disabled_at() {
            return Err(Rejection::Disabled);
        }
        if now < self.wait_until {
            return Err(Rejection::Locked {
                until: self.wait_until,
            });
        }
        Ok(())
    }

    /// Counts a failure at `now`.
    pub(super) fn count(&mut self, now: UnixTime, throttle: Throttle) {
        self.count = self.count.saturating_add(1);
        self.wait_until = match throttle.wait_seconds(self.count) {
            0 => UnixTime::EPOCH,
            wait => now.saturating_add(wait),
        };
    }
}
