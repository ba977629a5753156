//! 2FAS: a list of services, plain or encrypted; schemas 1 to 4.
//!
//! Schema 1 has no parameters at all, schema 2 no kinds and counters: its HOTP services can't be
//! told from TOTP.

use std::borrow::Cow;
use std::vec::Vec;

use serde::Deserialize;
use zeroize::Zeroizing;

use super::decrypt::{self, Key};
use super::described::{Described, Number};
use super::import::Reading;
use super::json::{self, Text};
use super::{ImportError, Reason, encoding};
use crate::{Algorithm, Secret};

const LATEST_SCHEMA: u64 = 4;
const ITERATIONS: u32 = 10_000;

pub(super) fn read(text: &str, reading: &mut Reading<'_>) -> Result<(), ImportError> {
    let file: File<'_> = json::read(text, reading)?;
    if !matches!(file.schema, Number::Whole(1..=LATEST_SCHEMA)) {
        return Err(ImportError::Version);
    }
    if file.encrypted.is_none() {
        return json::read_list::<Service<'_>>(text, &["services"], reading);
    }
    let services = file.decrypt(reading)?;
    let services = core::str::from_utf8(&services).map_err(|_| ImportError::Damaged)?;
    json::read_list::<Service<'_>>(services, &[], reading)
}

#[derive(Deserialize)]
struct File<'a> {
    #[serde(rename = "schemaVersion")]
    schema: Number,
    #[serde(rename = "servicesEncrypted", borrow)]
    encrypted: Option<Cow<'a, str>>,
    /// A text that everybody knows, encrypted under the same key: it tells a wrong password.
    #[serde(borrow)]
    reference: Option<Cow<'a, str>>,
}

impl File<'_> {
    fn decrypt(&self, reading: &Reading<'_>) -> Result<Zeroizing<Vec<u8>>, ImportError> {
        let password = decrypt::password(reading.options, reading.format())?;
        let open = |sealed: &Option<Cow<'_, str>>| {
            let sealed = sealed.as_deref().and_then(Sealed::parse);
            sealed.ok_or(ImportError::Damaged)?.open(password, reading)
        };
        if let Some(services) = open(&self.encrypted)? {
            return Ok(services);
        }
        Err(match &self.reference {
            None => ImportError::WrongPasswordOrDamaged,
            Some(_) => match open(&self.reference)? {
                None => ImportError::WrongPassword,
                Some(_) => ImportError::Damaged,
            },
        })
    }
}

/// Ciphertext with its tag, salt and nonce, each in base64, with colons between them.
struct Sealed {
    ciphertext: Zeroizing<Vec<u8>>,
    salt: Zeroizing<Vec<u8>>,
    nonce: Zeroizing<Vec<u8>>,
}

impl Sealed {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(':').map(encoding::from_base64);
        let (ciphertext, salt, nonce) = (parts.next()??, parts.next()??, parts.next()??);
        parts.next().is_none().then_some(Self {
            ciphertext,
            salt,
            nonce,
        })
    }

    fn open(
        &self,
        password: &[u8],
        reading: &Reading<'_>,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, ImportError> {
        let limits = &reading.options.limits;
        let mut key = Key::default();
        let hash = Algorithm::Sha256;
        decrypt::pbkdf2(hash, password, &self.salt, ITERATIONS, limits, &mut *key)?;
        Ok(decrypt::open(&key, &self.nonce, &self.ciphertext))
    }
}

#[derive(Deserialize)]
struct Service<'a> {
    #[serde(borrow)]
    name: Option<Text<'a>>,
    #[serde(borrow)]
    secret: Option<Text<'a>>,
    #[serde(borrow, default)]
    otp: Otp<'a>,
}

#[derive(Default, Deserialize)]
struct Otp<'a> {
    #[serde(rename = "tokenType", borrow)]
    kind: Option<Text<'a>>,
    #[serde(borrow)]
    account: Option<Text<'a>>,
    #[serde(borrow)]
    label: Option<Text<'a>>,
    #[serde(borrow)]
    issuer: Option<Text<'a>>,
    #[serde(borrow)]
    algorithm: Option<Text<'a>>,
    #[serde(default)]
    digits: Number,
    #[serde(default)]
    period: Number,
    #[serde(default)]
    counter: Number,
}

impl<'a> json::Entry<'a> for Service<'a> {
    fn names(&self) -> (&str, &str) {
        (
            json::first_of([&self.name, &self.otp.issuer]),
            json::first_of([&self.otp.account, &self.otp.label]),
        )
    }

    fn secret(&self) -> Result<Secret, Reason> {
        json::secret(&self.secret)
    }

    fn described(&self) -> Result<Described<'_>, Reason> {
        let numbers = [self.otp.digits, self.otp.period, self.otp.counter];
        let kind = json::kind(&self.otp.kind)?;
        Ok(Described::in_app(
            kind,
            json::optional(&self.otp.algorithm),
            numbers,
        ))
    }
}
