//! What the operator relies on: logs without secrets, a graceful stop, keys in a file of their own.

mod support;

#[path = "support/databases.rs"]
mod databases;

use std::io::Write as _;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;
use std::{fs, thread};

use serde_json::json;
use support::api::{Alice, Api, code, credentials, recovery_codes, text};
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
    let metrics = api.send("get", "/metrics", "", &credentials()).json;
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
            "mysql: is not known",
        ),
        (["--public-url", "login.example.com"], "https://"),
        (["--log", "loud"], "--log"),
        (
            ["--database", "postgres://127.0.0.1:1/none"],
            "PostgreSQL failed",
        ),
        (["--database", "redis://127.0.0.1:1"], "Redis failed"),
        (
            ["--database", "no/such/directory/file"],
            "no/such/directory/file",
        ),
        (["--keys", "no/such/keys"], "no/such/keys"),
        (["--database", "postgres:h"], "postgres: is not known"),
        (
            ["--database", "sqlite::memory:"],
            ":memory: would keep nothing",
        ),
        (
            ["--database", "postgres://h/d?sslmode=prefer"],
            "verify-full, or disable",
        ),
        (["--database", "rediss://h/#insecure"], "--database-ca"),
        (["--listen", "203.0.113.1:1"], "--listen"),
        (
            ["--operations-listen", "203.0.113.1:1"],
            "--operations-listen",
        ),
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
        "KEYFOB_DATABASE",
        "--operations-listen",
        "--database-ca",
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

/// What counts log-ins is for the operator: with the API's credentials, or on a listener of its own.
#[test]
fn metrics_and_status_are_the_operators() {
    let server = Server::start();
    let api = Api::new(&server.url);
    for path in ["/metrics", "/status"] {
        assert_eq!(api.send("get", path, "", "").status, 401, "{path}");
        let operator = credentials();
        assert_eq!(api.send("get", path, "", &operator).status, 200, "{path}");
    }

    let server = Server::start_with(&["--operations-listen", "127.0.0.1:0"]);
    let public = Api::new(&server.url);
    let operations = server.operations_url.as_ref().expect("an address");
    for path in ["/metrics", "/status"] {
        let operator = credentials();
        assert_eq!(
            public.send("get", path, "", &operator).status,
            404,
            "{path}"
        );
        assert_eq!(get(operations, path).0, 200, "{path}");
    }
    assert_eq!(get(operations, "/healthz"), (200, "ok\n".to_owned()));
    assert_eq!(get(operations, "/style.css").0, 200);
    assert_eq!(get(operations, "/log-in").0, 404);
    assert_eq!(get(operations, "/openapi.json").0, 404);
}

fn get(url: &str, path: &str) -> (u16, String) {
    let config = ureq::Agent::config_builder().http_status_as_error(false);
    let agent: ureq::Agent = config.build().into();
    let mut answer = agent.get(format!("{url}{path}")).call().unwrap();
    let text = answer.body_mut().read_to_string().unwrap();
    (answer.status().as_u16(), text)
}

/// A file may have so many bytes here, as a disk that is full allows.
#[test]
fn a_full_disk_is_unhealthy() {
    let full = "trap '' XFSZ; ulimit -f 800";
    let server = Server::start_under(full, &["--log", "off"]);
    let api = Api::new(&server.url);
    assert_eq!(api.send("get", "/healthz", "", "").json, "ok\n");
    let name = "x".repeat(128);
    let body = json!({ "organization_name": name }).to_string();
    let mut refused = 0; // in a row, as what is written back to the database's file makes room once more
    for _ in 0..10_000 {
        let organizations = "/v1/b2b/organizations";
        let answer = api.send("post", organizations, &body, &credentials());
        refused = if answer.status == 503 { refused + 1 } else { 0 };
        if refused == 50 {
            break;
        }
    }
    assert_eq!(refused, 50, "the disk is never full");
    thread::sleep(Duration::from_secs(1)); // an answer is good for that long
    assert_eq!(api.send("get", "/healthz", "", "").status, 503);
}

#[test]
fn a_database_that_takes_no_writes_is_unhealthy() {
    let Some(database) = databases::postgres() else {
        return;
    };
    let server = Server::start_with(&["--database", &database.url]);
    let api = Api::new(&server.url);
    assert_eq!(api.send("get", "/healthz", "", "").status, 200);
    database.run(
        "ALTER DATABASE postgres SET default_transaction_read_only = on;
         SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()",
    );
    thread::sleep(Duration::from_secs(1)); // an answer is good for that long
    assert_eq!(api.send("get", "/healthz", "", "").status, 503);
}

/// What another program exports is another program's.
#[test]
fn another_programs_database_is_left_alone() {
    let before = "export DATABASE_URL=sqlite:another.sqlite";
    let server = Server::start_under(before, &["--database", "sqlite:own.sqlite"]);
    assert!(server.file("own.sqlite").exists());
    assert!(!server.file("sqlite:own.sqlite").exists());
    let server = Server::start_under(before, &[]);
    assert!(server.file("keyfob.sqlite").exists());
    assert!(!server.file("another.sqlite").exists());
}

#[test]
fn a_cause_is_told_once() {
    let said = Server::fail_with(&["--database", "postgres://127.0.0.1:1/none"]);
    assert_eq!(said.matches("refused").count(), 1, "{said}");
    assert_eq!(said.matches("error connecting").count(), 1, "{said}");
}
