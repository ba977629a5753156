//! One-time codes and key URIs beside their peers. `BENCHMARKS.md` says why each stands there.

#![allow(clippy::unwrap_used)] // the inputs are valid; were they not, there'd be nothing to measure

mod report;

use std::{hint::black_box, slice, time::Duration};

use criterion::{BenchmarkGroup, Criterion, criterion_group, measurement::WallTime};
use hmac::{
    Hmac, KeyInit as _,
    block_api::HmacCore,
    digest::{
        Output,
        block_api::{Buffer, EagerHash, FixedOutputCore as _},
    },
};
use keyfob::{Algorithm, Burned, Code, KeyUri, OtpKey, Secret, Totp, TotpParams, UnixTime, Window};
use report::{Peer, Row, Run};

const ROWS: &[Row] = &[
    Row {
        what: "a SHA-1 code",
        group: "code-sha1",
        ours: "keyfob",
        peers: &[
            Peer::with_aim("two compressions", 1.30),
            Peer::new("HmacCore kept"),
            Peer::with_aim("totp-rs", 0.58),
            Peer::new("totp-lite"),
        ],
    },
    Row {
        what: "a SHA-256 code",
        group: "code-sha256",
        ours: "keyfob",
        peers: PEERS_OF_A_CODE,
    },
    Row {
        what: "a SHA-512 code",
        group: "code-sha512",
        ours: "keyfob",
        peers: PEERS_OF_A_CODE,
    },
    Row {
        what: "a SHA-1 code as text",
        group: "text",
        ours: "keyfob",
        peers: &[Peer::new("totp-rs"), Peer::new("totp-lite")],
    },
    Row {
        what: "setting a SHA-1 key up",
        group: "key",
        ours: "keyfob",
        peers: &[Peer::new("two compressions"), Peer::new("Hmac")],
    },
    Row {
        what: "a wrong code, exact step",
        group: "verify-0",
        ours: "keyfob",
        peers: &[Peer::new("totp-rs")],
    },
    Row {
        what: "a wrong code, ±1 step",
        group: "verify-1",
        ours: "keyfob",
        peers: &[Peer::with_aim("totp-rs", 0.60)],
    },
    Row {
        what: "a wrong code, ±3 steps",
        group: "verify-3",
        ours: "keyfob",
        peers: &[Peer::new("totp-rs")],
    },
    Row {
        what: "a wrong code, ±10 steps",
        group: "verify-10",
        ours: "keyfob",
        peers: &[Peer::new("totp-rs")],
    },
    Row {
        what: "a key URI, strictly",
        group: "uri",
        ours: "parse",
        peers: &[Peer::new("totp-rs")],
    },
    Row {
        what: "a key URI, leniently",
        group: "uri",
        ours: "parse_lenient",
        peers: &[Peer::new("totp-rs")],
    },
];

const PEERS_OF_A_CODE: &[Peer] = &[
    Peer::new("two compressions"),
    Peer::new("HmacCore kept"),
    Peer::new("totp-rs"),
    Peer::new("totp-lite"),
];

fn main() {
    let run = Run::begin();
    benches();
    run.print(ROWS);
}

// Many short samples: what interrupts one on a busy machine leaves the median alone.
criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .sample_size(1000)
        .nresamples(2000)
        .without_plots();
    targets = sha1_codes, sha2_codes, texts, key_setup, wrong_codes, key_uris
}

/// The token whose codes are computed, as each crate describes it.
struct Token {
    secret: &'static [u8],
    algorithm: Algorithm,
    totp_rs_algorithm: totp_rs::Algorithm,
    totp_lite: fn(u64, u32, &[u8], u64) -> String,
}

const SHA1: Token = Token {
    secret: b"12345678901234567890",
    algorithm: Algorithm::Sha1,
    totp_rs_algorithm: totp_rs::Algorithm::SHA1,
    totp_lite: totp_lite::totp_custom::<totp_lite::Sha1>,
};

#[cfg(feature = "sha2")]
const SHA256: Token = Token {
    secret: b"12345678901234567890123456789012",
    algorithm: Algorithm::Sha256,
    totp_rs_algorithm: totp_rs::Algorithm::SHA256,
    totp_lite: totp_lite::totp_custom::<totp_lite::Sha256>,
};

#[cfg(feature = "sha2")]
const SHA512: Token = Token {
    secret: b"1234567890123456789012345678901234567890123456789012345678901234",
    algorithm: Algorithm::Sha512,
    totp_rs_algorithm: totp_rs::Algorithm::SHA512,
    totp_lite: totp_lite::totp_custom::<totp_lite::Sha512>,
};

impl Token {
    fn secret(&self) -> Secret {
        Secret::from_bytes(self.secret).unwrap()
    }

    fn keyfob(&self) -> Totp {
        let params = TotpParams {
            algorithm: self.algorithm,
            ..TotpParams::DEFAULT
        };
        Totp::new(&self.secret(), params)
    }

    fn totp_rs(&self, steps_each_side: u8) -> totp_rs::Totp {
        totp_rs::Builder::new()
            .with_algorithm(self.totp_rs_algorithm)
            .with_secret(self.secret)
            .with_skew(steps_each_side.into())
            .build()
            .unwrap()
    }

    fn totp_lite(&self, seconds: u64) -> String {
        (self.totp_lite)(Clock::PERIOD, 6, self.secret, seconds)
    }
}

/// A clock that is a period on at each look, so that no iteration can use what another computed.
struct Clock(u64);

impl Clock {
    const PERIOD: u64 = 30;

    const fn start() -> Self {
        Self(1_111_111_109)
    }

    fn seconds(&mut self) -> u64 {
        self.0 += Self::PERIOD;
        black_box(self.0)
    }

    fn now(&mut self) -> UnixTime {
        UnixTime::from_seconds(self.seconds())
    }

    fn step(&mut self) -> u64 {
        self.seconds() / Self::PERIOD
    }
}

type Group<'a> = BenchmarkGroup<'a, WallTime>;

/// Measures `run`. Each benchmark starts the same clock anew, so that all see the same times.
fn bench<T>(group: &mut Group<'_>, name: &str, run: impl Fn(&mut Clock) -> T) {
    group.bench_function(name, |bencher| {
        let mut clock = Clock::start();
        bencher.iter(|| run(&mut clock));
    });
}

fn sha1_codes(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("code-sha1");
    bench_two_sha1_compressions(&mut group);
    bench_codes::<sha1::Sha1>(&mut group, &SHA1);
    group.finish();
}

#[cfg(feature = "sha2")]
fn sha2_codes(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("code-sha256");
    bench(&mut group, "two compressions", |_| {
        two_compressions(sha2::block_api::compress256, [0; 8], &[0; 64])
    });
    bench_codes::<sha2::Sha256>(&mut group, &SHA256);
    group.finish();

    let mut group = criterion.benchmark_group("code-sha512");
    bench(&mut group, "two compressions", |_| {
        two_compressions(sha2::block_api::compress512, [0; 8], &[0; 128])
    });
    bench_codes::<sha2::Sha512>(&mut group, &SHA512);
    group.finish();
}

#[cfg(not(feature = "sha2"))]
const fn sha2_codes(_: &mut Criterion) {}

fn bench_two_sha1_compressions(group: &mut Group<'_>) {
    bench(group, "two compressions", |_| {
        two_compressions(sha1::block_api::compress, [0; 5], &[0; 64])
    });
}

/// The floor under every code: the two compressions that no HMAC can do without.
fn two_compressions<S, B>(compress: impl Fn(&mut S, &[B]), state: S, block: &B) -> S {
    let mut state = black_box(state);
    compress(&mut state, slice::from_ref(black_box(block)));
    compress(&mut state, slice::from_ref(black_box(block)));
    state
}

fn bench_codes<D: EagerHash>(group: &mut Group<'_>, token: &Token) {
    let (keyfob, totp_rs) = (token.keyfob(), token.totp_rs(0));
    let kept = HmacCore::<D>::new_from_slice(token.secret).unwrap();
    assert_same_codes(token, &kept);
    bench(group, "keyfob", |clock| keyfob.code_at(clock.now()));
    bench(group, "HmacCore kept", |clock| {
        code_of_core(&kept, clock.step())
    });
    bench(group, "totp-rs", |clock| totp_rs.generate(clock.seconds()));
    bench(group, "totp-lite", |clock| token.totp_lite(clock.seconds()));
}

/// Whoever computes something else must not be compared.
fn assert_same_codes<D: EagerHash>(token: &Token, kept: &HmacCore<D>) {
    let seconds = Clock::start().seconds();
    let code = token.keyfob().code_at(UnixTime::from_seconds(seconds));
    let code = code.to_string();
    let of_core = code_of_core(kept, seconds / Clock::PERIOD);
    assert_eq!(code, format!("{of_core:06}"));
    assert_eq!(code, token.totp_rs(0).generate(seconds).to_string());
    assert_eq!(code, token.totp_lite(seconds));
}

/// A code by the block-level API of the `hmac` crate: what keeping the midstates would cost without
/// a hand-written HMAC. It wipes nothing and truncates in the plain way.
///
/// Kept out of line: inlined in a benchmark, it would no longer have the hash inlined in itself, and
/// take a third longer.
#[inline(never)]
fn code_of_core<D: EagerHash>(kept: &HmacCore<D>, step: u64) -> u32 {
    let mut block = Buffer::<HmacCore<D>>::new(&step.to_be_bytes());
    let mut mac = Output::<HmacCore<D>>::default();
    kept.clone().finalize_fixed_core(&mut block, &mut mac);
    let offset = usize::from(mac.last().unwrap() & 15);
    let truncated = u32::from_be_bytes(*mac[offset..].first_chunk().unwrap());
    (truncated & 0x7fff_ffff) % 1_000_000
}

fn texts(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("text");
    let (keyfob, totp_rs) = (SHA1.keyfob(), SHA1.totp_rs(0));
    bench(&mut group, "keyfob", |clock| {
        let text = keyfob.code_at(clock.now()).to_text();
        black_box(text.as_str());
    });
    bench(&mut group, "totp-rs", |clock| {
        totp_rs.generate(clock.seconds()).to_string()
    });
    bench(&mut group, "totp-lite", |clock| {
        SHA1.totp_lite(clock.seconds())
    });
    group.finish();
}

fn key_setup(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("key");
    let secret = SHA1.secret();
    bench_two_sha1_compressions(&mut group);
    bench(&mut group, "keyfob", |_| {
        OtpKey::new(black_box(Algorithm::Sha1), black_box(&secret))
    });
    bench(&mut group, "Hmac", |_| {
        Hmac::<sha1::Sha1>::new_from_slice(black_box(SHA1.secret))
    });
    group.finish();
}

fn wrong_codes(criterion: &mut Criterion) {
    for steps_each_side in [0, 1, 3, 10] {
        let name = format!("verify-{steps_each_side}");
        let mut group = criterion.benchmark_group(name);
        bench_wrong_code(&mut group, steps_each_side);
        group.finish();
    }
}

/// A wrong code is the worst case for who stops at the right one, and the same as any other for
/// who computes the whole window.
fn bench_wrong_code(group: &mut Group<'_>, steps_each_side: u8) {
    const TYPED: &str = "000000";
    let (keyfob, totp_rs) = (SHA1.keyfob(), SHA1.totp_rs(steps_each_side));
    let window = Window::new(steps_each_side, steps_each_side).unwrap();
    bench(group, "keyfob", |clock| {
        let code = Code::parse(black_box(TYPED)).unwrap();
        let mut burned = black_box(Burned::NOTHING);
        keyfob.verify(&code, clock.now(), window, &mut burned)
    });
    bench(group, "totp-rs", |clock| {
        totp_rs.check(black_box(TYPED), clock.seconds())
    });
}

fn key_uris(criterion: &mut Criterion) {
    const URI: &str = "otpauth://totp/Example:alice@example.com\
        ?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Example&algorithm=SHA1&digits=6&period=30";
    let mut group = criterion.benchmark_group("uri");
    bench(&mut group, "parse", |_| {
        KeyUri::parse(black_box(URI)).unwrap()
    });
    bench(&mut group, "parse_lenient", |_| {
        KeyUri::parse_lenient(black_box(URI)).unwrap()
    });
    bench(&mut group, "totp-rs", |_| {
        totp_rs::Totp::from_url(black_box(URI)).unwrap()
    });
    group.finish();
}
