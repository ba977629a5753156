//! Why a text is no key URI, or why none can be written.

use core::fmt;

#[cfg(doc)]
use super::KeyUri;
use crate::{SecretError, UnknownAlgorithm};

/// Why a text is no key URI, or why none can be written. The text tells what to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UriError {
    /// It doesn't start with `otpauth://`.
    Scheme,
    /// The type is neither `totp` nor `hotp` nor `steam`.
    Type,
    /// Longer than [`KeyUri::MAX_BYTES`], or more parameters than [`KeyUri::MAX_PARAMETERS`].
    TooLong,
    /// A broken percent escape, bytes that are no UTF-8, or (read strictly) a bare character.
    Encoding,
    /// A parameter stands twice.
    Repeated,
    /// Read strictly: the URI was escaped for HTML, so that `&amp;` stands for `&`.
    HtmlEscaped,
    /// A parameter that looks like one of the format's and isn't spelt so.
    Misspelt {
        /// The one that is probably meant.
        meant: &'static str,
    },
    /// A parameter stands inside the label or inside another one's value, behind a wrong separator.
    Separator,
    /// The account is missing or has a colon or control character.
    Account,
    /// The issuer has a colon or control character.
    Issuer,
    /// The label and the issuer parameter name different issuers.
    IssuersDiffer,
    /// No secret.
    NoSecret,
    /// A secret that can't be read.
    Secret(SecretError),
    /// An algorithm that isn't known, or (read strictly) another spelling of one.
    Algorithm(UnknownAlgorithm),
    /// Digits other than 6, 7 or 8, or than Steam's 5.
    Digits,
    /// A period outside 1 to 86,400 seconds.
    Period,
    /// A counter-based token without a counter, or with one that is no number.
    Counter,
    /// An encoder other than Steam's, or Steam's for a counter-based token.
    Encoder,
    /// An epoch other than 0, which a key URI can't express.
    Epoch,
}

impl From<SecretError> for UriError {
    fn from(error: SecretError) -> Self {
        Self::Secret(error)
    }
}

impl From<UnknownAlgorithm> for UriError {
    fn from(error: UnknownAlgorithm) -> Self {
        Self::Algorithm(error)
    }
}

impl fmt::Display for UriError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scheme => "this is no key URI: it must start with otpauth://",
            Self::Type => "the key URI's type must be totp, hotp or steam, as in otpauth://totp/…",
            Self::TooLong => "the key URI is longer than 4096 bytes or has more than 32 parameters: drop those that no token needs",
            Self::Encoding => "the key URI has a character that must be percent-encoded as UTF-8, or a broken % escape",
            Self::Repeated => "the key URI has a parameter twice: remove one of them",
            Self::HtmlEscaped => "the key URI was escaped for HTML: put a plain & in place of each &amp;",
            Self::Misspelt { meant } => {
                return write!(f, "the key URI has a parameter that looks like a misspelt {meant}: name it {meant}, or remove it");
            }
            Self::Separator => "the key URI has a parameter inside another one's value or inside the label: put a plain ? before the first parameter and a plain & between them",
            Self::Account => "the key URI needs an account name without colons or control characters",
            Self::Issuer => "the issuer's name must not contain colons or control characters",
            Self::IssuersDiffer => "the key URI's label and its issuer parameter name different issuers: make them equal",
            Self::NoSecret => "the key URI has no secret parameter: copy all of it",
            Self::Secret(error) => return error.fmt(f),
            Self::Algorithm(error) => return error.fmt(f),
            Self::Digits => "the key URI's digits must be 6, 7 or 8 (5 for Steam)",
            Self::Period => "the key URI's period must be a number of seconds from 1 to 86400",
            Self::Counter => "a counter-based key URI needs a counter parameter, a whole number",
            Self::Encoder => "the key URI's encoder isn't known: only steam is, for time-based tokens",
            Self::Epoch => "a key URI can't express an epoch other than 0: enrol this token by other means",
        })
    }
}

impl core::error::Error for UriError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Secret(error) => Some(error),
            Self::Algorithm(error) => Some(error),
            _ => None,
        }
    }
}
