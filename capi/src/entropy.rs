//! Randomness, lent by C.

use core::cell::Cell;
use core::ffi::{c_int, c_void};

use keyfob::{Entropy, EntropyError};

use crate::lent::{self, lent};

/// A source of cryptographically strong random bytes: a hardware generator, or the operating
/// system's. Never a clock, a serial number or `rand`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct keyfob_entropy_t {
    /// Handed to `fill` as it is.
    pub context: *mut c_void,
    /// Fills all of the bytes and returns 1; on anything else none of them is used. It may not throw,
    /// nor leave by `longjmp`, nor write to what the caller of keyfob gave.
    pub fill:
        Option<unsafe extern "C" fn(context: *mut c_void, bytes: *mut u8, length: usize) -> c_int>,
}

/// C's source as keyfob's.
pub(crate) struct Source(keyfob_entropy_t);

impl Source {
    pub(crate) fn of(entropy: Option<&Cell<keyfob_entropy_t>>) -> lent::Result<Self> {
        lent(entropy, |entropy| Ok(Self(*entropy)))
    }
}

impl Entropy for Source {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        let fill = self.0.fill.ok_or(EntropyError)?;
        // SAFETY: the bytes are lent for the call, and C said that this is such a function.
        match unsafe { fill(self.0.context, bytes.as_mut_ptr(), bytes.len()) } {
            1 => Ok(()),
            _ => Err(EntropyError),
        }
    }
}

/// The operating system's randomness, as the `fill` of a `keyfob_entropy_t`; it reads no context.
/// Only in builds with the feature `getrandom`.
///
/// # Safety
/// `length` bytes can be written at `bytes`.
#[cfg(feature = "getrandom")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keyfob_system_entropy(
    context: *mut c_void,
    bytes: *mut u8,
    length: usize,
) -> c_int {
    let _ = context;
    // SAFETY: as the caller says.
    let bytes = unsafe { crate::given::lent_place(bytes, length) };
    let filled = bytes.is_ok_and(|bytes| keyfob::SystemEntropy.fill(bytes).is_ok());
    c_int::from(filled)
}
