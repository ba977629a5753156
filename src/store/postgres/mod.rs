//! Records in a PostgreSQL database, shared between processes and machines.

mod clients;
mod error;
mod schema;
mod statement;

use alloc::borrow::ToOwned as _;
use core::fmt;

use tokio_postgres::Row;
use tokio_postgres::types::Type;

pub use clients::PostgresClients;
pub use error::PostgresError;
use statement::{Hidden, Value, row};

use super::AsyncRegistrationStore;
use crate::{Record, Revision, Swap, UnixTime};

/// How often a statement is carried out that the database undoes in favour of another.
const ATTEMPTS: usize = 32;

/// `synchronous_commit`, with which a commit isn't on the disk when it is answered.
const OFF: &str = "off";

/// A statement leaves a mark that lasts as long as its transaction. So who finds one shares a
/// transaction with an earlier statement: it is the embedder's.
macro_rules! mark {
    () => {
        "set_config('keyfob.mark', 'left', true)"
    };
}

/// What tells whether a write is kept: what its commit waits for, and whether there is a mark.
macro_rules! settings {
    () => {
        "current_setting('synchronous_commit'), current_setting('keyfob.mark', true) = 'left'"
    };
}

const MARK: &str = concat!("SELECT ", mark!());
const SETTINGS: &str = concat!("SELECT ", settings!());

const LOAD: &str = concat!(
    "SELECT revision, record, ",
    mark!(),
    " FROM keyfob_registrations WHERE id = $1"
);
const INSERT: &str = concat!(
    "INSERT INTO keyfob_registrations (id, revision, record, lapses_at)
     VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO NOTHING RETURNING ",
    settings!()
);
const UPDATE: &str = concat!(
    "UPDATE keyfob_registrations SET revision = $3, record = $4, lapses_at = $5
     WHERE id = $1 AND revision = $2 RETURNING ",
    settings!()
);
const DELETE: &str = concat!(
    "DELETE FROM keyfob_registrations WHERE id = $1 AND revision = $2 RETURNING ",
    settings!()
);
const SWEEP: &str = "
    WITH swept AS (DELETE FROM keyfob_registrations WHERE lapses_at <= $1 RETURNING id)
    SELECT count(*) FROM swept";
const COUNT: &str = "SELECT count(*) FROM keyfob_registrations";

/// Records in a PostgreSQL database, shared between tasks, processes and machines.
///
/// It works on clients of yours (tokio-postgres 0.7): one, or a pool ([`PostgresClients`]). A swap
/// is one statement and one commit, which has reached the server's disk when it returns. Clone the
/// pool, not the store: an [`AsyncEngine`](crate::AsyncEngine) is shared by reference.
///
/// ```no_run
/// use std::sync::Arc;
/// use keyfob::{
///     AsyncEngine, NewRegistration, Policy, PostgresStore, SystemEntropy, UnixTime,
/// };
/// use tokio_postgres::NoTls;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn core::error::Error>> {
/// let (client, connection) = tokio_postgres::connect("host=/run/postgresql", NoTls).await?;
/// tokio::spawn(connection);
///
/// let store = PostgresStore::connect(Arc::new(client)).await?;
/// let engine = AsyncEngine::new(store, Policy::DEFAULT);
/// let now = UnixTime::from_seconds(1_800_000_000);
/// let new = NewRegistration::default();
/// let enrollment = engine.create("alice", &new, now, &mut SystemEntropy).await?;
///
/// let tomorrow = now.saturating_add(86_400); // she never confirmed it
/// assert_eq!(engine.store().sweep(tomorrow).await?, 1);
/// # Ok(())
/// # }
/// ```
///
/// # What is never accepted
/// A statement whose answer doesn't arrive (a connection that breaks, a server that dies) is
/// [`PostgresError::Database`] and is never sent again: it may have been carried out. Only what the
/// database says to have undone in favour of another (a serialization failure, a deadlock) is
/// repeated, up to 32 times.
///
/// Waiting has no end of its own: put a time-out around the request, and let the connections have
/// keep-alives.
///
/// # Duties of the embedder
/// - **Leave `synchronous_commit` on.** [`connect`](Self::connect) refuses `off`, and so does every
///   swap, as another connection of the pool may have another setting. All other values wait for
///   the server's own disk. What they say of standbys decides what a failover can lose:
///   `remote_apply` and `on`, with `synchronous_standby_names` set, lose nothing if a synchronous
///   standby takes over; `remote_write` can lose commits if both crash together; `local`, or no
///   synchronous standby, the latest commits. [`fence`](crate::AsyncEngine::fence) every
///   registration after a failover that may have lost commits. A wait for a standby that somebody
///   cancels counts as stored.
/// - **Leave `fsync` and `full_page_writes` on**, which a client can't judge: they are the server's,
///   and off with reason where something else keeps the disk's promises.
/// - **Keep it out of your transactions**, as a roll-back would make a burned code good again. No
///   [`Transaction`](tokio_postgres::Transaction) can be open on a client that is shared, as it
///   borrows the client for itself. In a `BEGIN` that is sent as text, or on a client borrowed from
///   a transaction, the swap after a load is [`PostgresError::InTransaction`]. What isn't found out
///   is a swap that comes first in a transaction: a pool must not hand out a client that was left
///   inside one.
/// - **Protect the database as you would the secrets**, with its log and its backups: the records
///   hold them in the clear unless they are sealed. A deleted row stays in the table's file until
///   the next vacuum and in the write-ahead log. A server that logs parameters
///   (`log_statement`, `log_min_duration_statement`) logs records: set `log_parameter_max_length`
///   to 0. Take a connection with TLS. The client's buffers aren't wiped.
/// - **Fence every registration after a restore.**
///
/// # In your own database
/// keyfob's tables start with `keyfob_`, and nothing else is touched. They are made by the first
/// [`connect`](Self::connect), in the first schema of the `search_path`, so it needs a role that may
/// create tables; later ones need `SELECT` on `keyfob_schema`, and `SELECT`, `INSERT`, `UPDATE` and
/// `DELETE` on `keyfob_registrations`. An id is kept as the bytes of its text (up to some 2,700 of
/// them): `convert_from(id, 'UTF8')` shows it.
///
/// # Behind a pooler, and other databases
/// Statements are sent with their types and without a name, so that nothing has to be kept on a
/// connection, and PgBouncer's transaction pooling is fine. A pool that keeps prepared statements
/// ([`PostgresClients::prepared`]) spares the server most of its work.
///
/// The SQL is what CockroachDB (22.1 or later) and YugabyteDB have too, as far as their
/// documentation tells. **Neither has been tested**, nor has any pooler.
pub struct PostgresStore<C> {
    clients: C,
    allows_loss: bool,
}

impl<C: PostgresClients> PostgresStore<C> {
    /// Uses clients of yours, and makes keyfob's tables if there are none. Any number of processes
    /// may do this at the same time.
    ///
    /// # Errors
    /// [`PostgresError::NotDurable`] if `synchronous_commit` is `off`,
    /// [`PostgresError::InTransaction`], [`PostgresError::Schema`] for tables that a later keyfob
    /// made, and what PostgreSQL finds wrong.
    pub async fn connect(clients: C) -> Result<Self, PostgresError<C::Error>> {
        Self::prepare(Self {
            clients,
            allows_loss: false,
        })
        .await
    }

    /// The same, also with `synchronous_commit = off`: a server that crashes forgets the log-ins of
    /// its last moments, and **accepts their codes once more**. For tests, and for those who fence
    /// every registration after a crash.
    ///
    /// # Errors
    /// Those of [`connect`](Self::connect), without [`PostgresError::NotDurable`].
    pub async fn connect_allowing_loss(clients: C) -> Result<Self, PostgresError<C::Error>> {
        Self::prepare(Self {
            clients,
            allows_loss: true,
        })
        .await
    }

    async fn prepare(self) -> Result<Self, PostgresError<C::Error>> {
        let client = self.client().await?;
        let client = C::borrow(&client);
        client.query_typed_one(MARK, &[]).await?;
        self.require_kept(&client.query_typed_one(SETTINGS, &[]).await?)?;
        schema::migrate(client).await?;
        Ok(self)
    }

    /// Where the clients come from.
    pub const fn clients(&self) -> &C {
        &self.clients
    }

    /// Deletes the registrations that weren't confirmed in time, and tells how many there were.
    ///
    /// Call it now and then. One that lapsed is refused whether it is swept or not.
    ///
    /// # Errors
    /// [`PostgresError::Clients`], [`PostgresError::Busy`], and what PostgreSQL finds wrong.
    pub async fn sweep(&self, now: UnixTime) -> Result<u64, PostgresError<C::Error>> {
        let now = i64::try_from(now.as_seconds()).unwrap_or(i64::MAX);
        self.number(SWEEP, &[(&now, Type::INT8)]).await
    }

    /// How many registrations there are, unconfirmed ones included. It reads all of the table.
    ///
    /// # Errors
    /// [`PostgresError::Clients`], and what PostgreSQL finds wrong.
    pub async fn count(&self) -> Result<u64, PostgresError<C::Error>> {
        self.number(COUNT, &[]).await
    }

    /// The one number that a statement answers with.
    async fn number(
        &self,
        statement: &'static str,
        values: &[Value<'_>],
    ) -> Result<u64, PostgresError<C::Error>> {
        let row = self.row(statement, values).await?;
        let number: Option<i64> = row.map(|row| row.try_get(0)).transpose()?;
        Ok(number.unwrap_or_default().unsigned_abs())
    }

    async fn client(&self) -> Result<C::Client, PostgresError<C::Error>> {
        self.clients.client().await.map_err(PostgresError::Clients)
    }

    /// Carries out one statement, on any client.
    async fn row(
        &self,
        statement: &'static str,
        values: &[Value<'_>],
    ) -> Result<Option<Row>, PostgresError<C::Error>> {
        let client = self.client().await?;
        Ok(row::<C>(&client, statement, values).await?)
    }

    /// Carries out a swap. It answers with a row if it changed one, and says there what the change
    /// is worth: nothing, unless it is kept.
    async fn swap(
        &self,
        statement: &'static str,
        values: &[Value<'_>],
    ) -> Result<Swap, PostgresError<C::Error>> {
        let Some(settings) = self.row(statement, values).await? else {
            return Ok(Swap::Conflict);
        };
        self.require_kept(&settings)?;
        Ok(Swap::Stored)
    }

    /// Refuses what a crash or a roll-back would take back.
    fn require_kept(&self, settings: &Row) -> Result<(), PostgresError<C::Error>> {
        if settings.try_get::<_, Option<bool>>(1)? == Some(true) {
            return Err(PostgresError::InTransaction);
        }
        let synchronous_commit: &str = settings.try_get(0)?;
        if synchronous_commit == OFF && !self.allows_loss {
            let synchronous_commit = synchronous_commit.to_owned();
            return Err(PostgresError::NotDurable { synchronous_commit });
        }
        Ok(())
    }
}

impl<C: PostgresClients + Sync> AsyncRegistrationStore for PostgresStore<C> {
    type Id = str;
    type Error = PostgresError<C::Error>;

    async fn load(&self, id: &str) -> Result<Option<Record>, Self::Error> {
        let row = self.row(LOAD, &[(&id.as_bytes(), Type::BYTEA)]).await?;
        row.as_ref().map(read).transpose()
    }

    async fn compare_and_swap(
        &self,
        id: &str,
        expected: Option<Revision>,
        next: Option<&Record>,
    ) -> Result<Swap, Self::Error> {
        let name: Value<'_> = (&id.as_bytes(), Type::BYTEA);
        match (expected.map(bits), &next.map(written)) {
            (None, Some(next)) => {
                let [revision, record, lapse] = values(next);
                self.swap(INSERT, &[name, revision, record, lapse]).await
            }
            (Some(expected), Some(next)) => {
                let [revision, record, lapse] = values(next);
                let expected = (&expected as _, Type::INT8);
                let values = [name, expected, revision, record, lapse];
                self.swap(UPDATE, &values).await
            }
            (Some(expected), None) => self.swap(DELETE, &[name, (&expected, Type::INT8)]).await,
            (None, None) => Ok(match self.load(id).await? {
                None => Swap::Stored,
                Some(_) => Swap::Conflict,
            }),
        }
    }
}

/// A record's row, but for its id.
type Written<'a> = (i64, Hidden<'a>, Option<i64>);

fn written(record: &Record) -> Written<'_> {
    let revision = bits(record.revision());
    (revision, Hidden(record.as_bytes()), lapse(record))
}

fn values<'a>((revision, record, lapse): &'a Written<'_>) -> [Value<'a>; 3] {
    [
        (revision, Type::INT8),
        (record, Type::BYTEA),
        (lapse, Type::INT8),
    ]
}

fn read<E>(row: &Row) -> Result<Record, PostgresError<E>> {
    let revision = Revision::from_u64(row.try_get::<_, i64>(0)?.cast_unsigned());
    Record::from_stored(revision, row.try_get(1)?).map_err(PostgresError::Corrupt)
}

/// A revision as SQL's integers keep it, the upper half of the numbers as negative ones.
fn bits(revision: Revision) -> i64 {
    revision.as_u64().cast_signed()
}

/// When the row may go. A moment beyond SQL's integers won't come.
fn lapse(record: &Record) -> Option<i64> {
    i64::try_from(record.lapses_at()?.as_seconds()).ok()
}

/// Shows nothing of the clients.
impl<C> fmt::Debug for PostgresStore<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").finish_non_exhaustive()
    }
}
