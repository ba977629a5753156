//! Log-ins over PostgreSQL beside a bare program that reads and writes the same, on one server.
//!
//! The two take turns of a fifth of a second, so that a machine that slows down slows both; a ratio is the
//! median of those of the turns. The server's files are on a file system in memory: on a disk both
//! would wait for the same flush, and nothing that keyfob adds would show.

#![allow(clippy::unwrap_used)] // what fails here leaves nothing to be measured

#[path = "../tests/support/directory.rs"]
mod directory;
#[path = "../tests/support/postgres.rs"]
mod server;

use std::env;
use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use directory::Directory;
use keyfob::{
    AsyncEngine, AsyncRegistrationStore as _, Migration, Params, Policy, PostgresClients as _,
    PostgresStore, Secret, SystemEntropy, Totp, TotpParams, UnixTime,
};
use server::{Clients, Server, connect};
use tokio::task::JoinSet;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, Row};

const START: UnixTime = UnixTime::from_seconds(1_800_000_000);
const TURN: Duration = Duration::from_millis(200);
const TURNS: usize = 40;

/// At least so many times as many log-ins a second as the bare program.
const LEAST: f64 = 0.85;
/// At most so many times as long with a million registrations as with a thousand.
const MOST: f64 = 1.3;

const FEW: u64 = 1_000;
const MANY: u64 = 1_000_000;

#[tokio::main]
async fn main() {
    if env::args().all(|argument| argument != "--bench") {
        return;
    }
    // Room for all of a million registrations, as a database server would be given.
    let settings = ["shared_buffers = 1GB", "max_wal_size = 8GB"];
    let Some(server) = Server::start_in(in_memory(), &settings) else {
        return;
    };
    let few = Arc::new(Keyfob::with(&server, "few", FEW).await);
    let same = Arc::new(Bare::with(&server, "bare_same", SAME).await);
    let plain = Arc::new(Bare::with(&server, "bare_plain", PLAIN).await);
    println!("| log-ins | by | a second | median | 99 of 100 within | ratio | aim |");
    println!("|---|---|---:|---:|---:|---:|---|");
    for at_once in [1, 8, 64] {
        let what = format!("{at_once} at once");
        let (ours, theirs) = in_turns(&few, &same, at_once).await;
        let ratio = ours.ratio(&theirs);
        ours.print(&what, "keyfob", " | ");
        let aim = format!("{ratio:.2} | ≥ {LEAST:.2}: {}", verdict(ratio >= LEAST));
        theirs.print("", "bare, the same statements", &aim);
        let (ours, theirs) = in_turns(&few, &plain, at_once).await;
        let ratio = format!("{:.2} | ", ours.ratio(&theirs));
        theirs.print("", "bare, plain statements", &ratio);
    }
    let many = Arc::new(Keyfob::with(&server, "many", MANY).await);
    let (ours, fewer) = in_turns(&many, &few, 8).await;
    let ratio = fewer.ratio(&ours);
    ours.print("8 at once, of 1,000,000", "keyfob", " | ");
    let aim = format!(
        "{ratio:.2} as long | ≤ {MOST:.2}: {}",
        verdict(ratio <= MOST)
    );
    fewer.print("8 at once, of 1,000", "keyfob", &aim);
}

const fn verdict(met: bool) -> &'static str {
    if met { "met" } else { "missed" }
}

/// A directory on a file system in memory, where there is one.
fn in_memory() -> Directory {
    let shared_memory = Path::new("/dev/shm");
    if shared_memory.is_dir() {
        return Directory::within(shared_memory);
    }
    Directory::new()
}

// ---- Programs

/// What logs people in.
trait Program: Send + Sync + 'static {
    /// How many registrations there are.
    fn registrations(&self) -> u64;

    /// Logs one of them in.
    fn log_in(&self, id: &str) -> impl Future<Output = ()> + Send;
}

struct Keyfob {
    engine: AsyncEngine<PostgresStore<Clients>>,
    totp: Totp,
    /// The last step that anybody used.
    step: AtomicU64,
    registrations: u64,
}

impl Keyfob {
    async fn with(server: &Server, database: &str, registrations: u64) -> Self {
        let config = database_of(server, database, registrations).await;
        let store = PostgresStore::connect(Clients::new(&config)).await.unwrap();
        Self {
            engine: AsyncEngine::new(store, Policy::DEFAULT),
            totp: Totp::new(&secret(), TotpParams::DEFAULT),
            step: AtomicU64::new(0),
            registrations,
        }
    }
}

impl Program for Keyfob {
    fn registrations(&self) -> u64 {
        self.registrations
    }

    async fn log_in(&self, id: &str) {
        // Two steps on, as a code burns the step after its own too if that has the same digits.
        let step = self.step.fetch_add(2, Ordering::Relaxed) + 2;
        let now = START.saturating_add(30 * step);
        let code = self.totp.code_at(now);
        self.engine.authenticate(id, &code, now).await.unwrap();
    }
}

/// What remains of keyfob's store when keyfob is taken away: one read and one conditional write, on
/// one client of the same pool.
struct Bare {
    clients: Clients,
    statements: Statements,
}

#[derive(Clone, Copy)]
struct Statements {
    /// Sent together with each of the others.
    mark: Option<&'static str>,
    read: &'static str,
    write: &'static str,
}

/// As keyfob has them: they also tell whether what is written is kept.
const SAME: Statements = Statements {
    mark: Some("SELECT set_config('keyfob.mark', 'left', true)"),
    read: "
        SELECT current_setting('keyfob.mark', true) IS DISTINCT FROM 'left',
            current_setting('synchronous_commit'), id IS NOT NULL, revision, record
        FROM (VALUES (1)) AS always LEFT JOIN keyfob_registrations ON id = $1",
    write: "
        WITH changed AS (
            UPDATE keyfob_registrations SET revision = $3, record = $4, lapses_at = $5
            WHERE id = $1 AND revision = $2
                AND current_setting('keyfob.mark', true) IS DISTINCT FROM 'left'
            RETURNING id)
        SELECT current_setting('keyfob.mark', true) IS DISTINCT FROM 'left',
            current_setting('synchronous_commit'), (SELECT count(*) FROM changed)",
};

/// As one would have them who trusts in that.
const PLAIN: Statements = Statements {
    mark: None,
    read: "SELECT revision, record FROM keyfob_registrations WHERE id = $1",
    write: "
        UPDATE keyfob_registrations SET revision = $3, record = $4, lapses_at = $5
        WHERE id = $1 AND revision = $2 RETURNING id",
};

impl Bare {
    async fn with(server: &Server, database: &str, statements: Statements) -> Self {
        let config = database_of(server, database, FEW).await;
        Self {
            clients: Clients::new(&config),
            statements,
        }
    }

    async fn ask(
        &self,
        client: &deadpool_postgres::Client,
        statement: &'static str,
        values: &[&(dyn ToSql + Sync)],
    ) -> Option<Row> {
        let statement = client.prepare_cached(statement).await.unwrap();
        let answer = client.query_opt(&statement, values);
        let Some(mark) = self.statements.mark else {
            return answer.await.unwrap();
        };
        let mark = client.prepare_cached(mark).await.unwrap();
        let (marked, answer) = tokio::join!(biased; client.query_opt(&mark, &[]), answer);
        marked.and(answer).unwrap()
    }
}

impl Program for Bare {
    fn registrations(&self) -> u64 {
        FEW
    }

    async fn log_in(&self, id: &str) {
        let client = self.clients.client().await.unwrap();
        let Statements { read, write, .. } = self.statements;
        let row = self.ask(&client, read, &[&id.as_bytes()]).await.unwrap();
        let (revision, mut record): (i64, Vec<u8>) = (row.get("revision"), row.get("record"));
        record[20] = record[20].wrapping_add(1);
        let next = revision.wrapping_add(1);
        let values: [&(dyn ToSql + Sync); 5] =
            [&id.as_bytes(), &revision, &next, &record, &None::<i64>];
        assert!(self.ask(&client, write, &values).await.is_some());
    }
}

fn secret() -> Secret {
    Secret::from_bytes(b"12345678901234567890").unwrap()
}

/// The name of a registration.
fn id(number: u64) -> String {
    format!("person {number}@example.com")
}

/// A new database with so many registrations of the same token.
async fn database_of(server: &Server, name: &str, registrations: u64) -> Config {
    let mut config = server.config();
    let create = format!("CREATE DATABASE {name}");
    let administrator = connect(&config).await;
    administrator.batch_execute(&create).await.unwrap();
    config.dbname(name);
    fill(&connect(&config).await, registrations).await;
    administrator.batch_execute("CHECKPOINT").await.unwrap();
    config
}

async fn fill(client: &Client, registrations: u64) {
    let store = PostgresStore::connect(client).await.unwrap();
    let engine = AsyncEngine::new(store, Policy::DEFAULT);
    let migration = Migration::new(secret(), Params::Totp(TotpParams::DEFAULT));
    let entropy = &mut SystemEntropy;
    let first = id(0);
    engine
        .migrate(&first, &migration, START, entropy)
        .await
        .unwrap();
    let record = engine.store().load(&first).await.unwrap().unwrap();
    let insert = "
        INSERT INTO keyfob_registrations (id, revision, record)
        SELECT convert_to('person ' || number || '@example.com', 'UTF8'), 1, $1
        FROM generate_series(1, $2::BIGINT) AS number";
    let last = i64::try_from(registrations).unwrap() - 1;
    let values: [&(dyn ToSql + Sync); 2] = [&record.as_bytes(), &last];
    client.execute(insert, &values).await.unwrap();
    let settle = "VACUUM (FREEZE, ANALYZE) keyfob_registrations";
    client.batch_execute(settle).await.unwrap();
}

// ---- Turns

/// What a program came to in all of its turns.
#[derive(Default)]
struct Figures {
    rates: Vec<f64>,
    times: Vec<Duration>,
}

/// Lets the two log people in by turns, so many at once, after a turn each to warm up.
async fn in_turns(
    ours: &Arc<impl Program>,
    theirs: &Arc<impl Program>,
    at_once: u64,
) -> (Figures, Figures) {
    let mut figures = (Figures::default(), Figures::default());
    turn(ours, at_once).await;
    turn(theirs, at_once).await;
    for _ in 0..TURNS {
        figures.0.add(turn(ours, at_once).await);
        figures.1.add(turn(theirs, at_once).await);
    }
    figures.0.times.sort();
    figures.1.times.sort();
    figures
}

/// How long each log-in of one turn took.
async fn turn(program: &Arc<impl Program>, at_once: u64) -> Vec<Duration> {
    let end = Instant::now() + TURN;
    let mut people = JoinSet::new();
    for first in 0..at_once {
        let program = program.clone();
        people.spawn(async move { log_ins(&*program, first, at_once, end).await });
    }
    people.join_all().await.concat()
}

/// Logs in people from all over, none of whom anybody else logs in.
async fn log_ins(program: &impl Program, first: u64, at_once: u64, end: Instant) -> Vec<Duration> {
    let people = program.registrations() / at_once;
    let mut times = Vec::new();
    for number in (0..).map(|number| number * 7_919 % people) {
        let id = id(first + at_once * number);
        let start = Instant::now();
        if start > end {
            break;
        }
        program.log_in(&id).await;
        times.push(start.elapsed());
    }
    times
}

impl Figures {
    fn add(&mut self, times: Vec<Duration>) {
        let count = u32::try_from(times.len()).unwrap();
        self.rates.push(f64::from(count) / TURN.as_secs_f64());
        self.times.extend(times);
    }

    /// How many times as many log-ins a second: the median of the turns.
    fn ratio(&self, other: &Self) -> f64 {
        let pairs = self.rates.iter().zip(&other.rates);
        median(pairs.map(|(ours, theirs)| ours / theirs).collect())
    }

    fn print(&self, what: &str, by: &str, compared: &str) {
        let rate = median(self.rates.clone());
        let within = |part: usize| self.times[self.times.len() * part / 100].as_secs_f64() * 1e3;
        let (half, most) = (within(50), within(99));
        println!("| {what} | {by} | {rate:.0} | {half:.2} ms | {most:.2} ms | {compared} |");
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
