//! The ciphers that records are sealed with, and the key that each record has of its own.

use chacha20poly1305::XChaCha20Poly1305;
use chacha20poly1305::aead::array::typenum::Unsigned as _;
use chacha20poly1305::aead::consts::U16;
use chacha20poly1305::aead::{AeadCore, AeadInOut, KeyInit, Nonce};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

/// Begins what a record's key is expanded for; the cipher's number and the salt follow.
const PURPOSE: &[u8] = b"keyfob seal v1";

pub(super) const SALT_BYTES: usize = 32;
pub(super) const TAG_BYTES: usize = 16;

/// What a record's key is derived with. Its beginning is the nonce.
pub(super) type Salt = [u8; SALT_BYTES];

pub(super) type Tag = [u8; TAG_BYTES];

/// An authenticated cipher. A key is for one of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SealingCipher {
    /// ChaCha20-Poly1305 (RFC 8439) with nonces of 192 bits (draft-irtf-cfrg-xchacha-03), which
    /// needs no instructions of its own to be fast.
    #[default]
    XChaCha20Poly1305,
    /// AES-256 in Galois/Counter Mode (NIST SP 800-38D), for those who must use approved algorithms.
    #[cfg(feature = "seal-aes")]
    Aes256Gcm,
}

impl SealingCipher {
    /// What stands for this cipher in a sealed record.
    pub(super) const fn number(self) -> u8 {
        match self {
            Self::XChaCha20Poly1305 => 1,
            #[cfg(feature = "seal-aes")]
            Self::Aes256Gcm => 2,
        }
    }

    /// Encrypts `text` in its place, and gives the tag; `None` for a text that is too long.
    pub(super) fn encrypt(
        self,
        key: &[u8; 32],
        salt: &Salt,
        bound_to: &[u8],
        text: &mut [u8],
    ) -> Option<Tag> {
        let key = self.record_key(key, salt)?;
        match self {
            Self::XChaCha20Poly1305 => encrypt::<XChaCha20Poly1305>(&key, salt, bound_to, text),
            #[cfg(feature = "seal-aes")]
            Self::Aes256Gcm => encrypt::<aes_gcm::Aes256Gcm>(&key, salt, bound_to, text),
        }
    }

    /// Decrypts `text` in its place; `None`, and nothing is decrypted, unless all of it is authentic.
    pub(super) fn decrypt(
        self,
        key: &[u8; 32],
        salt: &Salt,
        bound_to: &[u8],
        text: &mut [u8],
        tag: &Tag,
    ) -> Option<()> {
        let key = self.record_key(key, salt)?;
        match self {
            Self::XChaCha20Poly1305 => {
                decrypt::<XChaCha20Poly1305>(&key, salt, bound_to, text, tag)
            }
            #[cfg(feature = "seal-aes")]
            Self::Aes256Gcm => decrypt::<aes_gcm::Aes256Gcm>(&key, salt, bound_to, text, tag),
        }
    }

    /// `None` never happens: the lengths are right.
    fn record_key(self, key: &[u8; 32], salt: &Salt) -> Option<RecordKey> {
        let mut record_key = RecordKey::default();
        let context = [PURPOSE, &[self.number()], salt];
        let hkdf = Hkdf::<Sha256>::from_prk(key).ok()?;
        hkdf.expand_multi_info(&context, &mut *record_key).ok()?;
        Some(record_key)
    }
}

/// The key of one write of one record.
type RecordKey = Zeroizing<[u8; 32]>;

fn encrypt<C: AeadInOut<TagSize = U16> + KeyInit>(
    key: &RecordKey,
    salt: &Salt,
    bound_to: &[u8],
    text: &mut [u8],
) -> Option<Tag> {
    let cipher = C::new_from_slice(&**key).ok()?;
    let nonce = nonce::<C>(salt)?;
    let tag = cipher.encrypt_inout_detached(&nonce, bound_to, text.into());
    Some(tag.ok()?.into())
}

fn decrypt<C: AeadInOut<TagSize = U16> + KeyInit>(
    key: &RecordKey,
    salt: &Salt,
    bound_to: &[u8],
    text: &mut [u8],
    tag: &Tag,
) -> Option<()> {
    let cipher = C::new_from_slice(&**key).ok()?;
    let nonce = nonce::<C>(salt)?;
    cipher
        .decrypt_inout_detached(&nonce, bound_to, text.into(), tag.into())
        .ok()
}

/// The salt's beginning, as long as the cipher's nonces are.
fn nonce<C: AeadCore>(salt: &Salt) -> Option<Nonce<C>> {
    let (nonce, _) = salt.split_at_checked(C::NonceSize::USIZE)?;
    Nonce::<C>::try_from(nonce).ok()
}
