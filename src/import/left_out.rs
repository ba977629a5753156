//! What was not read out of a file, and why.

use core::fmt;
use std::string::String;

use crate::{MigrationUriError, SecretError, UnknownAlgorithm, UriError};

/// Something in a file that isn't taken over, with its place and the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeftOut {
    /// Where it stands in the file.
    pub place: Place,
    /// Issuer and account, or a serial number, as far as they could be read; may be empty.
    pub name: String,
    /// Why it was left out.
    pub reason: Reason,
}

/// Where something stands in a file. All is counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Place {
    /// No one place.
    File,
    /// A line.
    Line(u64),
    /// An entry of the file's list.
    Entry(u64),
    /// A token inside a line that has several.
    Token {
        /// The line.
        line: u64,
        /// The token in it.
        token: u64,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File => f.write_str("the file"),
            Self::Line(line) => write!(f, "line {line}"),
            Self::Entry(entry) => write!(f, "entry {entry}"),
            Self::Token { line, token } => write!(f, "line {line}, token {token}"),
        }
    }
}

/// Why something was left out. It never quotes a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The line or entry doesn't have the format's form.
    Malformed,
    /// A key URI that can't be read.
    Uri(UriError),
    /// An `otpauth-migration` URI that can't be read.
    MigrationUri(MigrationUriError),
    /// A QR code of the export isn't there.
    MissingQrCode {
        /// Which one, counted from 1.
        number: u32,
        /// How many the export has.
        of: u32,
    },
    /// The same QR code of an export is there twice. The first is read.
    RepeatedQrCode,
    /// The entry has no one-time password: a login, a note.
    NoOneTimePassword,
    /// The secret isn't in the file: it is derived, or kept elsewhere.
    NoSecret,
    /// The secret can't be read.
    Secret(SecretError),
    /// The secret isn't the encoding that the format has (hexadecimal, base64, a list of bytes).
    SecretEncoding,
    /// A kind of token that keyfob doesn't know, such as mOTP or Yandex's.
    Kind,
    /// An algorithm that isn't known.
    Algorithm(UnknownAlgorithm),
    /// Digits other than 6, 7 or 8, or than Steam's 5.
    Digits,
    /// A period outside 1 to 86,400 seconds.
    Period,
    /// A counter-based token without a counter, or with one that is no whole number.
    Counter,
    /// Codes written otherwise than in decimal digits, or with a check digit.
    ResponseFormat,
    /// The value is encrypted in a way that isn't supported.
    Encryption,
    /// The value is encrypted, and no key or password was given.
    Locked,
    /// The value's MAC is wrong: it was damaged or forged, so it isn't decrypted.
    Mac,
    /// The value is encrypted but not authenticated, so that anyone could have changed it.
    NoMac,
    /// The file's signature isn't checked. Its tokens are read.
    Signature,
    /// A line where a recovery code should be, which is none.
    RecoveryCode,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "it doesn't have the form of this format: check it, or export anew",
            Self::Uri(error) => return error.fmt(f),
            Self::MigrationUri(error) => return error.fmt(f),
            Self::MissingQrCode { number, of } => {
                return write!(
                    f,
                    "QR code {number} of {of} of this export is missing: add it to the list"
                );
            }
            Self::RepeatedQrCode => "this QR code is in the list twice; its tokens were read once",
            Self::NoOneTimePassword => "it has no one-time password",
            Self::NoSecret => "its secret isn't in the file: ask whoever made the file",
            Self::Secret(error) => return error.fmt(f),
            Self::SecretEncoding => "its secret isn't encoded as this format has it",
            Self::Kind => "a kind of token that can't be taken over: register a new one",
            Self::Algorithm(error) => return error.fmt(f),
            Self::Digits => "its codes must have 6, 7 or 8 digits (5 symbols for Steam)",
            Self::Period => "its period must be 1 to 86400 seconds",
            Self::Counter => "a counter-based token needs its counter, a whole number",
            Self::ResponseFormat => "its codes aren't plain decimal digits: register a new token",
            Self::Encryption => {
                "it is encrypted in a way that isn't supported: export it in another"
            }
            Self::Locked => "it is encrypted: give the password or the pre-shared key",
            Self::Mac => "its MAC is wrong: the key is another one, or the value was changed",
            Self::NoMac => {
                "it is encrypted without a MAC, so anyone could have changed it: export it with one"
            }
            Self::Signature => "the signature isn't checked: check it with other means",
            Self::RecoveryCode => "no recovery code: those of this format have eight digits",
        })
    }
}

impl From<UriError> for Reason {
    fn from(error: UriError) -> Self {
        Self::Uri(error)
    }
}

impl From<MigrationUriError> for Reason {
    fn from(error: MigrationUriError) -> Self {
        Self::MigrationUri(error)
    }
}

impl From<SecretError> for Reason {
    fn from(error: SecretError) -> Self {
        Self::Secret(error)
    }
}

impl From<UnknownAlgorithm> for Reason {
    fn from(error: UnknownAlgorithm) -> Self {
        Self::Algorithm(error)
    }
}
