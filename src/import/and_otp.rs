//! andOTP: a list of entries, plain or in either of two encrypted forms.
//!
//! Newer files: iterations (32 bits, big-endian), salt (12 bytes), nonce (12), ciphertext and tag,
//! the key made by PBKDF2-HMAC-SHA-1. The oldest: nonce and ciphertext only, the key a bare
//! SHA-256 of the password. Nothing in a file tells which, so both are tried.

use core::str;
use std::vec::Vec;

use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::decrypt::{self, Key};
use super::described::{Described, Number};
use super::import::Reading;
use super::json::{self, Text};
use super::{ImportError, Limits, Reason};
use crate::{Algorithm, Secret};

const SALT_BYTES: usize = 12;
const NONCE_BYTES: usize = 12;

pub(super) fn read(file: &[u8], reading: &mut Reading<'_>) -> Result<(), ImportError> {
    if is_plain(file) {
        return read_list(file, reading);
    }
    let list = decrypt(file, reading)?;
    read_list(&list, reading)
}

/// Whether it is a list in JSON. The first byte of an encrypted file is part of a number of
/// iterations, far below one that would look like that, or of a nonce, which may.
fn is_plain(file: &[u8]) -> bool {
    file.trim_ascii_start().starts_with(b"[") && str::from_utf8(file).is_ok()
}

fn read_list(list: &[u8], reading: &mut Reading<'_>) -> Result<(), ImportError> {
    let list = str::from_utf8(list).map_err(|_| reading.malformed(0))?;
    json::read_list::<Entry<'_>>(list, &[], reading)
}

fn decrypt(file: &[u8], reading: &Reading<'_>) -> Result<Zeroizing<Vec<u8>>, ImportError> {
    let password = decrypt::password(reading.options, reading.format())?;
    open_newer(file, password, &reading.options.limits)
        .or_else(|| open_oldest(file, password))
        .ok_or(ImportError::WrongPasswordOrDamaged)
}

/// Iterations, salt, nonce and ciphertext.
type Newer<'f> = (u32, &'f [u8], &'f [u8], &'f [u8]);

/// `None` also where the iterations are beyond the limits: then they are part of a nonce, as
/// andOTP itself writes 140,000 to 160,000.
fn open_newer(file: &[u8], password: &[u8], limits: &Limits) -> Option<Zeroizing<Vec<u8>>> {
    let (iterations, salt, nonce, sealed) = split_newer(file)?;
    let mut key = Key::default();
    let hash = Algorithm::Sha1;
    decrypt::pbkdf2(hash, password, salt, iterations, limits, &mut *key).ok()?;
    decrypt::open(&key, nonce, sealed)
}

fn split_newer(file: &[u8]) -> Option<Newer<'_>> {
    let (iterations, rest) = file.split_first_chunk()?;
    let (salt, rest) = rest.split_at_checked(SALT_BYTES)?;
    let (nonce, sealed) = rest.split_at_checked(NONCE_BYTES)?;
    Some((u32::from_be_bytes(*iterations), salt, nonce, sealed))
}

fn open_oldest(file: &[u8], password: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, sealed) = file.split_at_checked(NONCE_BYTES)?;
    let key = Key::new(Sha256::digest(password).into());
    decrypt::open(&key, nonce, sealed)
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    r#type: Option<Text<'a>>,
    #[serde(borrow)]
    secret: Option<Text<'a>>,
    #[serde(borrow)]
    issuer: Option<Text<'a>>,
    #[serde(borrow)]
    label: Option<Text<'a>>,
    #[serde(borrow)]
    algorithm: Option<Text<'a>>,
    #[serde(default)]
    digits: Number,
    #[serde(default)]
    period: Number,
    #[serde(default)]
    counter: Number,
}

impl<'a> json::Entry<'a> for Entry<'a> {
    /// The oldest releases kept both in the label.
    fn names(&self) -> (&str, &str) {
        let label = json::text(&self.label);
        match &self.issuer {
            None => label.split_once(" - ").unwrap_or(("", label)),
            Some(issuer) => (issuer.as_str(), label),
        }
    }

    fn secret(&self) -> Result<Secret, Reason> {
        json::secret(&self.secret)
    }

    fn described(&self) -> Result<Described<'_>, Reason> {
        let numbers = [self.digits, self.period, self.counter];
        let kind = json::kind(&self.r#type)?;
        Ok(Described::in_app(
            kind,
            json::optional(&self.algorithm),
            numbers,
        ))
    }
}
