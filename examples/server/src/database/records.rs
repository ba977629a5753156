//! keyfob's stores as one, whichever database it is.

use ::redis::aio::ConnectionManager;
use keyfob::{
    AsyncRegistrationStore, BlockingPool, PostgresStore, Record, RedisStore, Revision, SqliteStore,
    Swap, UnixTime,
};

use super::postgres::Clients;
use super::redis;
use crate::error::Unavailable;

/// Where registrations are kept.
pub(crate) enum Records {
    Sqlite(BlockingPool<SqliteStore>),
    Postgres(PostgresStore<Clients>),
    Redis(RedisStore<ConnectionManager>),
}

const WHAT: &str = "the store of registrations";

impl Records {
    /// Removes registrations that weren't confirmed in time; Redis does so by itself.
    pub(crate) async fn sweep(&self, now: UnixTime) -> Result<(), Unavailable> {
        match self {
            Self::Sqlite(pool) => known(pool.call(move |store| store.sweep(now)).await).map(drop),
            Self::Postgres(store) => known(store.sweep(now).await).map(drop),
            Self::Redis(_) => Ok(()),
        }
    }

    /// How many registrations there are, unconfirmed ones included.
    pub(crate) async fn count(&self) -> Result<u64, Unavailable> {
        match self {
            Self::Sqlite(pool) => known(pool.call(|store| store.count()).await),
            Self::Postgres(store) => known(store.count().await),
            Self::Redis(store) => known(redis::count(store.connection().clone()).await),
        }
    }
}

impl AsyncRegistrationStore for Records {
    type Id = str;
    type Error = Unavailable;

    async fn load(&self, id: &str) -> Result<Option<Record>, Unavailable> {
        match self {
            Self::Sqlite(store) => known(store.load(id).await),
            Self::Postgres(store) => known(store.load(id).await),
            Self::Redis(store) => known(store.load(id).await),
        }
    }

    async fn compare_and_swap(
        &self,
        id: &str,
        expected: Option<Revision>,
        next: Option<&Record>,
    ) -> Result<Swap, Unavailable> {
        match self {
            Self::Sqlite(store) => known(store.compare_and_swap(id, expected, next).await),
            Self::Postgres(store) => known(store.compare_and_swap(id, expected, next).await),
            Self::Redis(store) => known(store.compare_and_swap(id, expected, next).await),
        }
    }
}

/// A store's error as the server's.
fn known<T, E>(answer: Result<T, E>) -> Result<T, Unavailable>
where
    E: std::error::Error + Send + Sync + 'static,
{
    answer.map_err(|error| Unavailable::new(WHAT, error))
}
