//! The one stored form of a registration, and the write that puts it in place.

use core::cell::Cell;

use keyfob::{Record, Revision, UnixTime, Write};

use crate::given::plain;
use crate::keyfob_status_t::*;
use crate::lent::{Result, lent};

/// Most bytes of a record.
pub const KEYFOB_RECORD_BYTES: usize = 704;
/// The moment at which an active registration lapses.
pub const KEYFOB_NEVER: u64 = u64::MAX;

const _: () = assert!(KEYFOB_RECORD_BYTES == Record::MAX_BYTES);

/// A registration as a store keeps it. Its bytes hold the secret: keep them as you would keep that,
/// and wipe it with `keyfob_wipe`.
///
/// Store the revision and the bytes, and give both back exactly as they were. Where nothing is
/// stored, functions take NULL.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct keyfob_record_t {
    /// Names these bytes and no others. It doesn't count up: compare it for equality alone. Every
    /// value occurs.
    pub revision: u64,
    /// How many bytes there are.
    pub length: u32,
    /// The bytes; those after `length` mean nothing.
    pub bytes: [u8; KEYFOB_RECORD_BYTES],
}

plain!(keyfob_record_t, keyfob_write_t);

impl keyfob_record_t {
    pub(crate) fn read(&self) -> Result<Record> {
        let length = usize::try_from(self.length).ok();
        let bytes = length.and_then(|length| self.bytes.get(..length));
        let bytes = bytes.ok_or(KEYFOB_RECORD_MALFORMED)?;
        Ok(Record::from_stored(
            Revision::from_u64(self.revision),
            bytes,
        )?)
    }

    /// Copies over zeros.
    fn copy(&mut self, record: &Record) {
        self.revision = record.revision().as_u64();
        self.length = u32::try_from(record.as_bytes().len()).unwrap_or(0);
        for (to, from) in self.bytes.iter_mut().zip(record.as_bytes()) {
            *to = *from;
        }
    }
}

/// The record that C lent, or `None` where nothing is stored.
pub(crate) fn stored(record: Option<&Cell<keyfob_record_t>>) -> Result<Option<Record>> {
    let read = |record| lent(Some(record), keyfob_record_t::read);
    record.map(read).transpose()
}

/// What a write does.
#[repr(u32)]
#[derive(Clone, Copy)]
pub enum keyfob_write_kind_t {
    /// Nothing is to be written: settle with `KEYFOB_SWAP_STORED`.
    KEYFOB_WRITE_NOTHING = 0,
    /// Store `next` if nothing is stored.
    KEYFOB_WRITE_INSERT = 1,
    /// Store `next` if the stored revision is `expected_revision`.
    KEYFOB_WRITE_REPLACE = 2,
    /// Delete what is stored if its revision is `expected_revision`.
    KEYFOB_WRITE_DELETE = 3,
}

/// What became of a write.
#[repr(u32)]
#[derive(Clone, Copy)]
pub enum keyfob_swap_t {
    /// The revision was the expected one, and the new record is stored durably.
    KEYFOB_SWAP_STORED = 1,
    /// The revision was another one, and nothing was written.
    KEYFOB_SWAP_CONFLICT = 2,
    /// The store can't be used, or what became of the write isn't known.
    KEYFOB_SWAP_FAILED = 3,
}

/// A compare-and-swap to be carried out: atomically, and durably before it is reported as stored.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct keyfob_write_t {
    /// A `keyfob_write_kind_t`.
    pub kind: u32,
    /// Other than 0 if `next` has recovery codes: a store that could forget a write has to refuse
    /// it, as a used code would be good again.
    pub has_recovery_codes: u32,
    /// The revision that must be stored now, to replace or delete.
    pub expected_revision: u64,
    /// From then on the row of `next` may be swept; `KEYFOB_NEVER` unless it is unconfirmed.
    pub lapses_at: u64,
    /// The record to insert, or to replace the stored one with.
    pub next: keyfob_record_t,
}

impl keyfob_write_t {
    /// Copies over zeros.
    pub(crate) fn copy(&mut self, expected: Option<Revision>, next: Option<&Record>) {
        self.kind = kind(expected, next) as u32;
        self.expected_revision = expected.map_or(0, Revision::as_u64);
        self.lapses_at = KEYFOB_NEVER;
        if let Some(next) = next {
            self.has_recovery_codes = u32::from(next.has_recovery_codes());
            self.lapses_at = next.lapses_at().map_or(KEYFOB_NEVER, UnixTime::as_seconds);
            self.next.copy(next);
        }
    }

    /// Copies over zeros what a proposal wants written, if it wants anything.
    pub(crate) fn copy_proposed(&mut self, write: Option<&Write>) {
        self.copy(write.and_then(Write::expected), write.and_then(Write::next));
    }
}

const fn kind(expected: Option<Revision>, next: Option<&Record>) -> keyfob_write_kind_t {
    match (expected, next) {
        (None, None) => keyfob_write_kind_t::KEYFOB_WRITE_NOTHING,
        (None, Some(_)) => keyfob_write_kind_t::KEYFOB_WRITE_INSERT,
        (Some(_), Some(_)) => keyfob_write_kind_t::KEYFOB_WRITE_REPLACE,
        (Some(_), None) => keyfob_write_kind_t::KEYFOB_WRITE_DELETE,
    }
}
