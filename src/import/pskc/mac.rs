//! HMAC over a value, and PBKDF2 over HMAC, with any of the three hashes.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Sha256, Sha512};

use crate::Algorithm;

/// Whether `mac` is the HMAC of `value`, in constant time.
pub(super) fn verify(hash: Algorithm, key: &[u8], value: &[u8], mac: &[u8]) -> bool {
    match hash {
        Algorithm::Sha1 => verify_with::<Hmac<Sha1>>(key, value, mac),
        Algorithm::Sha256 => verify_with::<Hmac<Sha256>>(key, value, mac),
        Algorithm::Sha512 => verify_with::<Hmac<Sha512>>(key, value, mac),
    }
}

fn verify_with<M: Mac + KeyInit>(key: &[u8], value: &[u8], mac: &[u8]) -> bool {
    <M as KeyInit>::new_from_slice(key)
        .is_ok_and(|hmac| hmac.chain_update(value).verify_slice(mac).is_ok())
}

/// Fills `key` with PBKDF2 (RFC 8018 §5.2).
pub(crate) fn pbkdf2(
    hash: Algorithm,
    password: &[u8],
    salt: &[u8],
    iterations: u32,
    key: &mut [u8],
) {
    match hash {
        Algorithm::Sha1 => ::pbkdf2::pbkdf2_hmac::<Sha1>(password, salt, iterations, key),
        Algorithm::Sha256 => ::pbkdf2::pbkdf2_hmac::<Sha256>(password, salt, iterations, key),
        Algorithm::Sha512 => ::pbkdf2::pbkdf2_hmac::<Sha512>(password, salt, iterations, key),
    }
}
