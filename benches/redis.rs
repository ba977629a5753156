//! Log-ins over Redis beside a bare program that sends the same commands.
//!
//! Both ask one server that keeps nothing on disk, over one connection each, in turns: a disk, or a
//! busy machine, slows both. It needs `redis-server`, and says so where there is none.

#![allow(clippy::unwrap_used)] // what fails here leaves nothing to be measured

#[allow(dead_code)] // tests do more with it
#[path = "../tests/support/redis.rs"]
mod server;

use std::env;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use keyfob::{
    AsyncEngine, Migration, Params, Policy, RedisOptions, RedisStore, Secret, ServerSettings,
    SystemEntropy, Totp, TotpParams, UnixTime,
};
use redis::aio::MultiplexedConnection;
use server::Server;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

/// keyfob would refuse a server that keeps nothing on disk, if it looked.
const OPTIONS: RedisOptions<'_> = RedisOptions {
    settings: ServerSettings::Assumed,
    ..RedisOptions::DEFAULT
};

const START: UnixTime = UnixTime::from_seconds(1_800_000_000);
/// How many turns each of two programs has.
const TURNS: usize = 100;
/// How many log-ins a turn has, about.
const LOG_INS: u32 = 640;
/// How many log-ins are under way at once, at most.
const MOST_AT_ONCE: u64 = 64;

const FEW: u64 = 1_000;
const MANY: u64 = 1_000_000;

/// At least so many log-ins of keyfob's for one of the bare program's.
const LEAST_OF_BARE: f64 = 0.85;
/// At most so many times as long among many registrations as among few.
const MOST_OF_FEW: f64 = 1.3;

/// What can be measured: log-ins of somebody at a step, which are all accepted.
trait Program: Send + Sync + 'static {
    fn log_in(&self, person: u64, step: u64) -> impl Future<Output = ()> + Send;
}

struct Keyfob {
    engine: AsyncEngine<RedisStore<MultiplexedConnection>>,
    totp: Totp,
}

impl Keyfob {
    async fn over(server: &Server) -> Self {
        let connection = server.client().get_multiplexed_async_connection().await;
        let store = RedisStore::from_connection(connection.unwrap(), &OPTIONS).await;
        Self {
            engine: AsyncEngine::new(store.unwrap(), Policy::DEFAULT),
            totp: Totp::new(&secret(), TotpParams::DEFAULT),
        }
    }
}

impl Program for Keyfob {
    async fn log_in(&self, person: u64, step: u64) {
        let now = START.saturating_add(30 * step);
        let code = self.totp.code_at(now);
        let id = person.to_string();
        self.engine.authenticate(&id, &code, now).await.unwrap();
    }
}

/// What remains when keyfob is taken away: one read and one conditional write.
struct Bare {
    connection: MultiplexedConnection,
    hash: String,
}

impl Bare {
    const SWAP: &str = "
        local stored = redis.call('GET', KEYS[1])
        local revision = stored and string.sub(stored, 1, 8)
        if revision ~= (ARGV[1] ~= '' and ARGV[1]) then return 0 end
        if ARGV[2] == '' then
            redis.call('DEL', KEYS[1])
        else
            redis.call('SET', KEYS[1], ARGV[2])
            if ARGV[3] then redis.call('PEXPIREAT', KEYS[1], ARGV[3]) end
        end
        return 1";

    async fn over(server: &Server) -> Self {
        let connection = server.client().get_multiplexed_async_connection().await;
        let mut connection = connection.unwrap();
        let mut load = redis::cmd("SCRIPT");
        load.arg("LOAD").arg(Self::SWAP);
        let hash = load.query_async(&mut connection).await.unwrap();
        Self { connection, hash }
    }
}

impl Program for Bare {
    async fn log_in(&self, person: u64, _step: u64) {
        let mut connection = self.connection.clone();
        let key = format!("keyfob:{person}");
        let mut get = redis::cmd("GET");
        let mut value: Vec<u8> = get.arg(&key).query_async(&mut connection).await.unwrap();
        let (revision, _) = value.split_first_chunk_mut().unwrap();
        let expected: [u8; 8] = *revision;
        *revision = u64::from_be_bytes(expected).wrapping_add(1).to_be_bytes();
        let mut swap = redis::cmd("EVALSHA");
        swap.arg(&self.hash).arg(1).arg(&key);
        swap.arg(&expected).arg(&value);
        let swapped: i64 = swap.query_async(&mut connection).await.unwrap();
        assert_eq!(swapped, 1);
    }
}

fn secret() -> Secret {
    Secret::from_bytes(b"12345678901234567890").unwrap()
}

/// Registers everybody, with the recovery codes that come by default: one by keyfob, the others
/// alike.
async fn register(server: &Server, people: u64) {
    let first = Keyfob::over(server).await;
    let migration = Migration::new(secret(), Params::Totp(TotpParams::DEFAULT));
    first
        .engine
        .migrate("0", &migration, START, &mut SystemEntropy)
        .await
        .unwrap();
    let value: Vec<u8> = server.ask("GET keyfob:0").unwrap();
    let mut connection = server.client().get_connection().unwrap();
    let people: Vec<u64> = (1..people).collect();
    for people in people.chunks(10_000) {
        let mut pipeline = redis::pipe();
        for person in people {
            let set = pipeline.cmd("SET").arg(format!("keyfob:{person}"));
            set.arg(&value).ignore();
        }
        pipeline.exec(&mut connection).unwrap();
    }
}

/// What a program's turns took.
#[derive(Default)]
struct Measured {
    /// Seconds for a log-in, turn by turn, all at once shared out.
    turns: Vec<f64>,
    /// How long each log-in took.
    log_ins: Vec<Duration>,
}

impl Measured {
    fn a_second(&self) -> f64 {
        1.0 / median(self.turns.clone())
    }

    fn percentile(&mut self, percent: usize) -> String {
        self.log_ins.sort();
        let index = (self.log_ins.len() - 1) * percent / 100;
        format!("{:.0} µs", self.log_ins[index].as_secs_f64() * 1e6)
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// A step that nobody has logged in with: two on each time, as a code burns the one after its own too
/// if that has the same digits.
fn next_step() -> u64 {
    static STEP: AtomicU64 = AtomicU64::new(2);
    STEP.fetch_add(2, Ordering::Relaxed)
}

/// One turn: so many at once, each with people of its own.
async fn turn(program: &Arc<impl Program>, at_once: u32, people: u64, measured: &mut Measured) {
    let mut tasks = JoinSet::new();
    let start = Instant::now();
    for task in 0..u64::from(at_once) {
        let program = program.clone();
        tasks.spawn(async move {
            let mut took = Vec::new();
            for _ in 0..LOG_INS / at_once {
                let step = next_step();
                let stranger = step.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
                let person = stranger % (people / MOST_AT_ONCE) * MOST_AT_ONCE + task;
                let start = Instant::now();
                program.log_in(person, step).await;
                took.push(start.elapsed());
            }
            took
        });
    }
    let took = tasks.join_all().await;
    measured
        .turns
        .push(start.elapsed().as_secs_f64() / f64::from(LOG_INS));
    measured.log_ins.extend(took.into_iter().flatten());
}

/// Two programs in turns, and how many times as long the first takes.
async fn compare(
    (ours, theirs): (&Arc<impl Program>, &Arc<impl Program>),
    at_once: u32,
    people: (u64, u64),
) -> (Measured, Measured, f64) {
    let (mut our, mut their) = (Measured::default(), Measured::default());
    for _ in 0..TURNS {
        turn(ours, at_once, people.0, &mut our).await;
        turn(theirs, at_once, people.1, &mut their).await;
    }
    let pairs = our.turns.iter().zip(&their.turns);
    let ratio = median(pairs.map(|(our, their)| our / their).collect());
    (our, their, ratio)
}

fn line(what: &str, measured: &mut Measured, ratio: &str) -> String {
    let (p50, p99) = (measured.percentile(50), measured.percentile(99));
    let a_second = measured.a_second();
    format!("| {what} | {a_second:.0} | {p50} | {p99} | {ratio} |\n")
}

fn verdict(met: bool) -> &'static str {
    if met { "met" } else { "missed" }
}

/// Beside the bare program, over one server.
async fn beside_bare(server: &Server, table: &mut String) {
    let keyfob = Arc::new(Keyfob::over(server).await);
    let bare = Arc::new(Bare::over(server).await);
    for at_once in [1, 8, 64] {
        let people = (FEW, FEW); // the same for both: a bare log-in burns no step
        let (mut ours, mut theirs, ratio) = compare((&keyfob, &bare), at_once, people).await;
        let many = 1.0 / ratio;
        let met = verdict(many >= LEAST_OF_BARE);
        let what = format!("keyfob, {at_once} at once");
        let ratio = format!("{many:.2} (≥ {LEAST_OF_BARE}: {met})");
        table.push_str(&line(&what, &mut ours, &ratio));
        table.push_str(&line("bare", &mut theirs, ""));
    }
}

/// Among many registrations beside few, over a server each.
async fn among_many(few: &Server, many: &Server, table: &mut String) {
    let (among_few, among_many) = (Keyfob::over(few).await, Keyfob::over(many).await);
    let programs = (&Arc::new(among_many), &Arc::new(among_few));
    for at_once in [1, 64] {
        let (mut ours, mut theirs, ratio) = compare(programs, at_once, (MANY, FEW)).await;
        let met = verdict(ratio <= MOST_OF_FEW);
        let what = format!("among {MANY}, {at_once} at once");
        let ratio = format!("takes {ratio:.2} times (≤ {MOST_OF_FEW}: {met})");
        table.push_str(&line(&what, &mut ours, &ratio));
        table.push_str(&line(&format!("among {FEW}"), &mut theirs, ""));
    }
}

async fn run(few: &Server, many: &Server) {
    register(few, FEW).await;
    register(many, MANY).await;
    let mut table = String::new();
    let _ = writeln!(
        table,
        "| log-ins over Redis | a second | p50 | p99 | ratio |"
    );
    let _ = writeln!(table, "|---|---:|---:|---:|---|");
    beside_bare(few, &mut table).await;
    among_many(few, many, &mut table).await;
    println!("\n{table}");
}

fn main() {
    let is_given = |argument: &str| env::args().any(|given| given == argument);
    if !is_given("--bench") || is_given("--test") || is_given("--list") {
        return;
    }
    let start = || Server::start(&["--appendonly", "no"]);
    let Some(few) = start() else { return };
    let Some(many) = start() else { return };
    Runtime::new().unwrap().block_on(run(&few, &many));
}
