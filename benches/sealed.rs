//! What sealing adds to a store: to a load, to a swap and to a log-in.
//!
//! The store is an array of one record, so that next to nothing but the sealing is measured.

#![allow(clippy::unwrap_used)] // the inputs are valid; were they not, there'd be nothing to measure

#[allow(dead_code)] // the aim is a time, and not a ratio
mod report;

use std::{fmt::Debug, hint::black_box, time::Duration};

use criterion::{BatchSize, BenchmarkGroup, Criterion, criterion_group, measurement::WallTime};
use keyfob::{
    Engine, Entropy, Keyring, MemoryStore, Migration, Params, Policy, Record, RegistrationStore,
    SealedStore, SealingCipher, SealingKey, Secret, SystemEntropy, Totp, TotpParams, UnixTime,
};
use report::{Peer, Row, Run};

const PEERS: &[Peer] = &[
    #[cfg(feature = "seal-aes")]
    Peer::new("AES-256-GCM"),
    Peer::new("plain"),
];

const ROWS: &[Row] = &[
    Row {
        what: "a swap of a record of 253 bytes",
        group: "seal",
        ours: "XChaCha20-Poly1305",
        peers: PEERS,
    },
    Row {
        what: "a load of it",
        group: "open",
        ours: "XChaCha20-Poly1305",
        peers: PEERS,
    },
    Row {
        what: "a right code, MemoryStore",
        group: "sealed-authenticate",
        ours: "XChaCha20-Poly1305",
        peers: PEERS,
    },
    Row {
        what: "32 random bytes, a part of each swap",
        group: "entropy",
        ours: "the system's",
        peers: &[],
    },
];

/// Most that sealing or opening may add to a record, in nanoseconds.
const MOST: f64 = 3_000.0;

type Array = MemoryStore<u32, 1>;

const ID: u32 = 7;

fn main() {
    let run = Run::begin();
    benches();
    run.print(ROWS);
    for (group, what) in [("seal", "Sealing"), ("open", "Opening")] {
        let median = |name| run.median(group, name);
        if let (Some(ours), Some(plain)) = (median("XChaCha20-Poly1305"), median("plain")) {
            let added = ours - plain;
            let verdict = if added <= MOST { "met" } else { "missed" };
            println!("{what} adds {added:.0} ns to a record (aim: at most {MOST} ns: {verdict}).");
        }
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3))
        .without_plots();
    targets = swaps, loads, log_ins, entropy
}

fn sealed(cipher: SealingCipher) -> SealedStore<Array, SystemEntropy> {
    let key = SealingKey::new(1, cipher, *b"an example of thirty-two bytes..").unwrap();
    SealedStore::new(Array::new(), Keyring::new(key), SystemEntropy)
}

/// Measures `bench` over a sealed store of each cipher, and over a plain one.
fn over_each_store(criterion: &mut Criterion, group: &str, bench: &impl Bench) {
    let mut group = criterion.benchmark_group(group);
    bench.run(&mut group, "plain", Array::new());
    let cipher = SealingCipher::XChaCha20Poly1305;
    bench.run(&mut group, "XChaCha20-Poly1305", sealed(cipher));
    #[cfg(feature = "seal-aes")]
    bench.run(&mut group, "AES-256-GCM", sealed(SealingCipher::Aes256Gcm));
    group.finish();
}

trait Bench {
    fn run<S>(&self, group: &mut BenchmarkGroup<'_, WallTime>, name: &str, store: S)
    where
        S: RegistrationStore<Id = u32, Error: Debug>;
}

fn swaps(criterion: &mut Criterion) {
    over_each_store(criterion, "seal", &Swaps);
}

struct Swaps;

impl Bench for Swaps {
    fn run<S>(&self, group: &mut BenchmarkGroup<'_, WallTime>, name: &str, store: S)
    where
        S: RegistrationStore<Id = u32, Error: Debug>,
    {
        let mut engine = registered(store);
        let record = record(&mut engine);
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let expected = Some(record.revision());
                let swap = engine
                    .store()
                    .compare_and_swap(&ID, expected, Some(black_box(&record)));
                swap.unwrap()
            });
        });
    }
}

fn loads(criterion: &mut Criterion) {
    over_each_store(criterion, "open", &Loads);
}

struct Loads;

impl Bench for Loads {
    fn run<S>(&self, group: &mut BenchmarkGroup<'_, WallTime>, name: &str, store: S)
    where
        S: RegistrationStore<Id = u32, Error: Debug>,
    {
        let mut engine = registered(store);
        group.bench_function(name, |bencher| {
            bencher.iter(|| engine.store().load(black_box(&ID)).unwrap());
        });
    }
}

fn log_ins(criterion: &mut Criterion) {
    over_each_store(criterion, "sealed-authenticate", &LogIns);
}

struct LogIns;

impl Bench for LogIns {
    fn run<S>(&self, group: &mut BenchmarkGroup<'_, WallTime>, name: &str, store: S)
    where
        S: RegistrationStore<Id = u32, Error: Debug>,
    {
        let mut engine = registered(store);
        let totp = Totp::new(&secret(), TotpParams::DEFAULT);
        let mut now = UnixTime::from_seconds(1_800_000_000);
        group.bench_function(name, |bencher| {
            bencher.iter_batched(
                || {
                    // Two steps on: a code burns the step after its own if that has the same digits.
                    now = now.saturating_add(60);
                    (totp.code_at(now), now)
                },
                |(code, now)| engine.authenticate(&ID, &code, now).unwrap(),
                BatchSize::SmallInput,
            );
        });
    }
}

fn entropy(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("entropy");
    group.bench_function("the system's", |bencher| {
        bencher.iter(|| {
            let mut bytes = [0; 32];
            SystemEntropy.fill(&mut bytes).unwrap();
            bytes
        });
    });
    group.finish();
}

fn secret() -> Secret {
    Secret::from_bytes(b"12345678901234567890").unwrap()
}

/// An engine over `store` with one registration: ten recovery codes, and a token that is active.
fn registered<S: RegistrationStore<Id = u32, Error: Debug>>(store: S) -> Engine<S> {
    let mut engine = Engine::new(store, Policy::DEFAULT);
    let migration = Migration::new(secret(), Params::default());
    let before = UnixTime::from_seconds(1_700_000_000);
    engine
        .migrate(&ID, &migration, before, &mut SystemEntropy)
        .unwrap();
    engine
}

fn record<S: RegistrationStore<Id = u32, Error: Debug>>(engine: &mut Engine<S>) -> Record {
    let record = engine.store().load(&ID).unwrap().unwrap();
    assert_eq!(record.as_bytes().len(), 253);
    record
}
