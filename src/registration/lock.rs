//! Whether attempts can be made, and how long to wait.

use core::fmt;

use crate::UnixTime;

/// Whether attempts can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LockState {
    /// They can.
    Open {
        /// Failures in a row.
        failures: u8,
    },
    /// Not before the wait is over.
    Locked {
        /// Failures in a row.
        failures: u8,
        /// How long, and until when.
        wait: Wait,
    },
    /// Not until an operator unlocks it.
    Disabled,
}

impl LockState {
    /// Says what a wrong code brought about.
    pub(super) fn warn(self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open { .. } => Ok(()),
            Self::Locked { wait, .. } => write!(f, "; too many were wrong: try again in {wait}"),
            Self::Disabled => {
                f.write_str("; too many were wrong in a row: an operator must unlock this token")
            }
        }
    }
}

/// How long to wait, and until when. Shown as a rounded duration: `30 seconds`, `11 minutes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// When it is over.
    pub until: UnixTime,
    /// How many seconds that is from the moment of the request.
    pub seconds: u64,
}

impl Wait {
    /// The wait that begins at `now` and ends at `until`.
    #[must_use]
    pub const fn between(now: UnixTime, until: UnixTime) -> Self {
        Self {
            until,
            seconds: until.seconds_since(now),
        }
    }
}

/// Rounded up, so that nobody comes too early.
impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, name) = match self.seconds {
            0..=119 => (1, "second"),
            120..=7_199 => (60, "minute"),
            7_200..=172_799 => (3_600, "hour"),
            _ => (86_400, "day"),
        };
        let count = self.seconds.div_ceil(unit);
        let plural = if count == 1 { "" } else { "s" };
        write!(f, "{count} {name}{plural}")
    }
}
