//! What a sealed store can come to besides success.

use core::fmt;

use crate::{Corrupt, EntropyError};

/// Why a [`SealedStore`](super::SealedStore) didn't do what was asked.
///
/// Of a record that doesn't open nothing was decrypted. It stays where it is: look at it through the
/// [inner store](super::SealedStore::inner_mut), where it can be deleted too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SealedError<E> {
    /// The inner store's own error.
    Store(E),
    /// The record isn't as it was sealed under this id and revision: it was altered, cut off, or
    /// moved from another row or another time; or another key has the id of its key.
    NotAuthentic,
    /// The record isn't sealed. See
    /// [`accepting_plain`](super::SealedStore::accepting_plain).
    Plain,
    /// It is sealed under a key that the keyring doesn't have.
    KeyUnknown {
        /// The id of that key.
        id: u32,
    },
    /// It is sealed under a key that isn't accepted any more.
    KeyRefused {
        /// The id of that key.
        id: u32,
        /// The lowest id that is accepted.
        lowest: u32,
    },
    /// It is sealed in a form that a later keyfob brought.
    Format {
        /// The first byte of that form.
        found: u8,
    },
    /// The record to store is longer than [`Record::MAX_PLAIN_BYTES`](crate::Record::MAX_PLAIN_BYTES).
    /// Nothing was written.
    TooLong,
    /// The source of randomness failed. Nothing was written.
    Entropy(EntropyError),
    /// The record opened, and what was sealed can't be read, so it wasn't rewrapped.
    Corrupt(Corrupt),
    /// Others wrote in between, again and again, so it wasn't rewrapped.
    Contended,
}

impl<E: fmt::Display> fmt::Display for SealedError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::NotAuthentic => f.write_str(
                "the stored record isn't as it was sealed: look who could write to the store and \
                 whether the key is right, then restore the record from a backup and fence it, or \
                 delete it and register anew",
            ),
            Self::Plain => f.write_str(
                "the stored record isn't sealed: look who wrote it; while you move records in, \
                 accept plain ones",
            ),
            Self::KeyUnknown { id } => write!(
                f,
                "the stored record is sealed under key {id}: give the keyring this key"
            ),
            Self::KeyRefused { id, lowest } => write!(
                f,
                "the stored record is sealed under key {id}, and keys below {lowest} are refused: \
                 rewrap records before you refuse their key"
            ),
            Self::Format { found } => write!(
                f,
                "the stored record is sealed in the form {found:#04x}, which a later keyfob \
                 brought: update this one"
            ),
            Self::TooLong => write!(
                f,
                "the record is too long to be sealed: it has more than {} bytes",
                crate::Record::MAX_PLAIN_BYTES
            ),
            Self::Entropy(error) => error.fmt(f),
            Self::Corrupt(error) => error.fmt(f),
            Self::Contended => {
                f.write_str("too many requests for this registration at once: rewrap it again")
            }
        }
    }
}

impl<E: core::error::Error + 'static> core::error::Error for SealedError<E> {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Store(error) => Some(error),
            Self::Entropy(error) => Some(error),
            Self::Corrupt(error) => Some(error),
            _ => None,
        }
    }
}
