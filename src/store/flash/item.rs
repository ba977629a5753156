//! What is appended to the flash.
//!
//! | bytes | |
//! |---|---|
//! | a word | blank until the rest is stored, then zeros |
//! | 4 | a checksum of what follows, little-endian like all numbers |
//! | 2 | how long the record is; the highest bit is set if the registration was deleted |
//! | 4 | its id |
//! | 8 | the record's revision; 0 if the registration was deleted |
//! | rest | the record |
//!
//! The first word is written last, when everything else was read back. So what a power cut tore is
//! never counted, and what counts but can't be read was stored once, and decayed.

use zeroize::Zeroize as _;

use super::checksum::checksum;
use crate::{Record, Revision};

/// What an item has beside its record, after the first word.
pub(super) const OVERHEAD_BYTES: usize = 18;

/// The longest item without its first word.
pub(super) const MOST_BYTES: usize = OVERHEAD_BYTES + Record::MAX_BYTES;

const DELETED: u16 = 0x8000;

/// What an item says, but for the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Title {
    pub(super) id: u32,
    /// `None` if the registration was deleted.
    pub(super) revision: Option<Revision>,
    pub(super) record_bytes: u16,
}

impl Title {
    pub(super) fn of(id: u32, record: Option<&Record>) -> Self {
        let bytes = record.map_or(0, |record| record.as_bytes().len());
        Self {
            id,
            revision: record.map(Record::revision),
            record_bytes: u16::try_from(bytes).unwrap_or(u16::MAX),
        }
    }

    /// How long the item is without its first word.
    pub(super) fn bytes(&self) -> usize {
        usize::from(self.record_bytes).saturating_add(OVERHEAD_BYTES)
    }
}

/// Room for one item without its first word, in whole words of flash, of whatever size. Wiped on drop.
#[repr(align(8))] // some controllers take words of memory only
pub(super) struct Buffer([u8; MOST_BYTES.next_multiple_of(32)]);

impl Buffer {
    pub(super) const fn new() -> Self {
        Self([0; _])
    }

    /// An item, ready to be written.
    pub(super) fn holding(title: &Title, record: &[u8]) -> Self {
        let mut buffer = Self::new();
        buffer.put(OVERHEAD_BYTES, record);
        buffer.set_title(title);
        buffer
    }

    /// Makes an item of the record that is there already.
    pub(super) fn set_title(&mut self, title: &Title) {
        let deleted = if title.revision.is_some() { 0 } else { DELETED };
        let revision = title.revision.map_or(0, Revision::as_u64);
        self.put(4, &(title.record_bytes | deleted).to_le_bytes());
        self.put(6, &title.id.to_le_bytes());
        self.put(10, &revision.to_le_bytes());
        let sum = checksum(self.get(4, title.bytes()));
        self.put(0, &sum.to_le_bytes());
    }

    /// How long the item is whose beginning is there.
    pub(super) fn item_bytes(&self) -> usize {
        let length = u16::from_le_bytes(self.number(4)) & !DELETED;
        usize::from(length).saturating_add(OVERHEAD_BYTES)
    }

    /// What the item says that is there, if it is as it was written.
    pub(super) fn title(&self) -> Option<Title> {
        let length = u16::from_le_bytes(self.number(4));
        let revision = Revision::from_u64(u64::from_le_bytes(self.number(10)));
        let title = Title {
            id: u32::from_le_bytes(self.number(6)),
            revision: (length & DELETED == 0).then_some(revision),
            record_bytes: length & !DELETED,
        };
        let sum = checksum(self.get(4, title.bytes()));
        (sum == u32::from_le_bytes(self.number(0))).then_some(title)
    }

    pub(super) fn record(&self, title: &Title) -> &[u8] {
        self.get(OVERHEAD_BYTES, title.bytes())
    }

    pub(super) fn get(&self, start: usize, end: usize) -> &[u8] {
        self.0.get(start..end).unwrap_or_default()
    }

    pub(super) fn get_mut(&mut self, start: usize, end: usize) -> Option<&mut [u8]> {
        self.0.get_mut(start..end)
    }

    pub(super) fn number<const BYTES: usize>(&self, start: usize) -> [u8; BYTES] {
        let bytes = self.0.get(start..).and_then(<[u8]>::first_chunk);
        bytes.copied().unwrap_or([0; BYTES])
    }

    fn put(&mut self, start: usize, bytes: &[u8]) {
        let end = start.saturating_add(bytes.len());
        if let Some(room) = self.get_mut(start, end) {
            room.copy_from_slice(bytes);
        }
    }

    /// Moves what lies between two places so that it begins at a third, with zeros after it.
    pub(super) fn shift(&mut self, start: usize, end: usize, to: usize) {
        let end = end.min(self.0.len());
        let bytes = end.saturating_sub(start);
        if to.saturating_add(bytes) <= self.0.len() && start <= end {
            self.0.copy_within(start..end, to);
            self.0
                .get_mut(to.saturating_add(bytes)..)
                .unwrap_or_default()
                .fill(0);
        }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}
