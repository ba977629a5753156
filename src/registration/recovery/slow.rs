//! Password hashes, for recovery codes that are too short for a fast one.

use zeroize::Zeroizing;

use crate::{Corrupt, Failure};

type Hash = Zeroizing<[u8; 32]>;

/// PBKDF2-HMAC-SHA-256 (RFC 8018 §5.2).
#[cfg(feature = "pbkdf2")]
#[allow(clippy::unnecessary_wraps)] // its stand-in below fails
pub(super) fn pbkdf2(code: &[u8], salt: &[u8], iterations: u32) -> Result<Hash, Failure> {
    let mut hash = Zeroizing::new([0; 32]);
    pbkdf2::pbkdf2_hmac::<sha2::Sha256>(code, salt, iterations, &mut *hash);
    Ok(hash)
}

#[cfg(not(feature = "pbkdf2"))]
pub(super) fn pbkdf2(_code: &[u8], _salt: &[u8], _iterations: u32) -> Result<Hash, Failure> {
    Err(Failure::Corrupt(Corrupt::Feature))
}

/// Argon2id with 64 MiB, three passes and four lanes (RFC 9106 §4).
#[cfg(feature = "argon2")]
pub(super) fn argon2id(code: &[u8], salt: &[u8]) -> Result<Hash, Failure> {
    use argon2::{Algorithm, Argon2, Params, Version};
    let impossible = |_| Failure::Corrupt(Corrupt::Malformed);
    let params = Params::new(65_536, 3, 4, Some(32)).map_err(impossible)?;
    let mut hash = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(code, salt, &mut *hash)
        .map_err(impossible)?;
    Ok(hash)
}

#[cfg(not(feature = "argon2"))]
pub(super) fn argon2id(_code: &[u8], _salt: &[u8]) -> Result<Hash, Failure> {
    Err(Failure::Corrupt(Corrupt::Feature))
}
