//! Moments and moving-factor steps. Time is always an argument: keyfob reads no clock.

/// A moment, in whole seconds since 1970-01-01T00:00:00Z without leap seconds.
///
/// Every call that depends on time takes one, so that a server, a test and a device with a
/// drifting crystal all say plainly which clock they trust.
///
/// ```
/// use keyfob::UnixTime;
///
/// let noon = UnixTime::from_seconds(1_111_111_109);
/// assert_eq!(noon.as_seconds(), 1_111_111_109);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(u64);

impl UnixTime {
    /// The Unix epoch itself, second 0.
    pub const EPOCH: Self = Self(0);

    /// The moment that lies `seconds` after the Unix epoch. Every value is valid.
    #[must_use]
    pub const fn from_seconds(seconds: u64) -> Self {
        Self(seconds)
    }

    /// Whole seconds since the Unix epoch.
    #[must_use]
    pub const fn as_seconds(self) -> u64 {
        self.0
    }

    /// The moment `seconds` later, or the last one there is.
    #[must_use]
    pub const fn saturating_add(self, seconds: u64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// Whole seconds from `earlier` until this moment; 0 if `earlier` isn't earlier.
    #[must_use]
    pub const fn seconds_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// A clock of the standard library as keyfob's time, sub-seconds cut off.
///
/// # Errors
/// The error of [`duration_since`](std::time::SystemTime::duration_since) when the clock stands
/// before 1970.
#[cfg(feature = "std")]
impl TryFrom<std::time::SystemTime> for UnixTime {
    type Error = std::time::SystemTimeError;

    fn try_from(clock: std::time::SystemTime) -> Result<Self, Self::Error> {
        let elapsed = clock.duration_since(std::time::SystemTime::UNIX_EPOCH)?;
        Ok(Self(elapsed.as_secs()))
    }
}

/// The moving factor of one code: RFC 6238's *T* for time, RFC 4226's *C* for a counter.
///
/// Replay is refused by step, never by the digits: two neighbouring steps can share the same
/// digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Step(u64);

impl Step {
    /// The step with this number. Every value is valid, [`u64::MAX`] included.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The step's number, as it enters the HMAC.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }

    /// The step `distance` away, or `None` where no such step exists.
    #[must_use]
    pub const fn checked_add(self, distance: i64) -> Option<Self> {
        match self.0.checked_add_signed(distance) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }
}
