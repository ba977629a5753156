//! Why Redis didn't do what was asked.

use alloc::string::String;
use core::fmt;

use crate::Corrupt;

/// Why Redis didn't do what was asked. Whether a write was stored isn't known then, except where it
/// says so.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum RedisError {
    /// The connection failed, or there was no answer in time.
    Connection(redis::RedisError),
    /// Fewer replicas than asked for confirmed a write in time. The primary has it.
    TooFewReplicas {
        /// How many were asked for.
        asked: u8,
        /// How many confirmed it.
        confirmed: i64,
    },
    /// The primary's disk didn't have a write in time. Its memory has it.
    NotOnDisk,
    /// The server is a replica. Nothing was written.
    ReadOnly(redis::RedisError),
    /// The server is still reading its data, or has lost its primary. Nothing was written.
    Loading(redis::RedisError),
    /// The cluster doesn't serve this key, or not here. Nothing was written.
    Cluster(redis::RedisError),
    /// The server's memory is full. Nothing was written.
    OutOfMemory(redis::RedisError),
    /// The server doesn't permit it. Nothing was written.
    Denied(redis::RedisError),
    /// The server refused for a reason of its own.
    Server(redis::RedisError),
    /// A crash of the server could take back what was stored.
    NotDurable {
        /// The setting that lets it.
        setting: &'static str,
        /// What it must be.
        needed: &'static str,
        /// What it is.
        found: String,
    },
    /// The server could evict registrations, and so turn second factors off.
    Evicting {
        /// What `maxmemory-policy` is.
        maxmemory_policy: String,
    },
    /// The server doesn't tell its settings.
    SettingsHidden(redis::RedisError),
    /// The server has no `WAITAOF`.
    NoWaitAof(redis::RedisError),
    /// The registration has recovery codes, and writes aren't durable. Nothing was written.
    RecoveryCodes,
    /// The connection is inside a transaction of somebody else's (`MULTI`), so nothing is carried
    /// out until its end. Nobody is let in by what becomes of it.
    InTransaction,
    /// What is stored can't be a record.
    Corrupt(Corrupt),
}

impl RedisError {
    /// Whether the server has to be told the script first.
    pub(super) fn is_unknown_script(&self) -> bool {
        matches!(self, Self::Server(error) if error.code() == Some("NOSCRIPT"))
    }
}

impl From<redis::RedisError> for RedisError {
    fn from(error: redis::RedisError) -> Self {
        let kind = match error.code() {
            None => Self::Connection,
            Some("READONLY") => Self::ReadOnly,
            Some("LOADING" | "MASTERDOWN") => Self::Loading,
            Some("CLUSTERDOWN" | "MOVED" | "ASK" | "TRYAGAIN" | "CROSSSLOT") => Self::Cluster,
            Some("OOM") => Self::OutOfMemory,
            Some("NOPERM" | "NOAUTH" | "WRONGPASS") => Self::Denied,
            Some("WRONGTYPE") => |_| Self::Corrupt(Corrupt::Malformed),
            Some(_) => Self::Server,
        };
        kind(error)
    }
}

impl fmt::Display for RedisError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connection(error) => write!(
                f,
                "Redis gave no answer, and what became of a write isn't known: check the server, \
                 the network and the connection's time-out: {error}"
            ),
            Self::TooFewReplicas { asked, confirmed } => write!(
                f,
                "{confirmed} of {asked} replicas confirmed the write in time: check them and their \
                 lag"
            ),
            Self::NotOnDisk => f.write_str(
                "the server's disk didn't have the write in time: check the disk, or wait longer",
            ),
            Self::ReadOnly(error) => write!(
                f,
                "the server is a replica, or was made one: connect to the primary: {error}"
            ),
            Self::Loading(error) => {
                write!(f, "the server isn't ready yet: try again later: {error}")
            }
            Self::Cluster(error) => write!(
                f,
                "the cluster doesn't serve this key here: use a cluster connection, and check \
                 CLUSTER INFO: {error}"
            ),
            Self::OutOfMemory(error) => write!(
                f,
                "the server's memory is full: raise maxmemory or remove other data: {error}"
            ),
            Self::Denied(error) => write!(
                f,
                "the server doesn't permit it: let this user call GET, EVAL, EVALSHA, SET, DEL, TIME, \
                 PEXPIREAT, WAIT and WAITAOF on the keys of the prefix, and CONFIG GET unless \
                 settings are assumed: {error}"
            ),
            Self::Server(error) => write!(f, "the server refused: {error}"),
            Self::NotDurable {
                setting,
                needed,
                found,
            } => write!(
                f,
                "a crash of the server could undo log-ins: set {setting} {needed} (it is {found}), \
                 or settle for Durability::Memory"
            ),
            Self::Evicting { maxmemory_policy } => write!(
                f,
                "the server may evict registrations, and so turn second factors off: set \
                 maxmemory-policy noeviction (it is {maxmemory_policy})"
            ),
            Self::SettingsHidden(error) => write!(
                f,
                "the server doesn't tell its settings: allow CONFIG GET, or make sure of them and \
                 use ServerSettings::Assumed: {error}"
            ),
            Self::NoWaitAof(error) => write!(
                f,
                "the server has no WAITAOF: use Redis 7.2 or later, or \
                 Durability::AppendFsyncAlways: {error}"
            ),
            Self::RecoveryCodes => f.write_str(
                "a registration with recovery codes needs durable writes, as used ones would be \
                 good again: use Durability::AppendFsyncAlways or WaitAof, or make none",
            ),
            Self::InTransaction => f.write_str(
                "the connection is inside a transaction (MULTI): give the store a connection of \
                 its own",
            ),
            Self::Corrupt(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for RedisError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Connection(error)
            | Self::ReadOnly(error)
            | Self::Loading(error)
            | Self::Cluster(error)
            | Self::OutOfMemory(error)
            | Self::Denied(error)
            | Self::Server(error)
            | Self::SettingsHidden(error)
            | Self::NoWaitAof(error) => Some(error),
            Self::Corrupt(error) => Some(error),
            Self::TooFewReplicas { .. }
            | Self::NotOnDisk
            | Self::NotDurable { .. }
            | Self::Evicting { .. }
            | Self::RecoveryCodes
            | Self::InTransaction => None,
        }
    }
}
