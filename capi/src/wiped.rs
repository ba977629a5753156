//! What lies on the stack while C's functions run, and is secret.

use core::mem::MaybeUninit;

use zeroize::Zeroize as _;

use crate::given::{Plain, zeros};

/// What lies on the stack for a call and is wiped after it.
pub(crate) struct Wiped<T>(MaybeUninit<T>);

impl<T: Plain> Wiped<T> {
    pub(crate) const fn new() -> Self {
        Self(MaybeUninit::uninit())
    }

    /// The place, with all of its bytes zero: C may copy them all.
    pub(crate) fn zeros(&mut self) -> &mut T {
        zeros(&mut self.0)
    }
}

impl<T> Drop for Wiped<T> {
    fn drop(&mut self) {
        let place = self.0.as_mut_ptr().cast::<MaybeUninit<u8>>();
        // SAFETY: these are all the bytes of the value, which isn't used any more.
        let bytes = unsafe { core::slice::from_raw_parts_mut(place, size_of::<T>()) };
        bytes.zeroize();
    }
}
