//! Everything in one file of SQLite.

use std::fs::OpenOptions;
use std::io::{self, ErrorKind};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use keyfob::{BlockingPool, SqliteStore, UnixTime};
use rusqlite::{Connection, OptionalExtension, params};
use tokio::task::spawn_blocking;

use super::documents::seconds;
use super::{Documents, Records};
use crate::error::Unavailable;

/// Writers wait for each other anyway; a few connections let readers pass them.
const STORES: usize = 4;
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS server_documents (
        kind TEXT NOT NULL,
        name TEXT NOT NULL,
        value TEXT NOT NULL,
        expires_at INTEGER,
        PRIMARY KEY (kind, name)
    ) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS server_documents_expiry
        ON server_documents (expires_at) WHERE expires_at IS NOT NULL;";

pub(super) fn open(path: &Path) -> Result<(Records, Documents), Unavailable> {
    make_private(path).map_err(|error| Unavailable::with_file(WHAT, path, error))?;
    let stores: Result<Vec<_>, _> = (0..STORES).map(|_| SqliteStore::open(path)).collect();
    let stores = stores.map_err(|error| Unavailable::with_file(WHAT, path, error))?;
    let pool = BlockingPool::from_stores(stores);
    let pool = pool.ok_or_else(|| Unavailable::new(WHAT, "no store was opened"))?;
    let table = Table::open(path).map_err(|error| Unavailable::with_file(WHAT, path, error))?;
    Ok((Records::Sqlite(pool), Documents::Sqlite(table)))
}

/// Makes the file readable by its owner only; SQLite gives its other files the same permissions.
fn make_private(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    match options.write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// The table of documents.
pub(crate) struct Table(Arc<Mutex<Connection>>);

impl Table {
    fn open(path: &Path) -> rusqlite::Result<Self> {
        let connection = Connection::open(path)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "secure_delete", true)?;
        connection.execute_batch(SCHEMA)?;
        Ok(Self(Arc::new(Mutex::new(connection))))
    }

    pub(super) async fn read(
        &self,
        kind: &'static str,
        name: &str,
    ) -> Result<Option<String>, Unavailable> {
        self.value(READ, kind, name).await
    }

    pub(super) async fn insert(
        &self,
        kind: &'static str,
        name: &str,
        value: &str,
        expires_at: Option<UnixTime>,
    ) -> Result<bool, Unavailable> {
        let (name, value) = (name.to_owned(), value.to_owned());
        self.run(move |connection| {
            connection.prepare_cached(INSERT)?.execute(params![
                kind,
                name,
                value,
                expires_at.map(seconds)
            ])
        })
        .await
        .map(|rows| rows == 1)
    }

    pub(super) async fn swap(
        &self,
        kind: &'static str,
        name: &str,
        before: &str,
        after: &str,
        expires_at: Option<UnixTime>,
    ) -> Result<bool, Unavailable> {
        let (name, before, after) = (name.to_owned(), before.to_owned(), after.to_owned());
        self.run(move |connection| {
            connection.prepare_cached(SWAP)?.execute(params![
                kind,
                name,
                before,
                after,
                expires_at.map(seconds)
            ])
        })
        .await
        .map(|rows| rows == 1)
    }

    pub(super) async fn take(
        &self,
        kind: &'static str,
        name: &str,
    ) -> Result<Option<String>, Unavailable> {
        self.value(TAKE, kind, name).await
    }

    pub(super) async fn sweep(&self, now: UnixTime) -> Result<(), Unavailable> {
        self.run(move |connection| connection.execute(SWEEP, [seconds(now)]))
            .await
            .map(|_| ())
    }

    /// The value that a statement gives of one document.
    async fn value(
        &self,
        statement: &'static str,
        kind: &'static str,
        name: &str,
    ) -> Result<Option<String>, Unavailable> {
        let name = name.to_owned();
        self.run(move |connection| {
            connection
                .prepare_cached(statement)?
                .query_row(params![kind, name], |row| row.get(0))
                .optional()
        })
        .await
    }

    /// Runs a statement on a thread that may block.
    async fn run<T: Send + 'static>(
        &self,
        statement: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Unavailable> {
        let connection = Arc::clone(&self.0);
        let work = move || statement(&connection.lock().unwrap_or_else(PoisonError::into_inner));
        spawn_blocking(work)
            .await
            .map_err(|error| Unavailable::new(WHAT, error))?
            .map_err(failed)
    }
}

const WHAT: &str = "the SQLite file";
const READ: &str = "SELECT value FROM server_documents WHERE kind = ?1 AND name = ?2";
const INSERT: &str = "INSERT INTO server_documents (kind, name, value, expires_at)
    VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING";
const SWAP: &str = "UPDATE server_documents SET value = ?4, expires_at = ?5
    WHERE kind = ?1 AND name = ?2 AND value = ?3";
const TAKE: &str = "DELETE FROM server_documents WHERE kind = ?1 AND name = ?2 RETURNING value";
const SWEEP: &str = "DELETE FROM server_documents WHERE expires_at <= ?1";

fn failed(error: rusqlite::Error) -> Unavailable {
    Unavailable::new(WHAT, error)
}
