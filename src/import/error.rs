//! Why a file as a whole can't be read.

use core::fmt;

use super::Format;

/// Why nothing was read out of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImportError {
    /// No format was recognised.
    Unrecognised,
    /// The file is longer than [`Limits::file_bytes`](super::Limits::file_bytes).
    FileTooLong {
        /// How many bytes are allowed.
        most: usize,
    },
    /// More tokens and things left out than [`Limits::entries`](super::Limits::entries).
    TooManyEntries {
        /// How many are allowed.
        most: usize,
    },
    /// Elements or values are nested deeper than any honest file has them.
    TooDeep,
    /// The file doesn't have the form of its format, or is cut off.
    Malformed {
        /// The format that it was read as.
        format: Format,
        /// The line where the reading ended, counted from 1; 0 where there are no lines.
        line: usize,
    },
    /// The file is no text in UTF-8.
    NotText,
    /// A version of the format that isn't known.
    Version,
    /// An XML file with a document type definition, which could make it expand without bound.
    DocumentType,
    /// The file is encrypted, and no password or key was given.
    Locked {
        /// Its format.
        format: Format,
    },
    /// The password or key is wrong.
    WrongPassword,
    /// The password or key is wrong, or the file is damaged: nothing in it tells which.
    WrongPasswordOrDamaged,
    /// The password is right and the file was damaged or changed.
    Damaged,
    /// The file is encrypted in a way that isn't supported.
    Encryption {
        /// Its format.
        format: Format,
    },
    /// To make the key of the password costs more than [`Limits`](super::Limits) allows.
    TooCostly,
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unrecognised => "the format isn't recognised: name it, or export the file in another format",
            Self::FileTooLong { most } => {
                return write!(f, "the file has more than {most} bytes: split it, or raise the limit");
            }
            Self::TooManyEntries { most } => {
                return write!(f, "the file has more than {most} entries: split it, or raise the limit");
            }
            Self::TooDeep => "the file is nested too deeply to be an export of tokens",
            Self::Malformed { format, line: 0 } => {
                return write!(f, "the file can't be read as {format}: it is damaged or cut off");
            }
            Self::Malformed { format, line } => {
                return write!(f, "the file can't be read as {format} past line {line}: it is damaged or cut off");
            }
            Self::NotText => "the file is no text in UTF-8: save it as UTF-8, or name its format",
            Self::Version => "the file has a version that isn't known: export it with another release of the app",
            Self::DocumentType => "the file has a document type definition, which isn't read: remove the DOCTYPE",
            Self::Locked { format } => {
                return write!(f, "the file is encrypted ({format}): give its password or key");
            }
            Self::WrongPassword => "the password or key is wrong",
            Self::WrongPasswordOrDamaged => "the password or key is wrong, or the file is damaged",
            Self::Damaged => "the password is right, but the file was damaged or changed",
            Self::Encryption { format } => {
                return write!(f, "the file is encrypted in a way that isn't supported ({format}): export it without encryption");
            }
            Self::TooCostly => "the file asks for more work or memory to check the password than the limits allow",
        })
    }
}

impl core::error::Error for ImportError {}
