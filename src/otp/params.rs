//! What a token and its verifier agree on. Every value of these types is valid.

use core::{fmt, num::NonZero, str::FromStr};

use super::truncate::Divisor;
use crate::UnixTime;

/// The hash under the HMAC (RFC 6238 §1.2).
///
/// SHA-1 is what every token and app understands, and HMAC-SHA-1 doesn't rest on SHA-1's
/// collision resistance (RFC 4226 §B.2). Some apps read `SHA256` in a URI and use SHA-1 all the
/// same: keep the default unless you know the tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// HMAC-SHA-1, the default of RFC 4226.
    #[default]
    Sha1,
    /// HMAC-SHA-256.
    #[cfg(feature = "sha2")]
    Sha256,
    /// HMAC-SHA-512.
    #[cfg(feature = "sha2")]
    Sha512,
}

impl Algorithm {
    /// The name in a key URI: `SHA1`, `SHA256` or `SHA512`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "SHA1",
            #[cfg(feature = "sha2")]
            Self::Sha256 => "SHA256",
            #[cfg(feature = "sha2")]
            Self::Sha512 => "SHA512",
        }
    }

    /// The length of the HMAC, and of a generated secret: 20, 32 or 64 bytes (RFC 6238 §5.1).
    #[must_use]
    pub const fn output_bytes(self) -> usize {
        match self {
            Self::Sha1 => 20,
            #[cfg(feature = "sha2")]
            Self::Sha256 => 32,
            #[cfg(feature = "sha2")]
            Self::Sha512 => 64,
        }
    }
}

/// Reads the name of a key URI, and the spellings that other systems write: `sha1`, `SHA-256`,
/// `HMAC-SHA-512`, `HmacSHA1`. An unknown name is an error, never SHA-1.
impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let mut letters = heapless::String::<10>::new();
        for letter in name.chars().filter(|letter| *letter != '-') {
            letters
                .push(letter.to_ascii_uppercase())
                .map_err(|_| UnknownAlgorithm)?;
        }
        match letters.strip_prefix("HMAC").unwrap_or(&letters) {
            "SHA1" => Ok(Self::Sha1),
            #[cfg(feature = "sha2")]
            "SHA256" => Ok(Self::Sha256),
            #[cfg(feature = "sha2")]
            "SHA512" => Ok(Self::Sha512),
            _ => Err(UnknownAlgorithm),
        }
    }
}

/// The name stands for no algorithm that this build of keyfob has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownAlgorithm;

impl fmt::Display for UnknownAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if cfg!(feature = "sha2") {
            "unknown algorithm: use SHA1, SHA256 or SHA512"
        } else {
            "unknown algorithm: this build reads SHA1 only; the feature `sha2` adds SHA256 and SHA512"
        })
    }
}

impl core::error::Error for UnknownAlgorithm {}

/// How a code is written, numbered by how many symbols it has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CodeFormat {
    /// Six decimal digits, what nearly every app shows.
    #[default]
    SixDigits = 6,
    /// Seven decimal digits.
    SevenDigits = 7,
    /// Eight decimal digits.
    EightDigits = 8,
    /// Steam Guard's five symbols of the alphabet `23456789BCDFGHJKMNPQRTVWXY`.
    Steam = 5,
}

impl CodeFormat {
    /// The format with so many decimal digits: 6, 7 or 8.
    #[must_use]
    pub const fn from_digits(digits: u8) -> Option<Self> {
        match digits {
            6 => Some(Self::SixDigits),
            7 => Some(Self::SevenDigits),
            8 => Some(Self::EightDigits),
            _ => None,
        }
    }

    /// How many symbols a code has: 5 for Steam, else 6, 7 or 8.
    #[must_use]
    pub const fn symbols(self) -> usize {
        self as usize
    }

    /// Brings a truncated MAC (31 bits) into the format's range, in constant time.
    pub(super) const fn reduce(self, truncated: u32) -> u32 {
        self.range().remainder(truncated)
    }

    /// How many codes there are.
    const fn range(self) -> Divisor {
        match self {
            Self::SixDigits => const { Divisor::new(1_000_000) },
            Self::SevenDigits => const { Divisor::new(10_000_000) },
            Self::EightDigits => const { Divisor::new(100_000_000) },
            Self::Steam => const { Divisor::new(26_u32.pow(5)) },
        }
    }
}

impl fmt::Display for CodeFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SixDigits => "6 digits",
            Self::SevenDigits => "7 digits",
            Self::EightDigits => "8 digits",
            Self::Steam => "5 Steam symbols",
        })
    }
}

/// How long a time step lasts: 1 second to 1 day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Period(NonZero<u32>);

impl Period {
    /// 30 seconds, RFC 6238's recommendation (§5.2).
    pub const THIRTY_SECONDS: Self = Self(NonZero::new(30).unwrap());

    /// A period of 1 to 86,400 seconds; `None` outside that range.
    ///
    /// As a constant, a wrong period fails to compile:
    ///
    /// ```
    /// use keyfob::Period;
    ///
    /// const MINUTE: Period = Period::from_seconds(60).unwrap();
    /// assert_eq!(Period::from_seconds(0), None);
    /// ```
    #[must_use]
    pub const fn from_seconds(seconds: u32) -> Option<Self> {
        match NonZero::new(seconds) {
            Some(period) if seconds <= 86_400 => Some(Self(period)),
            _ => None,
        }
    }

    /// The period in seconds, 1 to 86,400.
    #[must_use]
    pub const fn as_seconds(self) -> u32 {
        self.0.get()
    }

    /// How many whole periods so many seconds have.
    ///
    /// Words are divided, as a Cortex-M0 takes a routine of 600 bytes to divide anything longer. Until
    /// 2106 one word is all there is; after that fifteen bits at a time, which a remainder below 2^17
    /// leaves room for.
    #[allow(clippy::cast_possible_truncation)]
    pub(super) const fn whole_in(self, seconds: u64) -> u64 {
        if seconds <= u32::MAX as u64 {
            // Not every optimiser sees that a period is at least 1, and `/` would leave it a way to panic.
            return match (seconds as u32).checked_div(self.0.get()) {
                Some(periods) => periods as u64,
                None => 0,
            };
        }
        let high = self.whole_in(seconds >> 15);
        let left_over = self.left_over(seconds >> 15, high) as u64;
        (high << 15) | self.whole_in((left_over << 15) | (seconds & 0x7fff))
    }

    /// How many of so many seconds those whole periods leave over.
    #[allow(clippy::cast_possible_truncation)] // it is less than a period
    pub(super) const fn left_over(self, seconds: u64, periods: u64) -> u32 {
        (seconds as u32).wrapping_sub((periods as u32).wrapping_mul(self.0.get()))
    }
}

impl Default for Period {
    /// [`Period::THIRTY_SECONDS`].
    fn default() -> Self {
        Self::THIRTY_SECONDS
    }
}

/// What a time-based token and its verifier agree on (RFC 6238 §4).
///
/// ```
/// use keyfob::{CodeFormat, TotpParams};
///
/// let eight_digits = TotpParams { format: CodeFormat::EightDigits, ..TotpParams::DEFAULT };
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct TotpParams {
    /// The hash under the HMAC.
    pub algorithm: Algorithm,
    /// How a code is written.
    pub format: CodeFormat,
    /// RFC 6238's *X*, how long a step lasts.
    pub period: Period,
    /// RFC 6238's *T0*, where the counting of steps begins.
    pub epoch: UnixTime,
}

impl TotpParams {
    /// SHA-1, six digits, 30 seconds, counted from the Unix epoch: what every app understands.
    pub const DEFAULT: Self = Self {
        algorithm: Algorithm::Sha1,
        format: CodeFormat::SixDigits,
        period: Period::THIRTY_SECONDS,
        epoch: UnixTime::EPOCH,
    };
}

/// What a counter-based token and its verifier agree on (RFC 4226 §5.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct HotpParams {
    /// The hash under the HMAC.
    pub algorithm: Algorithm,
    /// How a code is written.
    pub format: CodeFormat,
}

impl HotpParams {
    /// SHA-1 and six digits.
    pub const DEFAULT: Self = Self {
        algorithm: Algorithm::Sha1,
        format: CodeFormat::SixDigits,
    };
}

/// The parameters of a token of either kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Params {
    /// The moving factor is time.
    Totp(TotpParams),
    /// The moving factor is a counter.
    Hotp(HotpParams),
}

impl Params {
    /// The hash under the HMAC.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        match self {
            Self::Totp(params) => params.algorithm,
            Self::Hotp(params) => params.algorithm,
        }
    }

    /// How a code is written.
    #[must_use]
    pub const fn format(&self) -> CodeFormat {
        match self {
            Self::Totp(params) => params.format,
            Self::Hotp(params) => params.format,
        }
    }
}

impl Default for Params {
    /// Time-based, [`TotpParams::DEFAULT`].
    fn default() -> Self {
        Self::Totp(TotpParams::DEFAULT)
    }
}

/// The steps around the expected one whose codes are accepted, at most ten to each side.
///
/// Each further step makes guessing easier: with a window of three steps a guess hits once in
/// 333,333, and RFC 6238 (§5.2) recommends at most one step for delay. The window can be
/// asymmetric, for a code that travels slowly but never comes early.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    past: u8,
    future: u8,
}

impl Window {
    /// Most steps to one side.
    pub const MAX_STEPS: u8 = 10;

    /// The expected step alone, no drift forgiven.
    pub const EXACT: Self = Self { past: 0, future: 0 };

    /// One step to each side, for transmission delay and small drift. The default.
    pub const ONE_STEP: Self = Self { past: 1, future: 1 };

    /// Two steps to each side, for tokens whose clock drifts.
    pub const TWO_STEPS: Self = Self { past: 2, future: 2 };

    /// For counters: ten steps of look-ahead (RFC 4226 §7.4), and one back, which can never be
    /// accepted but lets a code sent twice be told from a wrong one.
    pub const LOOK_AHEAD: Self = Self {
        past: 1,
        future: 10,
    };

    /// A window of so many steps back and ahead, each 0 to 10; `None` beyond that.
    #[must_use]
    pub const fn new(past: u8, future: u8) -> Option<Self> {
        if past > Self::MAX_STEPS || future > Self::MAX_STEPS {
            return None;
        }
        Some(Self { past, future })
    }

    /// Steps before the expected one, 0 to 10.
    #[must_use]
    pub const fn past(self) -> u8 {
        self.past
    }

    /// Steps after the expected one, 0 to 10.
    #[must_use]
    pub const fn future(self) -> u8 {
        self.future
    }

    /// The same window, reaching back so many steps at least, up to 127.
    pub(crate) const fn reaching_back(self, steps: u8) -> Self {
        let past = if self.past > steps { self.past } else { steps };
        Self { past, ..self }
    }

    /// The distances from the expected step, ascending.
    pub(super) fn offsets(self) -> impl Iterator<Item = i8> {
        0_i8.saturating_sub_unsigned(self.past)..=self.future.cast_signed()
    }
}

impl Default for Window {
    /// [`Window::ONE_STEP`].
    fn default() -> Self {
        Self::ONE_STEP
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn agrees(seconds: u64, period: u32) {
        let divisor = u64::from(period);
        let period = Period::from_seconds(period).unwrap();
        let periods = period.whole_in(seconds);
        assert_eq!(periods, seconds / divisor);
        let left_over = period.left_over(seconds, periods);
        assert_eq!(u64::from(left_over), seconds % divisor);
    }

    #[test]
    fn division_is_exact_where_words_end() {
        for period in [1, 30, 60, 65_535, 65_536, 86_399, 86_400] {
            for bits in 0..64 {
                agrees(1 << bits, period);
                agrees((1 << bits) - 1, period);
                agrees(u64::MAX - (1 << bits), period);
            }
            agrees(u64::MAX, period);
        }
    }

    proptest! {
        #[test]
        fn division_is_exact(seconds: u64, bits in 0..64, period in 1..=86_400_u32) {
            agrees(seconds >> bits, period);
        }
    }
}
