//! The key URI, by which a secret reaches an authenticator app.

use core::cell::Cell;
use core::ffi::c_char;
use core::fmt::Write as _;
use core::mem::MaybeUninit;

use keyfob::{KeyUri, Params, Secret, Step, UriText};

use crate::given::{lent_place, plain, write, write_text};
use crate::keyfob_status_t::{self, *};
use crate::lent::{Result, lent, lent_text};
use crate::params::keyfob_params_t;
use crate::secret::keyfob_secret_t;

/// Room for an issuer or an account that was read, and the zero that ends it.
pub const KEYFOB_NAME_SIZE: usize = 256;

/// How a key URI is read.
#[repr(u32)]
#[derive(Clone, Copy)]
pub enum keyfob_reading_t {
    /// As your own system wrote it: whatever readers disagree about is refused.
    KEYFOB_STRICT = 1,
    /// As people bring it from elsewhere: what can be understood in one way only is read.
    KEYFOB_LENIENT = 2,
}

/// A key URI that was read. It carries the secret: wipe it with `keyfob_wipe`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct keyfob_uri_t {
    /// The secret.
    pub secret: keyfob_secret_t,
    /// The parameters.
    pub params: keyfob_params_t,
    /// The counter of the token's next code; 0 for a time-based token.
    pub counter: u64,
    /// Who issued the token, decoded; empty if the URI doesn't say.
    pub issuer: [c_char; KEYFOB_NAME_SIZE],
    /// Whose token it is, decoded.
    pub account: [c_char; KEYFOB_NAME_SIZE],
    /// Other than 0 if the label names another issuer, which lost.
    pub issuer_overridden: u8,
    /// How many parameters weren't read: unknown ones, and those that say nothing of this kind of
    /// token.
    pub parameters_ignored: u8,
    /// How many were read under another name than the format's; 0 for `KEYFOB_STRICT`.
    pub parameters_corrected: u8,
}

/// The URI that enrols a token, for a QR code: ended by a zero, `length` bytes without it.
/// 4,097 bytes are room enough for any. It carries the secret: keep it out of logs, and wipe it.
///
/// The issuer may be empty. `counter` is that of the next code; it isn't read for a token that goes
/// by time.
///
/// # Safety
/// So many bytes can be read at `issuer` and `account`, and `size` written at `text`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keyfob_uri_write(
    secret: Option<&Cell<keyfob_secret_t>>,
    params: Option<&Cell<keyfob_params_t>>,
    counter: u64,
    issuer: *const c_char,
    issuer_length: usize,
    account: *const c_char,
    account_length: usize,
    text: *mut c_char,
    size: usize,
    length: Option<&mut MaybeUninit<usize>>,
) -> keyfob_status_t {
    // SAFETY: as the caller says.
    let place = unsafe { lent_place(text, size) };
    write(length, |length| {
        let token = Token {
            secret: lent(secret, keyfob_secret_t::read)?,
            params: lent(params, keyfob_params_t::read)?,
            counter: Step::new(counter),
        };
        let write = |issuer: &str, account: &str| token.write_uri(issuer, account, place?);
        // SAFETY: as the caller says.
        *length = unsafe {
            lent_text(issuer, issuer_length, |issuer| {
                lent_text(account, account_length, |account| write(issuer, account))
            })
        }?;
        Ok(())
    })
}

/// What a key URI is about.
struct Token {
    secret: Secret,
    params: Params,
    counter: Step,
}

impl Token {
    fn write_uri(&self, issuer: &str, account: &str, place: &mut [c_char]) -> Result<usize> {
        let uri = match self.params {
            Params::Totp(params) => KeyUri::totp(&self.secret, params, issuer, account),
            Params::Hotp(params) => {
                KeyUri::hotp(&self.secret, params, self.counter, issuer, account)
            }
        }?;
        write_text(place, |place| write!(place, "{uri}"))
    }
}

/// Reads a key URI; `reading` is a `keyfob_reading_t`. A value that can't be understood is never
/// replaced by a default, and a name of more than 255 bytes is `KEYFOB_BUFFER_TOO_SMALL`.
///
/// # Safety
/// `length` bytes can be read at `text`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keyfob_uri_read(
    text: *const c_char,
    length: usize,
    reading: u32,
    uri: Option<&mut MaybeUninit<keyfob_uri_t>>,
) -> keyfob_status_t {
    write(uri, |uri| {
        let read = |text: &str| uri.copy(&read_uri(text, reading)?);
        // SAFETY: as the caller says.
        unsafe { lent_text(text, length, read) }
    })
}

fn read_uri(text: &str, reading: u32) -> Result<KeyUri<'_>> {
    match reading {
        reading if reading == keyfob_reading_t::KEYFOB_STRICT as u32 => Ok(KeyUri::parse(text)?),
        reading if reading == keyfob_reading_t::KEYFOB_LENIENT as u32 => {
            Ok(KeyUri::parse_lenient(text)?)
        }
        _ => Err(KEYFOB_INVALID_ARGUMENT),
    }
}

plain!(keyfob_uri_t);

impl keyfob_uri_t {
    fn copy(&mut self, uri: &KeyUri<'_>) -> Result<()> {
        self.secret.copy(uri.secret());
        self.params = (*uri.params()).into();
        self.counter = uri.counter().unwrap_or_default().number();
        write_name(&mut self.issuer, uri.issuer())?;
        write_name(&mut self.account, uri.account())?;
        self.issuer_overridden = u8::from(uri.overridden_issuer().is_some());
        self.parameters_ignored = u8::try_from(uri.ignored().count()).unwrap_or(u8::MAX);
        self.parameters_corrected = u8::try_from(uri.corrected().count()).unwrap_or(u8::MAX);
        Ok(())
    }
}

/// Writes a name, which may have no zero inside: C would take it for the end.
fn write_name(place: &mut [c_char], name: UriText<'_>) -> Result<()> {
    if name.chars().any(|letter| letter == '\0') {
        return Err(KEYFOB_URI_ENCODING);
    }
    write_text(place, |place| write!(place, "{name}")).map(drop)
}
