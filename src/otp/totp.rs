//! The two one-time-password algorithms: by time (RFC 6238) and by counter (RFC 4226).

use super::code::Code;
use super::key::OtpKey;
use super::params::{HotpParams, TotpParams, Window};
use super::secret::Secret;
use super::verify::{Burned, Match, VerifyError};
use crate::{Step, UnixTime};

/// A time-based token, ready to show codes and to verify them (RFC 6238).
///
/// ```
/// use keyfob::{Burned, Code, Secret, Totp, TotpParams, UnixTime, VerifyError, Window};
///
/// let secret = Secret::from_bytes(b"12345678901234567890")?;
/// let totp = Totp::new(&secret, TotpParams::DEFAULT);
/// let now = UnixTime::from_seconds(59);
/// assert_eq!(totp.code_at(now).to_text().as_str(), "287082");
/// assert_eq!(totp.remaining_seconds(now), 1);
///
/// let mut burned = Burned::NOTHING;
/// let typed = Code::parse("287 082")?;
/// totp.verify(&typed, now, Window::ONE_STEP, &mut burned)?;
/// // Store `burned` here, before you let anyone in.
/// assert_eq!(
///     totp.verify(&typed, now, Window::ONE_STEP, &mut burned),
///     Err(VerifyError::Replayed),
/// );
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Totp {
    key: OtpKey,
    params: TotpParams,
}

impl Totp {
    /// Prepares `secret` for these parameters.
    #[must_use]
    pub fn new(secret: &Secret, params: TotpParams) -> Self {
        Self {
            key: OtpKey::new(params.algorithm, secret),
            params,
        }
    }

    /// The parameters it was made with.
    #[must_use]
    pub const fn params(&self) -> &TotpParams {
        &self.params
    }

    /// The step that `now` falls in: ⌊(now − T0) / period⌋ (RFC 6238 §4.2). Before T0 there is no
    /// step, so a clock that stands there counts as step 0.
    #[must_use]
    pub const fn step_at(&self, now: UnixTime) -> Step {
        self.params.step_at(now)
    }

    /// The code that a token with a right clock shows at `now`.
    #[must_use]
    pub fn code_at(&self, now: UnixTime) -> Code {
        self.code(self.step_at(now))
    }

    /// The code of one step.
    #[must_use]
    pub fn code(&self, step: Step) -> Code {
        self.key.code(step, self.params.format)
    }

    /// How many seconds the code of `now` has left: 1 to the period; longer before T0.
    #[must_use]
    pub const fn remaining_seconds(&self, now: UnixTime) -> u64 {
        self.params.remaining_seconds(now)
    }

    /// Verifies a code, and burns its step and all before it, so that the same `burned` never
    /// accepts it again.
    ///
    /// All of the window is computed and compared in constant time. Where two of its steps share
    /// the digits, the higher one is burned.
    ///
    /// # Duties of the embedder
    /// - Store `burned` before you act on the answer, and load it before the next call.
    /// - Count [`VerifyError::Mismatch`] and slow the guesser down: a window of three steps lets
    ///   one guess in 333,333 hit.
    ///
    /// # Errors
    /// A [`VerifyError`]; `burned` is then unchanged.
    pub fn verify(
        &self,
        code: &Code,
        now: UnixTime,
        window: Window,
        burned: &mut Burned,
    ) -> Result<Match, VerifyError> {
        let expected = self.step_at(now);
        self.key
            .verify(code, self.params.format, expected, window, burned)
    }
}

impl TotpParams {
    /// The step that `now` falls in, as [`Totp::step_at`] tells it.
    #[must_use]
    pub const fn step_at(&self, now: UnixTime) -> Step {
        Step::new(self.period.whole_in(now.seconds_since(self.epoch)))
    }

    /// When `step` begins, or the last moment there is.
    pub(crate) const fn start_of(&self, step: Step) -> UnixTime {
        let seconds = step
            .number()
            .saturating_mul(self.period.as_seconds() as u64);
        self.epoch.saturating_add(seconds)
    }

    /// How many seconds the step of `now` has left, as [`Totp::remaining_seconds`] tells it.
    #[must_use]
    pub const fn remaining_seconds(&self, now: UnixTime) -> u64 {
        let elapsed = self
            .period
            .left_over(now.seconds_since(self.epoch), self.step_at(now).number());
        let remaining = self.period.as_seconds().saturating_sub(elapsed) as u64;
        remaining.saturating_add(self.epoch.seconds_since(now))
    }
}

/// A counter-based token, ready to make codes and to verify them (RFC 4226).
///
/// The verifier's counter is [`Burned::next`]: the first counter that was not accepted yet.
///
/// ```
/// use keyfob::{Burned, Code, Hotp, HotpParams, Secret, Step, Window};
///
/// let secret = Secret::from_bytes(b"12345678901234567890")?;
/// let hotp = Hotp::new(&secret, HotpParams::DEFAULT);
/// let mut burned = Burned::before(Step::new(5));
/// let typed = Code::parse("162583")?; // the code of counter 7: two were skipped
/// let found = hotp.verify(&typed, Window::LOOK_AHEAD, &mut burned)?;
/// assert_eq!(found.step(), Step::new(7));
/// assert_eq!(burned.next(), Some(Step::new(8)));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Hotp {
    key: OtpKey,
    params: HotpParams,
}

impl Hotp {
    /// Prepares `secret` for these parameters.
    #[must_use]
    pub fn new(secret: &Secret, params: HotpParams) -> Self {
        Self {
            key: OtpKey::new(params.algorithm, secret),
            params,
        }
    }

    /// The parameters it was made with.
    #[must_use]
    pub const fn params(&self) -> &HotpParams {
        &self.params
    }

    /// The code of one counter.
    #[must_use]
    pub fn code(&self, counter: Step) -> Code {
        self.key.code(counter, self.params.format)
    }

    /// Verifies a code around the next counter, and burns its counter and all before it.
    ///
    /// The window's future side is RFC 4226's look-ahead (§7.4). Its past side accepts nothing, as
    /// all before the next counter is burned; it tells a code sent twice
    /// ([`VerifyError::Replayed`]) from a wrong one. Duties and constant time are those of
    /// [`Totp::verify`].
    ///
    /// # Errors
    /// A [`VerifyError`]; `burned` is then unchanged. After counter [`u64::MAX`] none is left and
    /// every code is a mismatch or replayed.
    pub fn verify(
        &self,
        code: &Code,
        window: Window,
        burned: &mut Burned,
    ) -> Result<Match, VerifyError> {
        let expected = burned.next().unwrap_or(Step::new(u64::MAX));
        self.key
            .verify(code, self.params.format, expected, window, burned)
    }
}
