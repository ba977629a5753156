//! What a server must be set to while registrations are kept on it.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::iter;

use redis::aio::ConnectionLike;
use redis::{ErrorKind, Pipeline, RedisResult, ServerErrorKind, Value};

use super::{Durability, RedisError, RedisOptions, ServerSettings};

/// What decides on evicting registrations.
const EVICTION: &str = "maxmemory-policy";

/// A setting, and what it must be.
type Needed = (&'static str, &'static str);

/// The settings that a server is asked for, in one piece with a command: so whichever server carries
/// the command out answers for itself, and as it is set at that time.
#[derive(Clone, Copy)]
pub(super) struct Requirements {
    is_asked: bool,
    disk: &'static [Needed],
}

impl Requirements {
    /// What a write rests on.
    pub(super) const fn of(options: &RedisOptions<'_>) -> Self {
        Self {
            is_asked: matches!(options.settings, ServerSettings::Checked),
            disk: options.durability.settings(),
        }
    }

    /// What a read rests on: a registration that was evicted would seem never to have been.
    pub(super) const fn for_reading(self) -> Self {
        Self { disk: &[], ..self }
    }

    /// Adds the questions to what is sent.
    pub(super) fn ask(self, together: &mut Pipeline) {
        if !self.is_asked {
            return;
        }
        let names = self.disk.iter().map(|(name, _)| *name);
        for name in iter::once(EVICTION).chain(names) {
            together.cmd("CONFIG").arg("GET").arg(name);
        }
    }

    /// Fails unless the answers are those that are needed.
    pub(super) fn require(
        self,
        answers: impl IntoIterator<Item = RedisResult<Value>>,
    ) -> Result<(), RedisError> {
        if !self.is_asked {
            return Ok(());
        }
        let mut answers = answers.into_iter();
        require_no_eviction(setting(EVICTION, answers.next())?)?;
        self.disk.iter().try_for_each(|needed| {
            let found = setting(needed.0, answers.next())?;
            require_setting(*needed, found)
        })
    }
}

/// Fails unless the server can keep what the options promise, as far as it tells.
pub(super) async fn require(
    connection: &mut impl ConnectionLike,
    options: &RedisOptions<'_>,
) -> Result<(), RedisError> {
    let requirements = Requirements::of(options);
    if requirements.is_asked {
        let mut together = redis::pipe();
        requirements.ask(together.ignore_errors());
        let answers: Vec<RedisResult<Value>> = together.query_async(connection).await?;
        requirements.require(answers)?;
    }
    match options.durability {
        Durability::WaitAof { .. } => require_wait_aof(connection).await,
        _ => Ok(()),
    }
}

fn require_no_eviction(maxmemory_policy: String) -> Result<(), RedisError> {
    if maxmemory_policy == "noeviction" || maxmemory_policy.starts_with("volatile-") {
        return Ok(());
    }
    Err(RedisError::Evicting { maxmemory_policy })
}

fn require_setting((setting, needed): Needed, found: String) -> Result<(), RedisError> {
    if found == needed {
        return Ok(());
    }
    Err(RedisError::NotDurable {
        setting,
        needed,
        found,
    })
}

/// The setting of that name in the server's answer; empty where it has none.
fn setting(name: &str, answer: Option<RedisResult<Value>>) -> Result<String, RedisError> {
    let answer = answer.unwrap_or(Ok(Value::Nil)).map_err(hidden)?;
    let settings = redis::from_redis_value::<BTreeMap<String, String>>(answer);
    let mut settings = settings.map_err(redis::RedisError::from)?;
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
