//! Where a store's clients come from: one of the embedder's, or any pool.

use alloc::sync::Arc;
use core::convert::Infallible;
use core::future::{Future, ready};

use tokio_postgres::{Client, Error, Statement};

/// Where a [`PostgresStore`](super::PostgresStore) gets a client for each statement: an
/// `Arc<Client>`, a `&Client`, or a pool of yours.
///
/// One client carries out one statement after the other, so that few people can log in at the same
/// time, and nobody once its connection is lost. A pool has many, and makes new ones. For
/// deadpool-postgres:
///
/// ```
/// use deadpool_postgres::{Client, Pool, PoolError};
/// use keyfob::PostgresClients;
/// use tokio_postgres::{Error, Statement};
///
/// struct Clients(Pool);
///
/// impl PostgresClients for Clients {
///     type Client = Client;
///     type Error = PoolError;
///
///     async fn client(&self) -> Result<Client, PoolError> {
///         self.0.get().await
///     }
///
///     fn borrow(client: &Client) -> &tokio_postgres::Client {
///         client
///     }
///
///     async fn prepared(
///         client: &Client,
///         statement: &'static str,
///     ) -> Result<Option<Statement>, Error> {
///         client.prepare_cached(statement).await.map(Some)
///     }
/// }
/// ```
///
/// # Duties of the implementer
/// - **Every client reaches the same tables**: the same primary server, database and `search_path`.
///   Otherwise a code would be accepted once in each of them.
/// - **No client is inside a transaction**, nor borrowed from one
///   ([`Transaction::client`](tokio_postgres::Transaction::client)). A pool takes a client back
///   only when its transaction has ended. What is asked on one that isn't is refused
///   ([`PostgresError::InTransaction`](super::PostgresError::InTransaction)).
pub trait PostgresClients {
    /// A client, given back when it is dropped.
    type Client: Send + Sync;
    /// Why there is none now.
    type Error: Send;

    /// A client for one statement.
    fn client(&self) -> impl Future<Output = Result<Self::Client, Self::Error>> + Send;

    /// The client itself.
    fn borrow(client: &Self::Client) -> &Client;

    /// The statement, prepared on this client and kept for the next time, as the server then has
    /// much less to do: a log-in has two statements and their marks, and there are eight in all.
    ///
    /// `None`, unless you say otherwise: the statement is read and planned each time. It needs
    /// nothing that stays on a connection, so it is right behind a pooler that shares connections
    /// between transactions. Prepared statements are only if the pooler knows of them, as PgBouncer
    /// does from 1.21 on with `max_prepared_statements`.
    ///
    /// # Errors
    /// What the database finds wrong with it.
    fn prepared(
        client: &Self::Client,
        statement: &'static str,
    ) -> impl Future<Output = Result<Option<Statement>, Error>> + Send {
        let _ = (client, statement);
        ready(Ok(None))
    }
}

impl PostgresClients for Arc<Client> {
    type Client = Self;
    type Error = Infallible;

    async fn client(&self) -> Result<Self, Infallible> {
        Ok(Self::clone(self))
    }

    fn borrow(client: &Self) -> &Client {
        client
    }
}

impl PostgresClients for &Client {
    type Client = Self;
    type Error = Infallible;

    async fn client(&self) -> Result<Self, Infallible> {
        Ok(*self)
    }

    fn borrow(client: &Self) -> &Client {
        client
    }
}
