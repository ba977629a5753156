//! Where records are kept: the contract, and stores that keep it.

#[cfg(feature = "tokio")]
mod blocking_pool;
#[cfg(feature = "conformance")]
pub mod conformance;
#[cfg(feature = "flash")]
mod flash;
#[cfg(feature = "std")]
mod hash_map;
#[cfg(any(feature = "postgres", feature = "redis", feature = "sqlite"))]
mod lapse;
mod memory;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "redis")]
mod redis;
#[cfg(feature = "seal")]
mod sealed;
#[cfg(feature = "sqlite")]
mod sqlite;

use core::future::Future;

#[cfg(feature = "redis")]
pub use self::redis::{
    Durability, RedisError, RedisOptions, RedisStore, Replicas, ServerSettings, WaitTimeout,
};
#[cfg(feature = "tokio")]
pub use blocking_pool::{BlockingPool, BlockingPoolError};
#[cfg(feature = "flash")]
pub use flash::{FlashError, FlashStore};
#[cfg(feature = "std")]
pub use hash_map::HashMapStore;
pub use memory::{MemoryStore, MemoryStoreFull};
#[cfg(feature = "postgres")]
pub use postgres::{PostgresClients, PostgresError, PostgresStore};
#[cfg(feature = "seal")]
pub use sealed::{
    Keyring, KeyringError, Rewrap, RewrapProgress, SealedError, SealedStore, SealingCipher,
    SealingId, SealingKey,
};
#[cfg(feature = "sqlite")]
pub use sqlite::{SqliteError, SqliteStore};

use crate::{Record, Revision, Swap};

/// Where records are kept, for calls that block: firmware, SQLite, memory.
///
/// A store whose shared reference is enough (a pool, a locked map) implements this for `&Store`, as
/// `std` implements `Read` for `&File`; then every thread has an engine of its own over it.
///
/// # Duties of the implementer
/// The engine's promises rest on these, and `conformance` (feature of the same name) checks them:
/// - [`compare_and_swap`](Self::compare_and_swap) is **atomic**: of all calls that expect the same
///   revision, in whatever threads and processes, one is [`Swap::Stored`].
/// - It is **durable** before it returns: what it stored survives a crash and a power cut, and no
///   transaction is open whose roll-back would undo it.
/// - It **never guesses**: an I/O error, a time-out, an unknown commit is `Err`, not
///   [`Swap::Conflict`].
/// - [`load`](Self::load) sees every swap that returned before it began.
/// - Revision and bytes come back exactly as they were given. A revision is a name: it is compared
///   for equality, and a later one may be the lower number.
pub trait RegistrationStore {
    /// What names a registration.
    type Id: ?Sized;
    /// Why the store can't be used now.
    type Error;

    /// The record stored under `id`, if there is one.
    ///
    /// # Errors
    /// The store's own.
    fn load(&mut self, id: &Self::Id) -> Result<Option<Record>, Self::Error>;

    /// Stores `next` (`None` deletes) if the stored revision is `expected` (`None`: nothing is
    /// stored), and otherwise changes nothing.
    ///
    /// # Errors
    /// The store's own, for every outcome that isn't known to be one or the other.
    fn compare_and_swap(
        &mut self,
        id: &Self::Id,
        expected: Option<Revision>,
        next: Option<&Record>,
    ) -> Result<Swap, Self::Error>;
}

impl<S: RegistrationStore + ?Sized> RegistrationStore for &mut S {
    type Id = S::Id;
    type Error = S::Error;

    fn load(&mut self, id: &Self::Id) -> Result<Option<Record>, Self::Error> {
        (**self).load(id)
    }

    fn compare_and_swap(
        &mut self,
        id: &Self::Id,
        expected: Option<Revision>,
        next: Option<&Record>,
    ) -> Result<Swap, Self::Error> {
        (**self).compare_and_swap(id, expected, next)
    }
}

/// Where records are kept, for calls that wait without blocking: databases over a network.
///
/// The duties are those of [`RegistrationStore`]. A future that is dropped half-way counts as an
/// unknown outcome; the record is then whatever the database made of it.
pub trait AsyncRegistrationStore {
    /// What names a registration.
    type Id: ?Sized + Sync;
    /// Why the store can't be used now.
    type Error: Send;

    /// The record stored under `id`, if there is one.
    fn load(
        &self,
        id: &Self::Id,
    ) -> impl Future<Output = Result<Option<Record>, Self::Error>> + Send;

    /// Stores `next` (`None` deletes) if the stored revision is `expected` (`None`: nothing is
    /// stored), and otherwise changes nothing.
    fn compare_and_swap(
        &self,
        id: &Self::Id,
        expected: Option<Revision>,
        next: Option<&Record>,
    ) -> impl Future<Output = Result<Swap, Self::Error>> + Send;
}
