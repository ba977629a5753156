//! Times for people: in UTC, and in their own zone where the script runs.

use keyfob::UnixTime;

use crate::clock::rfc3339;

/// A time on a page.
pub(super) struct Moment {
    /// As RFC 3339 has it.
    pub(super) machine: String,
    /// As it is read.
    pub(super) text: String,
}

impl From<UnixTime> for Moment {
    fn from(time: UnixTime) -> Self {
        let machine = rfc3339(time);
        let text = machine.replace('T', " ").replace('Z', " UTC");
        Self { machine, text }
    }
}
