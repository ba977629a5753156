//! Aegis: a vault, plain or encrypted under the keys of its slots.
//!
//! The format is published in Aegis's documentation, "Aegis Vault".

use std::borrow::Cow;
use std::vec::Vec;

use serde::Deserialize;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::decrypt::{self, Key, ScryptCost};
use super::described::{Described, Kind, Number};
use super::import::Reading;
use super::json::{self, Text};
use super::{ImportError, Reason, encoding};
use crate::Secret;

/// The latest versions of the file and of the database in it.
const FILE_VERSION: u64 = 1;
const DATABASE_VERSION: u64 = 3;

pub(super) fn read(text: &str, reading: &mut Reading<'_>) -> Result<(), ImportError> {
    let file: File<'_> = json::read(text, reading)?;
    check_version(file.version, FILE_VERSION)?;
    match &file.header.slots {
        None => read_database(file.db.get(), reading),
        Some(slots) => {
            let database = file.decrypt(slots, reading)?;
            let text = core::str::from_utf8(&database).map_err(|_| ImportError::Damaged)?;
            read_database(text, reading)
        }
    }
}

fn check_version(version: Number, latest: u64) -> Result<(), ImportError> {
    match version {
        Number::Whole(version) if (1..=latest).contains(&version) => Ok(()),
        _ => Err(ImportError::Version),
    }
}

fn read_database(text: &str, reading: &mut Reading<'_>) -> Result<(), ImportError> {
    let database: Database = json::read(text, reading)?;
    check_version(database.version, DATABASE_VERSION)?;
    json::read_list::<Entry<'_>>(text, &["entries"], reading)
}

#[derive(Deserialize)]
struct File<'a> {
    version: Number,
    #[serde(borrow)]
    header: Header<'a>,
    /// An object, or its ciphertext in base64.
    #[serde(borrow)]
    db: &'a RawValue,
}

#[derive(Deserialize)]
struct Header<'a> {
    #[serde(borrow)]
    slots: Option<Vec<Slot<'a>>>,
    #[serde(borrow)]
    params: Option<Sealing<'a>>,
}

/// The database's key, encrypted under a key of the slot's own.
#[derive(Deserialize)]
struct Slot<'a> {
    r#type: u64,
    #[serde(borrow)]
    key: Cow<'a, str>,
    #[serde(borrow)]
    key_params: Sealing<'a>,
    #[serde(borrow)]
    salt: Option<Cow<'a, str>>,
    n: Option<u64>,
    r: Option<u32>,
    p: Option<u32>,
}

/// What AES-GCM needs besides the key, in hexadecimal.
#[derive(Deserialize)]
struct Sealing<'a> {
    #[serde(borrow)]
    nonce: Cow<'a, str>,
    #[serde(borrow)]
    tag: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Database {
    version: Number,
}

impl File<'_> {
    fn decrypt(
        &self,
        slots: &[Slot<'_>],
        reading: &Reading<'_>,
    ) -> Result<Zeroizing<Vec<u8>>, ImportError> {
        let sealing = self.header.params.as_ref().ok_or(ImportError::Damaged)?;
        let key = unlock(slots, reading)?;
        let sealed: Text<'_> = json::read(self.db.get(), reading)?;
        let sealed = encoding::from_base64(sealed.as_str()).ok_or(ImportError::Damaged)?;
        sealing.open(&key, &sealed).ok_or(ImportError::Damaged)
    }
}

/// The database's key, from the first slot that the password opens.
fn unlock(slots: &[Slot<'_>], reading: &Reading<'_>) -> Result<Key, ImportError> {
    let password = decrypt::password(reading.options, reading.format())?;
    let slots = || slots.iter().filter(|slot| slot.r#type == Slot::PASSWORD);
    let work = slots().try_fold(0_u64, |work, slot| {
        Ok(work.saturating_add(slot.cost()?.work()))
    })?;
    if work > reading.options.limits.scrypt_work {
        return Err(ImportError::TooCostly);
    }
    for slot in slots() {
        if let Some(key) = slot.open(password, reading)? {
            return Ok(key);
        }
    }
    Err(ImportError::WrongPassword)
}

impl Slot<'_> {
    /// A slot that a password opens; others belong to a phone's hardware.
    const PASSWORD: u64 = 1;

    fn cost(&self) -> Result<ScryptCost, ImportError> {
        let (Some(n), Some(r), Some(p)) = (self.n, self.r, self.p) else {
            return Err(ImportError::Damaged);
        };
        Ok(ScryptCost { n, r, p })
    }

    /// The key in it, unless the password is another.
    fn open(&self, password: &[u8], reading: &Reading<'_>) -> Result<Option<Key>, ImportError> {
        let salt = self.salt.as_deref().and_then(encoding::from_hex);
        let salt = salt.ok_or(ImportError::Damaged)?;
        let own = decrypt::scrypt(password, &salt, self.cost()?, &reading.options.limits)?;
        let sealed = encoding::from_hex(&self.key).ok_or(ImportError::Damaged)?;
        let Some(key) = self.key_params.open(&own, &sealed) else {
            return Ok(None);
        };
        let key = <[u8; 32]>::try_from(key.as_slice()).map_err(|_| ImportError::Damaged)?;
        Ok(Some(Key::new(key)))
    }
}

impl Sealing<'_> {
    fn open(&self, key: &Key, ciphertext: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let nonce = encoding::from_hex(&self.nonce)?;
        let tag = encoding::from_hex(&self.tag)?;
        decrypt::open(key, &nonce, &[ciphertext, &tag].concat())
    }
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    r#type: Text<'a>,
    #[serde(borrow)]
    name: Option<Text<'a>>,
    #[serde(borrow)]
    issuer: Option<Text<'a>>,
    #[serde(borrow)]
    info: Info<'a>,
}

#[derive(Deserialize)]
struct Info<'a> {
    #[serde(borrow)]
    secret: Option<Text<'a>>,
    #[serde(borrow)]
    algo: Option<Text<'a>>,
    #[serde(default)]
    digits: Number,
    #[serde(default)]
    period: Number,
    #[serde(default)]
    counter: Number,
}

impl<'a> json::Entry<'a> for Entry<'a> {
    fn names(&self) -> (&str, &str) {
        (json::text(&self.issuer), json::text(&self.name))
    }

    fn secret(&self) -> Result<Secret, Reason> {
        json::secret(&self.info.secret)
    }

    fn described(&self) -> Result<Described<'_>, Reason> {
        let numbers = [self.info.digits, self.info.period, self.info.counter];
        let kind = Kind::from_name(self.r#type.as_str())?;
        Ok(Described::in_app(
            kind,
            json::optional(&self.info.algo),
            numbers,
        ))
    }
}
