//! Which registrations there are and where, in memory.

use core::ops::Range;

use super::item::Title;
use crate::Revision;

/// Up to `N` registrations.
pub(super) struct Index<const N: usize>(heapless::Vec<Entry, N>);

/// Where the latest item of a registration lies.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    pub(super) id: u32,
    pub(super) address: u32,
    pub(super) revision: Revision,
    record_bytes: u16,
}

impl Entry {
    pub(super) const fn title(&self) -> Title {
        Title {
            id: self.id,
            revision: Some(self.revision),
            record_bytes: self.record_bytes,
        }
    }
}

/// All places are taken.
pub(super) struct NoPlace;

impl<const N: usize> Index<N> {
    pub(super) const fn new() -> Self {
        Self(heapless::Vec::new())
    }

    pub(super) fn entry(&self, id: u32) -> Option<Entry> {
        self.0.iter().find(|entry| entry.id == id).copied()
    }

    pub(super) fn is_full(&self) -> bool {
        self.0.is_full()
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = Entry> {
        self.0.iter().copied()
    }

    /// Those that lie between two addresses.
    pub(super) fn entries_in(&self, addresses: Range<u32>) -> impl Iterator<Item = Entry> {
        self.entries()
            .filter(move |entry| addresses.contains(&entry.address))
    }

    /// Takes note of the latest item of a registration.
    pub(super) fn note(&mut self, title: &Title, address: u32) -> Result<(), NoPlace> {
        let known = self.0.iter().position(|entry| entry.id == title.id);
        if let Some(place) = known {
            self.0.swap_remove(place);
        }
        let Some(revision) = title.revision else {
            return Ok(());
        };
        let entry = Entry {
            id: title.id,
            address,
            revision,
            record_bytes: title.record_bytes,
        };
        self.0.push(entry).map_err(|_| NoPlace)
    }

    /// Takes note of a copy.
    pub(super) fn note_move(&mut self, id: u32, address: u32) {
        if let Some(entry) = self.0.iter_mut().find(|entry| entry.id == id) {
            entry.address = address;
        }
    }
}
