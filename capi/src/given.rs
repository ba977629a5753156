//! What C is given: written over zeros, field by field, so that no padding brings along what lay on
//! the stack. What failed leaves zeros.

use core::ffi::{c_char, c_void};
use core::mem::MaybeUninit;
use core::slice;

use keyfob::Rejection;
use zeroize::Zeroize as _;

use crate::keyfob_status_t::{self, *};
use crate::lent::Result;

/// A structure of C's.
///
/// # Safety
/// All of its bytes may be zero.
pub(crate) unsafe trait Plain {}

macro_rules! plain {
    ($($structure:ty),+ $(,)?) => {
        // SAFETY: numbers, arrays of numbers, and pointers.
        $(unsafe impl crate::given::Plain for $structure {})+
    };
}

pub(crate) use plain;

plain!((), u8, i8, u64, usize);

// SAFETY: numbers.
unsafe impl<const BYTES: usize> Plain for [u8; BYTES] {}

/// A structure that tells C an answer.
pub(crate) trait Told<Answer>: Plain {
    /// Writes the answer over zeros. A structure that has padding is written by its fields.
    fn tell(&mut self, answer: Answer) -> Result<()>;

    /// Writes over zeros what is told of a refusal besides the status.
    fn refuse(&mut self, _rejection: &Rejection) {}
}

/// What has nothing to be told.
impl Told<()> for () {
    fn tell(&mut self, (): ()) -> Result<()> {
        Ok(())
    }
}

/// Fills C's place; `write` calls nothing of C's.
pub(crate) fn write<T: Plain>(
    place: Option<&mut MaybeUninit<T>>,
    write: impl FnOnce(&mut T) -> Result<()>,
) -> keyfob_status_t {
    let Some(place) = place else {
        return KEYFOB_NULL_POINTER;
    };
    let written = write(zeros(place));
    if written.is_err() {
        zeros(place);
    }
    status(written)
}

/// Gives C the answer of what may call its functions: the place is written only then.
pub(crate) fn give<Answer, T: Told<Answer>>(
    place: Option<&mut MaybeUninit<T>>,
    make: impl FnOnce() -> Result<core::result::Result<Answer, Rejection>>,
) -> keyfob_status_t {
    let Some(place) = place else {
        return KEYFOB_NULL_POINTER;
    };
    match make() {
        Ok(Ok(answer)) => write(Some(place), |told| told.tell(answer)),
        Ok(Err(rejection)) => {
            zeros(place).refuse(&rejection);
            rejection.into()
        }
        Err(status) => {
            zeros(place);
            status
        }
    }
}

/// C's place with all of its bytes zero, those of the padding too.
pub(crate) fn zeros<T: Plain>(place: &mut MaybeUninit<T>) -> &mut T {
    // SAFETY: the place is C's or ours, and zeros are a value there.
    unsafe {
        place.as_mut_ptr().write_bytes(0, 1);
        place.assume_init_mut()
    }
}

/// The status of what was done.
pub(crate) fn status(done: Result<()>) -> keyfob_status_t {
    done.err().unwrap_or(KEYFOB_OK)
}

/// The place that C lent for bytes, or for a text and the zero that ends it: all zero at first.
///
/// # Safety
/// Unless it is null, `size` bytes at `start` are nobody else's while the answer is used.
pub(crate) unsafe fn lent_place<'a, Byte: Plain>(
    start: *mut Byte,
    size: usize,
) -> Result<&'a mut [Byte]> {
    const { assert!(size_of::<Byte>() == 1) };
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
    text: &'a mut [c_char],
    length: usize,
}

impl core::fmt::Write for Place<'_> {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        let rest = self.text.get_mut(self.length..).ok_or(core::fmt::Error)?;
        if rest.len() <= text.len() {
            return Err(core::fmt::Error);
        }
        for (to, from) in rest.iter_mut().zip(text.bytes()) {
            *to = c_char::from_ne_bytes([from]);
        }
        self.length = self.length.saturating_add(text.len());
        Ok(())
    }
}

/// Writes a text whole, and tells its length; what doesn't fit leaves nothing behind.
pub(crate) fn write_text(
    text: &mut [c_char],
    write: impl FnOnce(&mut Place<'_>) -> core::fmt::Result,
) -> Result<usize> {
    let mut place = Place { text, length: 0 };
    if write(&mut place).is_ok() {
        return Ok(place.length);
    }
    place.text.zeroize();
    Err(KEYFOB_BUFFER_TOO_SMALL)
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
    if let Ok(bytes) = unsafe { lent_place(memory.cast::<u8>(), length) } {
        bytes.zeroize();
    }
}
