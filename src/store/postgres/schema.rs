//! keyfob's tables, and what brings them up to date.

use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use super::ATTEMPTS;
use super::error::PostgresError;

/// What brings the tables from one version to the next, oldest first.
///
/// Each is one transaction in PostgreSQL. Elsewhere it may be cut off between two statements, so
/// each can be run again over any part of itself, and notes its version last.
///
/// An id is kept as bytes: they are compared as they are, whatever the database's collation and
/// encoding, and an update of the system's collations can't hide a row. `lapses_at` is in seconds
/// of Unix time, and null unless the registration is pending.
const MIGRATIONS: [&str; 1] = ["
    CREATE TABLE IF NOT EXISTS keyfob_schema (version BIGINT NOT NULL PRIMARY KEY);
    CREATE TABLE IF NOT EXISTS keyfob_registrations (
        id BYTEA NOT NULL PRIMARY KEY,
        revision BIGINT NOT NULL,
        record BYTEA NOT NULL,
        lapses_at BIGINT
    );
    CREATE INDEX IF NOT EXISTS keyfob_pending ON keyfob_registrations (lapses_at)
        WHERE lapses_at IS NOT NULL;
    INSERT INTO keyfob_schema (version) VALUES (1);
"];

const HAS_SCHEMA: &str = "SELECT to_regclass('keyfob_schema') IS NOT NULL";
const VERSION: &str = "SELECT coalesce(max(version), 0) FROM keyfob_schema";

/// Brings the tables up to date, while others may be doing the same.
///
/// Of those who do it at the same time one wins, and the others fail on what it made. They look
/// again then. No lock is needed for that, which not every such database has.
pub(super) async fn migrate<E>(client: &Client) -> Result<(), PostgresError<E>> {
    let mut others = 1..ATTEMPTS;
    loop {
        match migrate_alone(client).await {
            Err(error) if is_forestalled(&error) && others.next().is_some() => {}
            outcome => return outcome,
        }
    }
}

async fn migrate_alone<E>(client: &Client) -> Result<(), PostgresError<E>> {
    let found = version(client).await?;
    for migration in MIGRATIONS.iter().skip(found) {
        client.batch_execute(migration).await?;
    }
    Ok(())
}

/// Whether somebody else has just made what the statements wanted to make.
fn is_forestalled<E>(error: &PostgresError<E>) -> bool {
    let codes = [
        SqlState::UNIQUE_VIOLATION,
        SqlState::DUPLICATE_TABLE,
        SqlState::DUPLICATE_OBJECT,
    ];
    match error {
        PostgresError::Busy(_) => true,
        PostgresError::Database(error) => error.code().is_some_and(|code| codes.contains(code)),
        _ => false,
    }
}

/// The version of the tables; 0 where there are none.
async fn version<E>(client: &Client) -> Result<usize, PostgresError<E>> {
    let has_schema = client.query_typed_one(HAS_SCHEMA, &[]).await?;
    if !has_schema.try_get(0)? {
        return Ok(0);
    }
    let found = client.query_typed_one(VERSION, &[]).await?.try_get(0)?;
    match usize::try_from(found) {
        Ok(known) if known <= MIGRATIONS.len() => Ok(known),
        _ => Err(PostgresError::Schema { found }),
    }
}
