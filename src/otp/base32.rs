//! Base32 (RFC 4648 §6) for secrets: canonical out, canonical or lenient in, in lent buffers.
//!
//! Decoding and encoding look symbols up in a table by secret values. That happens when a token is
//! enrolled or imported, never while a code is verified.

use base32::{Error, RFC4648_NOPAD};

use super::secret::{Base32Buffer, SecretError};
use super::typed::{is_hyphen, is_space};

const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Reads the canonical form alone: upper case, no padding, no spare bits set.
pub(super) fn decode_canonical<'a>(
    text: &str,
    into: &'a mut [u8],
) -> Result<&'a [u8], SecretError> {
    if let Some(offset) = text.chars().position(|letter| !is_symbol(letter)) {
        return Err(SecretError::symbol_at(offset));
    }
    let bytes = RFC4648_NOPAD
        .decode_buf(text, into)
        .map_err(|error| match error {
            Error::BufferTooSmall { .. } => SecretError::TooLong,
            _ => SecretError::Length,
        })?;
    if encode(bytes, &mut Base32Buffer::new()) != text {
        return Err(SecretError::SpareBits);
    }
    Ok(bytes)
}

/// Reads what people paste and other systems write: either case, spaces, hyphens and what phones
/// make of them, padding.
///
/// Like the authenticator apps, it drops bits that don't fill a byte.
pub(super) fn decode_lenient(
    text: impl Iterator<Item = char>,
    into: &mut [u8],
) -> Result<&[u8], SecretError> {
    let mut buffer = Base32Buffer::new();
    let symbols = normalise(text, &mut buffer)?;
    match RFC4648_NOPAD.decode_buf(symbols, into) {
        Ok(bytes) => Ok(bytes),
        Err(_) => Err(SecretError::TooLong),
    }
}

/// The symbols of `text` in upper case, without what separates or pads them, and without a last
/// symbol that completes no byte.
fn normalise(
    text: impl Iterator<Item = char>,
    buffer: &mut Base32Buffer,
) -> Result<&str, SecretError> {
    let mut length = 0_usize;
    let mut padded = false;
    for (offset, letter) in text.enumerate() {
        match letter.to_ascii_uppercase() {
            '=' => padded = true,
            separator if is_space(separator) || is_hyphen(separator) => {}
            symbol if is_symbol(symbol) && !padded => {
                buffer.put(length, symbol)?;
                length = length.saturating_add(1);
            }
            _ => return Err(SecretError::symbol_at(offset)),
        }
    }
    let completes_no_byte = matches!(length % 8, 1 | 3 | 6);
    Ok(buffer.text(length.saturating_sub(usize::from(completes_no_byte))))
}

const fn is_symbol(letter: char) -> bool {
    matches!(letter, 'A'..='Z' | '2'..='7')
}

/// Writes the canonical form.
pub(super) fn encode<'a>(bytes: &[u8], buffer: &'a mut Base32Buffer) -> &'a str {
    encode_in(ALPHABET, bytes, buffer.as_mut());
    buffer.text(RFC4648_NOPAD.encoded_length(bytes.len()))
}

/// Writes `bytes` in an alphabet of 32 symbols, without padding; `symbols` that are left over mean
/// nothing.
///
/// The base32 crate's encoder slices, and not every optimiser sees that it can't panic.
pub(crate) fn encode_in(alphabet: &[u8; 32], bytes: &[u8], symbols: &mut [u8]) {
    for (chunk, symbols) in bytes.chunks(5).zip(symbols.chunks_mut(8)) {
        let mut padded = [0; 8];
        for (to, from) in padded.iter_mut().zip(chunk) {
            *to = *from;
        }
        let mut bits = u64::from_be_bytes(padded);
        for symbol in symbols {
            bits = bits.rotate_left(5);
            let index = usize::from(bits.to_le_bytes()[0] & 31);
            *symbol = alphabet.get(index).copied().unwrap_or_default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn symbols_are_those_of_the_base32_crate(
            bytes in prop::collection::vec(any::<u8>(), 0..=128),
        ) {
            let mut expected = [0; 205];
            let expected = RFC4648_NOPAD.encode_buf(&bytes, &mut expected).unwrap();
            let mut buffer = Base32Buffer::new();
            prop_assert_eq!(encode(&bytes, &mut buffer).as_bytes(), expected);
        }
    }
}
