//! Everything in PostgreSQL, over one pool.

use std::time::Duration;

use deadpool_postgres::{
    Client, Manager, ManagerConfig, Pool, PoolError, RecyclingMethod, Runtime,
};
use keyfob::{PostgresClients, PostgresStore, UnixTime};
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Config, NoTls, Row, Statement};

use super::documents::seconds;
use super::{Authorities, Documents, Records, warn_if_in_clear};
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

pub(super) async fn open(
    url: &str,
    authorities: &Authorities,
) -> Result<(Records, Documents), Unavailable> {
    let pool = pool(url, authorities)?;
    let store = PostgresStore::connect(Clients(pool.clone())).await;
    let store = store.map_err(|error| Unavailable::new(WHAT, error))?;
    let table = Table(pool);
    table.make().await?;
    Ok((Records::Postgres(store), Documents::Postgres(table)))
}

fn pool(url: &str, authorities: &Authorities) -> Result<Pool, Unavailable> {
    let (url, is_encrypted) = take_sslmode(url)?;
    let mut config: Config = url.parse().map_err(|error| Unavailable::new(URL, error))?;
    let recycling = ManagerConfig {
        recycling_method: RecyclingMethod::Fast,
    };
    let manager = if is_encrypted {
        config.ssl_mode(SslMode::Require);
        Manager::from_config(config, authorities.connector()?, recycling)
    } else {
        config.ssl_mode(SslMode::Disable);
        authorities.require_none("sslmode=verify-full")?;
        warn_of_hosts(&config);
        Manager::from_config(config, NoTls, recycling)
    };
    Pool::builder(manager)
        .max_size(CONNECTIONS)
        .wait_timeout(Some(WAIT))
        .create_timeout(Some(WAIT))
        .runtime(Runtime::Tokio1)
        .build()
        .map_err(|error| Unavailable::new(WHAT, error))
}

/// The URL without its `sslmode`, and whether that asks for TLS. tokio-postgres knows other modes than
/// libpq does; here each that encrypts checks the certificate and the name.
fn take_sslmode(url: &str) -> Result<(String, bool), Unavailable> {
    let (place, query) = url.split_once('?').unwrap_or((url, ""));
    let (modes, others): (Vec<_>, Vec<_>) = query
        .split('&')
        .filter(|option| !option.is_empty())
        .partition(|option| option.starts_with("sslmode="));
    if others
        .iter()
        .any(|option| option.starts_with("sslrootcert="))
    {
        let cause = "sslrootcert isn't read: name the file by --database-ca";
        return Err(Unavailable::new(URL, cause));
    }
    let is_encrypted = match modes.as_slice() {
        [] | ["sslmode=disable"] => false,
        ["sslmode=require" | "sslmode=verify-ca" | "sslmode=verify-full"] => true,
        _ => {
            let cause = "this sslmode protects nobody: give verify-full, or disable";
            return Err(Unavailable::new(URL, cause));
        }
    };
    Ok((format!("{place}?{}", others.join("&")), is_encrypted))
}

fn warn_of_hosts(config: &Config) {
    for host in config.get_hosts() {
        if let Host::Tcp(host) = host {
            warn_if_in_clear(host, "add sslmode=verify-full to its URL");
        }
    }
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
const URL: &str = "reading the URL of the database";
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_says_whether_to_encrypt() {
        let take = |url: &str| take_sslmode(url).ok();
        let plain = "postgres://h/d?user=u".to_owned();
        for mode in ["", "&sslmode=disable"] {
            assert_eq!(
                take(&format!("{plain}{mode}")),
                Some((plain.clone(), false))
            );
        }
        for mode in ["require", "verify-ca", "verify-full"] {
            let url = format!("postgres://h/d?sslmode={mode}&user=u");
            assert_eq!(take(&url), Some((plain.clone(), true)));
        }
        for odd in [
            "sslmode=prefer",
            "sslmode=allow",
            "sslmode=",
            "sslrootcert=a",
            "sslmode=disable&sslmode=require",
        ] {
            assert_eq!(take(&format!("postgres://h/d?{odd}")), None, "{odd}");
        }
    }
}
