//! Several processes on one database: a code is one accept, whoever is asked.

mod support;

#[path = "support/databases.rs"]
mod databases;

use std::sync::Barrier;
use std::thread;

use serde_json::json;
use support::api::{Alice, Api, code, text};
use support::server::Server;

const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const ROUNDS: usize = 25;
const CLIENTS: usize = 8;

#[test]
fn on_postgresql() {
    if let Some(database) = databases::postgres() {
        race_on(&database.url);
    }
}

#[test]
fn on_redis() {
    if let Some(database) = databases::redis() {
        race_on(&database.url);
    }
}

#[test]
fn on_sqlite() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("shared.sqlite");
    race_on(file.to_str().unwrap());
}

/// Two servers, several clients at each, one code of a new member in each round.
fn race_on(database: &str) {
    let arguments = ["--database", database, "--sealing-key", KEY];
    let servers = [
        Server::start_with(&arguments),
        Server::start_with(&arguments),
    ];
    let apis = servers.each_ref().map(|server| Api::new(&server.url));
    for round in 0..ROUNDS {
        let alice = Alice::new(&apis[round % 2], "OPTIONAL");
        let created = alice.enrol(&apis[round % 2]);
        let body = alice.with(json!({ "code": code(text(&created, "secret"), 0) }));
        let answers = at_once(&apis, |api| {
            api.post("/v1/b2b/totp/authenticate", body.clone())
        });
        let accepted = answers.iter().filter(|answer| answer.status == 200).count();
        assert_eq!(accepted, 1, "{answers:?}");
        let refused = answers.iter().filter(|answer| answer.status == 401).count();
        assert_eq!(refused, CLIENTS - 1, "{answers:?}");
    }
    count_guesses_together(&apis);
    for server in servers {
        assert!(!server.log().contains("ERROR"), "{}", server.log());
    }
}

/// Of wrong passwords at the same time, six are looked at, whichever process they go to.
fn count_guesses_together(apis: &[Api; 2]) {
    let alice = Alice::new(&apis[0], "OPTIONAL");
    let guess = |api: &Api| alice.log_in(api, Alice::EMAIL, "wrong").status;
    let mut statuses = [at_once(apis, guess), at_once(apis, guess)].concat();
    statuses.sort_unstable();
    assert_eq!(
        statuses,
        [vec![401; 6], vec![429; 2 * CLIENTS - 6]].concat()
    );
}

/// Makes the same request from all clients at the same time.
fn at_once<T: Send>(apis: &[Api; 2], request: impl Fn(&Api) -> T + Sync) -> Vec<T> {
    let barrier = Barrier::new(CLIENTS);
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let (api, barrier, request) = (&apis[client % 2], &barrier, &request);
                scope.spawn(move || {
                    barrier.wait();
                    request(api)
                })
            })
            .collect();
        clients
            .into_iter()
            .map(|client| client.join().unwrap())
            .collect()
    })
}
