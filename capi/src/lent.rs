//! What C lends: checked, and read before anything of C's is called.
//!
//! A function of C's may write over all that its caller can reach, as firmware does that has one
//! buffer for a line. So nothing that was lent outlives its reading: values come as a [`Cell`], and
//! `read` gets a reference that it can't keep. What is needed longer is copied.

use core::cell::Cell;
use core::ffi::c_char;
use core::slice;

use crate::keyfob_status_t::{self, *};
#[cfg(feature = "sha2")]
use crate::wiped::Wiped;

pub(crate) type Result<T> = core::result::Result<T, keyfob_status_t>;

/// Most bytes of a code or a recovery code as it is typed: 64 characters of four bytes each, and as
/// much again for what parts them. More is `KEYFOB_TEXT_TOO_LONG`.
pub const KEYFOB_TYPED_BYTES: usize = 512;
/// Most bytes of the text with the recovery codes of a migration: 16 codes of 64 bytes each, and the
/// ends of their lines. More is `KEYFOB_TEXT_TOO_LONG`.
pub const KEYFOB_RECOVERY_TEXT_BYTES: usize = 1088;

/// Reads a value that C lent; `read` calls nothing of C's.
pub(crate) fn lent<T, V>(value: Option<&Cell<T>>, read: impl FnOnce(&T) -> Result<V>) -> Result<V> {
    let value = value.ok_or(KEYFOB_NULL_POINTER)?;
    // SAFETY: it is C's, which doesn't run before `read` returns. What is read can't point into it.
    read(unsafe { &*value.as_ptr() })
}

/// Reads bytes that C lent; `read` calls nothing of C's. None may be at a null pointer.
///
/// # Safety
/// Unless it is null, `length` bytes can be read at `start`.
pub(crate) unsafe fn lent_bytes<V>(
    start: *const u8,
    length: usize,
    read: impl FnOnce(&[u8]) -> Result<V>,
) -> Result<V> {
    match (start.is_null(), length) {
        (_, 0) => read(&[]),
        (true, _) => Err(KEYFOB_NULL_POINTER),
        (false, _) if length > isize::MAX.unsigned_abs() => Err(KEYFOB_INVALID_ARGUMENT),
        // SAFETY: it isn't null, no longer than a slice may be, and readable as the caller says. C
        // doesn't run before `read` returns.
        (false, _) => read(unsafe { slice::from_raw_parts(start, length) }),
    }
}

/// Reads a text that C lent, which has to be UTF-8; `read` calls nothing of C's.
///
/// # Safety
/// As for [`lent_bytes`].
pub(crate) unsafe fn lent_text<V>(
    start: *const c_char,
    length: usize,
    read: impl FnOnce(&str) -> Result<V>,
) -> Result<V> {
    // SAFETY: as the caller says.
    unsafe { lent_bytes(start.cast(), length, |bytes| read(utf8(bytes)?)) }
}

fn utf8(bytes: &[u8]) -> Result<&str> {
    core::str::from_utf8(bytes).map_err(|_| KEYFOB_NOT_UTF8)
}

/// Copies a text that C lent, which has to fit and to be UTF-8, for as long as its functions may run.
///
/// # Safety
/// As for [`lent_bytes`].
pub(crate) unsafe fn copied_text(
    room: &mut [u8],
    start: *const c_char,
    length: usize,
) -> Result<&str> {
    let room = room.get_mut(..length).ok_or(KEYFOB_TEXT_TOO_LONG)?;
    let copy = |bytes: &[u8]| {
        for (to, from) in room.iter_mut().zip(bytes) {
            *to = *from;
        }
        Ok(())
    };
    // SAFETY: as the caller says.
    unsafe { lent_bytes(start.cast(), length, copy) }?;
    utf8(room)
}

/// Lends room for a copy of a migration's recovery codes: stack that is taken only if there are any.
pub(crate) fn with_room_for_recovery_codes(
    are_there: bool,
    work: &mut dyn FnMut(&mut [u8]) -> keyfob_status_t,
) -> keyfob_status_t {
    #[cfg(feature = "sha2")]
    if are_there {
        return with_room(work);
    }
    let _ = are_there;
    work(&mut [])
}

#[cfg(feature = "sha2")]
#[inline(never)]
fn with_room(work: &mut dyn FnMut(&mut [u8]) -> keyfob_status_t) -> keyfob_status_t {
    work(Wiped::<[u8; KEYFOB_RECOVERY_TEXT_BYTES]>::new().zeros())
}
