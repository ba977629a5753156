//! Records in a map, shared between threads.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use core::convert::Infallible;
use core::fmt;
use core::hash::{BuildHasher as _, Hash};
use std::collections::HashMap;
use std::hash::RandomState;
use std::sync::{Mutex, MutexGuard, PoisonError};

use zeroize::Zeroize as _;

use super::RegistrationStore;
use crate::{Corrupt, Record, Revision, Swap};

/// Parts of the map with a lock of their own, so that threads seldom wait for each other.
const SHARDS: usize = 16;

type Shard<Id> = HashMap<<Id as ToOwned>::Owned, Stored>;

/// Records in memory, shared between threads: for tests, and for servers that may forget.
///
/// The trait is implemented for `&HashMapStore`, so give each thread an engine over a reference.
///
/// ```
/// use keyfob::{Engine, HashMapStore, Policy};
///
/// let store = HashMapStore::<str>::new();
/// let mut engine = Engine::new(&store, Policy::DEFAULT);
/// ```
pub struct HashMapStore<Id: ToOwned + ?Sized> {
    hasher: RandomState,
    shards: [Mutex<Shard<Id>>; SHARDS],
}

/// A record without the room that a longer one would need.
struct Stored {
    revision: Revision,
    bytes: Box<[u8]>,
}

impl<Id: ToOwned + ?Sized> HashMapStore<Id> {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self {
            hasher: RandomState::new(),
            shards: core::array::from_fn(|_| Mutex::new(HashMap::new())),
        }
    }

    /// How many records are stored.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).len()).sum()
    }

    /// Whether nothing is stored.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<Id: ToOwned + Hash + ?Sized> HashMapStore<Id> {
    /// The part that `id` belongs to.
    fn shard(&self, id: &Id) -> MutexGuard<'_, Shard<Id>> {
        let hash = usize::from(self.hasher.hash_one(id).to_le_bytes()[0]);
        let [first, ..] = &self.shards;
        lock(self.shards.get(hash % SHARDS).unwrap_or(first))
    }
}

/// The lock, whatever became of a thread that held it: no write is left half-way.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<Id: ToOwned + ?Sized> Default for HashMapStore<Id> {
    fn default() -> Self {
        Self::new()
    }
}

impl<Id> RegistrationStore for &HashMapStore<Id>
where
    Id: ToOwned<Owned: Eq + Hash> + Eq + Hash + ?Sized,
{
    type Id = Id;
    type Error = Infallible;

    fn load(&mut self, id: &Id) -> Result<Option<Record>, Infallible> {
        let shard = self.shard(id);
        Ok(shard.get(id).and_then(|stored| stored.to_record().ok()))
    }

    fn compare_and_swap(
        &mut self,
        id: &Id,
        expected: Option<Revision>,
        next: Option<&Record>,
    ) -> Result<Swap, Infallible> {
        let mut shard = self.shard(id);
        let stored = shard.get_mut(id);
        if stored.as_ref().map(|stored| stored.revision) != expected {
            return Ok(Swap::Conflict);
        }
        match (stored, next) {
            (Some(stored), Some(next)) => stored.replace(next),
            (None, Some(next)) => drop(shard.insert(id.to_owned(), Stored::of(next))),
            (_, None) => drop(shard.remove(id)),
        }
        Ok(Swap::Stored)
    }
}

impl Stored {
    fn of(record: &Record) -> Self {
        Self {
            revision: record.revision(),
            bytes: record.as_bytes().into(),
        }
    }

    fn to_record(&self) -> Result<Record, Corrupt> {
        Record::from_stored(self.revision, &self.bytes)
    }

    /// Takes another record's place, without a new box where the length is the same.
    fn replace(&mut self, record: &Record) {
        if self.bytes.len() == record.as_bytes().len() {
            self.bytes.copy_from_slice(record.as_bytes());
            self.revision = record.revision();
        } else {
            *self = Self::of(record);
        }
    }
}

impl Drop for Stored {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

/// Tells how many records there are, and nothing of them.
impl<Id: ToOwned + ?Sized> fmt::Debug for HashMapStore<Id> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HashMapStore")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}
