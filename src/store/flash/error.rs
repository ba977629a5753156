//! Why the flash didn't do what was asked.

use core::fmt;

use embedded_storage::nor_flash::NorFlashError;
use sequential_storage::Error as MapError;

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
    /// The store has no place for one more id; deleted ones keep theirs.
    NoPlace,
    /// The region holds something that this store didn't write.
    Foreign,
    /// The marks in the region contradict each other, or a record that was there can't be read any
    /// more.
    Damaged,
    /// What was written reads differently.
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

impl<E> FlashError<E> {
    /// What the map says, in our words.
    pub(super) fn of_map(error: MapError<E>) -> Self {
        match error {
            MapError::Storage { value, .. } => Self::Flash(value),
            MapError::FullStorage | MapError::ItemTooBig => Self::Full,
            MapError::SerializationError(_) | MapError::BufferTooSmall(_) => Self::Foreign,
            _ => Self::Damaged,
        }
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
                "every id of the store is taken: use those of deleted registrations again, or \
                 open it with more places"
            }
            Self::Foreign => {
                "the region holds something else: choose another one, or format this one"
            }
            Self::Damaged => {
                "the region is damaged: reset the device, and if that doesn't help, format the \
                 region and register anew"
            }
            Self::NotKept => {
                "what was written reads differently: try again, and if that doesn't help, replace \
                 the flash"
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
