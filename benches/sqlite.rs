//! Log-ins over SQLite beside a bare program that reads and writes the same.
//!
//! The pace of a disk, and of a busy machine, can change from one second to the next, and criterion
//! measures one after the other. So the aim is judged by log-ins that the two make in turns, on a
//! file system in memory: all that keyfob adds shows there.

#![allow(clippy::unwrap_used)] // what fails here leaves nothing to be measured

#[path = "../tests/support/directory.rs"]
mod directory;
#[allow(dead_code)] // the table has no aim, see above
mod report;

use std::env;
use std::path::Path;
use std::time::{Duration, Instant};

use criterion::{BatchSize, Criterion, Throughput, criterion_group};
use directory::Directory;
use keyfob::{
    Code, Engine, Migration, Params, Policy, RegistrationStore as _, Secret, SqliteStore,
    SystemEntropy, Totp, TotpParams, UnixTime,
};
use report::{Peer, Row, Run};
use rusqlite::Connection;

const ROWS: &[Row] = &[
    Row {
        what: "a log-in over SQLite, in memory",
        group: "sqlite-memory",
        ours: "keyfob",
        peers: &[Peer::new("bare rusqlite")],
    },
    Row {
        what: "a log-in over SQLite, on disk",
        group: "sqlite-disk",
        ours: "keyfob",
        peers: &[Peer::new("bare rusqlite")],
    },
    Row {
        what: "a replay over SQLite",
        group: "sqlite-replay",
        ours: "keyfob",
        peers: &[Peer::new("bare read")],
    },
];

const ID: &str = "alice@example.com";

/// A token that shows its next code at each look.
struct Token {
    totp: Totp,
    now: UnixTime,
}

impl Token {
    fn secret() -> Secret {
        Secret::from_bytes(b"12345678901234567890").unwrap()
    }

    fn new() -> Self {
        Self {
            totp: Totp::new(&Self::secret(), TotpParams::DEFAULT),
            now: UnixTime::from_seconds(1_800_000_000),
        }
    }

    /// The next code, and when it is shown: two steps on, as a code burns the step after its own
    /// too if that has the same digits.
    fn next(&mut self) -> (Code, UnixTime) {
        self.now = self.now.saturating_add(60);
        (self.totp.code_at(self.now), self.now)
    }

    /// An engine that knows this token, with the recovery codes that come by default.
    fn register(&self, path: &Path) -> Engine<SqliteStore> {
        let mut engine = Engine::new(SqliteStore::open(path).unwrap(), Policy::DEFAULT);
        let migration = Migration::new(Self::secret(), Params::Totp(TotpParams::DEFAULT));
        engine
            .migrate(ID, &migration, self.now, &mut SystemEntropy)
            .unwrap();
        engine
    }
}

/// What remains of keyfob's store when keyfob is taken away: one read and one conditional write.
struct Bare {
    connection: Connection,
    record: Vec<u8>,
}

impl Bare {
    /// In a database of its own with the same table, settings and record.
    fn new(directory: &Directory) -> Self {
        let path = directory.file("bare.sqlite");
        let mut engine = Token::new().register(&path);
        let record = engine.store().load(ID).unwrap().unwrap();
        drop(engine);
        let connection = Connection::open(&path).unwrap();
        let settings = "PRAGMA synchronous = FULL; PRAGMA secure_delete = ON";
        connection.execute_batch(settings).unwrap();
        Self {
            connection,
            record: record.as_bytes().to_vec(),
        }
    }

    fn read(&self) -> (i64, usize) {
        let statement = "SELECT revision, record FROM keyfob_registrations WHERE id = ?1";
        self.connection
            .prepare_cached(statement)
            .unwrap()
            .query_row([ID], |row| {
                let record = row.get_ref(1)?.as_blob()?;
                Ok((row.get(0)?, record.len()))
            })
            .unwrap()
    }

    fn write(&mut self, expected: i64) -> usize {
        let next = expected.wrapping_add(1);
        if let Some(byte) = self.record.get_mut(20) {
            *byte = byte.wrapping_add(1);
        }
        let statement = "
            UPDATE keyfob_registrations SET revision = ?3, record = ?4, lapses_at = ?5
            WHERE id = ?1 AND revision = ?2";
        self.connection
            .prepare_cached(statement)
            .unwrap()
            .execute((ID, expected, next, &self.record, None::<i64>))
            .unwrap()
    }

    fn log_in(&mut self) -> usize {
        let (revision, _) = self.read();
        self.write(revision)
    }
}

/// A directory on a file system in memory, where there is one.
fn in_memory() -> Directory {
    let shared_memory = Path::new("/dev/shm");
    if shared_memory.is_dir() {
        return Directory::within(shared_memory);
    }
    Directory::new()
}

fn log_ins_in_memory(criterion: &mut Criterion) {
    log_ins(criterion, "sqlite-memory", &in_memory());
}

fn log_ins_on_disk(criterion: &mut Criterion) {
    log_ins(criterion, "sqlite-disk", &Directory::new());
}

fn log_ins(criterion: &mut Criterion, group: &str, directory: &Directory) {
    let mut group = criterion.benchmark_group(group);
    group.throughput(Throughput::Elements(1));
    let mut token = Token::new();
    let mut engine = token.register(&directory.file("keyfob.sqlite"));
    group.bench_function("keyfob", |bencher| {
        bencher.iter_batched(
            || token.next(),
            |(code, now)| engine.authenticate(ID, &code, now).unwrap(),
            BatchSize::SmallInput,
        );
    });
    let mut bare = Bare::new(directory);
    group.bench_function("bare rusqlite", |bencher| {
        bencher.iter_batched(
            || (),
            |()| assert_eq!(bare.log_in(), 1),
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

/// Nothing is written, so nothing waits for the disk.
fn replays(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sqlite-replay");
    let directory = in_memory();
    let mut token = Token::new();
    let mut engine = token.register(&directory.file("keyfob.sqlite"));
    let (code, now) = token.next();
    engine.authenticate(ID, &code, now).unwrap();
    group.bench_function("keyfob", |bencher| {
        bencher.iter(|| engine.authenticate(ID, &code, now).unwrap_err());
    });
    let bare = Bare::new(&directory);
    group.bench_function("bare read", |bencher| bencher.iter(|| bare.read()));
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(10))
        .without_plots();
    targets = log_ins_in_memory, log_ins_on_disk, replays
}

fn main() {
    let run = Run::begin();
    benches();
    run.print(ROWS);
    let is_given = |argument: &str| env::args().any(|given| given == argument);
    if is_given("--bench") && !is_given("--test") && !is_given("--list") {
        let ratio = in_turns(&in_memory());
        println!("In turns a log-in takes {ratio:.2} times the bare one (aim: at most {MOST:.2}).");
    }
}

/// At least 0.8 times as many log-ins a second.
const MOST: f64 = 1.25;

/// How many times as long keyfob takes: the median of 200 turns of 50 log-ins each.
fn in_turns(directory: &Directory) -> f64 {
    let mut token = Token::new();
    let mut engine = token.register(&directory.file("keyfob.sqlite"));
    let mut bare = Bare::new(directory);
    let mut ours = || {
        let (code, now) = token.next();
        assert!(engine.authenticate(ID, &code, now).is_ok());
    };
    let mut theirs = || assert_eq!(bare.log_in(), 1);
    let mut ratios: Vec<f64> = (0..200)
        .map(|_| seconds(50, &mut ours) / seconds(50, &mut theirs))
        .collect();
    ratios.sort_by(f64::total_cmp);
    ratios[ratios.len() / 2]
}

fn seconds(times: usize, run: &mut impl FnMut()) -> f64 {
    let start = Instant::now();
    for _ in 0..times {
        run();
    }
    start.elapsed().as_secs_f64()
}
