//! Why the flash didn't do what was asked.

use core::fmt;

use embedded_storage::nor_flash::NorFlashError;

use crate::Corrupt;

/// Why the flash didn't do what was asked. Whether a write was stored isn't known then; the next
/// call looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FlashError<E> {
    /// What the flash itself reported.
    Flash(E),
    /// The region isn't made of sectors, lies beyond the flash, or has no room for a record.
    Region,
    /// The live records would take up so much that log-ins could fail.
    Full,
    /// The store has no place for one more registration.
    NoPlace,
    /// The region holds something that this store didn't write. It was left as it is.
    Foreign,
    /// A store lies here that was made for a region between other addresses, or for other sectors or
    /// words. It was left as it is.
    OtherRegion {
        /// Its first address, as far as its headers tell.
        start: u32,
        /// The address after its last.
        end: u32,
    },
    /// Something that was stored can't be read any more. It was left as it is.
    Damaged,
    /// What was written reads differently, in every sector that was tried.
    NotKept,
    /// The stored bytes can't be a record.
    Corrupt(Corrupt),
}

/// What the flash itself reported.
impl<E: NorFlashError> From<E> for FlashError<E> {
    fn from(error: E) -> Self {
        Self::Flash(error)
    }
}

impl<E: fmt::Debug> fmt::Display for FlashError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Flash(error) => {
                return write!(
                    f,
                    "the flash failed: check its wiring and its driver: {error:?}"
                );
            }
            Self::Region => {
                "the region is unfit: begin and end it at sectors of the flash, and give it at \
                 least three of 4096 bytes, or more shorter ones"
            }
            Self::Full => "the region is full: give it more sectors, or use another one as well",
            Self::NoPlace => {
                "every place of the store is taken: delete a registration, or open it with more places"
            }
            Self::Foreign => {
                "the region holds something else, which was left as it is: choose another region; \
                 format this one only if you need nothing of what it holds"
            }
            Self::OtherRegion { start, end } => {
                return write!(
                    f,
                    "a store lies here that was made for the region {start:#x}..{end:#x}, or for \
                     sectors or words of another length: open it as it was made"
                );
            }
            Self::Damaged => {
                "something that was stored can't be read any more: copy the region, salvage its \
                 records, store them in a new region, and fence them"
            }
            Self::NotKept => {
                "what was written reads differently: try again, and if that doesn't help, salvage \
                 the records and replace the flash"
            }
            Self::Corrupt(error) => return error.fmt(f),
        })
    }
}

impl<E: fmt::Debug> core::error::Error for FlashError<E> {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Corrupt(error) => Some(error),
            _ => None,
        }
    }
}
