//! Why PostgreSQL didn't do what was asked.

use alloc::string::String;
use core::fmt;

use tokio_postgres::error::SqlState;

use crate::Corrupt;

/// Why the database didn't do what was asked. Whether a write was stored isn't known then, unless
/// it says so.
#[derive(Debug)]
#[non_exhaustive]
pub enum PostgresError<E> {
    /// There was no client to be had. Nothing was begun.
    Clients(E),
    /// Others wrote at the same time, again and again. Nothing was stored.
    Busy(tokio_postgres::Error),
    /// What the database or the connection to it found wrong.
    Database(tokio_postgres::Error),
    /// A crash could take back what was stored. If it was a swap, it was carried out.
    NotDurable {
        /// What `synchronous_commit` is on the connection. It must be anything but `off`.
        synchronous_commit: String,
    },
    /// The client is inside a transaction. Nothing was changed.
    InTransaction,
    /// A later keyfob made the tables.
    Schema {
        /// Their version.
        found: i64,
    },
    /// The stored bytes can't be a record.
    Corrupt(Corrupt),
}

impl<E> From<tokio_postgres::Error> for PostgresError<E> {
    fn from(error: tokio_postgres::Error) -> Self {
        if is_rolled_back(&error) {
            return Self::Busy(error);
        }
        Self::Database(error)
    }
}

/// Whether the database undid the statement in favour of another. That is certain, and lasting:
/// what a commit came to that may have happened has other codes.
pub(super) fn is_rolled_back(error: &tokio_postgres::Error) -> bool {
    let codes = [
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
    ];
    error.code().is_some_and(|code| codes.contains(code))
}

impl<E: fmt::Display> fmt::Display for PostgresError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Clients(error) => write!(
                f,
                "there is no connection to the database: check the pool and the server: {error}"
            ),
            Self::Busy(error) => write!(
                f,
                "others wrote at the same time, again and again: try again, and leave \
                 default_transaction_isolation at read committed: {}",
                Cause(error)
            ),
            Self::Database(error) => write!(
                f,
                "PostgreSQL failed: check the server, the connection and the role's rights: {}",
                Cause(error)
            ),
            Self::NotDurable { synchronous_commit } => write!(
                f,
                "a crash could undo log-ins: leave synchronous_commit on for this role and \
                 database (it is {synchronous_commit})"
            ),
            Self::InTransaction => f.write_str(
                "the client is inside a transaction, and its roll-back would undo a log-in: give \
                 the store clients of its own, or a pool",
            ),
            Self::Schema { found } => write!(
                f,
                "the tables have version {found}, which a later keyfob made: update this one"
            ),
            Self::Corrupt(error) => error.fmt(f),
        }
    }
}

/// What the server or the system said. The server's details are left out, as they may quote a row.
struct Cause<'a>(&'a tokio_postgres::Error);

impl fmt::Display for Cause<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use core::error::Error as _;

        if let Some(error) = self.0.as_db_error() {
            return write!(f, "{} ({})", error.message(), error.code().code());
        }
        match self.0.source() {
            Some(source) => write!(f, "{}: {source}", self.0),
            None => self.0.fmt(f),
        }
    }
}

impl<E: core::error::Error + 'static> core::error::Error for PostgresError<E> {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Clients(error) => Some(error),
            Self::Busy(error) | Self::Database(error) => Some(error),
            Self::Corrupt(error) => Some(error),
            Self::NotDurable { .. } | Self::InTransaction | Self::Schema { .. } => None,
        }
    }
}
