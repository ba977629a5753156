//! Codes without a store: shown by a token, verified by who keeps what is burned.

use core::cell::Cell;
use core::ffi::c_char;
use core::fmt::Write as _;
use core::mem::MaybeUninit;

use keyfob::{Burned, Code, Hotp, Match, Secret, Step, Totp, UnixTime};

use crate::given::{plain, write, write_text};
use crate::keyfob_status_t::{self, *};
use crate::lent::{Result, lent, lent_text};
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

plain!(keyfob_code_t, keyfob_burned_t, keyfob_match_t);

impl keyfob_code_t {
    fn copy(&mut self, code: &Code) -> Result<()> {
        let text = code.to_text();
        write_text(&mut self.text, |place| place.write_str(text.as_str())).map(drop)
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

impl keyfob_burned_t {
    pub(crate) fn copy(&mut self, burned: Burned) {
        self.last_step = burned.last().unwrap_or_default().number();
        self.any = u32::from(burned.last().is_some());
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

impl keyfob_match_t {
    fn copy(&mut self, found: Match) {
        self.step = found.step().number();
        self.offset = found.offset();
    }
}

/// What was typed, as a code.
///
/// # Safety
/// Unless it is null, `length` bytes can be read at `typed`.
pub(crate) unsafe fn read_code(typed: *const c_char, length: usize) -> Result<Code> {
    // SAFETY: as the caller says.
    unsafe { lent_text(typed, length, |typed| Ok(Code::parse(typed)?)) }
}

fn secret(secret: Option<&Cell<keyfob_secret_t>>) -> Result<Secret> {
    lent(secret, keyfob_secret_t::read)
}

fn totp(
    of: Option<&Cell<keyfob_secret_t>>,
    params: Option<&Cell<keyfob_params_t>>,
) -> Result<Totp> {
    Ok(Totp::new(
        &secret(of)?,
        lent(params, keyfob_params_t::totp)?,
    ))
}

fn hotp(
    of: Option<&Cell<keyfob_secret_t>>,
    params: Option<&Cell<keyfob_params_t>>,
) -> Result<Hotp> {
    Ok(Hotp::new(
        &secret(of)?,
        lent(params, keyfob_params_t::hotp)?,
    ))
}

/// The code that a time-based token with a right clock shows at `now`, in seconds of Unix time.
#[unsafe(no_mangle)]
pub extern "C" fn keyfob_totp_code(
    secret: Option<&Cell<keyfob_secret_t>>,
    params: Option<&Cell<keyfob_params_t>>,
    now: u64,
    code: Option<&mut MaybeUninit<keyfob_code_t>>,
) -> keyfob_status_t {
    write(code, |code| {
        let now = UnixTime::from_seconds(now);
        code.copy(&totp(secret, params)?.code_at(now))
    })
}

/// How many seconds the code of `now` has left: 1 to the period; longer before the epoch.
#[unsafe(no_mangle)]
pub extern "C" fn keyfob_totp_remaining_seconds(
    params: Option<&Cell<keyfob_params_t>>,
    now: u64,
    seconds: Option<&mut MaybeUninit<u64>>,
) -> keyfob_status_t {
    write(seconds, |seconds| {
        let params = lent(params, keyfob_params_t::totp)?;
        *seconds = params.remaining_seconds(UnixTime::from_seconds(now));
        Ok(())
    })
}

/// The code of one counter.
#[unsafe(no_mangle)]
pub extern "C" fn keyfob_hotp_code(
    secret: Option<&Cell<keyfob_secret_t>>,
    params: Option<&Cell<keyfob_params_t>>,
    counter: u64,
    code: Option<&mut MaybeUninit<keyfob_code_t>>,
) -> keyfob_status_t {
    write(code, |code| {
        code.copy(&hotp(secret, params)?.code(Step::new(counter)))
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
    secret: Option<&Cell<keyfob_secret_t>>,
    params: Option<&Cell<keyfob_params_t>>,
    typed: *const c_char,
    length: usize,
    now: u64,
    window: keyfob_window_t,
    burned: Option<&mut keyfob_burned_t>,
    found: Option<&mut MaybeUninit<keyfob_match_t>>,
) -> keyfob_status_t {
    // SAFETY: as the caller says.
    let code = unsafe { read_code(typed, length) };
    let verify = |burned: &mut Burned| {
        let (code, window) = (code?, window.read()?);
        let now = UnixTime::from_seconds(now);
        Ok(totp(secret, params)?.verify(&code, now, window, burned)?)
    };
    write(found, |found| {
        found.copy(burning(burned, verify)?);
        Ok(())
    })
}

/// Verifies what was typed around the next counter, the one after the last burned, and burns its
/// counter and all before it. Duties and constant time are those of `keyfob_totp_verify`.
///
/// # Safety
/// `length` bytes can be read at `typed`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keyfob_hotp_verify(
    secret: Option<&Cell<keyfob_secret_t>>,
    params: Option<&Cell<keyfob_params_t>>,
    typed: *const c_char,
    length: usize,
    window: keyfob_window_t,
    burned: Option<&mut keyfob_burned_t>,
    found: Option<&mut MaybeUninit<keyfob_match_t>>,
) -> keyfob_status_t {
    // SAFETY: as the caller says.
    let code = unsafe { read_code(typed, length) };
    let verify = |burned: &mut Burned| {
        let (code, window) = (code?, window.read()?);
        Ok(hotp(secret, params)?.verify(&code, window, burned)?)
    };
    write(found, |found| {
        found.copy(burning(burned, verify)?);
        Ok(())
    })
}

/// Verifies over C's `burned`, which rises with a match.
fn burning(
    place: Option<&mut keyfob_burned_t>,
    verify: impl FnOnce(&mut Burned) -> Result<Match>,
) -> Result<Match> {
    let place = place.ok_or(KEYFOB_NULL_POINTER)?;
    let mut burned = Burned::from(*place);
    let found = verify(&mut burned)?;
    place.copy(burned);
    Ok(found)
}
