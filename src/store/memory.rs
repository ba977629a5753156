//! Records in memory of a fixed size, without a heap.

use core::fmt;

use super::RegistrationStore;
use crate::{Record, Revision, Swap};

/// Up to `N` records in memory, kept inline: for devices with a few registrations, and for tests.
///
/// Nothing survives a reset, so on a device keep the burned steps elsewhere too.
///
/// ```
/// use keyfob::{Engine, MemoryStore, Policy};
///
/// let engine = Engine::new(MemoryStore::<u32, 4>::new(), Policy::DEFAULT);
/// ```
#[derive(Clone, Debug)]
pub struct MemoryStore<Id, const N: usize>(heapless::Vec<(Id, Record), N>);

impl<Id, const N: usize> MemoryStore<Id, N> {
    /// An empty store.
    #[must_use]
    pub const fn new() -> Self {
        Self(heapless::Vec::new())
    }
}

impl<Id: Clone, const N: usize> MemoryStore<Id, N> {
    /// Puts the last record in the place of another one. It is copied and dropped where it was, as
    /// one that is moved would stay readable there.
    fn remove(&mut self, index: usize) {
        let last = self.0.len().saturating_sub(1);
        if let Some((others, [(last_id, last_record)])) = self.0.split_at_mut_checked(last)
            && let Some((id, record)) = others.get_mut(index)
        {
            id.clone_from(last_id);
            record.clone_from(last_record);
        }
        self.0.truncate(last);
    }
}

impl<Id, const N: usize> Default for MemoryStore<Id, N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<Id: Eq + Clone, const N: usize> RegistrationStore for MemoryStore<Id, N> {
    type Id = Id;
    type Error = MemoryStoreFull;

    fn load(&mut self, id: &Id) -> Result<Option<Record>, MemoryStoreFull> {
        let found = self.0.iter().find(|(known, _)| known == id);
        Ok(found.map(|(_, record)| record.clone()))
    }

    fn compare_and_swap(
        &mut self,
        id: &Id,
        expected: Option<Revision>,
        next: Option<&Record>,
    ) -> Result<Swap, MemoryStoreFull> {
        let index = self.0.iter().position(|(known, _)| known == id);
        let stored = index.and_then(|index| self.0.get_mut(index));
        if stored.as_ref().map(|(_, record)| record.revision()) != expected {
            return Ok(Swap::Conflict);
        }
        match (stored, index, next) {
            (Some((_, stored)), _, Some(next)) => stored.clone_from(next),
            (Some(_), Some(index), None) => self.remove(index),
            (None, _, Some(next)) => self
                .0
                .push((id.clone(), next.clone()))
                .map_err(|_| MemoryStoreFull)?,
            _ => {}
        }
        Ok(Swap::Stored)
    }
}

/// All places of a [`MemoryStore`] are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryStoreFull;

impl fmt::Display for MemoryStoreFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the store is full: delete a registration, or give it more places")
    }
}

impl core::error::Error for MemoryStoreFull {}
