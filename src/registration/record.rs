//! The one stored form of a registration, and its place in the order of writes.

use core::fmt;

use zeroize::Zeroize;

use crate::UnixTime;
use crate::otp::digest64;

/// A number that names one stored content, and no other, for ever.
///
/// Each write's revision is derived from the revision before it and from the bytes that are written.
/// So a revision that was lost with its write (a failover, a restored backup) is never given to other
/// bytes, and a request that had loaded the lost record conflicts instead of overwriting what came
/// since. Revisions don't count up: compare them for equality only.
///
/// Two contents share a revision by chance only (2^-64 for each pair). Whoever can write to the store
/// needs no such chance, so nothing is promised against that; see `SealedStore` (feature `seal`). The
/// number tells nothing of the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Revision(u64);

impl Revision {
    /// The revision that a store kept as this number.
    #[must_use]
    pub const fn from_u64(number: u64) -> Self {
        Self(number)
    }

    /// The number to keep. Every value occurs.
    #[must_use]
    pub const fn as_u64(self) -> u64 {
        self.0
    }

    /// What the first write of a registration follows.
    pub(super) const NONE: Self = Self(0);

    /// The revision of a write of `bytes` over this one.
    fn followed_by(self, bytes: &[u8]) -> Self {
        Self(digest64(self.0, bytes))
    }
}

/// A registration as a store keeps it: opaque bytes, their revision, and what a store must know of
/// them: when the row may go, and whether it has recovery codes.
///
/// The bytes hold the secret: keep them as you would keep the secret. Wiped on drop, hidden in
/// `Debug`.
pub struct Record {
    revision: Revision,
    lapses_at: Option<UnixTime>,
    has_recovery_codes: bool,
    bytes: heapless::Vec<u8, { Record::MAX_BYTES }>,
}

impl Record {
    /// Most bytes of a record: the longest secret, as long a replacement pending, 16 recovery
    /// codes, and 72 bytes for a store that seals records.
    pub const MAX_BYTES: usize = Self::MAX_PLAIN_BYTES + 72;

    /// Most bytes that an engine writes, so before sealing.
    pub const MAX_PLAIN_BYTES: usize = 632;

    /// Set in the first byte of what is sealed, and in no version of the plain form.
    pub(crate) const SEALED: u8 = 0x80;

    /// The record that a store kept: its revision and its bytes.
    ///
    /// # Errors
    /// [`Corrupt::Malformed`] for more than [`Record::MAX_BYTES`] bytes. What they say is checked
    /// when the engine reads them.
    pub fn from_stored(revision: Revision, bytes: &[u8]) -> Result<Self, Corrupt> {
        let mut record = Self::empty(revision, None, false);
        match record.bytes.extend_from_slice(bytes) {
            Ok(()) => Ok(record),
            Err(_) => Err(Corrupt::Malformed),
        }
    }

    /// A record whose bytes are still to be written, in place: it is too large to be moved for
    /// nothing.
    pub(crate) const fn empty(
        revision: Revision,
        lapses_at: Option<UnixTime>,
        has_recovery_codes: bool,
    ) -> Self {
        Self {
            revision,
            lapses_at,
            has_recovery_codes,
            bytes: heapless::Vec::new(),
        }
    }

    /// Names the record as the write that follows the one whose revision it has.
    pub(crate) fn take_next_revision(&mut self) {
        self.revision = self.revision.followed_by(&self.bytes);
    }

    pub(crate) const fn bytes_mut(&mut self) -> &mut heapless::Vec<u8, { Self::MAX_BYTES }> {
        &mut self.bytes
    }

    /// The revision, to be stored with the bytes and compared before the next write.
    #[must_use]
    pub const fn revision(&self) -> Revision {
        self.revision
    }

    /// The bytes to store.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// When an unconfirmed registration lapses: from then on its row may be swept. `None` for an
    /// active one, and for a record that was read from a store.
    #[must_use]
    pub const fn lapses_at(&self) -> Option<UnixTime> {
        self.lapses_at
    }

    /// Whether the registration has recovery codes, used ones included, so that a store which could
    /// forget a write can refuse it: a recovery code that was used would be good again. Said of a
    /// record to be written; `false` for one that was read from a store.
    #[must_use]
    pub const fn has_recovery_codes(&self) -> bool {
        self.has_recovery_codes
    }
}

/// Copies the bytes at once, and no more than there are.
impl Clone for Record {
    fn clone(&self) -> Self {
        let mut copy = Self::empty(self.revision, self.lapses_at, self.has_recovery_codes);
        let _ = copy.bytes.extend_from_slice(&self.bytes);
        copy
    }

    fn clone_from(&mut self, source: &Self) {
        self.bytes.as_mut_slice().zeroize();
        self.bytes.clear();
        let _ = self.bytes.extend_from_slice(&source.bytes);
        self.revision = source.revision;
        self.lapses_at = source.lapses_at;
        self.has_recovery_codes = source.has_recovery_codes;
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        self.bytes.as_mut_slice().zeroize();
    }
}

/// Hides the bytes.
impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("revision", &self.revision)
            .field("lapses_at", &self.lapses_at)
            .field("has_recovery_codes", &self.has_recovery_codes)
            .finish_non_exhaustive()
    }
}

/// Why stored bytes are no record that this build can read. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Corrupt {
    /// Cut off, overlong, or with a value that can't be.
    Malformed,
    /// Written by a later version of keyfob.
    Version {
        /// The version that the record names.
        found: u8,
    },
    /// It is sealed. `SealedStore` (feature `seal`) opens it.
    Sealed,
    /// It needs a feature that this build doesn't have: `sha2`, `pbkdf2` or `argon2`.
    Feature,
}

impl fmt::Display for Corrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str(
                "the stored record is damaged: restore it from a backup and fence it, or register anew",
            ),
            Self::Version { found } => write!(
                f,
                "the stored record has version {found}, which a later keyfob wrote: update this one"
            ),
            Self::Sealed => f.write_str(
                "the stored record is sealed: put a SealedStore that has its key around the store",
            ),
            Self::Feature => f.write_str(
                "the stored record needs a feature of keyfob that is off: sha2, pbkdf2 or argon2",
            ),
        }
    }
}

impl core::error::Error for Corrupt {}
