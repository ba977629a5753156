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

use super::{AsyncRegistrationStore, lapse};
use crate::{Record, Revision, Swap, UnixTime};

/// How often a statement is carried out that the database undoes in favour of another.
const ATTEMPTS: usize = 32;

/// `synchronous_commit`, with which a commit isn't on the disk when it is answered.
const OFF: &str = "off";

/// Sent right before each statement. It lasts as long as its transaction: for a moment, unless one
/// of the embedder's is open, which the statement then shares.
const MARK: &str = "SELECT set_config('keyfob.mark', 'left', true)";

/// Whether there is no mark, so that the statement is a transaction of its own.
macro_rules! alone {
    () => {
        "current_setting('keyfob.mark', true) IS DISTINCT FROM 'left'"
    };
}

/// What each statement answers first: whether it is alone, and what its commit waits for.
macro_rules! settings {
    () => {
        concat!(
            "SELECT ",
            alone!(),
            ", current_setting('synchronous_commit')"
        )
    };
}

/// Carries a change out if it is alone, and answers how many rows it changed.
macro_rules! change {
    ($($change:expr),+) => {
        concat!(
            "WITH changed AS (",
            $($change),+,
            " RETURNING id) ",
            settings!(),
            ", (SELECT count(*) FROM changed)"
        )
    };
}

const SETTINGS: &str = settings!();
const LOAD: &str = concat!(
    settings!(),
    ", id IS NOT NULL, revision, record FROM (VALUES (1)) AS always
     LEFT JOIN keyfob_registrations ON id = $1"
);
const INSERT: &str = change!(
    "INSERT INTO keyfob_registrations (id, revision, record, lapses_at)
     SELECT $1::BYTEA, $2::BIGINT, $3::BYTEA, $4::BIGINT WHERE ",
    alone!(),
    " ON CONFLICT (id) DO NOTHING"
);
const UPDATE: &str = change!(
    "UPDATE keyfob_registrations SET revision = $3, record = $4, lapses_at = $5
     WHERE id = $1 AND revision = $2 AND ",
    alone!()
);
const DELETE: &str = change!(
    "DELETE FROM keyfob_registrations WHERE id = $1 AND revision = $2 AND ",
    alone!()
);
const SWEEP: &str = change!(
    "DELETE FROM keyfob_registrations WHERE (lapses_at <= $1 OR lapses_at > $2) AND ",
    alone!()
);
const COUNT: &str = concat!(settings!(), ", (SELECT count(*) FROM keyfob_registrations)");

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
/// - **Keep it out of your transactions**, as a roll-back would make a burned code good again, and an
///   old snapshot would show what is no more. Whatever is asked of the store on a client that is
///   inside a transaction (a `BEGIN` that was sent as text, a client borrowed from a
///   [`Transaction`](tokio_postgres::Transaction) or left inside one by whoever had it last) is
///   [`PostgresError::InTransaction`] and changes nothing, whether there is such a registration or
///   not, behind savepoints too. So that it is noticed, each statement is sent together with one
///   that leaves a mark in its transaction (`keyfob.mark`). What can't be noticed is a `BEGIN` that
///   another task sends on a client that it shares with the store, just between these two: no
///   [`Transaction`](tokio_postgres::Transaction) can be open on a client that is shared, so don't
///   send one as text either.
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
/// connection, and PgBouncer's transaction pooling is fine: of a client that is inside a transaction
/// it keeps all statements together, so a transaction is noticed there too. A pool that keeps
/// prepared statements ([`PostgresClients::prepared`]) spares the server most of its work.
///
/// The SQL is what CockroachDB (22.1 or later) and YugabyteDB have too, as far as their
/// documentation tells. **Neither has been tested.** PgBouncer 1.18 has been, with transaction
/// pooling and without prepared statements.
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
        self.require_durable(&row_alone::<C>(&client, SETTINGS, &[]).await?)?;
        schema::migrate(C::borrow(&client)).await?;
        Ok(self)
    }

    /// Where the clients come from.
    pub const fn clients(&self) -> &C {
        &self.clients
    }

    /// Deletes the registrations that weren't confirmed in time, and tells how many there were.
    ///
    /// Those go too that lapse later than any lifetime and an hour from `now`: they were made while
    /// a clock was ahead. Call it now and then, with a clock that is right. One that lapsed is
    /// refused whether it is swept or not.
    ///
    /// # Errors
    /// [`PostgresError::Clients`], [`PostgresError::InTransaction`], [`PostgresError::Busy`], and
    /// what PostgreSQL finds wrong.
    pub async fn sweep(&self, now: UnixTime) -> Result<u64, PostgresError<C::Error>> {
        let (lapsed, too_far) = lapse::bounds(now);
        let values: [Value<'_>; 2] = [(&lapsed, Type::INT8), (&too_far, Type::INT8)];
        number(&self.row(SWEEP, &values).await?)
    }

    /// How many registrations there are, unconfirmed ones included. It reads all of the table.
    ///
    /// # Errors
    /// [`PostgresError::Clients`], [`PostgresError::InTransaction`], and what PostgreSQL finds wrong.
    pub async fn count(&self) -> Result<u64, PostgresError<C::Error>> {
        number(&self.row(COUNT, &[]).await?)
    }

    async fn client(&self) -> Result<C::Client, PostgresError<C::Error>> {
        self.clients.client().await.map_err(PostgresError::Clients)
    }

    /// Carries out one statement, on any client.
    async fn row(
        &self,
        statement: &'static str,
        values: &[Value<'_>],
    ) -> Result<Row, PostgresError<C::Error>> {
        row_alone::<C>(&self.client().await?, statement, values).await
    }

    /// Carries out a swap, which says itself what it is worth.
    async fn swap(
        &self,
        statement: &'static str,
        values: &[Value<'_>],
    ) -> Result<Swap, PostgresError<C::Error>> {
        let row = self.row(statement, values).await?;
        self.require_durable(&row)?;
        Ok(match number(&row)? {
            0 => Swap::Conflict,
            _ => Swap::Stored,
        })
    }

    /// Refuses what a crash would take back.
    fn require_durable(&self, row: &Row) -> Result<(), PostgresError<C::Error>> {
        let synchronous_commit: &str = row.try_get(1)?;
        if synchronous_commit == OFF && !self.allows_loss {
            let synchronous_commit = synchronous_commit.to_owned();
            return Err(PostgresError::NotDurable { synchronous_commit });
        }
        Ok(())
    }
}

/// Carries out one statement. Inside somebody else's transaction it has changed nothing, and what it
/// read there may be old, or be undone: so it has no answer.
async fn row_alone<C: PostgresClients>(
    client: &C::Client,
    statement: &'static str,
    values: &[Value<'_>],
) -> Result<Row, PostgresError<C::Error>> {
    let row = row::<C>(client, statement, values).await?;
    if row.try_get(0)? {
        return Ok(row);
    }
    Err(PostgresError::InTransaction)
}

/// The number that a statement answers with, behind the settings.
fn number<E>(row: &Row) -> Result<u64, PostgresError<E>> {
    Ok(row.try_get::<_, i64>(2)?.unsigned_abs())
}

impl<C: PostgresClients + Sync> AsyncRegistrationStore for PostgresStore<C> {
    type Id = str;
    type Error = PostgresError<C::Error>;

    async fn load(&self, id: &str) -> Result<Option<Record>, Self::Error> {
        read(&self.row(LOAD, &[(&id.as_bytes(), Type::BYTEA)]).await?)
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
    (revision, Hidden(record.as_bytes()), lapse::of(record))
}

fn values<'a>((revision, record, lapse): &'a Written<'_>) -> [Value<'a>; 3] {
    [
        (revision, Type::INT8),
        (record, Type::BYTEA),
        (lapse, Type::INT8),
    ]
}

/// The record behind the settings, if there is one.
fn read<E>(row: &Row) -> Result<Option<Record>, PostgresError<E>> {
    if !row.try_get(2)? {
        return Ok(None);
    }
    let revision = Revision::from_u64(row.try_get::<_, i64>(3)?.cast_unsigned());
    let record = Record::from_stored(revision, row.try_get(4)?);
    record.map(Some).map_err(PostgresError::Corrupt)
}

/// A revision as SQL's integers keep it, the upper half of the numbers as negative ones.
fn bits(revision: Revision) -> i64 {
    revision.as_u64().cast_signed()
}

/// Shows nothing of the clients.
impl<C> fmt::Debug for PostgresStore<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").finish_non_exhaustive()
    }
}
