//! Which registrations there are, in memory.

use super::item::Content;
use crate::Revision;

/// Up to `N` ids, with what was stored under each last.
pub(super) struct Index<const N: usize>(heapless::Vec<Entry, N>);

struct Entry {
    id: u32,
    /// How long the item is.
    bytes: u16,
    /// `None` once the registration is deleted.
    revision: Option<Revision>,
}

/// All places are taken.
pub(super) struct NoPlace;

impl<const N: usize> Index<N> {
    pub(super) const fn new() -> Self {
        Self(heapless::Vec::new())
    }

    fn entry(&self, id: u32) -> Option<&Entry> {
        self.0.iter().find(|entry| entry.id == id)
    }

    pub(super) fn revision(&self, id: u32) -> Option<Revision> {
        self.entry(id)?.revision
    }

    /// Whether there is, or was, a registration of that id.
    pub(super) fn knows(&self, id: u32) -> bool {
        self.entry(id).is_some()
    }

    pub(super) fn is_full(&self) -> bool {
        self.0.is_full()
    }

    /// How long the item under `id` is.
    pub(super) fn item_bytes(&self, id: u32) -> Option<usize> {
        self.entry(id).map(|entry| entry.bytes.into())
    }

    /// The ids of what isn't deleted.
    pub(super) fn ids(&self) -> impl Iterator<Item = u32> {
        let kept = self.0.iter().filter(|entry| entry.revision.is_some());
        kept.map(|entry| entry.id)
    }

    /// How long each item is, those of deleted registrations included.
    pub(super) fn lengths(&self) -> impl Iterator<Item = usize> {
        self.0.iter().map(|entry| entry.bytes.into())
    }

    /// Takes note of what is stored under `id` from now on.
    pub(super) fn note(&mut self, id: u32, content: Content<'_>) -> Result<(), NoPlace> {
        let entry = Entry {
            id,
            bytes: u16::try_from(content.item_bytes()).unwrap_or(u16::MAX),
            revision: content.revision(),
        };
        match self.0.iter_mut().find(|known| known.id == id) {
            Some(known) => *known = entry,
            None => self.0.push(entry).map_err(|_| NoPlace)?,
        }
        Ok(())
    }
}
