//! What a server must be set to before registrations are kept on it.

use alloc::collections::BTreeMap;
use alloc::string::String;

use redis::aio::ConnectionLike;
use redis::{ErrorKind, ServerErrorKind, Value};

use super::{Durability, RedisError, RedisOptions, ServerSettings};

/// Fails unless the server can keep what the options promise, as far as it tells.
pub(super) async fn require(
    connection: &mut impl ConnectionLike,
    options: &RedisOptions<'_>,
) -> Result<(), RedisError> {
    if options.settings == ServerSettings::Checked {
        require_no_eviction(connection).await?;
        require_log(connection, options.durability).await?;
    }
    match options.durability {
        Durability::WaitAof { .. } => require_wait_aof(connection).await,
        _ => Ok(()),
    }
}

async fn require_no_eviction(connection: &mut impl ConnectionLike) -> Result<(), RedisError> {
    let maxmemory_policy = setting(connection, "maxmemory-policy").await?;
    if maxmemory_policy == "noeviction" || maxmemory_policy.starts_with("volatile-") {
        return Ok(());
    }
    Err(RedisError::Evicting { maxmemory_policy })
}

/// Fails unless the server writes to disk what the durability rests on.
async fn require_log(
    connection: &mut impl ConnectionLike,
    durability: Durability,
) -> Result<(), RedisError> {
    for &(setting, needed) in durability.settings() {
        let found = self::setting(connection, setting).await?;
        if found != needed {
            return Err(RedisError::NotDurable {
                setting,
                needed,
                found,
            });
        }
    }
    Ok(())
}

/// The server's setting of that name; empty where there is none.
async fn setting(connection: &mut impl ConnectionLike, name: &str) -> Result<String, RedisError> {
    let mut question = redis::cmd("CONFIG");
    question.arg("GET").arg(name);
    let answer = question.query_async::<BTreeMap<String, String>>(connection);
    let mut settings = answer.await.map_err(hidden)?;
    Ok(settings.remove(name).unwrap_or_default())
}

/// Managed servers don't know `CONFIG`, or don't permit it.
fn hidden(error: redis::RedisError) -> RedisError {
    use ServerErrorKind::{NoPerm, ResponseError};
    match error.kind() {
        ErrorKind::Server(NoPerm | ResponseError) => RedisError::SettingsHidden(error),
        _ => error.into(),
    }
}

async fn require_wait_aof(connection: &mut impl ConnectionLike) -> Result<(), RedisError> {
    let mut wait = redis::cmd("WAITAOF");
    wait.arg(1).arg(0).arg(1); // whether it is there, and not what it says
    let answer = wait.query_async::<Value>(connection).await;
    answer.map(drop).map_err(|error| match error.detail() {
        Some(detail) if detail.starts_with("unknown command") => RedisError::NoWaitAof(error),
        _ => error.into(),
    })
}
