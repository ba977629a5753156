//! What the command line and the environment say.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;
use tracing::level_filters::LevelFilter;

use crate::database::{Authorities, Database};
use crate::error::Unavailable;

/// An auth server with second factors by keyfob: pages to try it out, and a JSON API.
///
/// Started without anything it keeps its data in keyfob.sqlite, its keys in keyfob.keys, and prints
/// its address. TLS is left to a proxy in front of it.
#[derive(Debug, Parser)]
#[command(version, about)]
pub(crate) struct Config {
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS:PORT")]
    pub(crate) listen: SocketAddr,

    /// Where /metrics and /status are for whoever can reach it; without it they are on --listen, for
    /// the API's credentials
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) operations_listen: Option<SocketAddr>,

    /// Where to keep everything: a file for SQLite, postgres://… or redis://… (rediss://… with TLS)
    #[arg(
        long,
        env = "KEYFOB_DATABASE",
        default_value = "keyfob.sqlite",
        value_name = "FILE|URL",
        hide_env_values = true
    )]
    database: String,

    /// The certificates of authorities (PEM) that the database's is checked against, where its URL asks
    /// for TLS; default: the system's
    #[arg(long, env = "KEYFOB_DATABASE_CA", value_name = "FILE")]
    database_ca: Option<PathBuf>,

    /// The file with the keys, made at the first start, readable by its owner only
    #[arg(
        long,
        env = "KEYFOB_KEYS",
        default_value = "keyfob.keys",
        value_name = "FILE"
    )]
    pub(crate) keys: PathBuf,

    /// What authenticator apps show above a code
    #[arg(
        long,
        env = "KEYFOB_ISSUER", default_value = "keyfob", value_name = "NAME",
        value_parser = parse_issuer
    )]
    pub(crate) issuer: String,

    /// The address people type, if it isn't the one listened on, such as
    /// `https://login.example.com`
    #[arg(long, env = "KEYFOB_PUBLIC_URL", value_name = "URL", value_parser = parse_public_url)]
    pub(crate) public_url: Option<String>,

    /// What to log: off, error, warn, info (a line a request), debug
    #[arg(long, env = "KEYFOB_LOG", default_value = "info", value_name = "LEVEL")]
    pub(crate) log: LevelFilter,

    /// Write logs as JSON, one object a line
    #[arg(long)]
    pub(crate) json_logs: bool,

    /// The API's user name; default: out of the file with the keys
    #[arg(long, env = "KEYFOB_PROJECT_ID", value_name = "ID")]
    pub(crate) project_id: Option<String>,

    /// The API's password; default: out of the file with the keys. Give it in the environment, as
    /// other users of the machine see command lines
    #[arg(
        long,
        env = "KEYFOB_SECRET",
        hide_env_values = true,
        value_name = "SECRET"
    )]
    pub(crate) secret: Option<String>,

    /// The key that secrets are sealed under, 64 hexadecimal digits; default: out of the file
    #[arg(
        long,
        env = "KEYFOB_SEALING_KEY",
        hide_env_values = true,
        value_name = "HEX"
    )]
    pub(crate) sealing_key: Option<String>,
}

impl Config {
    /// Whom to trust where the database is spoken to by TLS.
    pub(crate) fn authorities(&self) -> Authorities {
        Authorities(self.database_ca.clone())
    }

    /// Where to keep everything. What is wrong is told without the address: a password may be in it.
    pub(crate) fn database(&self) -> Result<Database, Unavailable> {
        let database = self.database.parse();
        database.map_err(|error: String| Unavailable::new("reading --database", error))
    }
}

/// Cookies are marked `Secure` by it.
fn parse_public_url(text: &str) -> Result<String, &'static str> {
    let (scheme, host) = text.split_once("://").unwrap_or_default();
    let is_odd = |letter: char| letter.is_whitespace() || letter.is_control();
    if !matches!(scheme, "http" | "https") || host.is_empty() || host.contains(is_odd) {
        return Err("it must begin with https:// (or http://) and a host");
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// A colon would end the issuer in a key URI.
fn parse_issuer(text: &str) -> Result<String, &'static str> {
    if text.is_empty() || text.contains(|letter: char| letter == ':' || letter.is_control()) {
        return Err("it is empty, or has a colon or a control character: give a plain name");
    }
    Ok(text.to_owned())
}
