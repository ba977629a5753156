//! Records in an SQLite database, shared between threads and processes.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;
use std::path::Path;
use std::thread;

use rusqlite::{
    Connection, ErrorCode, Params, Row, Transaction, TransactionBehavior, TransactionState,
};

use super::{RegistrationStore, lapse};
use crate::{Corrupt, Record, Revision, Swap, UnixTime};

/// How long [`SqliteStore::open`] lets a call wait for others.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How long it waits before it tries again to turn write-ahead logging on.
const PAUSE: Duration = Duration::from_millis(10);

/// `PRAGMA synchronous`, from which on a commit survives a power cut.
const FULL: i64 = 2;

/// The database that the connection was opened for, as against attached and temporary ones.
const MAIN: &str = "main";

/// What brings the tables from one version to the next, oldest first.
///
/// `lapses_at` is in seconds of Unix time, and null unless the registration is pending.
const MIGRATIONS: [&str; 1] = ["
    CREATE TABLE main.keyfob_registrations (
        id TEXT NOT NULL PRIMARY KEY,
        revision INTEGER NOT NULL,
        record BLOB NOT NULL,
        lapses_at INTEGER
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX main.keyfob_pending ON keyfob_registrations (lapses_at)
        WHERE lapses_at IS NOT NULL;
"];

const CREATE_SCHEMA: &str =
    "CREATE TABLE IF NOT EXISTS main.keyfob_schema (version INTEGER NOT NULL PRIMARY KEY) STRICT";
const HAS_SCHEMA: &str = "SELECT count(*) FROM main.sqlite_schema WHERE name = 'keyfob_schema'";
const VERSION: &str = "SELECT coalesce(max(version), 0) FROM main.keyfob_schema";
const SET_VERSION: &str = "INSERT INTO main.keyfob_schema (version) VALUES (?1)";

// Without `main.`, a temporary table of the same name would come first.
const LOAD: &str = "SELECT revision, record FROM main.keyfob_registrations WHERE id = ?1";
const INSERT: &str = "
    INSERT INTO main.keyfob_registrations (id, revision, record, lapses_at)
    VALUES (?1, ?2, ?3, ?4) ON CONFLICT (id) DO NOTHING";
const UPDATE: &str = "
    UPDATE main.keyfob_registrations SET revision = ?3, record = ?4, lapses_at = ?5
    WHERE id = ?1 AND revision = ?2";
const DELETE: &str = "DELETE FROM main.keyfob_registrations WHERE id = ?1 AND revision = ?2";
const FIRST_IDS: &str = "SELECT id FROM main.keyfob_registrations ORDER BY id LIMIT ?1";
const NEXT_IDS: &str =
    "SELECT id FROM main.keyfob_registrations WHERE id > ?2 ORDER BY id LIMIT ?1";
const SWEEP: &str = "DELETE FROM main.keyfob_registrations WHERE lapses_at <= ?1 OR lapses_at > ?2";
const COUNT: &str = "SELECT count(*) FROM main.keyfob_registrations";

/// Records in an SQLite database on a local disk, shared between threads and processes.
///
/// One connection has one store: open one in each thread. A swap is one statement and one commit,
/// which has reached the disk when it returns.
///
/// ```
/// use keyfob::{Engine, NewRegistration, Policy, SqliteStore, SystemEntropy, UnixTime};
///
/// # let directory = std::env::temp_dir().join(format!("keyfob-doctest-{}", std::process::id()));
/// # std::fs::create_dir_all(&directory)?;
/// # let path = directory.join("registrations.sqlite");
/// let mut engine = Engine::new(SqliteStore::open(&path)?, Policy::DEFAULT);
/// let now = UnixTime::from_seconds(1_800_000_000);
/// let new = NewRegistration::default();
/// let enrollment = engine.create("alice", &new, now, &mut SystemEntropy)?;
///
/// let tomorrow = now.saturating_add(86_400); // she never confirmed it
/// assert_eq!(engine.store().sweep(tomorrow)?, 1);
/// # drop(engine);
/// # std::fs::remove_dir_all(&directory)?;
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
///
/// # Duties of the embedder
/// - **Keep the file on a local disk.** Write-ahead logging needs memory that all processes share.
/// - **Protect the file as you would the secrets**: its records hold them in the clear unless they
///   are sealed. SQLite makes it with the permissions that the process gives to new files, and its
///   `-wal` and `-shm` files with those of the file. What is deleted from the file is overwritten
///   with zeros (`secure_delete`); older pages stay in the log until it is written over, or removed
///   when the last connection closes.
/// - **Back it up with SQLite's own means**, as the file alone isn't all of it, and
///   [`fence`](crate::Engine::fence) every registration after a restore.
/// - **Leave `journal_mode`, `synchronous` and `fullfsync` as they are** if you use the
///   [connection](Self::connection) too. They are looked at before each write. If they would let a
///   power cut undo it, nothing is written, and the call is [`SqliteError::NotDurable`].
/// - **Let no connection to the file have `synchronous` off**, whatever it writes: it may move
///   everybody's writes out of the log, and not wait for the disk. One connection's settings can't
///   be seen from another. Nor can it be seen that a file system or a disk doesn't keep what it was
///   told to (`nolock` and `immutable` in a URI, a VFS of yours).
/// - **Use no shared cache** (`SQLITE_OPEN_SHAREDCACHE`, `cache=shared`): connections in one cache
///   also share the last `synchronous` that one of them set, and each still reads its own.
/// - **Don't move or replace the file while it is open**: what is written then is in a file that
///   nobody finds again. End all processes before a restore.
///
/// # In your own database
/// keyfob's tables start with `keyfob_`, are in the `main` database, and nothing else is touched: an
/// attached or temporary database can have tables of the same name.
///
/// A store can't take part in your transactions: a failure that is counted in one would be forgotten
/// with its roll-back, and a burned code would be good again. While a transaction or a savepoint is
/// open on its connection, every call is [`SqliteError::InTransaction`], whether it would write or
/// only read, and whether there is such a registration or not. So it is while a statement of yours
/// is in the middle of its rows, as a read would then see the past. Transactions on other
/// connections don't disturb it: a write waits for them.
#[derive(Debug)]
pub struct SqliteStore {
    connection: Connection,
}

impl SqliteStore {
    /// Opens the database at `path`, or makes a new one, for write-ahead logging with full
    /// synchronisation. A call waits up to five seconds for others.
    ///
    /// Any number of processes may do this at the same time.
    ///
    /// # Errors
    /// [`SqliteError::NotDurable`] for a database in memory, [`SqliteError::Schema`] for one that a
    /// later keyfob made, and what SQLite finds wrong.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, SqliteError> {
        let connection = Connection::open(path)?;
        log_ahead(&connection)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.pragma_update(None, "synchronous", FULL)?;
        Self::from_connection(connection)
    }

    /// Uses a connection of yours (rusqlite 0.41), and the time that it waits for others.
    ///
    /// It makes keyfob's tables if there are none, and turns `secure_delete` and `fullfsync` on for
    /// this connection.
    ///
    /// ```
    /// # let directory = std::env::temp_dir().join(format!("keyfob-doc-{}", std::process::id()));
    /// # std::fs::create_dir_all(&directory)?;
    /// # let path = directory.join("accounts.sqlite");
    /// use keyfob::SqliteStore;
    /// use rusqlite::Connection;
    ///
    /// let connection = Connection::open(path)?;
    /// connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")?;
    /// let store = SqliteStore::from_connection(connection)?;
    /// # drop(store);
    /// # std::fs::remove_dir_all(&directory)?;
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`SqliteError::NotDurable`] unless `PRAGMA journal_mode` is `wal` and `PRAGMA synchronous`
    /// is `FULL` or `EXTRA`; [`SqliteError::InTransaction`], [`SqliteError::Schema`], and what
    /// SQLite finds wrong.
    pub fn from_connection(connection: Connection) -> Result<Self, SqliteError> {
        let store = Self { connection };
        let connection = store.outside_transactions()?;
        connection.pragma_update(None, "secure_delete", true)?;
        connection.pragma_update(None, "fullfsync", true)?;
        require_durable(connection)?;
        migrate(connection)?;
        Ok(store)
    }

    /// The connection, to read and write tables of yours.
    #[must_use]
    pub const fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Gives the connection back.
    #[must_use]
    pub fn into_connection(self) -> Connection {
        self.connection
    }

    /// Sets how long a call waits for others before it is [`SqliteError::Busy`], up to 24 days.
    /// Too short a time fails log-ins that a moment's wait would have let through.
    ///
    /// # Errors
    /// What SQLite finds wrong.
    pub fn set_busy_timeout(&mut self, timeout: Duration) -> Result<(), SqliteError> {
        let longest = Duration::from_millis(i32::MAX.unsigned_abs().into());
        Ok(self.connection.busy_timeout(timeout.min(longest))?)
    }

    /// Deletes the registrations that weren't confirmed in time, and tells how many there were.
    ///
    /// Those go too that lapse later than any lifetime and an hour from `now`: they were made while
    /// a clock was ahead. Call it now and then, with a clock that is right. One that lapsed is
    /// refused whether it is swept or not.
    ///
    /// # Errors
    /// [`SqliteError::InTransaction`], [`SqliteError::NotDurable`], [`SqliteError::Busy`], and what
    /// SQLite finds wrong.
    pub fn sweep(&mut self, now: UnixTime) -> Result<usize, SqliteError> {
        self.change(SWEEP, lapse::bounds(now))
    }

    /// How many registrations there are, unconfirmed ones included. It reads all of the index.
    ///
    /// # Errors
    /// [`SqliteError::InTransaction`], and what SQLite finds wrong.
    pub fn count(&self) -> Result<u64, SqliteError> {
        let connection = self.outside_transactions()?;
        let count: i64 = connection.query_row(COUNT, [], |row| row.get(0))?;
        Ok(count.unsigned_abs())
    }

    /// Up to `most` ids in their bytes' order, from the first one `after` on, or from the first of
    /// all: page by page, so that no read is open while you write.
    ///
    /// Ask with the last id of a page for the next one, until a page is empty. Ids that are stored
    /// or deleted meanwhile may be seen or not; the others are seen once.
    ///
    /// # Errors
    /// [`SqliteError::InTransaction`], and what SQLite finds wrong.
    pub fn ids(&self, after: Option<&str>, most: u32) -> Result<Vec<String>, SqliteError> {
        let connection = self.outside_transactions()?;
        let mut statement = connection.prepare_cached(match after {
            None => FIRST_IDS,
            Some(_) => NEXT_IDS,
        })?;
        let rows = match after {
            None => statement.query([most])?,
            Some(after) => statement.query((most, after))?,
        };
        Ok(rows.mapped(|row| row.get(0)).collect::<Result<_, _>>()?)
    }

    /// The connection, if what is done on it now is done for good and sees what others did: no
    /// transaction is open, nor a read, which would share its view of the past with us.
    fn outside_transactions(&self) -> Result<&Connection, SqliteError> {
        let connection = &self.connection;
        let state = connection.transaction_state(Some(MAIN))?;
        if connection.is_autocommit() && state == TransactionState::None {
            return Ok(connection);
        }
        Err(SqliteError::InTransaction)
    }

    /// Carries out one statement, which has reached the disk then, and tells how many rows it
    /// changed.
    fn change(&self, statement: &str, values: impl Params) -> Result<usize, SqliteError> {
        let connection = self.outside_transactions()?;
        require_durable(connection)?;
        Ok(connection.prepare_cached(statement)?.execute(values)?)
    }
}

impl RegistrationStore for SqliteStore {
    type Id = str;
    type Error = SqliteError;

    fn load(&mut self, id: &str) -> Result<Option<Record>, SqliteError> {
        let connection = self.outside_transactions()?;
        let mut statement = connection.prepare_cached(LOAD)?;
        let mut rows = statement.query([id])?;
        rows.next()?.map(read).transpose()
    }

    fn compare_and_swap(
        &mut self,
        id: &str,
        expected: Option<Revision>,
        next: Option<&Record>,
    ) -> Result<Swap, SqliteError> {
        let next = next.map(|next| (bits(next.revision()), next.as_bytes(), lapse::of(next)));
        let changed = match (expected.map(bits), next) {
            (None, Some((revision, bytes, lapse))) => {
                self.change(INSERT, (id, revision, bytes, lapse))?
            }
            (Some(expected), Some((revision, bytes, lapse))) => {
                self.change(UPDATE, (id, expected, revision, bytes, lapse))?
            }
            (Some(expected), None) => self.change(DELETE, (id, expected))?,
            (None, None) => usize::from(self.load(id)?.is_none()),
        };
        Ok(match changed {
            0 => Swap::Conflict,
            _ => Swap::Stored,
        })
    }
}

fn read(row: &Row<'_>) -> Result<Record, SqliteError> {
    let revision = Revision::from_u64(row.get::<_, i64>(0)?.cast_unsigned());
    let bytes = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
    Record::from_stored(revision, bytes).map_err(SqliteError::Corrupt)
}

/// A revision as SQLite's integers keep it, the upper half of the numbers as negative ones.
fn bits(revision: Revision) -> i64 {
    revision.as_u64().cast_signed()
}

/// Turns write-ahead logging on. SQLite needs the file for itself for that, and at times gives up
/// at once, whatever its time-out: two that try at the same time would wait for each other. So the
/// waiting is done here.
fn log_ahead(connection: &Connection) -> Result<(), SqliteError> {
    connection.busy_timeout(Duration::ZERO)?;
    let mut waited = Duration::ZERO;
    loop {
        match connection.pragma_update(None, "journal_mode", "wal") {
            Err(error) if is_busy(&error) && waited < BUSY_TIMEOUT => thread::sleep(PAUSE),
            result => return Ok(result?),
        }
        waited = waited.saturating_add(PAUSE);
    }
}

/// Asks for the settings that a commit rests on. They are asked for before each write, since whoever
/// has the connection can change them, and SQLite keeps them in memory.
fn require_durable(connection: &Connection) -> Result<(), SqliteError> {
    let journal_mode: String = connection.pragma_query_one(Some(MAIN), "journal_mode")?;
    let synchronous = connection.pragma_query_one(Some(MAIN), "synchronous")?;
    let fullfsync = connection.pragma_query_one(None, "fullfsync")?;
    if journal_mode == "wal" && synchronous >= FULL && fullfsync {
        return Ok(());
    }
    Err(SqliteError::NotDurable {
        journal_mode,
        synchronous,
        fullfsync,
    })
}

/// Brings the tables up to date, in one transaction, while others wait that want to do the same.
fn migrate(connection: &Connection) -> Result<(), SqliteError> {
    if version(connection)? == MIGRATIONS.len() {
        return Ok(()); // without waiting for those who write
    }
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    let found = version(&transaction)?;
    transaction.execute_batch(CREATE_SCHEMA)?;
    for (migration, version) in MIGRATIONS.iter().zip(1..).skip(found) {
        transaction.execute_batch(migration)?;
        transaction.execute(SET_VERSION, [version])?;
    }
    Ok(transaction.commit()?)
}

/// The version of the tables; 0 where there are none.
fn version(connection: &Connection) -> Result<usize, SqliteError> {
    let tables: i64 = connection.query_row(HAS_SCHEMA, [], |row| row.get(0))?;
    if tables == 0 {
        return Ok(0);
    }
    let found = connection.query_row(VERSION, [], |row| row.get(0))?;
    match usize::try_from(found) {
        Ok(known) if known <= MIGRATIONS.len() => Ok(known),
        _ => Err(SqliteError::Schema { found }),
    }
}

/// Why the database didn't do what was asked. Whether a write was stored isn't known then.
#[derive(Debug, PartialEq)]
#[non_exhaustive]
pub enum SqliteError {
    /// Others held the database for longer than the store waits.
    Busy(rusqlite::Error),
    /// What SQLite found wrong.
    Database(rusqlite::Error),
    /// A power cut could take back what is stored. Nothing was written.
    NotDurable {
        /// What `PRAGMA journal_mode` says. It must be `wal`.
        journal_mode: String,
        /// What `PRAGMA synchronous` says. It must be 2 (`FULL`) or 3 (`EXTRA`).
        synchronous: i64,
        /// What `PRAGMA fullfsync` says. It must be on, as the store sets it: Apple's disks keep
        /// nothing for sure without it. Other systems pay no attention to it.
        fullfsync: bool,
    },
    /// A transaction is open on the connection, or a read that hasn't ended. Nothing was written.
    InTransaction,
    /// A later keyfob made the tables.
    Schema {
        /// Their version.
        found: i64,
    },
    /// The stored bytes can't be a record.
    Corrupt(Corrupt),
}

fn is_busy(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(
        code,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}

impl From<rusqlite::Error> for SqliteError {
    fn from(error: rusqlite::Error) -> Self {
        if is_busy(&error) {
            return Self::Busy(error);
        }
        Self::Database(error)
    }
}

impl fmt::Display for SqliteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy(error) => write!(
                f,
                "others held the database for too long: try again, and keep transactions short: \
                 {error}"
            ),
            Self::Database(error) => write!(
                f,
                "SQLite failed: check the file, its disk and its permissions: {error}"
            ),
            Self::NotDurable {
                journal_mode,
                synchronous,
                fullfsync,
            } => write!(
                f,
                "a power cut could undo log-ins: use a file on a local disk, with journal_mode wal \
                 (it is {journal_mode}), synchronous 2 or 3 (it is {synchronous}) and fullfsync on \
                 (it is {})",
                if *fullfsync { "on" } else { "off" }
            ),
            Self::InTransaction => f.write_str(
                "a transaction or a read is open on the connection, and its roll-back would undo a \
                 log-in: end it first, or give the store a connection of its own",
            ),
            Self::Schema { found } => write!(
                f,
                "the tables have version {found}, which a later keyfob made: update this one"
            ),
            Self::Corrupt(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for SqliteError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Busy(error) | Self::Database(error) => Some(error),
            Self::Corrupt(error) => Some(error),
            Self::NotDurable { .. } | Self::InTransaction | Self::Schema { .. } => None,
        }
    }
}
