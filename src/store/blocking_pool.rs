//! Stores that block, for engines that wait: each call runs on tokio's threads for blocking work.

use alloc::borrow::ToOwned;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::borrow::Borrow as _;
use core::fmt;
use core::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinError;

use super::{AsyncRegistrationStore, RegistrationStore};
use crate::{Record, Revision, Swap};

/// Stores that block, made into one that waits: each call runs on tokio's threads for blocking work
/// ([`spawn_blocking`](tokio::task::spawn_blocking)).
///
/// The pool has one store, or several that reach the same records, such as connections to one
/// database. A call takes an idle one. Where all are busy it waits, first come, first served, and
/// holds no thread meanwhile: never are more threads blocked than there are stores. The waiting has
/// no end of its own, so put a time-out around the request.
///
/// Only the store's calls run on those threads. What the engine decides in between runs where its
/// future is polled, the hashing of recovery codes included: a slow hash holds the executor up.
///
/// A clone is another handle to the same pool.
///
/// # Dropped requests
/// A request whose future is dropped half-way (a time-out, a client that hung up) accepts nothing.
/// If its call was still waiting for a store, nothing was begun. If it had begun, it runs to its
/// end: what it writes is stored, so the code may be used up, and a failure is counted. Its store
/// is idle again only then.
///
/// # Panics in a store
/// The call fails, and the store is dropped, as nobody knows what state it is in. A pool that has
/// lost its last store refuses every call.
///
/// ```
/// use keyfob::{AsyncEngine, BlockingPool, Error, HashMapStore, Policy, Rejection, UnixTime};
/// use std::sync::LazyLock;
///
/// static STORE: LazyLock<HashMapStore<str>> = LazyLock::new(HashMapStore::new);
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let engine = AsyncEngine::new(BlockingPool::new(&*STORE), Policy::DEFAULT);
/// let now = UnixTime::from_seconds(1_800_000_000);
/// let nobody = engine.status("token 1", now).await;
/// assert_eq!(nobody, Err(Error::Rejected(Rejection::Unknown)));
/// # }
/// ```
// The bound stands here and not at the implementation of the trait, which would keep requests over
// `&'static` stores from being `Send` (rust-lang/rust#130113).
pub struct BlockingPool<S: 'static> {
    stores: Arc<Mutex<Stores<S>>>,
    /// One permit for each idle store, handed out in the order of asking.
    turns: Arc<Semaphore>,
}

struct Stores<S> {
    idle: Vec<S>,
    /// How many have not panicked, whether idle or busy.
    sound: usize,
}

impl<S> BlockingPool<S> {
    /// A pool of one store: its calls run one after the other.
    #[must_use]
    pub fn new(store: S) -> Self {
        Self::over(Vec::from([store]))
    }

    /// A pool of several stores: so many calls run at once. `None` if there are no stores.
    ///
    /// # Duties of the embedder
    /// All stores must reach the same records: connections to one database, references to one map.
    /// With records of its own in each store a code would be accepted once in each.
    ///
    /// ```
    /// use keyfob::{BlockingPool, HashMapStore};
    /// use std::sync::LazyLock;
    ///
    /// static STORE: LazyLock<HashMapStore<str>> = LazyLock::new(HashMapStore::new);
    ///
    /// let pool = BlockingPool::from_stores([&*STORE; 4]);
    /// assert!(pool.is_some());
    /// ```
    #[must_use]
    pub fn from_stores(stores: impl IntoIterator<Item = S>) -> Option<Self> {
        let idle = Vec::from_iter(stores);
        (!idle.is_empty()).then(|| Self::over(idle))
    }

    fn over(idle: Vec<S>) -> Self {
        let sound = idle.len();
        Self {
            stores: Arc::new(Mutex::new(Stores { idle, sound })),
            turns: Arc::new(Semaphore::new(sound)),
        }
    }
}

impl<S: Send + 'static> BlockingPool<S> {
    /// Waits for a turn, then makes a call of yours on a thread that may block: what a store can do
    /// beside swaps, such as to sweep.
    ///
    /// ```
    /// # #[cfg(feature = "sqlite")]
    /// # async fn sweep(path: &str, now: keyfob::UnixTime) -> Result<(), Box<dyn core::error::Error>> {
    /// use keyfob::{BlockingPool, SqliteStore};
    ///
    /// let pool = BlockingPool::new(SqliteStore::open(path)?);
    /// let swept = pool.call(move |store| store.sweep(now)).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Duties of the embedder
    /// Leave the store as you found it. Requests that get it after you fail while a transaction is
    /// open on it, or a setting is changed that its promises rest on.
    ///
    /// # Errors
    /// As for a swap: see [`BlockingPoolError`].
    pub async fn call<T, E>(
        &self,
        call: impl FnOnce(&mut S) -> Result<T, E> + Send + 'static,
    ) -> Result<T, BlockingPoolError<E>>
    where
        T: Send + 'static,
        E: Send + 'static,
    {
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        let turn = turn.map_err(|_| BlockingPoolError::NoStoreLeft)?;
        let runtime = Handle::try_current().map_err(|_| BlockingPoolError::NoRuntime)?;
        let stores = Arc::clone(&self.stores);
        let task = runtime.spawn_blocking(move || call_idle(&stores, turn, call));
        task.await.unwrap_or_else(|error| Err(unfinished(&error)))
    }
}

/// Why a task gave no answer: it never began, or the store panicked again while it was dropped.
fn unfinished<E>(error: &JoinError) -> BlockingPoolError<E> {
    if error.is_cancelled() {
        return BlockingPoolError::ShuttingDown;
    }
    BlockingPoolError::Panicked
}

/// Makes the call on an idle store. The turn says that there is one, and ends when it is back.
fn call_idle<S, T, E>(
    stores: &Mutex<Stores<S>>,
    turn: OwnedSemaphorePermit,
    call: impl FnOnce(&mut S) -> Result<T, E>,
) -> Result<T, BlockingPoolError<E>> {
    let idle = lock(stores).idle.pop();
    let mut store = idle.ok_or(BlockingPoolError::NoStoreLeft)?;
    // A store that panicked isn't looked at again, so it needn't be safe to unwind.
    let Ok(answer) = catch_unwind(AssertUnwindSafe(|| call(&mut store))) else {
        lose_one(stores, turn);
        return Err(BlockingPoolError::Panicked);
    };
    lock(stores).idle.push(store);
    answer.map_err(BlockingPoolError::Store)
}

/// Takes a store that panicked out of the count, with its turn. Nobody waits for the last one.
fn lose_one<S>(stores: &Mutex<Stores<S>>, turn: OwnedSemaphorePermit) {
    let mut stores = lock(stores);
    stores.sound = stores.sound.saturating_sub(1);
    if stores.sound == 0 {
        turn.semaphore().close();
    }
    turn.forget();
}

/// The lock, which is never held while a store is at work.
fn lock<S>(stores: &Mutex<Stores<S>>) -> MutexGuard<'_, Stores<S>> {
    stores.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<S> AsyncRegistrationStore for BlockingPool<S>
where
    S: RegistrationStore<Id: ToOwned<Owned: Send> + Sync, Error: Send> + Send,
{
    type Id = S::Id;
    type Error = BlockingPoolError<S::Error>;

    async fn load(&self, id: &S::Id) -> Result<Option<Record>, Self::Error> {
        let id = id.to_owned();
        self.call(move |store| store.load(id.borrow())).await
    }

    async fn compare_and_swap(
        &self,
        id: &S::Id,
        expected: Option<Revision>,
        next: Option<&Record>,
    ) -> Result<Swap, Self::Error> {
        let (id, next) = (id.to_owned(), next.cloned());
        self.call(move |store| store.compare_and_swap(id.borrow(), expected, next.as_ref()))
            .await
    }
}

impl<S> Clone for BlockingPool<S> {
    fn clone(&self) -> Self {
        Self {
            stores: Arc::clone(&self.stores),
            turns: Arc::clone(&self.turns),
        }
    }
}

/// Tells how many stores are idle, and nothing of them.
impl<S> fmt::Debug for BlockingPool<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockingPool")
            .field("idle", &self.turns.available_permits())
            .finish_non_exhaustive()
    }
}

/// Why a call to a [`BlockingPool`] has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BlockingPoolError<E> {
    /// The store's own error.
    Store(E),
    /// The store panicked, and is dropped. What became of a write isn't known.
    Panicked,
    /// Every store has panicked. The call was not begun.
    NoStoreLeft,
    /// There is no tokio runtime here. The call was not begun.
    NoRuntime,
    /// The runtime is shutting down. The call was not begun.
    ShuttingDown,
}

impl<E: fmt::Display> fmt::Display for BlockingPoolError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Store(error) => return error.fmt(f),
            Self::Panicked => {
                "the store panicked and is given up: mend it, its message tells where"
            }
            Self::NoStoreLeft => "every store of the pool has panicked: mend them, then start anew",
            Self::NoRuntime => "the pool works only inside a tokio runtime: call it from one",
            Self::ShuttingDown => "the tokio runtime is shutting down: try again after the restart",
        })
    }
}

impl<E: core::error::Error + 'static> core::error::Error for BlockingPoolError<E> {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Store(error) => Some(error),
            _ => None,
        }
    }
}
