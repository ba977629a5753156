//! What slows down the guessing of passwords: an attempt counts as a failure until it succeeds, so
//! that guesses in parallel, in whatever process, count too.

use keyfob::{Throttle, UnixTime};
use serde::{Deserialize, Serialize};

use super::Accounts;
use crate::database::Document;
use crate::error::Unavailable;

/// Five free failures, then waits that double from 30 seconds to an hour.
const THROTTLE: Throttle = Throttle::DEFAULT;
/// How long failures are remembered after the last one: a day.
const REMEMBERED_SECONDS: u64 = 86_400;

/// Failures in a row with one e-mail address, whether somebody has it or not: a wait tells nothing. Those
/// of a device that is known for the address are counted apart.
#[derive(Serialize, Deserialize)]
struct PasswordAttempts {
    failures: u8,
    wait_until: u64,
    expires_at: u64,
}

/// No attempt may be made before this moment.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Locked {
    pub(super) until: UnixTime,
}

impl Document for PasswordAttempts {
    const KIND: &'static str = "password_attempts";

    fn expires_at(&self) -> Option<UnixTime> {
        Some(UnixTime::from_seconds(self.expires_at))
    }
}

impl PasswordAttempts {
    const NONE: Self = Self {
        failures: 0,
        wait_until: 0,
        expires_at: 0,
    };

    /// Counts one more, unless it has to wait.
    fn count(&mut self, now: UnixTime) -> Result<(), Locked> {
        let now = now.as_seconds();
        if now < self.wait_until {
            let until = UnixTime::from_seconds(self.wait_until);
            return Err(Locked { until });
        }
        if now >= self.expires_at {
            *self = Self::NONE;
        }
        self.failures = self.failures.saturating_add(1);
        self.wait_until = now.saturating_add(THROTTLE.wait_seconds(self.failures));
        self.expires_at = now.saturating_add(REMEMBERED_SECONDS);
        Ok(())
    }
}

impl Accounts {
    /// Counts an attempt of those that are kept under `name`.
    pub(super) async fn count_password_attempt(
        &self,
        name: &str,
        now: UnixTime,
    ) -> Result<Result<(), Locked>, Unavailable> {
        let mut first = PasswordAttempts::NONE;
        let counted = first.count(now);
        if self.documents.insert(name, &first).await? {
            return Ok(counted);
        }
        let count = |attempts: &mut PasswordAttempts| attempts.count(now);
        let counted = self.documents.update_with(name, count).await?;
        // Gone in between: somebody knew the password.
        Ok(counted.map_or(Ok(()), |(_, counted)| counted))
    }

    /// Begins anew: the password was right.
    pub(super) async fn forget_password_attempts(&self, name: &str) -> Result<(), Unavailable> {
        let forgotten = self.documents.take::<PasswordAttempts>(name).await;
        forgotten.map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime::from_seconds(1_800_000_000);

    fn after(failures: u8) -> PasswordAttempts {
        let mut attempts = PasswordAttempts::NONE;
        (0..failures).for_each(|_| attempts.count(NOW).unwrap());
        attempts
    }

    #[test]
    fn the_seventh_attempt_waits() {
        let mut attempts = after(6);
        let until = NOW.saturating_add(120);
        assert_eq!(attempts.count(NOW), Err(Locked { until }));
        assert_eq!(
            attempts.count(NOW.saturating_add(119)),
            Err(Locked { until })
        );
        assert_eq!(attempts.count(until), Ok(()));
        let until = until.saturating_add(240);
        assert_eq!(
            attempts.count(NOW.saturating_add(121)),
            Err(Locked { until })
        );
    }

    #[test]
    fn waits_end_and_failures_are_forgotten() {
        let mut attempts = after(5);
        let mut now = NOW;
        for _ in 0..300 {
            attempts.count(now).unwrap();
            now = now.saturating_add(3_600);
        }
        attempts.count(now).unwrap();
        let hour = UnixTime::from_seconds(now.as_seconds() + 3_600);
        assert_eq!(attempts.count(now), Err(Locked { until: hour }));
        attempts.count(now.saturating_add(86_400)).unwrap();
        assert_eq!(attempts.failures, 1);
    }
}
