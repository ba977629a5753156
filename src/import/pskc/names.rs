//! The names of algorithms. Files name them by URI; what tells them apart is the part after the
//! last `#`, as the rest differs among drafts and makers.

use super::cipher::{Cipher, Mode};
use crate::Algorithm;
use crate::import::Reason;
use crate::import::described::Kind;

/// AES-256 in CBC mode.
pub(crate) const AES_256_CBC: &str = "http://www.w3.org/2001/04/xmlenc#aes256-cbc";
/// HMAC-SHA-256, of a value or as PBKDF2's pseudo-random function.
pub(crate) const HMAC_SHA_256: &str = "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256";
/// PBKDF2.
pub(crate) const PBKDF2: &str = "http://www.rsasecurity.com/rsalabs/pkcs/schemas/pkcs-5v2-0#pbkdf2";
/// HOTP.
pub(crate) const HOTP: &str = "urn:ietf:params:xml:ns:keyprov:pskc:hotp";
/// TOTP.
pub(crate) const TOTP: &str = "urn:ietf:params:xml:ns:keyprov:pskc:totp";

/// What the names of kinds start with: in RFC 6030, in its drafts, and nothing.
const KIND_PREFIXES: [&str; 4] = [
    "urn:ietf:params:xml:ns:keyprov:pskc:",
    "urn:ietf:params:xml:ns:keyprov:pskc#",
    "http://www.ietf.org/keyprov/pskc#",
    "",
];

const CIPHERS: [(&str, Cipher); 9] = [
    ("aes128-cbc", Cipher::new(Mode::Cbc, 16)),
    ("aes192-cbc", Cipher::new(Mode::Cbc, 24)),
    ("aes256-cbc", Cipher::new(Mode::Cbc, 32)),
    ("kw-aes128", Cipher::new(Mode::KeyWrap, 16)),
    ("kw-aes192", Cipher::new(Mode::KeyWrap, 24)),
    ("kw-aes256", Cipher::new(Mode::KeyWrap, 32)),
    ("kw-aes-128-pad", Cipher::new(Mode::PaddedKeyWrap, 16)),
    ("kw-aes-192-pad", Cipher::new(Mode::PaddedKeyWrap, 24)),
    ("kw-aes-256-pad", Cipher::new(Mode::PaddedKeyWrap, 32)),
];

const HMACS: [(&str, Algorithm); 3] = [
    ("hmac-sha1", Algorithm::Sha1),
    ("hmac-sha256", Algorithm::Sha256),
    ("hmac-sha512", Algorithm::Sha512),
];

/// The kind of token that a key is for.
pub(super) fn kind(name: &str) -> Result<Kind, Reason> {
    let is = |kind: &str| {
        KIND_PREFIXES.iter().any(|prefix| {
            let (start, rest) = name.split_at_checked(prefix.len()).unwrap_or_default();
            start.eq_ignore_ascii_case(prefix) && rest.eq_ignore_ascii_case(kind)
        })
    };
    if is("hotp") {
        Ok(Kind::Hotp)
    } else if is("totp") {
        Ok(Kind::Totp)
    } else {
        Err(Reason::Kind)
    }
}

/// The cipher of a value.
pub(super) fn cipher(uri: &str) -> Option<Cipher> {
    find(&CIPHERS, uri)
}

/// The hash under an HMAC.
pub(super) fn hmac(uri: &str) -> Option<Algorithm> {
    find(&HMACS, uri)
}

/// Whether a method of derivation is PBKDF2.
pub(super) fn is_pbkdf2(uri: &str) -> bool {
    find(&[("pbkdf2", ())], uri).is_some()
}

fn find<T: Copy>(known: &[(&str, T)], uri: &str) -> Option<T> {
    let name = uri.trim().rsplit('#').next()?;
    let mut known = known.iter();
    known.find_map(|(known, value)| known.eq_ignore_ascii_case(name).then_some(*value))
}
