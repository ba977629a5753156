//! Codes without a store: shown by a token, verified by who keeps what is burned.

use core::ffi::c_char;
use core::fmt::Write as _;
use core::mem::MaybeUninit;

use keyfob::{Burned, Code, Hotp, Match, Secret, Step, Totp, UnixTime};

use crate::border::{Result, characters, give, lent, lent_text};
use crate::keyfob_status_t::{self, *};
use crate::params::{keyfob_params_t, keyfob_window_t};
use crate::secret::keyfob_secret_t;

/// Room for any code and the zero that ends it.
pub const KEYFOB_CODE_SIZE: usize = 9;

/// A one-time code, as it is shown.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct keyfob_code_t {
    /// Its symbols, leading zeros included, ended by a zero byte.
    pub text: [c_char; KEYFOB_CODE_SIZE],
}

impl keyfob_code_t {
    fn of(code: &Code) -> Result<Self> {
        let text = characters(|place| place.write_str(code.to_text().as_str()))?;
        Ok(Self { text })
    }
}

/// The steps that must not be accepted again: every one up to the last that was. All zero means
/// that none is burned.
///
/// Keep it with the secret, and store it before you let anyone in.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct keyfob_burned_t {
    /// The last burned step, if any is.
    pub last_step: u64,
    /// Other than 0 if any step is burned.
    pub any: u32,
}

impl From<keyfob_burned_t> for Burned {
    fn from(burned: keyfob_burned_t) -> Self {
        match burned.any {
            0 => Self::NOTHING,
            _ => Self::up_to(Step::new(burned.last_step)),
        }
    }
}

impl From<Burned> for keyfob_burned_t {
    fn from(burned: Burned) -> Self {
        Self {
            last_step: burned.last().unwrap_or_default().number(),
            any: u32::from(burned.last().is_some()),
        }
    }
}

/// A code that was right, once.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct keyfob_match_t {
    /// The step whose code it is.
    pub step: u64,
    /// How many steps after the expected one; negative for a token that lags.
    pub offset: i8,
}

impl From<Match> for keyfob_match_t {
    fn from(found: Match) -> Self {
        Self {
            step: found.step().number(),
            offset: found.offset(),
        }
    }
}

/// What was typed, as a code.
pub(crate) fn read_code(typed: Result<&str>) -> Result<Code> {
    Ok(Code::parse(typed?)?)
}

fn secret(secret: Option<&keyfob_secret_t>) -> Result<Secret> {
    lent(secret)?.read()
}

fn totp(of: Option<&keyfob_secret_t>, params: Option<&keyfob_params_t>) -> Result<Totp> {
    Ok(Totp::new(&secret(of)?, lent(params)?.totp()?))
}

fn hotp(of: Option<&keyfob_secret_t>, params: Option<&keyfob_params_t>) -> Result<Hotp> {
    Ok(Hotp::new(&secret(of)?, lent(params)?.hotp()?))
}

/// The code that a time-based token with a right clock shows at `now`, in seconds of Unix time.
#[unsafe(no_mangle)]
pub extern "C" fn keyfob_totp_code(
    secret: Option<&keyfob_secret_t>,
    params: Option<&keyfob_params_t>,
    now: u64,
    code: Option<&mut MaybeUninit<keyfob_code_t>>,
) -> keyfob_status_t {
    give(code, || {
        let now = UnixTime::from_seconds(now);
        keyfob_code_t::of(&totp(secret, params)?.code_at(now))
    })
}

/// How many seconds the code of `now` has left: 1 to the period; longer before the epoch.
#[unsafe(no_mangle)]
pub extern "C" fn keyfob_totp_remaining_seconds(
    params: Option<&keyfob_params_t>,
    now: u64,
    seconds: Option<&mut MaybeUninit<u64>>,
) -> keyfob_status_t {
    give(seconds, || {
        let params = lent(params)?.totp()?;
        Ok(params.remaining_seconds(UnixTime::from_seconds(now)))
    })
}

/// The code of one counter.
#[unsafe(no_mangle)]
pub extern "C" fn keyfob_hotp_code(
    secret: Option<&keyfob_secret_t>,
    params: Option<&keyfob_params_t>,
    counter: u64,
    code: Option<&mut MaybeUninit<keyfob_code_t>>,
) -> keyfob_status_t {
    give(code, || {
        keyfob_code_t::of(&hotp(secret, params)?.code(Step::new(counter)))
    })
}

/// Verifies what was typed against a time-based token, and burns its step and all before it, so
/// that the same `burned` never accepts it again. All of the window is computed and compared in
/// constant time.
///
/// Store `burned` before you act on `KEYFOB_OK`, count `KEYFOB_MISMATCH`, and slow the guesser down;
/// the functions with a registration do all of that.
///
/// # Safety
/// `length` bytes can be read at `typed`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keyfob_totp_verify(
    secret: Option<&keyfob_secret_t>,
    params: Option<&keyfob_params_t>,
    typed: *const c_char,
    length: usize,
    now: u64,
    window: keyfob_window_t,
    burned: Option<&mut keyfob_burned_t>,
    found: Option<&mut MaybeUninit<keyfob_match_t>>,
) -> keyfob_status_t {
    // SAFETY: as the caller says.
    let typed = unsafe { lent_text(typed, length) };
    let verify = |burned: &mut Burned| {
        let (code, window) = (read_code(typed)?, window.read()?);
        let now = UnixTime::from_seconds(now);
        Ok(totp(secret, params)?.verify(&code, now, window, burned)?)
    };
    give(found, || burning(burned, verify))
}

/// Verifies what was typed around the next counter, the one after the last burned, and burns its
/// counter and all before it. Duties and constant time are those of `keyfob_totp_verify`.
///
/// # Safety
/// `length` bytes can be read at `typed`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keyfob_hotp_verify(
    secret: Option<&keyfob_secret_t>,
    params: Option<&keyfob_params_t>,
    typed: *const c_char,
    length: usize,
    window: keyfob_window_t,
    burned: Option<&mut keyfob_burned_t>,
    found: Option<&mut MaybeUninit<keyfob_match_t>>,
) -> keyfob_status_t {
    // SAFETY: as the caller says.
    let typed = unsafe { lent_text(typed, length) };
    let verify = |burned: &mut Burned| {
        let (code, window) = (read_code(typed)?, window.read()?);
        Ok(hotp(secret, params)?.verify(&code, window, burned)?)
    };
    give(found, || burning(burned, verify))
}

/// Verifies over C's `burned`, which rises with a match.
fn burning(
    place: Option<&mut keyfob_burned_t>,
    verify: impl FnOnce(&mut Burned) -> Result<Match>,
) -> Result<keyfob_match_t> {
    let place = place.ok_or(KEYFOB_NULL_POINTER)?;
    let mut burned = Burned::from(*place);
    let found = verify(&mut burned)?;
    *place = burned.into();
    Ok(found.into())
}
