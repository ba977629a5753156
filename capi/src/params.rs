//! What a token and its verifier agree on.

use keyfob::{
    Algorithm, CodeFormat, HotpParams, NewRegistration, Params, Period, TotpParams, UnixTime,
    Window,
};

use crate::keyfob_status_t::*;
use crate::lent::Result;

/// The hash under the HMAC.
#[repr(u32)]
#[derive(Clone, Copy)]
pub enum keyfob_algorithm_t {
    /// What every token and app understands.
    KEYFOB_SHA1 = 1,
    /// Needs the feature `sha2`.
    KEYFOB_SHA256 = 2,
    /// Needs the feature `sha2`.
    KEYFOB_SHA512 = 3,
}

/// How a code is written.
#[repr(u32)]
#[derive(Clone, Copy)]
pub enum keyfob_format_t {
    /// Steam Guard's five symbols.
    KEYFOB_STEAM = 5,
    /// Six decimal digits, what nearly every app shows.
    KEYFOB_SIX_DIGITS = 6,
    /// Seven decimal digits.
    KEYFOB_SEVEN_DIGITS = 7,
    /// Eight decimal digits.
    KEYFOB_EIGHT_DIGITS = 8,
}

/// What moves a token on.
#[repr(u32)]
#[derive(Clone, Copy)]
pub enum keyfob_kind_t {
    /// Time (RFC 6238).
    KEYFOB_TOTP = 1,
    /// A counter (RFC 4226).
    KEYFOB_HOTP = 2,
}

/// What a token and its verifier agree on. Begin with `keyfob_params_default`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct keyfob_params_t {
    /// A `keyfob_kind_t`.
    pub kind: u32,
    /// A `keyfob_algorithm_t`.
    pub algorithm: u32,
    /// A `keyfob_format_t`.
    pub format: u32,
    /// How long a step lasts, 1 to 86,400 seconds; not read for a counter.
    pub period_seconds: u32,
    /// Where the counting of steps begins, in seconds of Unix time; not read for a counter.
    pub epoch: u64,
}

/// The steps around the expected one whose codes are accepted, at most ten to each side.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct keyfob_window_t {
    /// Steps before the expected one.
    pub past: u8,
    /// Steps after it.
    pub future: u8,
}

impl keyfob_window_t {
    pub(crate) fn read(self) -> Result<Window> {
        Window::new(self.past, self.future).ok_or(KEYFOB_INVALID_ARGUMENT)
    }
}

impl From<Window> for keyfob_window_t {
    fn from(window: Window) -> Self {
        Self {
            past: window.past(),
            future: window.future(),
        }
    }
}

impl keyfob_params_t {
    pub(crate) fn read(&self) -> Result<Params> {
        match self.kind {
            kind if kind == keyfob_kind_t::KEYFOB_TOTP as u32 => self.read_totp().map(Params::Totp),
            kind if kind == keyfob_kind_t::KEYFOB_HOTP as u32 => self.read_hotp().map(Params::Hotp),
            _ => Err(KEYFOB_INVALID_ARGUMENT),
        }
    }

    /// What a new token should be like.
    pub(crate) fn read_new(&self) -> Result<NewRegistration> {
        Ok(NewRegistration {
            params: self.read()?,
            lifetime: None,
        })
    }

    pub(crate) fn totp(&self) -> Result<TotpParams> {
        match self.read()? {
            Params::Totp(params) => Ok(params),
            Params::Hotp(_) => Err(KEYFOB_WRONG_KIND),
        }
    }

    pub(crate) fn hotp(&self) -> Result<HotpParams> {
        match self.read()? {
            Params::Hotp(params) => Ok(params),
            Params::Totp(_) => Err(KEYFOB_WRONG_KIND),
        }
    }

    fn read_totp(&self) -> Result<TotpParams> {
        Ok(TotpParams {
            algorithm: algorithm(self.algorithm)?,
            format: format(self.format)?,
            period: Period::from_seconds(self.period_seconds).ok_or(KEYFOB_INVALID_ARGUMENT)?,
            epoch: UnixTime::from_seconds(self.epoch),
        })
    }

    fn read_hotp(&self) -> Result<HotpParams> {
        Ok(HotpParams {
            algorithm: algorithm(self.algorithm)?,
            format: format(self.format)?,
        })
    }
}

impl From<Params> for keyfob_params_t {
    fn from(params: Params) -> Self {
        let (kind, period_seconds, epoch) = match params {
            Params::Totp(params) => (
                keyfob_kind_t::KEYFOB_TOTP,
                params.period.as_seconds(),
                params.epoch.as_seconds(),
            ),
            Params::Hotp(_) => (keyfob_kind_t::KEYFOB_HOTP, 0, 0),
        };
        Self {
            kind: kind as u32,
            algorithm: algorithm_number(params.algorithm()),
            format: format_number(params.format()),
            period_seconds,
            epoch,
        }
    }
}

/// The algorithm of a `keyfob_algorithm_t`.
pub(crate) fn algorithm(number: u32) -> Result<Algorithm> {
    use keyfob_algorithm_t::{KEYFOB_SHA1, KEYFOB_SHA256, KEYFOB_SHA512};
    match number {
        number if number == KEYFOB_SHA1 as u32 => Ok(Algorithm::Sha1),
        #[cfg(feature = "sha2")]
        number if number == KEYFOB_SHA256 as u32 => Ok(Algorithm::Sha256),
        #[cfg(feature = "sha2")]
        number if number == KEYFOB_SHA512 as u32 => Ok(Algorithm::Sha512),
        #[cfg(not(feature = "sha2"))]
        number if number == KEYFOB_SHA256 as u32 || number == KEYFOB_SHA512 as u32 => {
            Err(KEYFOB_FEATURE_OFF)
        }
        _ => Err(KEYFOB_INVALID_ARGUMENT),
    }
}

fn algorithm_number(algorithm: Algorithm) -> u32 {
    match algorithm.output_bytes() {
        64 => keyfob_algorithm_t::KEYFOB_SHA512 as u32,
        32 => keyfob_algorithm_t::KEYFOB_SHA256 as u32,
        _ => keyfob_algorithm_t::KEYFOB_SHA1 as u32,
    }
}

fn format(number: u32) -> Result<CodeFormat> {
    if number == keyfob_format_t::KEYFOB_STEAM as u32 {
        return Ok(CodeFormat::Steam);
    }
    let digits = u8::try_from(number).ok();
    digits
        .and_then(CodeFormat::from_digits)
        .ok_or(KEYFOB_INVALID_ARGUMENT)
}

/// The formats are numbered by how many symbols a code has.
fn format_number(format: CodeFormat) -> u32 {
    u32::try_from(format.symbols()).unwrap_or(0)
}

/// A time-based token, SHA-1, six digits, 30 seconds: what every app understands.
#[unsafe(no_mangle)]
pub extern "C" fn keyfob_params_default() -> keyfob_params_t {
    Params::default().into()
}
