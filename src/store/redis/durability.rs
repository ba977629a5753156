//! What a swap waits for before it counts as stored.

use core::num::NonZeroU8;

use redis::{Cmd, Value};

use super::RedisError;

/// What a swap waits for before it is [`Swap::Stored`](crate::Swap::Stored), and so what may happen
/// without a code being accepted twice.
///
/// | | a crash, a power cut | a failover to a replica |
/// |---|---|---|
/// | `Memory` | loses what the disk doesn't have | loses the last writes |
/// | `Memory` with replicas | the same, unless a replica takes over | loses nothing (*) |
/// | `AppendFsyncAlways` | loses nothing | loses the last writes |
/// | `AppendFsyncAlways` with replicas | loses nothing | loses nothing (*) |
/// | `WaitAof` | loses nothing | loses nothing (*), though the replicas crash as well |
///
/// (*) If only replicas that confirmed the write can take over: ask for as many as there are. Of
/// fewer, whoever chooses the new primary may take one that lacks the write.
///
/// What was lost, [`fence`](crate::AsyncEngine::fence) closes; see [`RedisStore`](super::RedisStore).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Durability {
    /// The primary's memory, and that of `replicas` (`WAIT`).
    ///
    /// Registrations with recovery codes are refused
    /// ([`RedisError::RecoveryCodes`]): a step that was forgotten can be fenced, a used recovery
    /// code can't.
    Memory {
        /// The replicas that must have a write too.
        replicas: Option<Replicas>,
    },
    /// The primary's disk: the server has `appendonly yes`, `appendfsync always` and
    /// `no-appendfsync-on-rewrite no`, and so has every one that may take over. It answers when the
    /// disk has the write. Any version of Redis.
    AppendFsyncAlways {
        /// The replicas that must have a write in their memory too (`WAIT`).
        replicas: Option<Replicas>,
    },
    /// The primary's disk and those of `replicas`, 0 for a server without any (`WAITAOF`, since
    /// Redis 7.2). The servers have `appendonly yes`; with `appendfsync everysec` a swap waits up to
    /// a second or two.
    WaitAof {
        /// How many replicas must have a write on their disks.
        replicas: u8,
        /// How long they have time.
        timeout: WaitTimeout,
    },
}

/// The replicas that must confirm a write before it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replicas {
    /// How many.
    pub count: NonZeroU8,
    /// How long they have time.
    pub timeout: WaitTimeout,
}

impl Replicas {
    /// So many replicas, within [`WaitTimeout::DEFAULT`]; `None` for 0.
    ///
    /// ```
    /// use keyfob::{Durability, Replicas};
    ///
    /// const DURABILITY: Durability = Durability::AppendFsyncAlways {
    ///     replicas: Some(Replicas::new(2).unwrap()),
    /// };
    /// ```
    #[must_use]
    pub const fn new(count: u8) -> Option<Self> {
        match NonZeroU8::new(count) {
            None => None,
            Some(count) => Some(Self {
                count,
                timeout: WaitTimeout::DEFAULT,
            }),
        }
    }
}

/// How long a server waits for a confirmation: 1 to 60,000 milliseconds.
///
/// The connection's own time-out must be longer: the redis crate's is 500 milliseconds, unless it is
/// set otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WaitTimeout(u16);

impl WaitTimeout {
    /// 300 milliseconds.
    pub const DEFAULT: Self = Self(300);

    /// So many milliseconds; `None` unless it is 1 to 60,000. (To Redis, 0 is for ever.)
    #[must_use]
    pub const fn from_milliseconds(milliseconds: u16) -> Option<Self> {
        if milliseconds == 0 || milliseconds > 60_000 {
            return None;
        }
        Some(Self(milliseconds))
    }

    /// The milliseconds.
    #[must_use]
    pub const fn as_milliseconds(self) -> u16 {
        self.0
    }
}

impl Default for WaitTimeout {
    /// [`WaitTimeout::DEFAULT`].
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Durability {
    /// Whether what is stored outlives a crash, so that recovery codes may be kept.
    pub(super) const fn survives_a_crash(self) -> bool {
        !matches!(self, Self::Memory { .. })
    }

    /// The server's settings that it rests on, and what they must be.
    pub(super) const fn settings(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Memory { .. } => &[],
            Self::AppendFsyncAlways { .. } => &[
                ("appendonly", "yes"),
                ("appendfsync", "always"),
                // Otherwise it isn't always, after all.
                ("no-appendfsync-on-rewrite", "no"),
            ],
            Self::WaitAof { .. } => &[("appendonly", "yes")],
        }
    }

    /// What is to be sent right behind a write, on the same connection.
    pub(super) fn wait(self) -> Option<Cmd> {
        match self {
            Self::Memory { replicas } | Self::AppendFsyncAlways { replicas } => {
                let Replicas { count, timeout } = replicas?;
                let mut wait = redis::cmd("WAIT");
                wait.arg(count.get()).arg(timeout.0);
                Some(wait)
            }
            Self::WaitAof { replicas, timeout } => {
                let mut wait = redis::cmd("WAITAOF");
                wait.arg(1).arg(replicas).arg(timeout.0);
                Some(wait)
            }
        }
    }

    /// Fails unless the answer to [`wait`](Self::wait) is that enough have the write.
    pub(super) fn require_confirmed(self, answer: Value) -> Result<(), RedisError> {
        match self {
            Self::Memory { replicas } | Self::AppendFsyncAlways { replicas } => {
                let asked = replicas.map_or(0, |replicas| replicas.count.get());
                require_replicas(asked, redis::from_redis_value(answer).map_err(unreadable)?)
            }
            Self::WaitAof { replicas, .. } => {
                let (disks, confirmed): (i64, i64) =
                    redis::from_redis_value(answer).map_err(unreadable)?;
                if disks < 1 {
                    return Err(RedisError::NotOnDisk);
                }
                require_replicas(replicas, confirmed)
            }
        }
    }
}

fn require_replicas(asked: u8, confirmed: i64) -> Result<(), RedisError> {
    if confirmed >= i64::from(asked) {
        return Ok(());
    }
    Err(RedisError::TooFewReplicas { asked, confirmed })
}

fn unreadable(error: redis::ParsingError) -> RedisError {
    redis::RedisError::from(error).into()
}
