//! Why the flash didn't do what was asked.

use core::fmt;

use embedded_storage::nor_flash::NorFlashError;

use crate::Corrupt;

/// Why the flash didn't do what was asked. Whether a write was stored isn't known then; the next
/// call looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FlashError<E> {
    /// What the flash itself reported. If it comes again, look at the wiring and the driver. If only
    /// writing fails, sectors are worn out, and there are too few others: load the records and take
    /// them to another flash. If opening fails because a word can't be read, see
    /// [`Damaged`](Self::Damaged).
    Flash(E),
    /// The region isn't made of sectors, lies beyond the flash, or has no room for a record.
    Region,
    /// The live records would take up so much that log-ins could fail. Give it more sectors, or keep
    /// some registrations in another region.
    Full,
    /// The store has no place for one more registration. Delete one, or open it with more places.
    NoPlace,
    /// The region holds something that this store didn't write, and was left as it is. Choose another
    /// one, or look at what it holds.
    Foreign,
    /// A store lies here that was made for a region between other addresses, or for other sectors or
    /// words. It was left as it is: open it as it was made.
    OtherRegion {
        /// Its first address, as far as its headers tell.
        start: u32,
        /// The address after its last.
        end: u32,
    },
    /// Something that was stored can't be read any more. The region was left as it is: copy it, then
    /// [`salvage`](crate::FlashStore::salvage) the records, store them elsewhere, and
    /// [`fence`](crate::Engine::fence) them.
    Damaged,
    /// What was written reads differently, in every sector that was tried. Try again; if that doesn't
    /// help, load the records and take them to another flash.
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
