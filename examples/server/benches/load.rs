//! Log-ins over HTTP from 64 connections, by wrk: how many a second, within how long, and none that
//! should have been refused.
//!
//! Each right code is sent once, as long as there are any; each tenth request is a guess. `cargo
//! bench -p keyfob-server`, with wrk, PostgreSQL and Redis installed.

#![allow(clippy::unwrap_used)] // what fails here leaves nothing to be measured

#[path = "../tests/support/databases.rs"]
mod databases;
#[path = "../tests/support/mod.rs"]
mod support;

use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::{env, fs, thread};

use serde_json::json;
use support::api::{Api, await_calm, code, credentials, text, wrong_code};
use support::server::Server;

/// More than are let in within the seconds.
const USERS: usize = 24_000;
const GUESSED: usize = 200;
const SECONDS: usize = 4;

fn main() {
    if env::args().all(|argument| argument != "--bench") {
        return;
    }
    println!(
        "| database | log-ins a second | of them let in | median | 99 of 100 within | let in wrongly |"
    );
    println!("|---|---:|---:|---:|---:|---:|");
    load("SQLite", "keyfob.sqlite");
    if let Some(database) = databases::postgres() {
        load("PostgreSQL", &database.url);
    }
    if let Some(database) = databases::redis() {
        load("Redis", &database.url);
    }
}

/// Loads one server, and prints its row.
fn load(name: &str, database: &str) {
    let server = Server::start_with(&["--database", database]);
    let api = Api::new(&server.url);
    let users = enrol(&api);
    await_calm();
    let file = server.file("load.lua");
    fs::write(&file, script(&users)).unwrap();
    let report = wrk(&server.url, &file);
    let (guessed, right) = users.split_at(GUESSED);
    let wrongly = count_wrong(&report, guessed, right);
    println!(
        "| {name} | {:.0} | {} | {:.1} ms | {:.1} ms | {wrongly} |",
        f64::from(report.answered) / report.seconds,
        report.accepted.len(),
        report.median_milliseconds,
        report.p99_milliseconds,
    );
    assert_eq!((wrongly, report.failed), (0, 0), "{name}: {}", server.log());
}

/// A user, and the secret of their token.
type User = (String, String);

/// Registers all users, and lets nobody confirm yet.
fn enrol(api: &Api) -> Vec<User> {
    const CLIENTS: usize = 16;
    let enrol = |client: usize| -> Vec<User> {
        (client..USERS)
            .step_by(CLIENTS)
            .map(|number| {
                let user_id = format!("user-{number}");
                let created = api
                    .post("/v1/totps", json!({ "user_id": user_id }))
                    .accepted();
                (user_id, text(&created, "secret").to_owned())
            })
            .collect()
    };
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| scope.spawn(move || enrol(client)))
            .collect();
        clients
            .into_iter()
            .flat_map(|client| client.join().unwrap())
            .collect()
    })
}

/// The users and what they send, as Lua. A code of the next step is right for a minute at least.
fn script(users: &[User]) -> String {
    let (guessed, right) = users.split_at(GUESSED);
    let mut script = format!("authorization = \"{}\"\nguesses = {{\n", credentials());
    for (user, secret) in guessed {
        writeln!(script, "{{\"{user}\",\"{}\"}},", wrong_code(secret)).unwrap();
    }
    script.push_str("}\nrights = {\n");
    for (user, secret) in right {
        writeln!(script, "{{\"{user}\",\"{}\"}},", code(secret, 1)).unwrap();
    }
    script.push_str("}\n");
    script
}

/// What wrk saw.
#[derive(Default)]
struct Report {
    accepted: Vec<String>,
    answered: u32,
    failed: u32,
    seconds: f64,
    median_milliseconds: f64,
    p99_milliseconds: f64,
}

fn wrk(url: &str, file: &Path) -> Report {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/load.lua");
    let output = Command::new("wrk")
        .args(["--threads", "2", "--connections", "64", "--timeout", "10s"])
        .args([
            "--duration",
            &format!("{SECONDS}s"),
            "--script",
            script,
            url,
        ])
        .env("KEYFOB_LOAD", file)
        .output()
        .expect("wrk is installed (Debian: apt-get install wrk)");
    assert!(output.status.success(), "{output:?}");
    let mut report = Report::default();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        report.read(line);
    }
    report
}

impl Report {
    fn read(&mut self, line: &str) {
        let (name, value) = line.split_once(' ').unwrap_or((line, ""));
        let number = || value.trim().parse::<f64>().unwrap();
        match name {
            "accepted" => {
                for user in value.split_whitespace() {
                    self.accepted.push(user.to_owned());
                    self.answered += 1;
                }
            }
            "refused" => self.answered += value.trim().parse::<u32>().unwrap(),
            "failed" => self.failed += value.trim().parse::<u32>().unwrap(),
            "microseconds" => self.seconds = number() / 1e6,
            "median" => self.median_milliseconds = number() / 1e3,
            "p99" => self.p99_milliseconds = number() / 1e3,
            _ => {}
        }
    }
}

/// How many were let in a second time by their one code, or by a guess.
fn count_wrong(report: &Report, guessed: &[User], right: &[User]) -> usize {
    let mut may: HashSet<&str> = right.iter().map(|(user, _)| user.as_str()).collect();
    assert!(guessed.iter().all(|(user, _)| !may.contains(user.as_str())));
    let is_wrong = |user: &&String| !may.remove(user.as_str());
    report.accepted.iter().filter(is_wrong).count()
}
