//! Everything in Redis: registrations over one connection, which waits for the disk, and documents
//! over another.

use std::time::Duration;

use ::redis::aio::{ConnectionManager, ConnectionManagerConfig};
use ::redis::{
    Client, Cmd, ConnectionAddr, FromRedisValue, RedisError, Script, TlsCertificates, cmd,
};
use keyfob::{RedisOptions, RedisStore, UnixTime};

use super::documents::seconds;
use super::{Authorities, Documents, Records, warn_if_in_clear};
use crate::error::Unavailable;

/// A start that can't be is told at once; whoever asks later asks again by themselves.
const RETRIES: usize = 1;
const TIMEOUT: Duration = Duration::from_secs(5);
const REGISTRATIONS: &str = "keyfob:*"; // the prefix of `RedisOptions::DEFAULT`

pub(super) async fn open(
    url: &str,
    authorities: &Authorities,
) -> Result<(Records, Documents), Unavailable> {
    let client = client(url, authorities)?;
    let options = RedisOptions::DEFAULT;
    let store = RedisStore::from_connection(connect(&client).await?, &options)
        .await
        .map_err(|error| Unavailable::new(WHAT, error))?;
    let keys = Keys {
        connection: connect(&client).await?,
        swap: Script::new(SWAP),
    };
    Ok((Records::Redis(store), Documents::Redis(keys)))
}

/// A client that encrypts where the URL begins with `rediss://`.
fn client(url: &str, authorities: &Authorities) -> Result<Client, Unavailable> {
    let client = Client::open(url).map_err(failed)?;
    match client.get_connection_info().addr() {
        ConnectionAddr::TcpTls { insecure: true, .. } => {
            let cause = "#insecure checks no certificate: name the authority by --database-ca";
            return Err(Unavailable::new(WHAT, cause));
        }
        ConnectionAddr::TcpTls { .. } => {}
        other => {
            authorities.require_none("rediss://")?;
            if let ConnectionAddr::Tcp(host, _) = other {
                warn_if_in_clear(host, "let its URL begin with rediss://");
            }
            return Ok(client);
        }
    }
    let certificates = TlsCertificates {
        client_tls: None,
        root_cert: authorities.pem()?,
    };
    Client::build_with_tls(url, certificates).map_err(failed)
}

async fn connect(client: &Client) -> Result<ConnectionManager, Unavailable> {
    let config = ConnectionManagerConfig::new()
        .set_number_of_retries(RETRIES)
        .set_response_timeout(Some(TIMEOUT))
        .set_connection_timeout(Some(TIMEOUT));
    client
        .get_connection_manager_with_config(config)
        .await
        .map_err(failed)
}

/// How many registrations there are: Redis is asked for all its keys, some at a time.
pub(super) async fn count(mut connection: ConnectionManager) -> Result<u64, RedisError> {
    let (mut cursor, mut count) = (0_u64, 0);
    loop {
        let mut scan = cmd("SCAN");
        scan.arg(cursor)
            .arg("MATCH")
            .arg(REGISTRATIONS)
            .arg("COUNT")
            .arg(1_000);
        let (next, keys): (u64, Vec<String>) = scan.query_async(&mut connection).await?;
        count += keys.len() as u64;
        cursor = next;
        if cursor == 0 {
            return Ok(count);
        }
    }
}

/// One key a document. Redis itself forgets what expires.
pub(crate) struct Keys {
    connection: ConnectionManager,
    swap: Script,
}

impl Keys {
    pub(super) async fn read(
        &self,
        kind: &'static str,
        name: &str,
    ) -> Result<Option<String>, Unavailable> {
        self.ask(cmd("GET").arg(key(kind, name))).await
    }

    pub(super) async fn insert(
        &self,
        kind: &'static str,
        name: &str,
        value: &str,
        expires_at: Option<UnixTime>,
    ) -> Result<bool, Unavailable> {
        let mut set = cmd("SET");
        set.arg(key(kind, name)).arg(value).arg("NX");
        if let Some(time) = expires_at {
            set.arg("EXAT").arg(seconds(time));
        }
        let answer: Option<String> = self.ask(&set).await?;
        Ok(answer.is_some())
    }

    pub(super) async fn swap(
        &self,
        kind: &'static str,
        name: &str,
        before: &str,
        after: &str,
        expires_at: Option<UnixTime>,
    ) -> Result<bool, Unavailable> {
        self.swap
            .key(key(kind, name))
            .arg(before)
            .arg(after)
            .arg(expires_at.map_or(0, seconds))
            .invoke_async(&mut self.connection.clone())
            .await
            .map_err(failed)
    }

    pub(super) async fn take(
        &self,
        kind: &'static str,
        name: &str,
    ) -> Result<Option<String>, Unavailable> {
        self.ask(cmd("GETDEL").arg(key(kind, name))).await
    }

    #[allow(clippy::unused_async)] // the other databases wait here
    pub(super) async fn sweep(&self, _: UnixTime) -> Result<(), Unavailable> {
        Ok(())
    }

    async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, Unavailable> {
        command
            .query_async(&mut self.connection.clone())
            .await
            .map_err(failed)
    }
}

const WHAT: &str = "Redis";

/// Changes a value if it is what it was, and says when it expires.
const SWAP: &str = "
    if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
    redis.call('SET', KEYS[1], ARGV[2])
    if ARGV[3] ~= '0' then redis.call('EXPIREAT', KEYS[1], ARGV[3]) end
    return 1";

fn key(kind: &str, name: &str) -> String {
    format!("server:{kind}:{name}")
}

fn failed(error: RedisError) -> Unavailable {
    Unavailable::new(WHAT, error)
}
