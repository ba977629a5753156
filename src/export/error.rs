//! Why no file could be written.

use core::fmt;

use crate::EntropyError;

/// Why no file was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExportError {
    /// The source of randomness failed.
    Entropy(EntropyError),
    /// The password is empty: it would protect nothing.
    EmptyPassword,
}

impl fmt::Display for ExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entropy(error) => error.fmt(f),
            Self::EmptyPassword => {
                f.write_str("the password is empty, so it would protect nothing: choose a long one")
            }
        }
    }
}

impl core::error::Error for ExportError {}

impl From<EntropyError> for ExportError {
    fn from(error: EntropyError) -> Self {
        Self::Entropy(error)
    }
}
