//! Records in Redis, shared between processes.

mod durability;
mod error;
mod options;
mod requirements;

use alloc::string::String;
use alloc::vec::Vec;
use core::{fmt, iter};
use std::io::Write as _;

use redis::aio::ConnectionLike;
use redis::{Cmd, ErrorKind, RedisResult, RedisWrite as _, Script, Value};
use zeroize::Zeroize as _;

pub use durability::{Durability, Replicas, WaitTimeout};
pub use error::RedisError;
pub use options::{RedisOptions, ServerSettings};
use requirements::Requirements;

use super::AsyncRegistrationStore;
use super::lapse::{FARTHEST, MARGIN};
use crate::{Corrupt, Record, Revision, Swap};

/// One swap of one key: what it must hold now, what it is to hold, and when that may go, at the
/// latest so many seconds from now by the server's clock.
///
/// A value is a revision's eight bytes and a record's. Revisions are compared as bytes, since Lua's
/// numbers would round them. An empty argument stands for no record. `SET` takes away the time at
/// which a pending registration would have gone.
const SWAP: &str = "
local stored = redis.call('GET', KEYS[1])
local revision = stored and string.sub(stored, 1, 8)
if revision ~= (ARGV[1] ~= '' and ARGV[1]) then return 0 end
if ARGV[2] == '' then
    redis.call('DEL', KEYS[1])
else
    redis.call('SET', KEYS[1], ARGV[2])
    if ARGV[3] then
        local latest = (redis.call('TIME')[1] + ARGV[4]) * 1000
        redis.call('PEXPIREAT', KEYS[1], math.min(ARGV[3], latest))
    end
end
return 1";

/// Records in Redis, shared between processes: in a server with replicas or without, or a cluster.
///
/// A registration is one key, so a cluster has it in one slot, and a swap is one Lua script (Redis 5
/// or later). Pending registrations expire by themselves, an hour after they lapsed, and 25 hours
/// after they were made at the latest, however far ahead the clock was; active ones never do.
///
/// `C` is an asynchronous connection of the redis crate (1.8), whose further features are yours to
/// choose: a `MultiplexedConnection`, a `ConnectionManager`, which connects anew after a failure, or
/// a `ClusterConnection`. A clone of the store is another handle over the same connection.
///
/// ```no_run
/// use keyfob::{AsyncEngine, Code, Policy, RedisOptions, RedisStore, UnixTime};
///
/// # async fn example(typed: &str, now: UnixTime) -> Result<(), Box<dyn core::error::Error>> {
/// let client = redis::Client::open("redis://127.0.0.1/")?;
/// let connection = client.get_connection_manager().await?;
/// let store = RedisStore::from_connection(connection, &RedisOptions::DEFAULT).await?;
/// let engine = AsyncEngine::new(store, Policy::DEFAULT);
/// engine.authenticate("alice", &Code::parse(typed)?, now).await?;
/// # Ok(())
/// # }
/// ```
///
/// # What a failover can lose
/// Redis answers before its replicas have a write. When one of them takes over, the last writes may
/// be missing: a code that the old primary accepted is **accepted once more**, wrong guesses are not
/// counted, a registration is back that was deleted. A primary that is cut off and doesn't know it
/// goes on accepting, and forgets all of it when it comes back.
///
/// [`Durability`] says what a swap waits for against that. Where replicas are asked for, `WAIT` or
/// `WAITAOF` follows the script on the same connection, and a shortfall is an error: nobody is let
/// in, though the primary has the write, and the code is used up there.
///
/// **After a failover that may have lost writes** call [`fence`](crate::AsyncEngine::fence) for
/// each registration before you serve log-ins again: it burns every step that a code could have been
/// accepted for, so that none is accepted once more. It can't use a recovery code up again. Hence
/// registrations with recovery codes are refused under [`Durability::Memory`]; where writes are on
/// the primary's disk alone and a replica took over, rotate them.
///
/// # Duties of the embedder
/// - **Set every server that may become the primary alike**: as the durability needs it, and
///   `maxmemory-policy noeviction`. Evicting a registration turns a second factor off. Each write
///   asks the server that it goes to for its settings ([`ServerSettings`]), and what doesn't keep
///   its promise is an error: [`RedisError::NotDurable`], [`RedisError::Evicting`].
/// - **Keep it out of your transactions.** Behind a `MULTI` that is sent over the same connection,
///   every call is [`RedisError::InTransaction`], for what is stored and for what isn't. A write is
///   still queued there: `EXEC` makes it, and the code is used up; `DISCARD` doesn't.
/// - **Don't send `SELECT` over the store's connection**: in another database there are no
///   registrations, and that can't be noticed.
/// - **Protect the server as you would the secrets**: its memory, its files and its replicas hold
///   them in the clear unless records are sealed. Use TLS beyond one machine. The redis crate's
///   buffers aren't wiped.
/// - **Give connections a time-out**, longer than that of [`Durability`]. The redis crate's is 500
///   milliseconds.
/// - **Let reads go to the primary.** From a replica, log-ins fail that came too soon after another.
/// - **Keep the clocks of server and embedder within an hour**, or a pending registration may vanish
///   before it lapses.
///
/// # Connections under load
/// `WAIT` and `WAITAOF` hold up whatever follows on their connection until the replicas, or the
/// disk, have caught up. Give the store a connection that nothing else uses, and under load several
/// engines with one each.
///
/// A `ClusterConnection` sends a command again when its answer was lost. If the first one was
/// carried out, the second is a conflict: the right code is then refused as a replay, though nobody
/// was let in. `retries(0)` makes it an error, and the first request to a slot that has moved one too.
///
/// # Dropped requests
/// A request whose future is dropped half-way accepts nothing. What was sent is carried out: the
/// code may be used up, and a failure counted.
#[derive(Clone)]
pub struct RedisStore<C> {
    connection: C,
    prefix: String,
    durability: Durability,
    requirements: Requirements,
    script: Script,
}

impl<C> RedisStore<C> {
    /// The connection, for other uses: mind that waiting holds them up.
    pub const fn connection(&self) -> &C {
        &self.connection
    }

    /// What swaps wait for.
    #[must_use]
    pub const fn durability(&self) -> Durability {
        self.durability
    }

    /// Recovery codes that were used must stay used.
    const fn require_durable_for(&self, next: Option<&Record>) -> Result<(), RedisError> {
        match next {
            Some(next) if next.has_recovery_codes() && !self.durability.survives_a_crash() => {
                Err(RedisError::RecoveryCodes)
            }
            _ => Ok(()),
        }
    }

    /// Adds the key of a registration to a command.
    fn add_key(&self, command: &mut Cmd, id: &str) {
        add_joined(command, self.prefix.as_bytes(), id.as_bytes());
    }

    /// The swap as a call of the script, which is named by its hash or given whole.
    fn swap(
        &self,
        (call, script): (&str, &str),
        id: &str,
        expected: Option<Revision>,
        next: Option<&Record>,
    ) -> Cmd {
        let mut command = redis::cmd(call);
        command.arg(script).arg(1);
        self.add_key(&mut command, id);
        match expected {
            Some(revision) => command.arg(&revision.as_u64().to_be_bytes()),
            None => command.arg(""),
        };
        match next {
            Some(next) => {
                let revision = next.revision().as_u64().to_be_bytes();
                add_joined(&mut command, &revision, next.as_bytes());
                if let Some(expiry) = expiry_milliseconds(next) {
                    command.arg(expiry).arg(FARTHEST);
                }
            }
            None => {
                command.arg("");
            }
        }
        command
    }
}

impl<C: ConnectionLike + Clone> RedisStore<C> {
    /// Keeps registrations over a connection of yours (redis 1.8).
    ///
    /// # Errors
    /// [`RedisError::NotDurable`], [`RedisError::Evicting`] and [`RedisError::SettingsHidden`] for a
    /// server whose settings aren't those that `options` need, or can't be seen;
    /// [`RedisError::NoWaitAof`], and what goes wrong on the way.
    pub async fn from_connection(
        connection: C,
        options: &RedisOptions<'_>,
    ) -> Result<Self, RedisError> {
        requirements::require(&mut connection.clone(), options).await?;
        Ok(Self {
            connection,
            prefix: options.prefix.into(),
            durability: options.durability,
            requirements: Requirements::of(options),
            script: Script::new(SWAP),
        })
    }

    /// Sends a swap, and waits for what the durability asks for.
    async fn carry_out(&self, swap: Cmd) -> Result<Swap, RedisError> {
        let wait = self.durability.wait();
        let does_wait = wait.is_some();
        let commands = iter::once(swap).chain(wait);
        let mut answers = self.send(commands, self.requirements).await?;
        let swap = read_swap(next(&mut answers)?)?;
        if swap == Swap::Stored {
            if does_wait {
                self.durability.require_confirmed(next(&mut answers)?)?;
            }
            self.requirements.require(answers)?;
        }
        Ok(swap)
    }

    /// Sends commands and, in one piece with them, what is asked of the server's settings: behind a
    /// connection that was made anew in between, another server could answer, and `WAIT` would be
    /// told of a connection that has written nothing.
    async fn send(
        &self,
        commands: impl Iterator<Item = Cmd>,
        requirements: Requirements,
    ) -> Result<impl Iterator<Item = RedisResult<Value>>, RedisError> {
        let mut together = redis::pipe();
        for command in commands {
            together.add_command(command);
        }
        requirements.ask(together.ignore_errors());
        let mut connection = self.connection.clone();
        let answers: Vec<RedisResult<Value>> = together.query_async(&mut connection).await?;
        Ok(answers.into_iter())
    }
}

impl<C: ConnectionLike + Clone + Send + Sync> AsyncRegistrationStore for RedisStore<C> {
    type Id = str;
    type Error = RedisError;

    async fn load(&self, id: &str) -> Result<Option<Record>, RedisError> {
        let mut command = redis::cmd("GET");
        self.add_key(&mut command, id);
        let requirements = self.requirements.for_reading();
        let mut answers = self.send(iter::once(command), requirements).await?;
        match next(&mut answers)? {
            Value::Nil => requirements.require(answers).map(|()| None),
            Value::BulkString(mut value) => {
                let record = read_record(&value);
                value.as_mut_slice().zeroize();
                record.map(Some).map_err(RedisError::Corrupt)
            }
            other => Err(unexpected(&other, "GET gave neither bytes nor nothing")),
        }
    }

    async fn compare_and_swap(
        &self,
        id: &str,
        expected: Option<Revision>,
        next: Option<&Record>,
    ) -> Result<Swap, RedisError> {
        self.require_durable_for(next)?;
        let by_hash = ("EVALSHA", self.script.get_hash());
        let answer = self.carry_out(self.swap(by_hash, id, expected, next)).await;
        match answer {
            Err(error) if error.is_unknown_script() => {
                self.carry_out(self.swap(("EVAL", SWAP), id, expected, next))
                    .await
            }
            answer => answer,
        }
    }
}

/// Adds one argument in two parts. To write to a command can't fail.
fn add_joined(command: &mut Cmd, first: &[u8], second: &[u8]) {
    let mut argument = command.writer_for_next_arg();
    let _ = argument.write_all(first);
    let _ = argument.write_all(second);
}

/// When the key may go, in milliseconds of Unix time. A moment beyond Redis's numbers is as good as
/// their last one. Whether a registration has lapsed is the engine's to say, by the embedder's
/// clock, and Redis goes by another: hence the margin.
fn expiry_milliseconds(record: &Record) -> Option<i64> {
    let lapses_at = record.lapses_at()?.saturating_add(MARGIN);
    let milliseconds = lapses_at.as_seconds().saturating_mul(1_000);
    Some(i64::try_from(milliseconds).unwrap_or(i64::MAX))
}

/// The next answer, if it isn't an error.
fn next(answers: &mut impl Iterator<Item = RedisResult<Value>>) -> Result<Value, RedisError> {
    let answer = answers.next();
    Ok(answer.unwrap_or(Ok(Value::Nil))?)
}

fn read_swap(answer: Value) -> Result<Swap, RedisError> {
    match answer {
        Value::Int(0) => Ok(Swap::Conflict),
        Value::Int(1) => Ok(Swap::Stored),
        other => Err(unexpected(&other, "the script gave neither 0 nor 1")),
    }
}

fn read_record(value: &[u8]) -> Result<Record, Corrupt> {
    let (revision, bytes) = value.split_first_chunk().ok_or(Corrupt::Malformed)?;
    Record::from_stored(Revision::from_u64(u64::from_be_bytes(*revision)), bytes)
}

/// What to say of an answer that can't be. In somebody's transaction nothing is carried out at once.
fn unexpected(answer: &Value, problem: &'static str) -> RedisError {
    match answer {
        Value::SimpleString(status) if status == "QUEUED" => RedisError::InTransaction,
        _ => redis::RedisError::from((ErrorKind::UnexpectedReturnType, problem)).into(),
    }
}

/// Shows the options, and nothing of the connection, which may have a password.
impl<C> fmt::Debug for RedisStore<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("prefix", &self.prefix)
            .field("durability", &self.durability)
            .finish_non_exhaustive()
    }
}
