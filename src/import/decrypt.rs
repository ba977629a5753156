//! What opens encrypted backups: keys made of passwords, within limits, and AES-256-GCM.

use std::vec::Vec;

use ::pbkdf2::pbkdf2_hmac;
use aes_gcm::aead::AeadInOut as _;
use aes_gcm::{Aes256Gcm, KeyInit as _, Nonce};
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use zeroize::Zeroizing;

use super::{Format, ImportError, Limits, Options, Unlock};
use crate::Algorithm;

/// A key of 256 bits, wiped on drop.
pub(super) type Key = Zeroizing<[u8; 32]>;

/// The password, or the error that asks for one.
pub(super) fn password<'a>(options: &Options<'a>, format: Format) -> Result<&'a [u8], ImportError> {
    match options.unlock {
        Unlock::Password(password) => Ok(password.as_bytes()),
        Unlock::Nothing | Unlock::Key(_) => Err(ImportError::Locked { format }),
    }
}

/// Opens `sealed`, the ciphertext with its tag of 16 bytes at the end; `None` if key, nonce or a
/// byte of it is another.
pub(super) fn open(key: &Key, nonce: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let nonce = Nonce::try_from(nonce).ok()?;
    let mut text = Zeroizing::new(sealed.to_vec());
    Aes256Gcm::new_from_slice(&**key)
        .ok()?
        .decrypt_in_place(&nonce, &[], &mut *text)
        .ok()?;
    Some(text)
}

/// Fills `key` by PBKDF2 over HMAC (RFC 8018 §5.2), within the limits.
pub(super) fn pbkdf2(
    hash: Algorithm,
    password: &[u8],
    salt: &[u8],
    iterations: u32,
    limits: &Limits,
    key: &mut [u8],
) -> Result<(), ImportError> {
    if iterations > limits.pbkdf2_iterations {
        return Err(ImportError::TooCostly);
    }
    match hash {
        Algorithm::Sha1 => pbkdf2_hmac::<Sha1>(password, salt, iterations, key),
        Algorithm::Sha256 => pbkdf2_hmac::<Sha256>(password, salt, iterations, key),
        Algorithm::Sha512 => pbkdf2_hmac::<Sha512>(password, salt, iterations, key),
    }
    Ok(())
}

/// The three numbers that say what scrypt costs (RFC 7914 §2).
#[derive(Clone, Copy)]
pub(super) struct ScryptCost {
    pub(super) n: u64,
    pub(super) r: u32,
    pub(super) p: u32,
}

impl ScryptCost {
    /// How much work it is, *N* × *r* × *p*.
    pub(super) const fn work(self) -> u64 {
        self.n
            .saturating_mul(self.r as u64)
            .saturating_mul(self.p as u64)
    }

    /// How much memory it takes, in bytes.
    const fn bytes(self) -> u64 {
        self.n
            .saturating_add(self.p as u64)
            .saturating_mul(self.r as u64)
            .saturating_mul(128)
    }
}

/// scrypt (RFC 7914) within the limits.
pub(super) fn scrypt(
    password: &[u8],
    salt: &[u8],
    cost: ScryptCost,
    limits: &Limits,
) -> Result<Key, ImportError> {
    if cost.work() > limits.scrypt_work || cost.bytes() > limits.scrypt_bytes {
        return Err(ImportError::TooCostly);
    }
    if !cost.n.is_power_of_two() {
        return Err(ImportError::Damaged);
    }
    let log_n = u8::try_from(cost.n.trailing_zeros()).unwrap_or(u8::MAX);
    let params = ::scrypt::Params::new(log_n, cost.r, cost.p).map_err(|_| ImportError::Damaged)?;
    let mut key = Key::default();
    ::scrypt::scrypt(password, salt, &params, &mut *key).map_err(|_| ImportError::Damaged)?;
    Ok(key)
}
