//! What came of writing tokens.

use core::fmt;
use std::string::String;
use std::vec::Vec;

/// The text of a file, and what isn't in it.
#[derive(Clone)]
#[non_exhaustive]
pub struct Written {
    /// The file, in UTF-8.
    pub text: String,
    /// What of the tokens the file doesn't have, in their order.
    pub omitted: Vec<Omitted>,
}

/// Hides the text, which has secrets in some formats.
impl fmt::Debug for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Written")
            .field("omitted", &self.omitted)
            .finish_non_exhaustive()
    }
}

/// Something of a token that isn't in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Omitted {
    /// Which of the tokens that were given, counted from 0.
    pub index: usize,
    /// What, and why.
    pub what: Omission,
}

/// What isn't in the file, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Omission {
    /// The token: Steam's codes can't be described in this format.
    SteamCodes,
    /// The token: its steps aren't counted from the Unix epoch, which this format can't say.
    Epoch,
    /// The token: it has used up its last counter.
    Counter,
    /// The token: one of its names has a character that this format can't have.
    NameCharacter,
    /// The token: its names are too long for this format.
    TooLong,
    /// Its recovery codes. The token is in the file.
    RecoveryCodes,
    /// Its serial number. The token is in the file.
    SerialNumber,
    /// Its drift. The token is in the file.
    Drift,
    /// The last step that a time-based token has used. The token is in the file.
    LastStep,
}

impl Omission {
    /// Whether the file lacks the token itself, not only something of it.
    #[must_use]
    pub const fn is_token(self) -> bool {
        !matches!(
            self,
            Self::RecoveryCodes | Self::SerialNumber | Self::Drift | Self::LastStep
        )
    }
}

impl fmt::Display for Omission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SteamCodes => {
                "Steam's codes can't be described in this format: write this token in another"
            }
            Self::Epoch => {
                "a time other than the Unix epoch to count from can't be said in this format: register a new token"
            }
            Self::Counter => "the token has used up its last counter: register a new one",
            Self::NameCharacter => {
                "the issuer, account or serial number has a control character: remove it, then write again"
            }
            Self::TooLong => "the issuer and account are too long for this format: shorten them",
            Self::SerialNumber => "this format has no room for the serial number beside the account",
            Self::Drift => {
                "this format can't say how far the token's clock is off: resynchronise it in the other system"
            }
            Self::LastStep => {
                "this format can't say which code was used last: whoever checks codes by it must refuse those of now and of the next steps"
            }
            Self::RecoveryCodes => {
                "this format has no recovery codes: generate new ones in the other system"
            }
        })
    }
}
