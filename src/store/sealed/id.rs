//! Ids as the bytes that a sealed record is bound to.

#[cfg(feature = "alloc")]
use alloc::{string::String, vec::Vec};

/// An id that records can be sealed under, so that none opens under another id.
///
/// # Duties of the implementer
/// An id has the same bytes on every machine and for ever, and no other id of the store has them.
///
/// ```
/// use keyfob::SealingId;
///
/// #[derive(Clone, PartialEq, Eq)]
/// struct SerialNumber(u32);
///
/// impl SealingId for SerialNumber {
///     fn to_bytes(&self) -> impl AsRef<[u8]> {
///         self.0.to_be_bytes()
///     }
/// }
/// ```
pub trait SealingId {
    /// The bytes that stand for this id.
    fn to_bytes(&self) -> impl AsRef<[u8]>;
}

impl SealingId for str {
    fn to_bytes(&self) -> impl AsRef<[u8]> {
        self.as_bytes()
    }
}

impl SealingId for [u8] {
    fn to_bytes(&self) -> impl AsRef<[u8]> {
        self
    }
}

impl<const N: usize> SealingId for [u8; N] {
    fn to_bytes(&self) -> impl AsRef<[u8]> {
        self
    }
}

impl<I: SealingId + ?Sized> SealingId for &I {
    fn to_bytes(&self) -> impl AsRef<[u8]> {
        (**self).to_bytes()
    }
}

#[cfg(feature = "alloc")]
impl SealingId for String {
    fn to_bytes(&self) -> impl AsRef<[u8]> {
        self.as_bytes()
    }
}

#[cfg(feature = "alloc")]
impl SealingId for Vec<u8> {
    fn to_bytes(&self) -> impl AsRef<[u8]> {
        self.as_slice()
    }
}

/// Numbers in big-endian order. The width of a `usize` is the machine's, so it isn't among them.
macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl SealingId for $number {
            fn to_bytes(&self) -> impl AsRef<[u8]> {
                self.to_be_bytes()
            }
        }
    )*};
}

numbers!(u8, u16, u32, u64, u128, i8, i16, i32, i64, i128);
