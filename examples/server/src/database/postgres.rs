//! Everything in PostgreSQL, over one pool.

use std::time::Duration;

use deadpool_postgres::{
    Client, Manager, ManagerConfig, Pool, PoolError, RecyclingMethod, Runtime,
};
use keyfob::{PostgresClients, PostgresStore, UnixTime};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Config, NoTls, Row, Statement};

use super::documents::seconds;
use super::{Documents, Records};
use crate::error::Unavailable;

const CONNECTIONS: usize = 16;
const WAIT: Duration = Duration::from_secs(10);

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS server_documents (
        kind text NOT NULL,
        name bytea NOT NULL,
        value text NOT NULL,
        expires_at bigint,
        PRIMARY KEY (kind, name)
    );
    CREATE INDEX IF NOT EXISTS server_documents_expiry
        ON server_documents (expires_at) WHERE expires_at IS NOT NULL;";

pub(super) async fn open(url: &str) -> Result<(Records, Documents), Unavailable> {
    let pool = pool(url)?;
    let store = PostgresStore::connect(Clients(pool.clone())).await;
    let store = store.map_err(|error| Unavailable::new(WHAT, error))?;
    let table = Table(pool);
    table.make().await?;
    Ok((Records::Postgres(store), Documents::Postgres(table)))
}

fn pool(url: &str) -> Result<Pool, Unavailable> {
    let config: Config = url
        .parse()
        .map_err(|error| Unavailable::new("the URL of the database", error))?;
    let recycling_method = RecyclingMethod::Fast;
    let manager = Manager::from_config(config, NoTls, ManagerConfig { recycling_method });
    Pool::builder(manager)
        .max_size(CONNECTIONS)
        .wait_timeout(Some(WAIT))
        .create_timeout(Some(WAIT))
        .runtime(Runtime::Tokio1)
        .build()
        .map_err(|error| Unavailable::new(WHAT, error))
}

/// A pool as keyfob's clients: a trait of keyfob's, so the pool needs a name of ours.
pub(crate) struct Clients(Pool);

impl PostgresClients for Clients {
    type Client = Client;
    type Error = PoolError;

    async fn client(&self) -> Result<Client, PoolError> {
        self.0.get().await
    }

    fn borrow(client: &Client) -> &tokio_postgres::Client {
        client
    }

    async fn prepared(
        client: &Client,
        statement: &'static str,
    ) -> Result<Option<Statement>, tokio_postgres::Error> {
        client.prepare_cached(statement).await.map(Some)
    }
}

/// The table of documents.
pub(crate) struct Table(Pool);

impl Table {
    /// Makes the table. Of processes that start at once all but one may find it half made.
    async fn make(&self) -> Result<(), Unavailable> {
        let client = self.0.get().await.map_err(no_client)?;
        match client.batch_execute(SCHEMA).await {
            Err(error) if is_made_by_another(&error) => client.batch_execute(SCHEMA).await,
            made => made,
        }
        .map_err(failed)
    }

    pub(super) async fn read(
        &self,
        kind: &'static str,
        name: &str,
    ) -> Result<Option<String>, Unavailable> {
        self.value(READ, &[&kind, &name.as_bytes()]).await
    }

    pub(super) async fn insert(
        &self,
        kind: &'static str,
        name: &str,
        value: &str,
        expires_at: Option<UnixTime>,
    ) -> Result<bool, Unavailable> {
        let expires_at = expires_at.map(seconds);
        self.changes(INSERT, &[&kind, &name.as_bytes(), &value, &expires_at])
            .await
    }

    pub(super) async fn swap(
        &self,
        kind: &'static str,
        name: &str,
        before: &str,
        after: &str,
        expires_at: Option<UnixTime>,
    ) -> Result<bool, Unavailable> {
        let expires_at = expires_at.map(seconds);
        let name = name.as_bytes();
        self.changes(SWAP, &[&kind, &name, &before, &after, &expires_at])
            .await
    }

    pub(super) async fn take(
        &self,
        kind: &'static str,
        name: &str,
    ) -> Result<Option<String>, Unavailable> {
        self.value(TAKE, &[&kind, &name.as_bytes()]).await
    }

    pub(super) async fn sweep(&self, now: UnixTime) -> Result<(), Unavailable> {
        self.changes(SWEEP, &[&seconds(now)]).await.map(|_| ())
    }

    /// The value of the one row that a statement gives.
    async fn value(
        &self,
        statement: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Option<String>, Unavailable> {
        let client = self.0.get().await.map_err(no_client)?;
        let statement = client.prepare_cached(statement).await.map_err(failed)?;
        let row: Option<Row> = client
            .query_opt(&statement, parameters)
            .await
            .map_err(failed)?;
        row.map(|row| row.try_get(0).map_err(failed)).transpose()
    }

    /// Whether a statement changed a row.
    async fn changes(
        &self,
        statement: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<bool, Unavailable> {
        let client = self.0.get().await.map_err(no_client)?;
        let statement = client.prepare_cached(statement).await.map_err(failed)?;
        let rows = client
            .execute(&statement, parameters)
            .await
            .map_err(failed)?;
        Ok(rows > 0)
    }
}

const WHAT: &str = "PostgreSQL";
const READ: &str = "SELECT value FROM server_documents WHERE kind = $1 AND name = $2";
const INSERT: &str = "INSERT INTO server_documents (kind, name, value, expires_at)
    VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
const SWAP: &str = "UPDATE server_documents SET value = $4, expires_at = $5
    WHERE kind = $1 AND name = $2 AND value = $3";
const TAKE: &str = "DELETE FROM server_documents WHERE kind = $1 AND name = $2 RETURNING value";
const SWEEP: &str = "DELETE FROM server_documents WHERE expires_at <= $1";

fn is_made_by_another(error: &tokio_postgres::Error) -> bool {
    [
        SqlState::UNIQUE_VIOLATION,
        SqlState::DUPLICATE_TABLE,
        SqlState::DUPLICATE_OBJECT,
    ]
    .iter()
    .any(|state| error.code() == Some(state))
}

fn no_client(error: PoolError) -> Unavailable {
    Unavailable::new(WHAT, error)
}

fn failed(error: tokio_postgres::Error) -> Unavailable {
    Unavailable::new(WHAT, error)
}
