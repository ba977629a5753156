//! Secrets as text: hexadecimal and base64, decoded into memory that is wiped.

use std::vec;
use std::vec::Vec;

use data_encoding::{BASE64, Encoding, HEXLOWER_PERMISSIVE};
use zeroize::Zeroizing;

use super::Reason;
use crate::Secret;

/// The secret that hexadecimal digits stand for, weak ones included.
pub(super) fn secret_from_hex(text: &str) -> Result<Secret, Reason> {
    let digits = text.as_bytes();
    let length = HEXLOWER_PERMISSIVE
        .decode_len(digits.len())
        .map_err(|_| Reason::SecretEncoding)?;
    Secret::legacy_filled_by(length, |bytes| {
        HEXLOWER_PERMISSIVE
            .decode_mut(digits, bytes)
            .map(drop)
            .map_err(|_| Reason::SecretEncoding)
    })
}

/// The bytes that base64 stands for.
pub(super) fn from_base64(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    decode(&BASE64, text.as_bytes())
}

/// The bytes that hexadecimal digits stand for.
pub(super) fn from_hex(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    decode(&HEXLOWER_PERMISSIVE, text.as_bytes())
}

fn decode(encoding: &Encoding, text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(vec![0; encoding.decode_len(text.len()).ok()?]);
    let length = encoding.decode_mut(text, &mut bytes).ok()?;
    bytes.truncate(length);
    Some(bytes)
}
