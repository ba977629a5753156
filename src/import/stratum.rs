//! Stratum, once Authenticator Pro: a list of authenticators, whose kinds and algorithms are
//! numbers.

use serde::Deserialize;

use super::described::{Described, Kind, Number};
use super::import::Reading;
use super::json::{self, Text};
use super::{ImportError, Reason, text};
use crate::{Secret, UnknownAlgorithm};

/// What its encrypted backups start with: the newer ones, and the older.
pub(super) const ENCRYPTED: [&[u8]; 2] = [b"AUTHENTICATORPRO", b"AuthenticatorPro"];

pub(super) fn read(file: &[u8], reading: &mut Reading<'_>) -> Result<(), ImportError> {
    if ENCRYPTED.iter().any(|start| file.starts_with(start)) {
        let format = reading.format();
        return Err(ImportError::Encryption { format });
    }
    json::read_list::<Authenticator<'_>>(text(file)?, &["Authenticators"], reading)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Authenticator<'a> {
    #[serde(default)]
    r#type: Number,
    #[serde(borrow)]
    issuer: Option<Text<'a>>,
    #[serde(borrow)]
    username: Option<Text<'a>>,
    #[serde(borrow)]
    secret: Option<Text<'a>>,
    #[serde(default)]
    algorithm: Number,
    #[serde(default)]
    digits: Number,
    #[serde(default)]
    period: Number,
    #[serde(default)]
    counter: Number,
}

impl<'a> json::Entry<'a> for Authenticator<'a> {
    fn names(&self) -> (&str, &str) {
        (json::text(&self.issuer), json::text(&self.username))
    }

    fn secret(&self) -> Result<Secret, Reason> {
        json::secret(&self.secret)
    }

    fn described(&self) -> Result<Described<'_>, Reason> {
        let kind = match self.r#type {
            Number::Whole(1) => Kind::Hotp,
            Number::Absent | Number::Whole(2) => Kind::Totp,
            Number::Whole(4) => Kind::Steam,
            // 3 is mOTP, 5 Yandex's.
            Number::Whole(_) | Number::Wrong => return Err(Reason::Kind),
        };
        let algorithm = match self.algorithm {
            Number::Absent | Number::Whole(0) => "SHA1",
            Number::Whole(1) => "SHA256",
            Number::Whole(2) => "SHA512",
            Number::Whole(_) | Number::Wrong => return Err(UnknownAlgorithm.into()),
        };
        let numbers = [self.digits, self.period, self.counter];
        Ok(Described::in_app(kind, Some(algorithm), numbers))
    }
}
