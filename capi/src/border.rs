//! The border: what C lends, checked, and what it is given.

use core::ffi::{c_char, c_void};
use core::mem::MaybeUninit;
use core::slice;

use zeroize::{Zeroize as _, Zeroizing};

use crate::keyfob_status_t::{self, *};

pub(crate) type Result<T> = core::result::Result<T, keyfob_status_t>;

/// What C lent.
pub(crate) fn lent<T>(value: Option<&T>) -> Result<&T> {
    value.ok_or(KEYFOB_NULL_POINTER)
}

/// Gives C what was made, in a place of its own; it is left as it was where nothing was made.
pub(crate) fn give<T>(
    place: Option<&mut MaybeUninit<T>>,
    make: impl FnOnce() -> Result<T>,
) -> keyfob_status_t {
    let Some(place) = place else {
        return KEYFOB_NULL_POINTER;
    };
    match make() {
        Ok(value) => {
            place.write(value);
            KEYFOB_OK
        }
        Err(status) => status,
    }
}

/// The status of what was done.
pub(crate) fn status(done: Result<()>) -> keyfob_status_t {
    done.err().unwrap_or(KEYFOB_OK)
}

/// The bytes that C lent; none may be at a null pointer.
///
/// # Safety
/// Unless it is null, `length` bytes can be read at `start` while the answer is used.
pub(crate) unsafe fn lent_bytes<'a>(start: *const u8, length: usize) -> Result<&'a [u8]> {
    match (start.is_null(), length) {
        (_, 0) => Ok(&[]),
        (true, _) => Err(KEYFOB_NULL_POINTER),
        (false, _) if length > isize::MAX.unsigned_abs() => Err(KEYFOB_INVALID_ARGUMENT),
        // SAFETY: it isn't null, no longer than a slice may be, and readable as the caller says.
        (false, _) => Ok(unsafe { slice::from_raw_parts(start, length) }),
    }
}

/// The text that C lent, which has to be UTF-8.
///
/// # Safety
/// As for [`lent_bytes`].
pub(crate) unsafe fn lent_text<'a>(start: *const c_char, length: usize) -> Result<&'a str> {
    // SAFETY: as the caller says.
    let bytes = unsafe { lent_bytes(start.cast(), length) }?;
    core::str::from_utf8(bytes).map_err(|_| KEYFOB_NOT_UTF8)
}

/// The place that C lent for bytes, or for a text and the zero that ends it.
///
/// # Safety
/// Unless it is null, `size` bytes at `start` are nobody else's while the answer is used.
pub(crate) unsafe fn lent_place<'a>(start: *mut u8, size: usize) -> Result<&'a mut [u8]> {
    if start.is_null() {
        return Err(KEYFOB_NULL_POINTER);
    }
    if size > isize::MAX.unsigned_abs() {
        return Err(KEYFOB_INVALID_ARGUMENT);
    }
    // SAFETY: they may be uninitialised, so they are zeroed before a reference to them is made.
    unsafe {
        start.write_bytes(0, size);
        Ok(slice::from_raw_parts_mut(start, size))
    }
}

/// A place for a text and the zero that ends it, all zero at first.
pub(crate) struct Place<'a> {
    bytes: &'a mut [u8],
    length: usize,
}

impl core::fmt::Write for Place<'_> {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        let rest = self.bytes.get_mut(self.length..).ok_or(core::fmt::Error)?;
        if rest.len() <= text.len() {
            return Err(core::fmt::Error);
        }
        for (to, from) in rest.iter_mut().zip(text.bytes()) {
            *to = from;
        }
        self.length = self.length.saturating_add(text.len());
        Ok(())
    }
}

/// Writes a text whole, and tells its length; what doesn't fit leaves nothing behind.
pub(crate) fn write_text(
    bytes: &mut [u8],
    write: impl FnOnce(&mut Place<'_>) -> core::fmt::Result,
) -> Result<usize> {
    let mut place = Place { bytes, length: 0 };
    if write(&mut place).is_ok() {
        return Ok(place.length);
    }
    place.bytes.zeroize();
    Err(KEYFOB_BUFFER_TOO_SMALL)
}

/// A text as an array of C's characters: what is left of it is zero.
pub(crate) fn characters<const SIZE: usize>(
    write: impl FnOnce(&mut Place<'_>) -> core::fmt::Result,
) -> Result<[c_char; SIZE]> {
    let mut bytes = Zeroizing::new([0; SIZE]);
    write_text(&mut *bytes, write)?;
    Ok(bytes.map(|byte| c_char::from_ne_bytes([byte])))
}

/// Overwrites memory in a way that no compiler leaves out: for secrets, records, enrolments and
/// proposals that are no longer needed.
///
/// `memory` may be NULL, and then nothing is done.
///
/// # Safety
/// Unless it is NULL, `length` bytes at `memory` can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keyfob_wipe(memory: *mut c_void, length: usize) {
    // SAFETY: as the caller says.
    if let Ok(bytes) = unsafe { lent_place(memory.cast(), length) } {
        bytes.zeroize();
    }
}
