//! Records in Redis, shared between processes.

mod durability;
mod error;
mod options;
mod requirements;

use alloc::string::String;
use core::fmt;
use std::io::Write as _;

use redis::aio::ConnectionLike;
use redis::{Cmd, ErrorKind, RedisResult, RedisWrite as _, Script, Value};
use zeroize::Zeroize as _;

pub use durability::{Durability, Replicas, WaitTimeout};
pub use error::RedisError;
pub use options::{RedisOptions, ServerSettings};

use super::AsyncRegistrationStore;
use crate::{Corrupt, Record, Revision, Swap};

/// One swap of one key: what it must hold now, what it is to hold, and when that may go.
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
    if ARGV[3] then redis.call('PEXPIREAT', KEYS[1], ARGV[3]) end
end
return 1";

/// How long after its end a pending registration is kept: whether it has lapsed is the engine's to
/// say, by the embedder's clock, and Redis goes by another.
const MARGIN_SECONDS: u64 = 3_600;

/// Records in Redis, shared between processes: in a server with replicas or without, or a cluster.
///
/// A registration is one key, so a cluster has it in one slot, and a swap is one Lua script. Pending
/// registrations expire by themselves, an hour after they lapsed; active ones never do.
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
///   `maxmemory-policy noeviction`. Evicting a registration turns a second factor off.
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
                command.arg(expiry_milliseconds(next));
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
            script: Script::new(SWAP),
        })
    }

    /// Sends a swap, and waits for what the durability asks for.
    async fn carry_out(&self, swap: Cmd) -> Result<Swap, RedisError> {
        let mut connection = self.connection.clone();
        let Some(wait) = self.durability.wait() else {
            return read_swap(swap.query_async(&mut connection).await?);
        };
        // In one piece: behind a connection that was made anew in between, the server would answer
        // for a connection that has written nothing.
        let mut together = redis::pipe();
        together.add_command(swap).add_command(wait).ignore_errors();
        let answers = together.query_async(&mut connection).await?;
        let (swapped, waited): (RedisResult<i64>, RedisResult<Value>) = answers;
        let swap = read_swap(swapped?)?;
        if swap == Swap::Stored {
            self.durability.require_confirmed(waited?)?;
        }
        Ok(swap)
    }
}

impl<C: ConnectionLike + Clone + Send + Sync> AsyncRegistrationStore for RedisStore<C> {
    type Id = str;
    type Error = RedisError;

    async fn load(&self, id: &str) -> Result<Option<Record>, RedisError> {
        let mut command = redis::cmd("GET");
        self.add_key(&mut command, id);
        match command.query_async(&mut self.connection.clone()).await? {
            Value::Nil => Ok(None),
            Value::BulkString(mut value) => {
                let record = read_record(&value);
                value.as_mut_slice().zeroize();
                record.map(Some).map_err(RedisError::Corrupt)
            }
            _ => Err(unexpected("GET gave neither bytes nor nothing")),
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

/// When the key may go, in milliseconds of Unix time. A moment beyond Redis's numbers won't come.
fn expiry_milliseconds(record: &Record) -> Option<i64> {
    let lapses_at = record.lapses_at()?.saturating_add(MARGIN_SECONDS);
    let milliseconds = lapses_at.as_seconds().checked_mul(1_000)?;
    i64::try_from(milliseconds).ok()
}

fn read_swap(answer: i64) -> Result<Swap, RedisError> {
    match answer {
        0 => Ok(Swap::Conflict),
        1 => Ok(Swap::Stored),
        _ => Err(unexpected("the script gave neither 0 nor 1")),
    }
}

fn read_record(value: &[u8]) -> Result<Record, Corrupt> {
    let (revision, bytes) = value.split_first_chunk().ok_or(Corrupt::Malformed)?;
    Record::from_stored(Revision::from_u64(u64::from_be_bytes(*revision)), bytes)
}

fn unexpected(answer: &'static str) -> RedisError {
    redis::RedisError::from((ErrorKind::UnexpectedReturnType, answer)).into()
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
