//! Where everything is kept: registrations in keyfob's stores, and the server's own documents beside
//! them, in SQLite, PostgreSQL or Redis.

mod documents;
mod postgres;
mod records;
mod redis;
mod sqlite;
mod tls;

pub(crate) use documents::{Document, Documents};
pub(crate) use records::Records;
pub(crate) use tls::Authorities;

use std::net::IpAddr;
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
        let Some((scheme, rest)) = split_scheme(text) else {
            return sqlite_file(text);
        };
        let names_host = rest.starts_with("//");
        match scheme.to_ascii_lowercase().as_str() {
            "sqlite" | "file" => sqlite_file(rest.strip_prefix("//").unwrap_or(rest)),
            "postgres" | "postgresql" if names_host => Ok(Self::Postgres(text.into())),
            "redis" | "rediss" | "redis+unix" | "unix" if names_host => {
                Ok(Self::Redis(text.into()))
            }
            _ => Err(format!(
                "{scheme}: is not known: give a file (./{scheme}:… if that is its name), \
                 postgres://…, redis://… or rediss://…"
            )),
        }
    }
}

/// What stands before the colon, if it can be the scheme of a URL.
fn split_scheme(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once(':')?;
    let is_letter = |letter: char| letter.is_ascii_alphanumeric() || "+-.".contains(letter);
    let is_scheme = scheme.starts_with(|letter: char| letter.is_ascii_alphabetic());
    (is_scheme && scheme.chars().all(is_letter)).then_some((scheme, rest))
}

/// A file as it is named. In memory nothing would be kept.
fn sqlite_file(path: &str) -> Result<Database, String> {
    match path {
        "" => Err("it names no file: give a file or a URL".into()),
        ":memory:" => Err(":memory: would keep nothing: give a file".into()),
        path if path.contains('?') => Err("a file takes no options after a question mark".into()),
        path => Ok(Database::Sqlite(path.into())),
    }
}

impl Database {
    /// Opens it, and makes its tables if there are none.
    pub(crate) async fn open(
        &self,
        authorities: &Authorities,
    ) -> Result<(Records, Documents), Unavailable> {
        match self {
            Self::Sqlite(path) => sqlite::open(path),
            Self::Postgres(url) => postgres::open(url, authorities).await,
            Self::Redis(url) => redis::open(url, authorities).await,
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

/// A password on its way through a network in clear is told to the operator.
fn warn_if_in_clear(host: &str, how_to: &str) {
    let is_here = host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    if !is_here {
        tracing::warn!("the connection to the database isn't encrypted: {how_to}");
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
        assert!(matches!(parse("rediss://h"), Ok(Database::Redis(_))));
        assert!(parse("mysql://h").unwrap_err().contains("mysql"));
        for odd in [
            "",
            "mysql:h",
            "postgres:h",
            "redis:h",
            ":memory:",
            "sqlite:",
            "sqlite::memory:",
        ] {
            assert!(parse(odd).is_err(), "{odd}");
        }
    }

    #[test]
    fn a_file_is_the_same_however_it_is_named() {
        for (text, file) in [
            ("app.db", "app.db"),
            ("sqlite:app.db", "app.db"),
            ("sqlite://app.db", "app.db"),
            ("file:app.db", "app.db"),
            ("sqlite:/srv/app.db", "/srv/app.db"),
            ("sqlite:///srv/app.db", "/srv/app.db"),
            ("./a:b", "./a:b"),
        ] {
            let parsed = text.parse();
            assert!(
                matches!(&parsed, Ok(Database::Sqlite(path)) if path.as_os_str() == file),
                "{text}"
            );
        }
        assert!("sqlite:app.db?mode=ro".parse::<Database>().is_err());
    }
}
