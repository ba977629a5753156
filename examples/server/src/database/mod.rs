//! Where everything is kept: registrations in keyfob's stores, and the server's own documents beside
//! them, in SQLite, PostgreSQL or Redis.

mod documents;
mod postgres;
mod records;
mod redis;
mod sqlite;

pub(crate) use documents::{Document, Documents};
pub(crate) use records::Records;

use std::path::PathBuf;
use std::str::FromStr;

use crate::error::Unavailable;

/// What `--database` names.
#[derive(Clone, Debug)]
pub(crate) enum Database {
    Sqlite(PathBuf),
    Postgres(String),
    Redis(String),
}

impl FromStr for Database {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once("://") {
            Some(("postgres" | "postgresql", _)) => Ok(Self::Postgres(text.into())),
            Some(("redis" | "redis+unix" | "unix", _)) => Ok(Self::Redis(text.into())),
            Some(("sqlite" | "file", path)) if !path.is_empty() => Ok(Self::Sqlite(path.into())),
            Some((scheme, _)) => Err(format!(
                "{scheme}:// is not known: give a file, postgres://… or redis://…"
            )),
            None if text.is_empty() => Err("it is empty: give a file or a URL".into()),
            None => Ok(Self::Sqlite(text.into())),
        }
    }
}

impl Database {
    /// Opens it, and makes its tables if there are none.
    pub(crate) async fn open(&self) -> Result<(Records, Documents), Unavailable> {
        match self {
            Self::Sqlite(path) => sqlite::open(path),
            Self::Postgres(url) => postgres::open(url).await,
            Self::Redis(url) => redis::open(url).await,
        }
    }

    /// What it is called in logs, without a password.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("SQLite, {}", path.display()),
            Self::Postgres(_) => "PostgreSQL".into(),
            Self::Redis(_) => "Redis".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn databases_are_told_by_their_scheme() {
        let parse = |text: &str| text.parse::<Database>();
        assert!(matches!(parse("keyfob.sqlite"), Ok(Database::Sqlite(_))));
        assert!(matches!(parse("/a/b c"), Ok(Database::Sqlite(_))));
        assert!(matches!(
            parse("postgresql://h/d"),
            Ok(Database::Postgres(_))
        ));
        assert!(matches!(parse("redis://h"), Ok(Database::Redis(_))));
        assert!(parse("mysql://h").unwrap_err().contains("mysql"));
        assert!(parse("").is_err());
    }
}
