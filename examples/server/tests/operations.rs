//! What the operator relies on: logs without secrets, a graceful stop, keys in a file of their own.

mod support;

#[path = "support/databases.rs"]
mod databases;

use std::io::Write as _;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::{fs, thread};

use serde_json::json;
use support::api::{Alice, Api, code, recovery_codes, text};
use support::server::{SECRET, Server};

#[test]
fn neither_logs_nor_metrics_have_secrets() {
    look_for_secrets("secrets.sqlite");
}

#[test]
fn nor_does_what_a_database_could_trace() {
    if let Some(database) = databases::postgres() {
        look_for_secrets(&database.url);
    }
    if let Some(database) = databases::redis() {
        look_for_secrets(&database.url);
    }
}

/// Everything is logged that can be.
fn look_for_secrets(database: &str) {
    let arguments = ["--json-logs", "--log", "trace", "--database", database];
    let mut server = Server::start_with(&arguments);
    let api = Api::new(&server.url);
    let alice = Alice::new(&api, "OPTIONAL");
    let created = alice.enrol(&api);
    let used = code(text(&created, "secret"), 0);
    let body = alice.with(json!({ "code": used }));
    let session = api
        .post("/v1/b2b/totp/authenticate", body.clone())
        .accepted();
    assert_eq!(api.post("/v1/b2b/totp/authenticate", body).status, 401);
    let metrics = api.send("get", "/metrics", "", "").json;
    let metrics = metrics.as_str().unwrap();
    let counted = "{operation=\"authenticate\",outcome=\"accepted\"} 2";
    assert!(metrics.contains(counted), "{metrics}");
    assert!(metrics.contains("outcome=\"replayed\"} 1"), "{metrics}");

    assert!(server.stop().success());
    let log = server.log();
    let mut secrets = recovery_codes(&created);
    let fields = [
        (&created, "secret"),
        (&session, "session_token"),
        (&session, "session_jwt"),
    ];
    secrets.extend(fields.map(|(json, field)| text(json, field).to_owned()));
    secrets.extend([
        used,
        SECRET.into(),
        Alice::PASSWORD.into(),
        Alice::EMAIL.into(),
        "argon2".into(),
    ]);
    let request_id = text(&session, "request_id");
    assert!(log.contains(request_id), "{log}");
    let told = without_random_digits(&log);
    for secret in secrets {
        assert!(!told.contains(&secret), "{secret} in {told}");
        assert!(!metrics.contains(&secret), "{secret} in {metrics}");
    }
}

/// The log without moments and names of requests, in which any six digits can be.
fn without_random_digits(log: &str) -> String {
    let lines = log.lines().map(|line| {
        let mut line: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(line).unwrap();
        line.retain(|field, _| !matches!(field.as_str(), "timestamp" | "request_id"));
        serde_json::Value::Object(line).to_string()
    });
    lines.collect()
}

#[test]
fn what_has_no_route_is_logged_and_answered() {
    let server = Server::start();
    let api = Api::new(&server.url);
    for (method, path, status) in [("get", "/nope", 404), ("get", "/log-out", 405)] {
        let answer = api.send(method, path, "", "");
        assert_eq!(answer.status, status);
        let page = answer.json.as_str().unwrap();
        assert!(page.contains("There is no such page"), "{page}");
    }
    assert_eq!(server.log().matches("answered").count(), 3);
}

/// Whoever begins a request and keeps the rest can't keep the server.
#[test]
fn half_a_request_does_not_hold_up_a_stop() {
    let mut server = Server::start();
    let mut client = TcpStream::connect(server.url.trim_start_matches("http://")).unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nHos").unwrap();
    assert!(server.stop().success());
}

/// Each hash takes 19 MiB, and there are never more at once than processors.
#[test]
fn many_log_ins_at_once_take_little_memory() {
    const CLIENTS: usize = 64;
    let server = Server::start();
    let api = Api::new(&server.url);
    let alice = Alice::new(&api, "OPTIONAL");
    thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (alice, api) = (&alice, &api);
            scope.spawn(move || {
                for guess in 0..4 {
                    let address = format!("{client}-{guess}@example.com");
                    assert_eq!(alice.log_in(api, &address, "wrong").status, 401);
                }
            });
        }
    });
    let most = 150 + 25 * thread::available_parallelism().unwrap().get();
    let megabytes = server.most_memory_bytes() >> 20;
    println!("{megabytes} MiB at most");
    assert!(megabytes < most, "{megabytes} MiB");
}

#[test]
fn what_was_stored_is_there_after_a_stop_and_sealed() {
    let mut server = Server::start();
    let api = Api::new(&server.url);
    let alice = Alice::new(&api, "OPTIONAL");
    let created = alice.enrol(&api);
    let secret = text(&created, "secret");
    assert!(server.stop().success());

    let secret_bytes = data_encoding::BASE32.decode(secret.as_bytes()).unwrap();
    assert!(!server.keeps(&secret_bytes));
    assert!(server.keeps(alice.member_id.as_bytes())); // or the search can't find anything
    for name in ["keyfob.sqlite", "keyfob.keys"] {
        let mode = fs::metadata(server.file(name))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }

    server.start_again();
    let api = Api::new(&server.url);
    let body = alice.with(json!({ "code": code(secret, -1) }));
    let replayed = api.post("/v1/b2b/totp/authenticate", body);
    assert_eq!(replayed.refused(), (401, "totp_code_already_authenticated"));
    let body = alice.with(json!({ "code": code(secret, 0) }));
    api.post("/v1/b2b/totp/authenticate", body).accepted();
}

#[test]
fn a_start_that_cannot_be_says_why() {
    for (arguments, reason) in [
        (
            ["--database", "mysql://u:hunter2@h/d"],
            "mysql:// is not known",
        ),
        (["--public-url", "login.example.com"], "https://"),
        (["--log", "loud"], "--log"),
        (
            ["--database", "postgres://127.0.0.1:1/none"],
            "PostgreSQL failed",
        ),
        (["--database", "redis://127.0.0.1:1"], "Redis failed"),
        (["--database", "no/such/directory/file"], "SQLite"),
        (["--sealing-key", "0011"], "64 hexadecimal digits"),
        (["--secret", "short"], "fewer than 16 characters"),
        (["--issuer", "a:b"], "colon"),
    ] {
        let said = Server::fail_with(&arguments);
        assert!(said.contains(reason), "{arguments:?}: {said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
}

#[test]
fn another_sealing_key_is_refused_at_the_start() {
    let mut server = Server::start();
    assert!(server.stop().success());
    fs::remove_file(server.file("keyfob.keys")).unwrap();
    let said = server.fail_again();
    assert!(said.contains("sealed under another key"), "{said}");
}

#[test]
fn help_suffices_to_begin() {
    let help = Server::fail_with(&["--help"]);
    for word in [
        "--listen",
        "--database",
        "KEYFOB_PROJECT_ID",
        "KEYFOB_SECRET",
        "DATABASE_URL",
    ] {
        assert!(help.contains(word), "{word} in {help}");
    }
}

#[test]
fn health_is_told() {
    let server = Server::start();
    let api = Api::new(&server.url);
    assert_eq!(api.send("get", "/healthz", "", "").json, "ok\n");
}
