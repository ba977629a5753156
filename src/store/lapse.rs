//! When the row of a pending registration may go.

#[cfg(any(feature = "postgres", feature = "sqlite"))]
use crate::{Record, UnixTime};

/// How much the clocks of those who share a store may differ, in seconds.
pub(super) const MARGIN: u64 = 3_600;

/// How far ahead a pending registration can lapse, in seconds: the longest lifetime, and the margin.
/// One that lapses later was made while a clock was ahead, and would stay for as long.
pub(super) const FARTHEST: u64 = 1_440 * 60 + MARGIN;

/// When a record's row may go, as SQL's integers keep it.
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(super) fn of(record: &Record) -> Option<i64> {
    record.lapses_at().map(integer)
}

/// What can be swept: what lapses until the first moment, and what lapses after the second.
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(super) fn bounds(now: UnixTime) -> (i64, i64) {
    (integer(now), integer(now.saturating_add(FARTHEST)))
}

/// A moment beyond SQL's integers is as good as the last one of them.
#[cfg(any(feature = "postgres", feature = "sqlite"))]
fn integer(moment: UnixTime) -> i64 {
    i64::try_from(moment.as_seconds()).unwrap_or(i64::MAX)
}
