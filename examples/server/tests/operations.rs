//! What the operator relies on: logs without secrets, a graceful stop, keys in a file of their own.

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;
use support::api::{Alice, Api, code, recovery_codes, text};
use support::server::{SECRET, Server};

#[test]
fn neither_logs_nor_metrics_have_secrets() {
    let mut server = Server::start_with(&["--json-logs"]);
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
    ]);
    for secret in secrets {
        assert!(!log.contains(&secret), "{secret} in {log}");
        assert!(!metrics.contains(&secret), "{secret} in {metrics}");
    }
    let lines = log.lines().map(serde_json::from_str::<serde_json::Value>);
    let answered = lines
        .map(Result::unwrap)
        .filter(|line| line["message"] == "answered");
    let request_id = text(&session, "request_id");
    assert!(
        answered
            .into_iter()
            .any(|line| line["request_id"] == request_id)
    );
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
        (["--database", "mysql://h/d"], "mysql:// is not known"),
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
