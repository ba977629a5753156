//! Secrets: drawn, read and written.

use core::cell::Cell;
use core::ffi::c_char;
use core::fmt::Write as _;
use core::mem::MaybeUninit;

use keyfob::{Base32Buffer, Secret};

use crate::entropy::{Source, keyfob_entropy_t};
use crate::given::{Told, give, lent_place, plain, status, write, write_text};
use crate::keyfob_status_t::{self, *};
use crate::lent::{Result, lent, lent_bytes, lent_text};
use crate::params::algorithm;

/// Most bytes of a secret.
pub const KEYFOB_SECRET_BYTES: usize = 128;
/// Room for the base32 of any secret and the zero that ends it.
pub const KEYFOB_BASE32_SIZE: usize = 206;

const _: () = assert!(KEYFOB_SECRET_BYTES == Secret::MAX_BYTES);
const _: () = assert!(KEYFOB_BASE32_SIZE == (KEYFOB_SECRET_BYTES * 8).div_ceil(5) + 1);

/// The secret that a token and its verifier share: 16 to 128 bytes, or from 10 if another system
/// made it. Wipe it with `keyfob_wipe` once it isn't needed.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct keyfob_secret_t {
    /// How many bytes there are.
    pub length: u8,
    /// The bytes; those after `length` mean nothing.
    pub bytes: [u8; KEYFOB_SECRET_BYTES],
}

plain!(keyfob_secret_t);

impl keyfob_secret_t {
    pub(crate) fn read(&self) -> Result<Secret> {
        let bytes = self.bytes.get(..usize::from(self.length));
        let bytes = bytes.ok_or(KEYFOB_SECRET_TOO_LONG)?;
        Ok(Secret::from_legacy_bytes(bytes)?)
    }

    /// Copies over zeros.
    pub(crate) fn copy(&mut self, secret: &Secret) {
        self.length = u8::try_from(secret.as_bytes().len()).unwrap_or(0);
        for (to, from) in self.bytes.iter_mut().zip(secret.as_bytes()) {
            *to = *from;
        }
    }
}

impl Told<Secret> for keyfob_secret_t {
    fn tell(&mut self, secret: Secret) -> Result<()> {
        self.copy(&secret);
        Ok(())
    }
}

/// Draws a new secret as long as the algorithm's output (RFC 6238 section 5.1): 20, 32 or 64 bytes.
///
/// # Safety
/// The function of `entropy` is as that says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keyfob_secret_generate(
    secret: Option<&mut MaybeUninit<keyfob_secret_t>>,
    algorithm_number: u32,
    entropy: Option<&Cell<keyfob_entropy_t>>,
) -> keyfob_status_t {
    give(secret, || {
        let algorithm = algorithm(algorithm_number)?;
        let mut source = Source::of(entropy)?;
        let secret = Secret::generate(algorithm, &mut source);
        secret.map(Ok).map_err(|_| KEYFOB_ENTROPY_FAILED)
    })
}

/// Takes a secret of 16 to 128 bytes that was made elsewhere.
///
/// # Safety
/// `length` bytes can be read at `bytes`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keyfob_secret_from_bytes(
    secret: Option<&mut MaybeUninit<keyfob_secret_t>>,
    bytes: *const u8,
    length: usize,
) -> keyfob_status_t {
    let read = |bytes: &[u8]| Ok(Secret::from_bytes(bytes)?);
    write(secret, |secret| {
        // SAFETY: as the caller says.
        secret.tell(unsafe { lent_bytes(bytes, length, read) }?)
    })
}

/// Reads canonical base32 (RFC 4648 section 6): upper case, no padding, no spare bits set.
///
/// # Safety
/// `length` bytes can be read at `text`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keyfob_secret_from_base32(
    secret: Option<&mut MaybeUninit<keyfob_secret_t>>,
    text: *const c_char,
    length: usize,
) -> keyfob_status_t {
    let read = |text: &str| Ok(Secret::from_base32(text)?);
    write(secret, |secret| {
        // SAFETY: as the caller says.
        secret.tell(unsafe { lent_text(text, length, read) }?)
    })
}

/// Reads the base32 that people paste: either case, with spaces, hyphens or padding.
///
/// # Safety
/// `length` bytes can be read at `text`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keyfob_secret_from_pasted_base32(
    secret: Option<&mut MaybeUninit<keyfob_secret_t>>,
    text: *const c_char,
    length: usize,
) -> keyfob_status_t {
    let read = |text: &str| Ok(Secret::from_pasted_base32(text)?);
    write(secret, |secret| {
        // SAFETY: as the caller says.
        secret.tell(unsafe { lent_text(text, length, read) }?)
    })
}

/// Writes the canonical base32 that authenticator apps take, ended by a zero. `KEYFOB_BASE32_SIZE`
/// bytes are room enough.
///
/// # Safety
/// `size` bytes can be written at `text`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keyfob_secret_to_base32(
    secret: Option<&Cell<keyfob_secret_t>>,
    text: *mut c_char,
    size: usize,
) -> keyfob_status_t {
    // SAFETY: as the caller says.
    let place = unsafe { lent_place(text, size) };
    let secret = lent(secret, keyfob_secret_t::read);
    status(secret.and_then(|secret| write_base32(&secret, place?)))
}

fn write_base32(secret: &Secret, place: &mut [c_char]) -> Result<()> {
    let mut buffer = Base32Buffer::new();
    let text = secret.to_base32(&mut buffer);
    write_text(place, |place| place.write_str(text)).map(drop)
}
