//! What C lends: checked, and read before anything of C's is called.
//!
//! A function of C's may write over all that its caller can reach, as firmware does that has one
//! buffer for a line. So nothing that was lent outlives its reading: values come as a [`Cell`], and
//! `read` gets a reference that it can't keep. What is needed longer is copied.

use core::cell::Cell;
use core::ffi::c_char;
use core::slice;

use zeroize::Zeroize as _;

use crate::keyfob_status_t::{self, *};

pub(crate) type Result<T> = core::result::Result<T, keyfob_status_t>;

/// Most bytes of a code or a recovery code as it is typed: 64 characters of four bytes each, and as
/// much again for what parts them. More is `KEYFOB_TEXT_TOO_LONG`.
pub const KEYFOB_TYPED_BYTES: usize = 512;
/// Most bytes of the text with the recovery codes of a migration. More is `KEYFOB_TEXT_TOO_LONG`.
pub const KEYFOB_RECOVERY_TEXT_BYTES: usize = 2048;

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

/// Room for a copy of a text that C lent, for as long as its functions may run. Wiped on drop.
pub(crate) struct TextCopy<const BYTES: usize>([u8; BYTES]);

/// Room for what a person typed.
pub(crate) type Typed = TextCopy<KEYFOB_TYPED_BYTES>;

impl<const BYTES: usize> TextCopy<BYTES> {
    pub(crate) const fn new() -> Self {
        Self([0; BYTES])
    }

    /// Copies a text, which has to fit and to be UTF-8.
    ///
    /// # Safety
    /// As for [`lent_bytes`].
    pub(crate) unsafe fn text(&mut self, start: *const c_char, length: usize) -> Result<&str> {
        // SAFETY: as the caller says.
        unsafe { lent_bytes(start.cast(), length, |bytes| self.take(bytes)) }?;
        utf8(self.0.get(..length).unwrap_or_default())
    }

    fn take(&mut self, bytes: &[u8]) -> Result<()> {
        let place = self.0.get_mut(..bytes.len());
        for (to, from) in place.ok_or(KEYFOB_TEXT_TOO_LONG)?.iter_mut().zip(bytes) {
            *to = *from;
        }
        Ok(())
    }
}

impl<const BYTES: usize> Drop for TextCopy<BYTES> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}
