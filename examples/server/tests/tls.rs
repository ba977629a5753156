//! TLS to the databases: real servers, whose certificates an authority of the test's own has signed.

mod support;

#[path = "support/databases.rs"]
mod databases;
#[path = "support/tls_databases.rs"]
mod tls_databases;

use support::api::{Alice, Api, text};
use support::server::Server;
use tls_databases::{Authority, TlsDatabase};

const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// Serves over an encrypted connection, for one whole log-in.
fn serve_over(database: &TlsDatabase, url: &str) {
    let ca = database.authority.file();
    let arguments = [
        "--database",
        url,
        "--database-ca",
        &ca,
        "--sealing-key",
        KEY,
    ];
    let server = Server::start_with(&arguments);
    let api = Api::new(&server.url);
    assert_eq!(api.send("get", "/healthz", "", "").json, "ok\n");
    let alice = Alice::new(&api, "OPTIONAL");
    let created = alice.enrol(&api);
    alice.authenticate(&api, text(&created, "secret"), 0);
    assert!(
        !server.log().contains("isn't encrypted"),
        "{}",
        server.log()
    );
}

/// What a start says that can't be.
fn refuse(database: &str, ca: &str, reasons: &[&str]) {
    let arguments = ["--database", database, "--database-ca", ca];
    let said = Server::fail_with(if ca.is_empty() {
        &arguments[..2]
    } else {
        &arguments
    });
    let is_told = reasons.iter().any(|reason| said.contains(reason));
    assert!(is_told, "{database}: {reasons:?} in {said}");
}

#[test]
fn postgresql_is_spoken_to_by_tls() {
    let Some(database) = TlsDatabase::postgres() else {
        return;
    };
    let port = database.port;
    let url =
        |host: &str, mode: &str| format!("postgres://keyfob@{host}:{port}/postgres?sslmode={mode}");
    serve_over(&database, &url("localhost", "verify-full"));
    serve_over(&database, &url("localhost", "require"));
    let (ca, other) = (database.authority.file(), Authority::new());
    let wrong_name = ["not valid for name", "NotValidForName"];
    let unknown = ["invalid peer certificate", "there is none"];
    refuse(&url("127.0.0.1", "verify-full"), &ca, &wrong_name);
    refuse(&url("127.0.0.1", "require"), &ca, &wrong_name);
    refuse(&url("localhost", "require"), &other.file(), &unknown);
    refuse(&url("localhost", "require"), "", &unknown);
    refuse(&url("localhost", "disable"), &ca, &["asks for no TLS"]);
    // This server takes nobody in clear.
    refuse(&url("localhost", "disable"), "", &["no encryption"]);
}

#[test]
fn redis_is_spoken_to_by_tls() {
    let Some(database) = TlsDatabase::redis() else {
        return;
    };
    let url = |scheme: &str, host: &str| format!("{scheme}://{host}:{}/", database.port);
    serve_over(&database, &url("rediss", "localhost"));
    let (ca, other) = (database.authority.file(), Authority::new());
    let unknown = ["UnknownIssuer", "unknown issuer", "Redis failed"];
    refuse(
        &url("rediss", "127.0.0.1"),
        &ca,
        &["not valid for name", "NotValidForName"],
    );
    refuse(&url("rediss", "localhost"), &other.file(), &unknown);
    refuse(&url("rediss", "localhost"), "", &unknown);
    refuse(&url("redis", "localhost"), &ca, &["asks for no TLS"]);
    refuse(
        &url("rediss", "localhost"),
        "no/such/ca.pem",
        &["no/such/ca.pem"],
    );
}
