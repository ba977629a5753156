//! Throwaway databases, by the same means as the library's tests.
#![allow(dead_code)] // the servers can more than is needed here
#![allow(clippy::duplicate_mod)] // both have their own directory

#[path = "../../../../tests/support/directory.rs"]
mod directory;
#[path = "../../../../tests/support/postgres.rs"]
mod postgres_server;
#[path = "../../../../tests/support/redis.rs"]
mod redis_server;

/// A database, which ends when it is dropped.
pub(crate) struct Database<S> {
    pub(crate) url: String,
    server: S,
}

impl Database<postgres_server::Server> {
    /// Runs statements in it.
    pub(crate) fn run(&self, statements: &str) {
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let client = postgres_server::connect(&self.server.config()).await;
            client.batch_execute(statements).await.expect(statements);
        });
    }
}

/// `None`, and a word about it, where there is no PostgreSQL.
pub(crate) fn postgres() -> Option<Database<postgres_server::Server>> {
    let server = postgres_server::Server::start(&[])?;
    let socket = server.socket();
    let host = socket.parent()?.display();
    let url = format!("postgresql:///postgres?user=keyfob&host={host}");
    Some(Database { url, server })
}

/// `None`, and a word about it, where there is no Redis.
pub(crate) fn redis() -> Option<Database<impl Sized>> {
    redis_with(&[])
}

/// The same with further options.
pub(crate) fn redis_with(options: &[&str]) -> Option<Database<impl Sized + use<>>> {
    let server = redis_server::Server::start_durable(options)?;
    let url = format!("redis://127.0.0.1:{}/", server.port());
    Some(Database { url, server })
}
