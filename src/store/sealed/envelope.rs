//! The sealed form of a record, version 1. It is read for ever: a change of layout is a new version.
//!
//! Numbers are big-endian. In this order:
//!
//! | bytes | what |
//! |---|---|
//! | 1 | format, 0x81: no plain record starts with a byte above 0x7f |
//! | 1 | cipher: 1 XChaCha20-Poly1305, 2 AES-256-GCM |
//! | 4 | the id of the key in the keyring |
//! | 32 | salt, at random for each write |
//! | n | the record's bytes, encrypted |
//! | 16 | tag |
//!
//! The record's key is expanded from the keyring's by HKDF-SHA-256 (RFC 5869 §2.3), for
//! `keyfob seal v1`, the cipher's byte and the salt; the keyring's key was drawn at random, so there is
//! nothing to extract first (§3.3). The nonce is the salt's beginning, as much of it as the cipher
//! takes: 24 or 12 bytes. The associated data is SHA-256 of the first six bytes, the revision in eight
//! bytes, and the id: a digest, so that ids of any length need no buffer. No two inputs are the same
//! bytes, as all but the last part have fixed widths.
//!
//! # Why no nonce meets its key twice
//! Both ciphers lose all when that happens (RFC 8439 §4, SP 800-38D §8). Here it takes the same salt
//! twice under one key of the keyring: 256 random bits, of which two are the same with a probability
//! of 2^-128 after 2^64 writes. Each write has a key of its own, so the 2^32 writes that SP 800-38D
//! §8.3 allows to one key with nonces at random are no limit. That the key was derived with what is
//! its nonce as well tells nothing of it: to those without the keyring's key, HMAC's outputs are random.

use sha2::{Digest as _, Sha256};

use super::cipher::{SALT_BYTES, Salt, TAG_BYTES, Tag};
use super::{Keyring, SealedError, SealingId, SealingKey};
use crate::entropy::fill_checked;
use crate::registration::told_beside;
use crate::{Entropy, Record, Revision};

const FORMAT: u8 = Record::SEALED | 1;

/// Format, cipher and key id.
type Header = [u8; 6];

/// The longest sealed form has a place in every store.
const _: () = assert!(
    size_of::<Header>() + SALT_BYTES + TAG_BYTES <= Record::MAX_BYTES - Record::MAX_PLAIN_BYTES
);

/// Seals and opens; knows nothing of stores.
#[derive(Debug)]
pub(super) struct Envelope {
    pub(super) keyring: Keyring,
    pub(super) accepts_plain: bool,
}

impl Envelope {
    /// The sealed form of `record`, under the current key, with the same revision and lapse.
    pub(super) fn seal<E>(
        &self,
        id: &(impl SealingId + ?Sized),
        record: &Record,
        entropy: &mut (impl Entropy + ?Sized),
    ) -> Result<Record, SealedError<E>> {
        if record.as_bytes().len() > Record::MAX_PLAIN_BYTES {
            return Err(SealedError::TooLong);
        }
        let mut salt = [0; SALT_BYTES];
        fill_checked(entropy, &mut salt).map_err(SealedError::Entropy)?;
        seal(self.keyring.current(), &salt, id, record).ok_or(SealedError::TooLong)
    }

    /// The record whose sealed form `stored` is.
    pub(super) fn open<E>(
        &self,
        id: &(impl SealingId + ?Sized),
        stored: &Record,
    ) -> Result<Record, SealedError<E>> {
        match stored.as_bytes().first() {
            Some(&FORMAT) => {}
            Some(found) if found & Record::SEALED != 0 => {
                return Err(SealedError::Format { found: *found });
            }
            Some(_) if self.accepts_plain => return Ok(stored.clone()),
            Some(_) => return Err(SealedError::Plain),
            None => return Err(SealedError::NotAuthentic),
        }
        let sealed = Sealed::split(stored.as_bytes()).ok_or(SealedError::NotAuthentic)?;
        let key = self.keyring.accepted(sealed.key_id())?;
        sealed
            .open(key, id, stored.revision())
            .ok_or(SealedError::NotAuthentic)
    }

    /// `stored` sealed anew under the current key, as the write after it; `None` if it is sealed
    /// under that key already, and opens.
    pub(super) fn renew<E>(
        &self,
        id: &(impl SealingId + ?Sized),
        stored: &Record,
        entropy: &mut (impl Entropy + ?Sized),
    ) -> Result<Option<Record>, SealedError<E>> {
        let is_current = stored
            .as_bytes()
            .starts_with(&header(self.keyring.current()));
        let record = self.open(id, stored)?;
        if is_current {
            return Ok(None);
        }
        // A store tells no lapse when it loads, and the write would take it out of the row.
        let (lapses_at, has_recovery_codes) =
            told_beside(record.as_bytes()).map_err(SealedError::Corrupt)?;
        let mut next = Record::empty(stored.revision(), lapses_at, has_recovery_codes);
        let _ = next.bytes_mut().extend_from_slice(record.as_bytes());
        next.take_next_revision();
        self.seal(id, &next, entropy).map(Some)
    }
}

/// `None` for a record that is too long.
fn seal(
    key: &SealingKey,
    salt: &Salt,
    id: &(impl SealingId + ?Sized),
    record: &Record,
) -> Option<Record> {
    let header = header(key);
    let mut sealed = Record::empty(
        record.revision(),
        record.lapses_at(),
        record.has_recovery_codes(),
    );
    let bytes = sealed.bytes_mut();
    bytes.extend_from_slice(&header).ok()?;
    bytes.extend_from_slice(salt).ok()?;
    let text_starts = bytes.len();
    bytes.extend_from_slice(record.as_bytes()).ok()?;

    let bound_to = binding(&header, id, record.revision());
    let text = bytes.get_mut(text_starts..)?;
    let tag = key
        .cipher()
        .encrypt(key.as_bytes(), salt, &bound_to, text)?;
    bytes.extend_from_slice(&tag).ok()?;
    Some(sealed)
}

/// The parts of a sealed record.
struct Sealed<'a> {
    header: &'a Header,
    salt: &'a Salt,
    text: &'a [u8],
    tag: &'a Tag,
}

impl<'a> Sealed<'a> {
    /// `None` for bytes that are too few.
    fn split(bytes: &'a [u8]) -> Option<Self> {
        let (header, rest) = bytes.split_first_chunk()?;
        let (salt, rest) = rest.split_first_chunk()?;
        let (text, tag) = rest.split_last_chunk()?;
        Some(Self {
            header,
            salt,
            text,
            tag,
        })
    }

    fn key_id(&self) -> u32 {
        let [_, _, id @ ..] = self.header;
        u32::from_be_bytes(*id)
    }

    /// `None` unless all of it is as it was sealed under this key, id and revision.
    fn open(
        &self,
        key: &SealingKey,
        id: &(impl SealingId + ?Sized),
        revision: Revision,
    ) -> Option<Record> {
        if *self.header != header(key) {
            return None; // another cipher than the key is for
        }
        let mut record = Record::empty(revision, None, false);
        record.bytes_mut().extend_from_slice(self.text).ok()?;
        let bound_to = binding(self.header, id, revision);
        let text = record.bytes_mut();
        key.cipher()
            .decrypt(key.as_bytes(), self.salt, &bound_to, text, self.tag)?;
        Some(record)
    }
}

fn header(key: &SealingKey) -> Header {
    let [a, b, c, d] = key.id().to_be_bytes();
    [FORMAT, key.cipher().number(), a, b, c, d]
}

/// The associated data: what a sealed record can't be parted from.
fn binding(header: &Header, id: &(impl SealingId + ?Sized), revision: Revision) -> [u8; 32] {
    Sha256::new()
        .chain_update(header)
        .chain_update(revision.as_u64().to_be_bytes())
        .chain_update(id.to_bytes())
        .finalize()
        .into()
}
