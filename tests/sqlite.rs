//! The SQLite store among processes that race and are killed, and in a database of somebody else's.
#![cfg(feature = "sqlite")]

#[path = "support/directory.rs"]
mod directory;

use std::collections::BTreeSet;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;
use std::time::Duration;
use std::{env, fs};

use directory::Directory;
use keyfob::{
    Authenticated, Corrupt, Engine, Error, Migration, NewRegistration, Params, PendingLifetime,
    Policy, Record, RegistrationStore, Rejection, Revision, Secret, SqliteError, SqliteStore,
    StatusState, SystemEntropy, Totp, TotpParams, UnixTime,
};
use rusqlite::Connection;

type SqliteEngine = Engine<SqliteStore>;
type Answer = Result<Authenticated, Error<SqliteError>>;

const KEY: &[u8] = b"12345678901234567890";
const START: UnixTime = UnixTime::from_seconds(1_800_000_000);
/// When tokens are taken over, as that burns the steps around it.
const LONG_AGO: UnixTime = UnixTime::from_seconds(1_799_000_000);

/// The middle of a step; step 0 is that of the registration.
fn moment(step: u64) -> UnixTime {
    START.saturating_add(30 * step)
}

/// An engine for the exact step, as two neighbours that share their digits would burn each other.
fn engine(path: &Path) -> SqliteEngine {
    Engine::new(SqliteStore::open(path).unwrap(), Policy::strict())
}

fn secret() -> Secret {
    Secret::from_bytes(KEY).unwrap()
}

/// Registers the token of all these tests, active at once.
fn register(engine: &mut SqliteEngine, id: &str) {
    let migration = Migration::new(secret(), Params::Totp(TotpParams::DEFAULT));
    engine
        .migrate(id, &migration, LONG_AGO, &mut SystemEntropy)
        .unwrap();
}

fn log_in(engine: &mut SqliteEngine, step: u64) -> Answer {
    let code = Totp::new(&secret(), TotpParams::DEFAULT).code_at(moment(step));
    engine.authenticate("alice", &code, moment(step))
}

/// Whether the code is used up, by itself or by a later one.
fn is_replayed(answer: &Answer) -> bool {
    use Rejection::{Replayed, TooEarly};
    matches!(answer, Err(Error::Rejected(Replayed | TooEarly(_))))
}

// ---- Processes

/// Tells this program, started once more, which database to use.
const DATABASE: &str = "KEYFOB_TEST_DATABASE";
/// Tells it where to begin.
const FIRST_STEP: &str = "KEYFOB_TEST_FIRST_STEP";
/// Starts each line of its that is meant for us.
const MARK: &str = "> ";

/// This program in a process of its own, running one of the ignored tests.
struct Process {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Process {
    fn start(test: &str, database: &Path, first_step: u64) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", test, "--ignored", "--nocapture"])
            .env(DATABASE, database)
            .env(FIRST_STEP, first_step.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            questions: child.stdin.take().unwrap(),
            answers: BufReader::new(child.stdout.take().unwrap()),
            child,
        }
    }

    fn ask(&mut self, step: u64) {
        writeln!(self.questions, "{step}").unwrap();
    }

    fn answer(&mut self) -> String {
        let mut line = String::new();
        while self.answers.read_line(&mut line).unwrap() > 0 {
            if let Some(answer) = line.strip_prefix(MARK) {
                return answer.trim_end().to_owned();
            }
            line.clear();
        }
        panic!("the process ended without an answer");
    }

    /// Kills it at once, and gives the answers that nobody has read yet.
    fn kill(mut self) -> Vec<String> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let mut rest = String::new();
        self.answers.read_to_string(&mut rest).unwrap();
        let lines = rest
            .split_inclusive('\n')
            .filter(|line| line.ends_with('\n'));
        let answers = lines.filter_map(|line| line.strip_prefix(MARK));
        answers.map(|answer| answer.trim_end().to_owned()).collect()
    }
}

/// What [`Process`] hears. The empty line ends what the test harness may have begun.
fn say(answer: impl std::fmt::Display) {
    let line = format!("\n{MARK}{answer}\n");
    io::stdout().lock().write_all(line.as_bytes()).unwrap();
}

fn database_to_use() -> impl AsRef<Path> {
    env::var_os(DATABASE).expect("only another test starts this one")
}

#[test]
#[ignore = "a process of the test below"]
fn verifier() {
    let mut engine = engine(database_to_use().as_ref());
    say("ready");
    for line in io::stdin().lines() {
        match log_in(&mut engine, line.unwrap().parse().unwrap()) {
            Ok(_) => say("accepted"),
            Err(error) => say(error),
        }
    }
}

#[test]
fn eight_processes_accept_each_code_once() {
    const STEPS: u64 = 200;
    let directory = Directory::new();
    let path = directory.file("registrations.sqlite");
    let start = |_| Process::start("verifier", &path, 0);
    let mut processes: Vec<_> = (0..8).map(start).collect();
    for process in &mut processes {
        assert_eq!(process.answer(), "ready");
    }
    register(&mut engine(&path), "alice");

    let mut accepted = 0;
    for step in 1..=STEPS {
        for process in &mut processes {
            process.ask(step);
        }
        for process in &mut processes {
            match process.answer().as_str() {
                "accepted" => accepted += 1,
                other => assert_eq!(other, Rejection::Replayed.to_string()),
            }
        }
    }
    assert_eq!(accepted, STEPS);
    for mut process in processes {
        drop(process.questions);
        assert!(process.child.wait().unwrap().success());
    }
}

#[test]
#[ignore = "a process of the test below"]
fn walker() {
    let mut engine = engine(database_to_use().as_ref());
    let first: u64 = env::var(FIRST_STEP).unwrap().parse().unwrap();
    for step in first.. {
        match log_in(&mut engine, step) {
            Ok(_) => say(step),
            // It was burned and not answered when the walker before was killed.
            answer => assert!(is_replayed(&answer), "{answer:?}"),
        }
    }
}

#[test]
fn what_was_accepted_before_a_kill_stays_burned() {
    let directory = Directory::new();
    let path = directory.file("registrations.sqlite");
    register(&mut engine(&path), "alice");
    let mut accepted = BTreeSet::new();
    let mut moments = Moments(0x9e37_79b9_7f4a_7c15);
    for kill in 0..200 {
        let first = accepted.last().map_or(1, |last| last + 1);
        let mut walker = Process::start("walker", &path, first);
        // Every second time it is at work already; otherwise it may be killed while it opens.
        let heard = (kill % 2 == 0).then(|| walker.answer());
        thread::sleep(moments.next());
        let answers = heard.into_iter().chain(walker.kill());
        let steps: Vec<u64> = answers.map(|step| step.parse().unwrap()).collect();
        check_after_kill(&path, &steps);
        for step in steps {
            assert!(accepted.insert(step), "step {step} was accepted twice");
        }
    }
    assert!(accepted.len() >= 100);
}

fn check_after_kill(path: &Path, accepted: &[u64]) {
    let mut engine = engine(path);
    let check = |row: &rusqlite::Row<'_>| row.get(0);
    let connection = engine.store().connection();
    let verdict: String = connection
        .query_row("PRAGMA integrity_check", [], check)
        .unwrap();
    assert_eq!(verdict, "ok");
    for step in accepted {
        let answer = log_in(&mut engine, *step);
        assert!(is_replayed(&answer), "step {step}: {answer:?}");
    }
}

/// Waits of up to 20 milliseconds, without a pattern.
struct Moments(u64);

impl Moments {
    fn next(&mut self) -> Duration {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        Duration::from_micros(self.0 % 20_000)
    }
}

#[test]
fn many_can_open_a_new_database_at_once() {
    for _ in 0..10 {
        let directory = Directory::new();
        let path = directory.file("registrations.sqlite");
        thread::scope(|scope| {
            for number in 0..16 {
                let path = &path;
                scope.spawn(move || register(&mut engine(path), &number.to_string()));
            }
        });
        let mut engine = engine(&path);
        for number in 0..16 {
            assert!(engine.status(&number.to_string(), START).is_ok());
        }
    }
}

/// SQLite itself would give up at once: whoever turns the log on doesn't queue for the lock.
#[test]
fn opening_waits_for_those_who_write() {
    let directory = Directory::new();
    let path = directory.file("theirs.sqlite");
    let theirs = Connection::open(&path).unwrap();
    let begin = "CREATE TABLE theirs (id); BEGIN IMMEDIATE";
    theirs.execute_batch(begin).unwrap();
    thread::scope(|scope| {
        let opening = scope.spawn(|| SqliteStore::open(&path).map(drop));
        thread::sleep(Duration::from_millis(50));
        theirs.execute_batch("COMMIT").unwrap();
        assert_eq!(opening.join().unwrap(), Ok(()));
    });
}

// ---- Locks and transactions

#[test]
fn a_locked_database_is_an_error_and_accepts_nothing() {
    let directory = Directory::new();
    let path = directory.file("registrations.sqlite");
    let mut engine = engine(&path);
    register(&mut engine, "alice");
    let timeout = Duration::from_millis(30);
    engine.store().set_busy_timeout(timeout).unwrap();

    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let answer = log_in(&mut engine, 1);
    assert!(
        matches!(answer, Err(Error::Store(SqliteError::Busy(_)))),
        "{answer:?}"
    );
    other.execute_batch("ROLLBACK").unwrap();
    assert!(log_in(&mut engine, 1).is_ok());
}

#[test]
fn the_longest_wait_is_cut() {
    let directory = Directory::new();
    let mut store = SqliteStore::open(directory.file("registrations.sqlite")).unwrap();
    assert_eq!(store.set_busy_timeout(Duration::MAX), Ok(()));
}

/// CVE-2026-35597: the lock-out was rolled back with the log-in that caused it.
#[test]
fn every_operation_inside_a_transaction_is_refused() {
    let directory = Directory::new();
    let mut engine = engine(&directory.file("registrations.sqlite"));
    register(&mut engine, "alice");
    for begin in [
        "BEGIN",
        "BEGIN IMMEDIATE",
        "BEGIN EXCLUSIVE",
        "SAVEPOINT here",
    ] {
        let store = engine.store();
        store.connection().execute_batch(begin).unwrap();
        let record = Record::from_stored(Revision::from_u64(7), b"record").unwrap();
        let refused = SqliteError::InTransaction;
        for id in ["alice", "nobody"] {
            let stored = store.load(id);
            assert_eq!(stored.unwrap_err(), refused, "{begin}");
            for expected in [None, Some(record.revision())] {
                for next in [None, Some(&record)] {
                    let swap = store.compare_and_swap(id, expected, next);
                    assert_eq!(swap.unwrap_err(), refused, "{begin}");
                }
            }
        }
        assert_eq!(store.sweep(START).unwrap_err(), refused, "{begin}");
        assert_eq!(store.count().unwrap_err(), refused, "{begin}");
        assert_eq!(store.ids(None, 1).unwrap_err(), refused, "{begin}");
        store.connection().execute_batch("COMMIT").unwrap();
        assert_eq!(store.count(), Ok(1));
    }
    assert!(log_in(&mut engine, 1).is_ok());
}

#[test]
fn nobody_is_registered_inside_a_transaction() {
    let directory = Directory::new();
    let mut engine = engine(&directory.file("registrations.sqlite"));
    let migration = Migration::new(secret(), Params::Totp(TotpParams::DEFAULT));
    let new = NewRegistration::default();
    engine.store().connection().execute_batch("BEGIN").unwrap();
    let created = engine.create("alice", &new, START, &mut SystemEntropy);
    let migrated = engine.migrate("alice", &migration, START, &mut SystemEntropy);
    for error in [created.map(drop), migrated.map(drop)] {
        assert_eq!(error, Err(Error::Store(SqliteError::InTransaction)));
    }
}

/// A statement that stands at a row of its keeps the connection's view of the database as it was.
#[test]
fn nothing_is_said_by_an_old_snapshot() {
    let directory = Directory::new();
    let path = directory.file("registrations.sqlite");
    let mut inside = engine(&path);
    let connection = inside.store().connection();
    connection
        .execute_batch("CREATE TABLE theirs (id); INSERT INTO theirs VALUES (1), (2)")
        .unwrap();
    let mut statement = connection.prepare("SELECT id FROM theirs").unwrap();
    let mut rows = statement.query([]).unwrap();
    rows.next().unwrap();
    std::mem::forget(rows);
    std::mem::forget(statement);

    register(&mut engine(&path), "alice");
    let refused = Error::Store(SqliteError::InTransaction);
    assert_eq!(inside.status("alice", START).unwrap_err(), refused);
}

#[test]
fn a_connection_inside_a_transaction_is_refused() {
    let directory = Directory::new();
    let path = directory.file("registrations.sqlite");
    let connection = SqliteStore::open(&path).unwrap().into_connection();
    connection.execute_batch("BEGIN").unwrap();
    let refused = SqliteStore::from_connection(connection).unwrap_err();
    assert_eq!(refused, SqliteError::InTransaction);
}

// ---- The database

fn not_durable(journal_mode: &str, synchronous: i64, fullfsync: bool) -> SqliteError {
    SqliteError::NotDurable {
        journal_mode: journal_mode.to_owned(),
        synchronous,
        fullfsync,
    }
}

#[test]
fn a_database_that_forgets_is_refused() {
    let in_memory = SqliteStore::open(":memory:").unwrap_err();
    assert_eq!(in_memory, not_durable("memory", 2, true));

    let directory = Directory::new();
    let connect = |pragmas| {
        let connection = Connection::open(directory.file("theirs.sqlite")).unwrap();
        connection.execute_batch(pragmas).unwrap();
        SqliteStore::from_connection(connection)
    };
    let rollback_journal = connect("CREATE TABLE theirs (id)").unwrap_err();
    assert_eq!(rollback_journal, not_durable("delete", 2, true));
    let normal = connect("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL").unwrap_err();
    assert_eq!(normal, not_durable("wal", 1, true));
    assert!(connect("PRAGMA synchronous = EXTRA").is_ok());
}

/// Whoever has the connection can change what was right when the store was made.
#[test]
fn settings_that_are_changed_later_are_noticed_before_the_next_answer() {
    let directory = Directory::new();
    let mut engine = engine(&directory.file("registrations.sqlite"));
    register(&mut engine, "alice");
    for (pragma, journal_mode, synchronous, fullfsync) in [
        ("synchronous = OFF", "wal", 0, true),
        ("main.synchronous = NORMAL", "wal", 1, true),
        ("synchronous = FULL; PRAGMA fullfsync = 0", "wal", 2, false),
        (
            "fullfsync = 1; PRAGMA journal_mode = DELETE",
            "delete",
            2,
            true,
        ),
        ("journal_mode = TRUNCATE", "truncate", 2, true),
        ("journal_mode = MEMORY", "memory", 2, true),
        ("journal_mode = OFF", "off", 2, true),
    ] {
        let change = format!("PRAGMA {pragma}");
        engine.store().connection().execute_batch(&change).unwrap();
        let found = || not_durable(journal_mode, synchronous, fullfsync);
        let refused = || Error::Store(found());
        assert_eq!(log_in(&mut engine, 1), Err(refused()), "{pragma}");
        assert_eq!(engine.delete("alice"), Err(refused()), "{pragma}");
        let new = NewRegistration::default();
        let created = engine.create("bob", &new, START, &mut SystemEntropy);
        assert_eq!(created.unwrap_err(), refused(), "{pragma}");
        assert_eq!(engine.store().sweep(START), Err(found()), "{pragma}");
    }
    let back = "PRAGMA journal_mode = DELETE; PRAGMA journal_mode = WAL";
    engine.store().connection().execute_batch(back).unwrap();
    assert_eq!(engine.store().count(), Ok(1));
    assert!(log_in(&mut engine, 1).is_ok());
}

/// A table of the same name in a temporary database is found first, and is gone with the connection.
#[test]
fn tables_of_other_databases_on_the_connection_are_not_used() {
    let directory = Directory::new();
    let path = directory.file("registrations.sqlite");
    let mut engine = engine(&path);
    register(&mut engine, "alice");
    let columns = "(id TEXT PRIMARY KEY, revision INTEGER, record BLOB, lapses_at INTEGER)";
    let other = directory.file("other.sqlite");
    let shadow = format!(
        "CREATE TEMP TABLE keyfob_registrations {columns};
         ATTACH '{}' AS other; CREATE TABLE other.keyfob_registrations {columns};
         PRAGMA other.synchronous = OFF",
        other.display()
    );
    engine.store().connection().execute_batch(&shadow).unwrap();
    assert!(log_in(&mut engine, 1).is_ok());
    let new = NewRegistration::default();
    engine
        .create("bob", &new, START, &mut SystemEntropy)
        .unwrap();
    assert_eq!(engine.store().count(), Ok(2));

    assert_eq!(SqliteStore::open(&path).unwrap().count(), Ok(2));
}

#[test]
fn tables_of_a_later_version_are_refused() {
    let directory = Directory::new();
    let path = directory.file("registrations.sqlite");
    let connection = SqliteStore::open(&path).unwrap().into_connection();
    let later = "INSERT INTO keyfob_schema (version) VALUES (99)";
    connection.execute(later, []).unwrap();
    let refused = SqliteStore::open(&path).unwrap_err();
    assert_eq!(refused, SqliteError::Schema { found: 99 });
    let text = "the tables have version 99, which a later keyfob made: update this one";
    assert_eq!(refused.to_string(), text);
}

#[test]
fn what_is_not_ours_stays_as_it_is() {
    let directory = Directory::new();
    let path = directory.file("theirs.sqlite");
    let theirs = Connection::open(&path).unwrap();
    theirs
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA user_version = 7; PRAGMA application_id = 8;
             CREATE TABLE users (id TEXT, registration TEXT);
             CREATE INDEX users_by_id ON users (id);
             INSERT INTO users VALUES ('alice', 'x');",
        )
        .unwrap();
    let before = not_ours(&theirs);

    let store = SqliteStore::from_connection(Connection::open(&path).unwrap()).unwrap();
    let mut engine = Engine::new(store, Policy::strict());
    register(&mut engine, "alice");
    assert!(log_in(&mut engine, 1).is_ok());
    engine.store().sweep(moment(1_000)).unwrap();
    engine.delete("alice").unwrap();
    assert_eq!(not_ours(&theirs), before);
}

/// All of the database that doesn't start with our name.
fn not_ours(connection: &Connection) -> Vec<String> {
    let mut statement = connection
        .prepare(
            "SELECT coalesce(sql, name) FROM sqlite_schema WHERE tbl_name NOT LIKE 'keyfob%'
             UNION ALL SELECT id || registration FROM users
             UNION ALL SELECT user_version FROM pragma_user_version
             UNION ALL SELECT application_id FROM pragma_application_id",
        )
        .unwrap();
    let text = |row: &rusqlite::Row<'_>| Ok(format!("{:?}", row.get_ref(0)?));
    let rows = statement.query_map([], text).unwrap();
    rows.map(Result::unwrap).collect()
}

// ---- Records

#[test]
fn only_what_lapsed_is_swept() {
    let directory = Directory::new();
    let mut engine = engine(&directory.file("registrations.sqlite"));
    let mut create = |id, now| {
        let new = NewRegistration::default();
        engine.create(id, &new, now, &mut SystemEntropy).unwrap()
    };
    create("pending", START);
    create("pending a second longer", START.saturating_add(1));
    let enrollment = create("confirmed", START);
    let code = Totp::new(enrollment.secret(), TotpParams::DEFAULT).code_at(START);
    assert!(engine.authenticate("confirmed", &code, START).is_ok());

    let lapses_at = enrollment.pending_until();
    let before = UnixTime::from_seconds(lapses_at.as_seconds() - 1);
    assert_eq!(engine.store().sweep(before), Ok(0));
    let stored = engine.store().count().unwrap();
    assert_eq!(engine.store().sweep(lapses_at), Ok(1));
    assert_eq!(engine.store().count(), Ok(stored - 1));
    let mut state = |id| engine.status(id, START).map(|status| status.state);
    assert_eq!(state("pending"), Err(Error::Rejected(Rejection::Unknown)));
    let later = StatusState::Pending {
        until: lapses_at.saturating_add(1),
    };
    assert_eq!(state("pending a second longer"), Ok(later));
    assert_eq!(state("confirmed"), Ok(StatusState::Active { since: START }));

    let end_of_time = UnixTime::from_seconds(u64::MAX);
    assert_eq!(engine.store().sweep(end_of_time), Ok(1));
}

/// Else it would stay pending for as long as the clock was ahead.
#[test]
fn what_was_made_while_a_clock_was_ahead_is_swept() {
    let directory = Directory::new();
    let store = SqliteStore::open(directory.file("registrations.sqlite")).unwrap();
    let policy = Policy {
        pending_lifetime: PendingLifetime::from_minutes(1_440).unwrap(),
        ..Policy::strict()
    };
    let mut engine = Engine::new(store, policy);
    let (day, hour) = (86_400, 3_600);
    let mut create = |id, now, lifetime| {
        let lifetime = PendingLifetime::from_minutes(lifetime);
        let new = NewRegistration {
            lifetime,
            ..NewRegistration::default()
        };
        engine.create(id, &new, now, &mut SystemEntropy).unwrap()
    };
    create("an hour ahead", START.saturating_add(hour), 1_440);
    create("more", START.saturating_add(hour + 1), 1_440);
    create("years ahead", START.saturating_add(4_000 * day), 60);
    create("at the end of time", UnixTime::from_seconds(u64::MAX), 60);
    let ahead = START.saturating_add(4_000 * day);
    let enrollment = create("active", ahead, 60);
    let code = Totp::new(enrollment.secret(), TotpParams::DEFAULT).code_at(ahead);
    engine.authenticate("active", &code, ahead).unwrap();

    assert_eq!(engine.store().sweep(START), Ok(3));
    assert_eq!(engine.store().sweep(START), Ok(0));
    assert!(engine.status("an hour ahead", START).is_ok());
    assert!(engine.status("active", START).is_ok());
}

#[test]
fn a_deleted_secret_is_overwritten() {
    let directory = Directory::new();
    let path = directory.file("registrations.sqlite");
    let mut engine = engine(&path);
    register(&mut engine, "alice");
    assert!(is_on_disk(&mut engine, &path));
    engine.delete("alice").unwrap();
    assert!(!is_on_disk(&mut engine, &path));
}

/// Whether the secret can be read in the file, all of the log written to it and cut off.
fn is_on_disk(engine: &mut SqliteEngine, path: &Path) -> bool {
    let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
    let connection = engine.store().connection();
    connection.execute_batch(checkpoint).unwrap();
    let bytes = fs::read(path).unwrap();
    bytes.windows(KEY.len()).any(|window| window == KEY)
}

#[test]
fn a_record_that_is_too_long_is_an_error() {
    let directory = Directory::new();
    let mut store = SqliteStore::open(directory.file("registrations.sqlite")).unwrap();
    let overlong = "INSERT INTO keyfob_registrations VALUES ('alice', 1, zeroblob(10000), NULL)";
    store.connection().execute(overlong, []).unwrap();
    let refused = SqliteError::Corrupt(Corrupt::Malformed);
    assert_eq!(store.load("alice").unwrap_err(), refused);
}
