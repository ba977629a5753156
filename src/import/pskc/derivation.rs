//! Keys made of passwords.

use core::num::NonZeroU64;
use core::str::FromStr;
use std::vec;

use zeroize::Zeroizing;

use super::cipher::Wiped;
use super::names;
use super::value::from_base64;
use super::xml::{Element, Walker};
use crate::Algorithm;
use crate::import::decrypt::pbkdf2;
use crate::import::{ImportError, Limits};

/// PBKDF2 and its parameters.
pub(super) struct Derivation {
    hash: Algorithm,
    salt: Wiped,
    iterations: NonZeroU64,
    key_bytes: usize,
}

impl Derivation {
    /// Reads a `DerivedKey`. The namespaces of what is in it vary.
    pub(super) fn read(walker: &mut Walker<'_>) -> Result<Option<Self>, ImportError> {
        let mut derivation = None;
        walker.children(|method, walker| {
            if method.name() != "KeyDerivationMethod" {
                return Ok(());
            }
            let uri = walker.attribute(method, "Algorithm")?.unwrap_or_default();
            let read = Self::read_method(&uri, walker)?;
            walker.put(&mut derivation, read)
        })?;
        Ok(derivation.flatten())
    }

    fn read_method(uri: &str, walker: &mut Walker<'_>) -> Result<Option<Self>, ImportError> {
        let mut derivation = None;
        if names::is_pbkdf2(uri) {
            walker.children(|params, walker| {
                if params.name() == "PBKDF2-params" {
                    let read = Self::read_params(walker)?;
                    walker.put(&mut derivation, read)?;
                }
                Ok(())
            })?;
        }
        Ok(derivation.flatten())
    }

    fn read_params(walker: &mut Walker<'_>) -> Result<Option<Self>, ImportError> {
        let (mut salt, mut iterations, mut key_bytes, mut hash) = (None, None, None, None);
        walker.children(|param, walker| match param.name() {
            "Salt" => read_salt(&mut salt, walker),
            "IterationCount" => read_number(&mut iterations, walker),
            "KeyLength" => read_number(&mut key_bytes, walker),
            "PRF" => {
                let read = read_hash(param, walker)?;
                walker.put(&mut hash, read)
            }
            _ => Ok(()),
        })?;
        let hash = hash.unwrap_or(Some(Algorithm::Sha1));
        let (Some(salt), Some(iterations), Some(key_bytes), Some(hash)) =
            (salt, iterations, key_bytes, hash)
        else {
            return Ok(None);
        };
        // AES has no other keys.
        Ok(matches!(key_bytes, 16 | 24 | 32).then_some(Self {
            hash,
            salt,
            iterations,
            key_bytes,
        }))
    }

    /// The key that a password makes, within the limits.
    pub(super) fn derive(&self, password: &str, limits: &Limits) -> Result<Wiped, ImportError> {
        let iterations =
            u32::try_from(self.iterations.get()).map_err(|_| ImportError::TooCostly)?;
        let mut key = Zeroizing::new(vec![0; self.key_bytes]);
        let password = password.as_bytes();
        pbkdf2(
            self.hash, password, &self.salt, iterations, limits, &mut key,
        )?;
        Ok(key)
    }
}

/// Reads a `PRF`: `None` if it isn't supported, SHA-1 if it names nothing (RFC 8018, appendix A.2).
fn read_hash(
    element: &Element<'_>,
    walker: &mut Walker<'_>,
) -> Result<Option<Algorithm>, ImportError> {
    let uri = match walker.attribute(element, "Algorithm")? {
        Some(uri) => uri.into_owned(),
        // python-pskc 1.4 writes it there.
        None => walker.name()?,
    };
    match uri.as_str() {
        "" => Ok(Some(Algorithm::Sha1)),
        uri => Ok(names::hmac(uri)),
    }
}

/// Reads a `Salt`; one that isn't specified in the file stays `None`.
fn read_salt(salt: &mut Option<Wiped>, walker: &mut Walker<'_>) -> Result<(), ImportError> {
    walker.children(|child, walker| {
        if child.name() != "Specified" {
            return Ok(());
        }
        let read = from_base64(&walker.text()?).ok_or_else(|| walker.malformed())?;
        walker.put(salt, read)
    })
}

fn read_number<T: FromStr>(
    number: &mut Option<T>,
    walker: &mut Walker<'_>,
) -> Result<(), ImportError> {
    let read = walker.text()?.trim().parse();
    walker.put(number, read.map_err(|_| walker.malformed())?)
}
