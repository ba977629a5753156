//! How a store uses its server.

use super::Durability;

/// How a [`RedisStore`](super::RedisStore) uses its server. A plain value: change what you need.
///
/// ```
/// use keyfob::{Durability, RedisOptions, Replicas};
///
/// let options = RedisOptions {
///     durability: Durability::AppendFsyncAlways { replicas: Replicas::new(1) },
///     prefix: "login:otp:",
///     ..RedisOptions::DEFAULT
/// };
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RedisOptions<'a> {
    /// What a swap waits for.
    pub durability: Durability,
    /// What each key begins with; the registration's id follows. Nothing else in the database may
    /// begin so. In a cluster, braces in it put all keys into one slot.
    pub prefix: &'a str,
    /// Whether the server's settings are looked at.
    pub settings: ServerSettings,
}

impl RedisOptions<'_> {
    /// On the primary's disk, without replicas, below `keyfob:`, the settings checked.
    pub const DEFAULT: Self = Self {
        durability: Durability::AppendFsyncAlways { replicas: None },
        prefix: "keyfob:",
        settings: ServerSettings::Checked,
    };
}

impl Default for RedisOptions<'_> {
    /// [`RedisOptions::DEFAULT`].
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Whether the server is asked for the settings that the store's promises need.
///
/// It is asked when the store is made, and again in one piece with each command: for the whole with
/// a write, for `maxmemory-policy` with a read that finds nothing. So a setting that was changed
/// later, and a server that took over and is set otherwise, are an error before anybody is let in,
/// though that server has the write, and the code is used up there. What isn't noticed is a setting
/// that was changed and put right again in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerSettings {
    /// `CONFIG GET` must be allowed, and must tell the settings that the durability names, and a
    /// `maxmemory-policy` that evicts no active registration: `noeviction`, or one of the
    /// `volatile-` ones, which evict at most pending ones.
    Checked,
    /// You vouch for all that: for managed servers, which refuse `CONFIG`. An eviction turns a
    /// person's second factor off, so make sure of `maxmemory-policy` too.
    Assumed,
}
