//! The clock, and times as the API writes them.

use std::time::SystemTime;

use jiff::Timestamp;
use keyfob::UnixTime;

/// Now. A clock set before 1970 counts as 1970, where every code is refused.
pub(crate) fn now() -> UnixTime {
    UnixTime::try_from(SystemTime::now()).unwrap_or(UnixTime::EPOCH)
}

/// A time as RFC 3339 has it, in UTC.
pub(crate) fn rfc3339(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_seconds()).unwrap_or(i64::MAX);
    Timestamp::from_second(seconds)
        .unwrap_or(Timestamp::MAX)
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_rfc_3339_has_them() {
        assert_eq!(rfc3339(UnixTime::EPOCH), "1970-01-01T00:00:00Z");
        assert_eq!(
            rfc3339(UnixTime::from_seconds(1_800_000_000)),
            "2027-01-15T08:00:00Z"
        );
        assert!(rfc3339(UnixTime::from_seconds(u64::MAX)).starts_with("9999-12-3"));
    }
}
