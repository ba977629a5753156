//! How other systems' registrations come in: their exports and backups, and the files that
//! hardware tokens are delivered with.
//!
//! ```
//! use keyfob::import::{self, Options};
//!
//! let file = b"otpauth://totp/ACME:alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ
//! otpauth://totp/ACME:bob?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&period=0
//! ";
//! let import = import::read(file, &Options::default())?;
//! assert_eq!(import.tokens[0].account, "alice");
//! assert_eq!(import.left_out[0].place.to_string(), "line 2");
//! println!("{}: {}", import.left_out[0].place, import.left_out[0].reason);
//! # Ok::<(), import::ImportError>(())
//! ```
//!
//! [`Engine::migrate`](crate::Engine::migrate) takes each token as it is. Nothing is dropped
//! silently: whatever isn't among the tokens is among those left out, with its reason, and one bad
//! entry doesn't lose the others.
//!
//! What is decrypted is wiped after use; so are secrets and recovery codes that were read. A JSON
//! text with escapes passes through a buffer of its reader that isn't wiped. The file that you pass
//! in is yours to wipe.

mod aegis;
mod and_otp;
mod bitwarden;
mod csv;
mod decrypt;
mod described;
mod detect;
mod encoding;
mod error;
mod free_otp_plus;
mod google_authenticator_pam;
#[allow(clippy::module_inception)] // what an import came to, in the room of the same name
mod import;
mod imported;
mod json;
mod keepassxc;
mod left_out;
mod limits;
mod login;
mod oath_csv;
mod oath_users;
pub(crate) mod pskc;
mod raivo;
mod stratum;
mod two_fas;
mod uri_list;
mod yubico_csv;

use core::fmt;

pub use detect::detect;
pub use error::ImportError;
pub use import::Import;
use import::Reading;
use imported::full_name;
pub use imported::{Imported, RecoveryCodeTexts, Remark};
pub use left_out::{LeftOut, Place, Reason};
pub use limits::Limits;

/// How to read a file.
///
/// ```
/// use keyfob::import::{Options, Unlock};
///
/// let options = Options { unlock: Unlock::Password("correct horse"), ..Options::default() };
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Options<'a> {
    /// What opens an encrypted file.
    pub unlock: Unlock<'a>,
    /// How much the file may make the reader do.
    pub limits: Limits,
}

/// What opens an encrypted file.
#[derive(Clone, Copy, Default)]
pub enum Unlock<'a> {
    /// Nothing is at hand: an encrypted file is [`ImportError::Locked`].
    #[default]
    Nothing,
    /// A password.
    Password(&'a str),
    /// A pre-shared key, as PSKC files have it.
    Key(&'a [u8]),
}

/// Shows the kind and nothing of the password or key.
impl fmt::Debug for Unlock<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "Nothing",
            Self::Password(_) => "Password(..)",
            Self::Key(_) => "Key(..)",
        })
    }
}

/// A format that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// Key URIs, one a line, `otpauth-migration` ones included: plain lists, Ente Auth, Google
    /// Authenticator's QR codes.
    UriList,
    /// PSKC (RFC 6030): what makers of hardware tokens deliver.
    Pskc,
    /// `serial, hexkey, hotp|totp, digits, counter|period`.
    OathCsv,
    /// What Yubico's tools write when they program OATH-HOTP tokens.
    YubicoCsv,
    /// The users file of liboath and `pam_oath`.
    OathUsers,
    /// A `.google_authenticator` of google-authenticator-libpam, scratch codes included.
    GoogleAuthenticatorPam,
    /// Aegis, plain or encrypted.
    Aegis,
    /// 2FAS, plain or encrypted, schemas 1 to 4.
    TwoFas,
    /// andOTP, plain or in either of its encrypted forms.
    AndOtp,
    /// `FreeOTP+`.
    FreeOtpPlus,
    /// Stratum (Authenticator Pro), plain.
    Stratum,
    /// Raivo: the JSON inside its archive.
    Raivo,
    /// Bitwarden, unencrypted JSON.
    BitwardenJson,
    /// Bitwarden, CSV.
    BitwardenCsv,
    /// `KeePassXC`, CSV.
    KeePassXcCsv,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 15] = [
        Self::UriList,
        Self::Pskc,
        Self::OathCsv,
        Self::YubicoCsv,
        Self::OathUsers,
        Self::GoogleAuthenticatorPam,
        Self::Aegis,
        Self::TwoFas,
        Self::AndOtp,
        Self::FreeOtpPlus,
        Self::Stratum,
        Self::Raivo,
        Self::BitwardenJson,
        Self::BitwardenCsv,
        Self::KeePassXcCsv,
    ];

    /// A short name in lower case, for command lines and settings: `uri-list`, `aegis`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.names().0
    }

    /// The format with this [`name`](Self::name).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// The short name and what people call it.
    const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::UriList => ("uri-list", "key URIs"),
            Self::Pskc => ("pskc", "PSKC"),
            Self::OathCsv => ("oath-csv", "OATH CSV"),
            Self::YubicoCsv => ("yubico-csv", "Yubico CSV"),
            Self::OathUsers => ("oath-users", "a liboath users file"),
            Self::GoogleAuthenticatorPam => (
                "google-authenticator-pam",
                "a google-authenticator-libpam file",
            ),
            Self::Aegis => ("aegis", "Aegis"),
            Self::TwoFas => ("2fas", "2FAS"),
            Self::AndOtp => ("andotp", "andOTP"),
            Self::FreeOtpPlus => ("freeotp-plus", "FreeOTP+"),
            Self::Stratum => ("stratum", "Stratum"),
            Self::Raivo => ("raivo", "Raivo"),
            Self::BitwardenJson => ("bitwarden-json", "Bitwarden JSON"),
            Self::BitwardenCsv => ("bitwarden-csv", "Bitwarden CSV"),
            Self::KeePassXcCsv => ("keepassxc-csv", "KeePassXC CSV"),
        }
    }
}

/// Shows what people call the format.
impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.names().1)
    }
}

/// Detects a file's format and reads it.
///
/// # Errors
/// An [`ImportError`] if the file as a whole can't be read; nothing was then taken from it.
pub fn read(file: &[u8], options: &Options<'_>) -> Result<Import, ImportError> {
    check_length(file, options)?;
    let format = detect(file).ok_or(ImportError::Unrecognised)?;
    read_as(format, file, options)
}

/// Reads a file of a known format.
///
/// # Errors
/// An [`ImportError`] if the file as a whole can't be read; nothing was then taken from it.
pub fn read_as(format: Format, file: &[u8], options: &Options<'_>) -> Result<Import, ImportError> {
    check_length(file, options)?;
    let mut reading = Reading::new(format, options);
    let text = || text(file);
    match format {
        Format::AndOtp => and_otp::read(file, &mut reading),
        Format::UriList => uri_list::read(text()?, &mut reading),
        Format::Pskc => pskc::read(text()?, &mut reading),
        Format::OathCsv => oath_csv::read(text()?, &mut reading),
        Format::YubicoCsv => yubico_csv::read(text()?, &mut reading),
        Format::OathUsers => oath_users::read(text()?, &mut reading),
        Format::GoogleAuthenticatorPam => google_authenticator_pam::read(text()?, &mut reading),
        Format::Aegis => aegis::read(text()?, &mut reading),
        Format::TwoFas => two_fas::read(text()?, &mut reading),
        Format::FreeOtpPlus => free_otp_plus::read(text()?, &mut reading),
        Format::Stratum => stratum::read(file, &mut reading),
        Format::Raivo => raivo::read(text()?, &mut reading),
        Format::BitwardenJson => bitwarden::read_json(text()?, &mut reading),
        Format::BitwardenCsv => bitwarden::read_csv(text()?, &mut reading),
        Format::KeePassXcCsv => keepassxc::read(text()?, &mut reading),
    }?;
    Ok(reading.finish())
}

fn check_length(file: &[u8], options: &Options<'_>) -> Result<(), ImportError> {
    let most = options.limits.file_bytes;
    (file.len() <= most)
        .then_some(())
        .ok_or(ImportError::FileTooLong { most })
}

/// The file as text, without a byte order mark.
fn text(file: &[u8]) -> Result<&str, ImportError> {
    let text = core::str::from_utf8(file).map_err(|_| ImportError::NotText)?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}
