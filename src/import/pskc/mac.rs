//! HMAC over a value, with any of the three hashes.

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
