//! What the engine adds to a bare verification, and what many registrations cost. `BENCHMARKS.md`
//! says why each line stands there.

#![allow(clippy::unwrap_used)] // the inputs are valid; were they not, there'd be nothing to measure

mod report;

use std::{fs, hint::black_box, sync::Arc, time::Duration};

use criterion::{BatchSize, BenchmarkGroup, Criterion, criterion_group, measurement::WallTime};
use keyfob::{
    Burned, Code, Engine, HashMapStore, KeyCache, MemoryStore, Migration, Params, Policy, Record,
    RegistrationStore, Rejection, Secret, Swap, SystemEntropy, Totp, TotpParams, UnixTime, Window,
};
use report::{Peer, Row, Run};

const ROWS: &[Row] = &[
    Row {
        what: "a right code, MemoryStore",
        group: "authenticate",
        ours: "engine, MemoryStore",
        peers: &[
            Peer::with_aim("bare, from the secret", 1.60),
            Peer::new("bare, key kept"),
        ],
    },
    Row {
        what: "the same, its key cached",
        group: "authenticate",
        ours: "engine, MemoryStore, key cached",
        peers: &[
            Peer::new("engine, MemoryStore"),
            Peer::new("bare, key kept"),
        ],
    },
    Row {
        what: "a right code, HashMapStore",
        group: "authenticate",
        ours: "engine, HashMapStore",
        peers: &[
            Peer::with_aim("bare, from the secret", 1.60),
            Peer::new("bare, key kept"),
        ],
    },
    Row {
        what: "among 1,000,000 registrations",
        group: "population",
        ours: "1000000",
        peers: &[Peer::with_aim("100000", 2.0), Peer::with_aim("1000", 2.0)],
    },
];

const SECRET: &[u8] = b"12345678901234567890";

fn main() {
    // First of all, as what was freed before would hide what is taken.
    let memory = memory_per_registration();
    let run = Run::begin();
    benches();
    run.print(ROWS);
    println!("A registration in a HashMapStore takes {memory} bytes in all (aim: at most 512).");
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3))
        .without_plots();
    targets = authentication, population
}

/// A person who logs in again and again, each time with the next code.
struct Person {
    totp: Totp,
    now: UnixTime,
}

impl Person {
    fn new() -> Self {
        Self {
            totp: Totp::new(&secret(), TotpParams::DEFAULT),
            now: UnixTime::from_seconds(1_800_000_000),
        }
    }

    /// The next moment, and what is typed then.
    fn next(&mut self) -> (UnixTime, String) {
        self.now = self.now.saturating_add(30);
        (self.now, self.totp.code_at(self.now).to_string())
    }
}

fn secret() -> Secret {
    Secret::from_bytes(SECRET).unwrap()
}

/// Measures `log_in` with a right code, the typing of which isn't measured.
fn bench<T>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    mut log_in: impl FnMut(&str, UnixTime) -> T,
) {
    group.bench_function(name, |bencher| {
        let mut person = Person::new();
        bencher.iter_batched(
            || person.next(),
            |(now, typed)| log_in(black_box(&typed), black_box(now)),
            BatchSize::LargeInput,
        );
    });
}

fn authentication(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("authenticate");
    bench(&mut group, "bare, key kept", {
        let totp = Totp::new(&secret(), TotpParams::DEFAULT);
        move |typed, now| verify(&totp, typed, now)
    });
    bench(&mut group, "bare, from the secret", {
        let secret = secret();
        move |typed, now| {
            verify(
                &Totp::new(black_box(&secret), TotpParams::DEFAULT),
                typed,
                now,
            )
        }
    });
    bench(&mut group, "engine, MemoryStore", {
        let store = MemoryStore::<u64, 1>::new();
        log_in_over(registered(store))
    });
    let store = MemoryStore::<u64, 1>::new();
    bench(&mut group, "engine, MemoryStore, key cached", {
        let keys = Arc::new(KeyCache::new(1_000));
        log_in_over(registered(store).with_key_cache(keys))
    });
    let store = HashMapStore::<u64>::new();
    bench(
        &mut group,
        "engine, HashMapStore",
        log_in_over(registered(&store)),
    );
    group.finish();
}

/// Everything that must be done with a code, and nothing that must be remembered.
fn verify(totp: &Totp, typed: &str, now: UnixTime) -> Burned {
    let code = Code::parse(typed).unwrap();
    let mut burned = black_box(Burned::NOTHING);
    totp.verify(&code, now, Window::ONE_STEP, &mut burned)
        .unwrap();
    burned
}

/// An engine over `store` with registration 0: ten recovery codes, and a token that is active since
/// before any log-in.
fn registered<S: RegistrationStore<Id = u64, Error: std::fmt::Debug>>(store: S) -> Engine<S> {
    let mut engine = Engine::new(store, Policy::DEFAULT);
    let migration = Migration::new(secret(), Params::default());
    let before = UnixTime::from_seconds(1_700_000_000);
    engine
        .migrate(&0, &migration, before, &mut SystemEntropy)
        .unwrap();
    engine
}

fn log_in_over<S: RegistrationStore<Id = u64, Error: std::fmt::Debug>>(
    engine: Engine<S>,
) -> impl FnMut(&str, UnixTime) {
    let mut engine = engine;
    // Each sample starts the clock anew, so the burned steps must go back to where they were.
    let fresh = record(engine.store());
    let mut last = UnixTime::EPOCH;
    move |typed, now| {
        if now < last {
            put(engine.store(), 0, &fresh);
        }
        last = now;
        let code = Code::parse(typed).unwrap();
        let outcome = engine.authenticate(&0, &code, now);
        // Three in a million codes are replays: those whose next step has the same digits.
        let rejection = outcome.err().and_then(|error| error.rejection());
        assert!(!matches!(rejection, Some(Rejection::Mismatch { .. })));
    }
}

fn record<S: RegistrationStore<Id = u64, Error: std::fmt::Debug>>(store: &mut S) -> Record {
    store.load(&0).unwrap().unwrap()
}

/// Stores `record` under `id`, whatever is there.
fn put<S: RegistrationStore<Id = u64, Error: std::fmt::Debug>>(
    store: &mut S,
    id: u64,
    record: &Record,
) {
    let stored = store.load(&id).unwrap().map(|stored| stored.revision());
    let swap = store.compare_and_swap(&id, stored, Some(record)).unwrap();
    assert_eq!(swap, Swap::Stored);
}

/// Log-ins of ever other people, so that no record is in the processor's caches but by chance.
fn population(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("population");
    for registrations in [1_000, 100_000, 1_000_000_u64] {
        let store = populated(registrations);
        let mut engine = Engine::new(&store, Policy::DEFAULT);
        let mut id = 0;
        bench(&mut group, &registrations.to_string(), |typed, now| {
            // A step that shares no factor with the number of registrations visits all of them.
            id = (id + 387_421) % registrations;
            let code = Code::parse(typed).unwrap();
            // Each sample starts the clock anew, so that some codes are replayed: the same work but
            // the write.
            let _ = black_box(engine.authenticate(&id, &code, now));
        });
    }
    group.finish();
}

/// A store in which every registration has the same token.
fn populated(registrations: u64) -> HashMapStore<u64> {
    let store = HashMapStore::new();
    let record = record(registered(&store).store());
    for id in 0..registrations {
        put(&mut &store, id, &record);
    }
    store
}

/// What a registration takes in memory, everything included: the growth of the process.
fn memory_per_registration() -> u64 {
    const REGISTRATIONS: u64 = 200_000;
    let before = resident_bytes();
    let store = populated(REGISTRATIONS);
    let grown = resident_bytes() - before;
    grown / black_box(store).len() as u64
}

fn resident_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap_or_default();
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse().unwrap_or(0);
    kibibytes * 1024
}
