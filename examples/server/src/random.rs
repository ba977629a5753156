//! Randomness of the operating system.

use data_encoding::BASE64URL_NOPAD;
use uuid::Uuid;

use crate::error::Unavailable;

/// Bytes that nobody can guess.
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], Unavailable> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| Unavailable::new("the system's randomness", error))?;
    Ok(bytes)
}

/// A bearer token of 256 bits.
pub(crate) fn token() -> Result<String, Unavailable> {
    Ok(BASE64URL_NOPAD.encode(&bytes::<32>()?))
}

/// A name for a thing of this kind, such as `member-…`.
pub(crate) fn name(kind: &str) -> Result<String, Unavailable> {
    let uuid = uuid::Builder::from_random_bytes(bytes()?).into_uuid();
    Ok(named(kind, uuid))
}

fn named(kind: &str, uuid: Uuid) -> String {
    format!("{kind}-{uuid}")
}
