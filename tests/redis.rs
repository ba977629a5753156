//! The Redis store among verifiers that race, with servers that are killed, cut off and replaced.
#![cfg(all(feature = "redis", feature = "sha2"))]

#[path = "support/proxy.rs"]
mod proxy;
#[path = "support/redis.rs"]
mod server;

use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime};

use keyfob::{
    AsyncEngine, AsyncRegistrationStore, Authenticated, Code, Corrupt, Durability, Error,
    Migration, NewRegistration, Params, Policy, Record, RecoveryCount, RecoveryPolicy, RedisError,
    RedisOptions, RedisStore, Rejection, Replicas, Revision, Secret, ServerSettings, Swap,
    SystemEntropy, Totp, TotpParams, UnixTime, WaitTimeout,
};
use proxy::{Loss, Proxy};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client};
use server::{Server, free_port};
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use tokio::time::sleep;

type Store = RedisStore<MultiplexedConnection>;
type RedisEngine = AsyncEngine<Store>;
type Answer = Result<Authenticated, Error<RedisError>>;

const KEY: &[u8] = b"12345678901234567890";
const START: UnixTime = UnixTime::from_seconds(1_800_000_000);
/// When tokens are taken over, as that burns the steps around it.
const LONG_AGO: UnixTime = UnixTime::from_seconds(1_799_000_000);
/// How long a request may take before its outcome is unknown.
const TIME_OUT: Duration = Duration::from_millis(500);
/// How often what must become true is looked at.
const PAUSE: Duration = Duration::from_millis(10);

const DURABLE: RedisOptions<'_> = RedisOptions::DEFAULT;
const IN_MEMORY: RedisOptions<'_> = RedisOptions {
    durability: Durability::Memory { replicas: None },
    ..RedisOptions::DEFAULT
};
const ON_A_REPLICA: RedisOptions<'_> = RedisOptions {
    durability: Durability::Memory {
        replicas: Replicas::new(1),
    },
    ..RedisOptions::DEFAULT
};

/// The exact step, as two neighbours that share their digits would burn each other; no recovery
/// codes.
const POLICY: Policy = Policy {
    recovery: RecoveryPolicy {
        count: RecoveryCount::new(0).unwrap(),
        ..RecoveryPolicy::DEFAULT
    },
    ..Policy::strict()
};

/// The middle of a step; step 0 is that of the registration.
fn moment(step: u64) -> UnixTime {
    START.saturating_add(30 * step)
}

async fn connect(client: &Client) -> MultiplexedConnection {
    let config = AsyncConnectionConfig::new().set_response_timeout(Some(TIME_OUT));
    let connection = client.get_multiplexed_async_connection_with_config(&config);
    connection.await.unwrap()
}

async fn open(client: &Client, options: &RedisOptions<'_>) -> Result<Store, RedisError> {
    RedisStore::from_connection(connect(client).await, options).await
}

async fn engine(server: &Server, options: &RedisOptions<'_>) -> RedisEngine {
    let store = open(&server.client(), options).await;
    AsyncEngine::new(store.unwrap(), POLICY)
}

fn secret() -> Secret {
    Secret::from_bytes(KEY).unwrap()
}

/// Registers the token of all these tests, active at once.
async fn register<S>(engine: &AsyncEngine<S>, id: &str) -> Result<(), Error<S::Error>>
where
    S: AsyncRegistrationStore<Id = str>,
{
    let migration = Migration::new(secret(), Params::Totp(TotpParams::DEFAULT));
    engine
        .migrate(id, &migration, LONG_AGO, &mut SystemEntropy)
        .await
        .map(drop)
}

async fn log_in<S>(
    engine: &AsyncEngine<S>,
    id: &str,
    step: u64,
) -> Result<Authenticated, Error<S::Error>>
where
    S: AsyncRegistrationStore<Id = str>,
{
    let code = Totp::new(&secret(), TotpParams::DEFAULT).code_at(moment(step));
    engine.authenticate(id, &code, moment(step)).await
}

/// What a server without replicas says when it is asked for one.
const SHORTFALL: RedisError = RedisError::TooFewReplicas {
    asked: 1,
    confirmed: 0,
};
const REPLAYED: Answer = Err(Error::Rejected(Rejection::Replayed));

/// Whether the code is used up, by itself or by a later one.
fn is_used_up(answer: &Answer) -> bool {
    use Rejection::{Replayed, TooEarly};
    matches!(answer, Err(Error::Rejected(Replayed | TooEarly(_))))
}

fn is_unknown(answer: &Answer) -> bool {
    matches!(answer, Err(Error::Store(RedisError::Connection(_))))
}

/// Waits until the server says so.
fn wait_until(server: &Server, question: &str, answer: &str) {
    while !server.ask::<String>(question).unwrap().contains(answer) {
        thread::sleep(PAUSE);
    }
}

// ---- The contract

#[cfg(feature = "conformance")]
mod contract {
    use std::{env, process};

    use keyfob::conformance::{self, BlockOn, Blocking};
    use redis::aio::ConnectionLike;
    use redis::cluster::ClusterClient;
    use tokio::runtime::{Handle, Runtime};

    use super::*;

    struct Tokio(Handle);

    impl BlockOn for Tokio {
        fn block_on<F: Future>(&self, future: F) -> F::Output {
            self.0.block_on(future)
        }
    }

    /// Ids that something in between could take for one another.
    fn id(number: usize) -> &'static str {
        ["", "a", "A", "a ", "{a}", "a\0", "\u{e9}", "keyfob:a"][number]
    }

    fn check<C, F>(options: &RedisOptions<'_>, connect: impl Fn() -> F)
    where
        C: ConnectionLike + Clone + Send + Sync,
        F: Future<Output = C>,
    {
        let runtime = Runtime::new().unwrap();
        let open = || {
            let store = async { RedisStore::from_connection(connect().await, options).await };
            let store = runtime.block_on(store).unwrap();
            Blocking::on(Tokio(runtime.handle().clone()), store)
        };
        conformance::check(open, id).unwrap();
    }

    /// A server of ours, or the one that `KEYFOB_TEST_REDIS_URL` names, whatever it is set to.
    #[test]
    fn is_kept_over_multiplexed_connections() {
        if let Ok(url) = env::var("KEYFOB_TEST_REDIS_URL") {
            let prefix = format!("keyfob-test-{}:", process::id());
            let options = RedisOptions {
                prefix: &prefix,
                settings: ServerSettings::Assumed,
                ..DURABLE
            };
            let client = Client::open(url).unwrap();
            check(&options, || connect(&client));
        } else if let Some(server) = Server::start_durable(&[]) {
            check(&DURABLE, || async { connect(&server.client()).await });
            assert_eq!(server.ask("DBSIZE"), Ok(0));
        }
    }

    #[test]
    fn is_kept_over_connection_managers() {
        let Some(server) = Server::start_durable(&[]) else {
            return;
        };
        let connect = || async { server.client().get_connection_manager().await.unwrap() };
        check(&DURABLE, connect);
    }

    #[test]
    fn is_kept_in_a_cluster() {
        let Some(server) = start_cluster() else {
            return;
        };
        let client = ClusterClient::new([format!("redis://127.0.0.1:{}", server.port())]).unwrap();
        check(&DURABLE, || async {
            client.get_async_connection().await.unwrap()
        });
    }

    #[test]
    fn is_kept_with_a_replica() {
        let Some((primary, _replica)) = start_pair() else {
            return;
        };
        let options = RedisOptions {
            durability: Durability::AppendFsyncAlways {
                replicas: Replicas::new(1),
            },
            ..DURABLE
        };
        check(&options, || async { connect(&primary.client()).await });
    }

    #[test]
    fn a_server_that_went_away_is_no_answer() {
        let Some(mut server) = Server::start_durable(&[]) else {
            return;
        };
        let runtime = Runtime::new().unwrap();
        let store = runtime.block_on(open(&server.client(), &DURABLE)).unwrap();
        let mut store = Blocking::on(Tokio(runtime.handle().clone()), store);
        conformance::check_failure(&mut store, id, || server.kill()).unwrap();
    }

    #[test]
    fn a_server_that_is_silent_is_no_answer() {
        let Some(server) = Server::start_durable(&[]) else {
            return;
        };
        let runtime = Runtime::new().unwrap();
        let store = runtime.block_on(open(&server.client(), &DURABLE)).unwrap();
        let mut store = Blocking::on(Tokio(runtime.handle().clone()), store);
        let fail = || server.tell("CLIENT PAUSE 60000");
        conformance::check_failure(&mut store, id, fail).unwrap();
    }
}

// ---- Races

const VERIFIERS: usize = 16;
const ROUNDS: u64 = 300;

/// How many log-ins are accepted when all verifiers submit one code a round, over connections of
/// their own.
async fn race<S>(engines: Vec<AsyncEngine<S>>) -> usize
where
    S: AsyncRegistrationStore<Id = str, Error: std::fmt::Debug> + Send + Sync + 'static,
{
    register(&engines[0], "alice").await.unwrap();
    let line = Arc::new(Barrier::new(engines.len()));
    let mut verifiers = JoinSet::new();
    for engine in engines {
        let line = line.clone();
        verifiers.spawn(async move {
            let mut accepted = 0;
            for round in 1..=ROUNDS {
                line.wait().await;
                match log_in(&engine, "alice", round).await {
                    Ok(_) => accepted += 1,
                    Err(error) => assert_eq!(error.rejection(), Some(Rejection::Replayed)),
                }
            }
            accepted
        });
    }
    verifiers.join_all().await.into_iter().sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixteen_verifiers_accept_each_code_once() {
    let Some(server) = Server::start_durable(&[]) else {
        return;
    };
    let mut engines = Vec::new();
    for _ in 0..VERIFIERS {
        engines.push(engine(&server, &DURABLE).await);
    }
    assert_eq!(race(engines).await, 300);
}

/// The control, which shows that the race above is one: it reads, compares and then writes.
struct Naive(MultiplexedConnection);

impl AsyncRegistrationStore for Naive {
    type Id = str;
    type Error = redis::RedisError;

    async fn load(&self, id: &str) -> redis::RedisResult<Option<Record>> {
        let mut get = redis::cmd("GET");
        let stored: Option<Vec<u8>> = get.arg(id).query_async(&mut self.0.clone()).await?;
        Ok(stored.map(|stored| {
            let (revision, record) = stored.split_first_chunk().unwrap();
            let revision = Revision::from_u64(u64::from_be_bytes(*revision));
            Record::from_stored(revision, record).unwrap()
        }))
    }

    async fn compare_and_swap(
        &self,
        id: &str,
        expected: Option<Revision>,
        next: Option<&Record>,
    ) -> redis::RedisResult<Swap> {
        let stored = self.load(id).await?;
        if stored.as_ref().map(Record::revision) != expected {
            return Ok(Swap::Conflict);
        }
        let next = next.unwrap();
        let revision = next.revision().as_u64().to_be_bytes();
        let value = [&revision[..], next.as_bytes()].concat();
        let mut set = redis::cmd("SET");
        set.arg(id).arg(value);
        set.exec_async(&mut self.0.clone()).await?;
        Ok(Swap::Stored)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_naive_store_lets_several_in_with_one_code() {
    let Some(server) = Server::start_durable(&[]) else {
        return;
    };
    let mut engines = Vec::new();
    for _ in 0..VERIFIERS {
        let store = Naive(connect(&server.client()).await);
        engines.push(AsyncEngine::new(store, POLICY));
    }
    assert!(race(engines).await > 300);
}

// ---- Crashes

/// Logs one person in with one code after another, until there is no answer. Gives the last code
/// that was accepted; what became of the next one isn't known.
async fn walk(engine: Arc<RedisEngine>, id: String, first: u64) -> u64 {
    for step in first.. {
        let answer = log_in(&engine, &id, step).await;
        if answer.is_err() {
            assert!(is_unknown(&answer), "{answer:?}");
            return step - 1;
        }
    }
    unreachable!("steps don't end")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_accepted_before_a_kill_stays_burned() {
    const WALKERS: usize = 8;
    let Some(mut server) = Server::start_durable(&[]) else {
        return;
    };
    let id = |walker: usize| format!("walker {walker}");
    let first = engine(&server, &DURABLE).await;
    for walker in 0..WALKERS {
        register(&first, &id(walker)).await.unwrap();
    }
    let mut next = [1; WALKERS];
    for kill in 0..20 {
        let engine_before = Arc::new(engine(&server, &DURABLE).await);
        let walks: Vec<_> = (0..WALKERS)
            .map(|walker| tokio::spawn(walk(engine_before.clone(), id(walker), next[walker])))
            .collect();
        sleep(Duration::from_millis(20 + 7 * kill % 50)).await;
        server.kill();
        let mut last = Vec::new();
        for walk in walks {
            last.push(walk.await.unwrap());
        }
        server.restart();
        let engine = engine(&server, &DURABLE).await;
        for (walker, last) in last.into_iter().enumerate() {
            for accepted in next[walker]..=last {
                let answer = log_in(&engine, &id(walker), accepted).await;
                assert!(is_used_up(&answer), "step {accepted}: {answer:?}");
            }
            let unknown = log_in(&engine, &id(walker), last + 1).await;
            assert!(unknown.is_ok() || unknown == REPLAYED, "{unknown:?}");
            assert_eq!(log_in(&engine, &id(walker), last + 1).await, REPLAYED);
            next[walker] = last + 2;
        }
    }
    assert!(next.iter().sum::<u64>() > 200, "{next:?}");
}

/// The control: this is what the settings are looked at for.
#[tokio::test]
async fn a_server_without_a_log_forgets_all_of_it() {
    let Some(mut server) = Server::start(&["--appendonly", "no"]) else {
        return;
    };
    let before = engine(&server, &IN_MEMORY).await;
    register(&before, "alice").await.unwrap();
    assert!(log_in(&before, "alice", 1).await.is_ok());
    server.kill();
    server.restart();
    let after = engine(&server, &IN_MEMORY).await;
    let answer = log_in(&after, "alice", 1).await;
    assert_eq!(answer, Err(Error::Rejected(Rejection::Unknown)));
}

// ---- Lost and late answers

/// With the question lost, nothing is stored; with its answer lost, the code is used up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_lost_is_an_error() {
    let Some(server) = Server::start_durable(&[]) else {
        return;
    };
    let direct = engine(&server, &DURABLE).await;
    register(&direct, "alice").await.unwrap();
    let mut step = 0;
    for loss in [Loss::Silence, Loss::Cut] {
        for (answers, is_burned) in [(0, false), (1, true)] {
            let proxy = Proxy::start(server.port(), loss);
            let client = Client::open(format!("redis://127.0.0.1:{}/", proxy.port())).unwrap();
            let engine = AsyncEngine::new(open(&client, &DURABLE).await.unwrap(), POLICY);
            step += 1;
            proxy.lose_after(answers);
            let lost = log_in(&engine, "alice", step).await;
            assert!(is_unknown(&lost), "{lost:?}");
            let again = log_in(&direct, "alice", step).await;
            assert_eq!(again == REPLAYED, is_burned, "{again:?}");
            assert_eq!(log_in(&direct, "alice", step).await, REPLAYED);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_comes_late_was_an_error() {
    let Some(server) = Server::start_durable(&[]) else {
        return;
    };
    let engine = engine(&server, &DURABLE).await;
    register(&engine, "alice").await.unwrap();
    server.tell("CLIENT PAUSE 60000 WRITE");
    let late = log_in(&engine, "alice", 1).await;
    assert!(is_unknown(&late), "{late:?}");
    server.tell("CLIENT UNPAUSE");
    // On the same connection, so behind the late one.
    assert_eq!(log_in(&engine, "alice", 1).await, REPLAYED);
}

#[tokio::test]
async fn a_connection_manager_finds_the_server_again() {
    let Some(mut server) = Server::start_durable(&[]) else {
        return;
    };
    let manager = server.client().get_connection_manager().await.unwrap();
    let store = RedisStore::from_connection(manager, &DURABLE).await;
    let engine = AsyncEngine::new(store.unwrap(), POLICY);
    register(&engine, "alice").await.unwrap();
    server.kill();
    assert!(log_in(&engine, "alice", 1).await.is_err());
    server.restart();
    while log_in(&engine, "alice", 1).await.is_err() {
        sleep(PAUSE).await;
    }
    let replay = log_in(&engine, "alice", 1).await;
    assert_eq!(replay, REPLAYED);
}

/// A server that was started anew has no scripts.
#[tokio::test]
async fn a_forgotten_script_is_sent_again() {
    let Some((primary, _replica)) = start_pair() else {
        return;
    };
    for options in [IN_MEMORY, ON_A_REPLICA] {
        let engine = engine(&primary, &options).await;
        for script in ["SCRIPT FLUSH", "PING"] {
            primary.tell(script);
            register(&engine, "alice").await.unwrap();
            primary.tell(script);
            assert!(log_in(&engine, "alice", 1).await.is_ok());
            assert_eq!(log_in(&engine, "alice", 1).await, REPLAYED);
            primary.tell(script);
            engine.delete("alice").await.unwrap();
        }
    }
}

// ---- Replicas

/// A primary and a replica that has caught up, both with their data on disk.
fn start_pair() -> Option<(Server, Server)> {
    let primary = Server::start_durable(&[])?;
    let of = ["--replicaof", "127.0.0.1", &primary.port().to_string()];
    let at_once = ["--repl-diskless-sync-delay", "0"];
    let replica = Server::start_durable(&[&of[..], &at_once].concat())?;
    wait_until(&replica, "INFO replication", "master_link_status:up");
    Some((primary, replica))
}

/// Lets the replica lose its primary, which doesn't come to know.
fn cut_off(replica: &Server) {
    replica.tell(&format!("REPLICAOF 127.0.0.1 {}", free_port()));
}

/// Kills the primary and lets the replica take over.
async fn fail_over(mut primary: Server, replica: &Server) -> RedisEngine {
    primary.kill();
    replica.tell("REPLICAOF NO ONE");
    engine(replica, &IN_MEMORY).await
}

#[tokio::test]
async fn a_failover_loses_what_was_not_waited_for_and_the_fence_closes_it() {
    let Some((primary, replica)) = start_pair() else {
        return;
    };
    let before = engine(&primary, &IN_MEMORY).await;
    register(&before, "alice").await.unwrap();
    primary.tell("WAIT 1 0");
    cut_off(&replica);
    for step in [1, 2] {
        assert!(log_in(&before, "alice", step).await.is_ok());
    }
    let after = fail_over(primary, &replica).await;
    // Accepted twice: this is what a failover can lose.
    assert!(log_in(&after, "alice", 1).await.is_ok());

    after.fence("alice", moment(2)).await.unwrap();
    assert_eq!(log_in(&after, "alice", 2).await, REPLAYED);
    assert!(log_in(&after, "alice", 3).await.is_ok());
}

#[tokio::test]
async fn what_a_replica_confirmed_survives_a_failover() {
    let Some((primary, replica)) = start_pair() else {
        return;
    };
    let before = engine(&primary, &ON_A_REPLICA).await;
    register(&before, "alice").await.unwrap();
    assert!(log_in(&before, "alice", 1).await.is_ok());
    let after = fail_over(primary, &replica).await;
    assert_eq!(log_in(&after, "alice", 1).await, REPLAYED);
}

#[tokio::test]
async fn what_no_replica_confirmed_was_an_error() {
    let Some((primary, replica)) = start_pair() else {
        return;
    };
    let before = engine(&primary, &ON_A_REPLICA).await;
    register(&before, "alice").await.unwrap();
    cut_off(&replica);
    let answer = log_in(&before, "alice", 1).await;
    assert_eq!(answer, Err(Error::Store(SHORTFALL)));
    // The primary has it, so it is used up there.
    assert_eq!(log_in(&before, "alice", 1).await, REPLAYED);

    let after = fail_over(primary, &replica).await;
    assert!(log_in(&after, "alice", 1).await.is_ok());
    assert_eq!(log_in(&after, "alice", 1).await, REPLAYED);
}

/// A conflict is known, whatever the replicas say.
#[tokio::test]
async fn only_what_was_stored_needs_replicas() {
    let Some(server) = Server::start_durable(&[]) else {
        return;
    };
    let store = open(&server.client(), &ON_A_REPLICA).await.unwrap();
    let record = Record::from_stored(Revision::from_u64(7), b"record").unwrap();
    let revision = Some(record.revision());
    let conflict = store.compare_and_swap("alice", revision, Some(&record));
    assert_eq!(conflict.await, Ok(Swap::Conflict));
    let unknown = store.compare_and_swap("alice", None, Some(&record));
    assert_eq!(unknown.await, Err(SHORTFALL));
}

#[tokio::test]
async fn wait_aof_is_used_where_the_server_has_it() {
    let Some(server) = Server::start_durable(&[]) else {
        return;
    };
    let on_disks = |replicas| RedisOptions {
        durability: Durability::WaitAof {
            replicas,
            timeout: WaitTimeout::from_milliseconds(100).unwrap(),
        },
        ..DURABLE
    };
    if server.ask::<(i64, i64)>("WAITAOF 0 0 1").is_err() {
        let refused = open(&server.client(), &on_disks(0)).await.unwrap_err();
        assert!(matches!(refused, RedisError::NoWaitAof(_)), "{refused:?}");
        assert!(refused.to_string().contains("use Redis 7.2 or later"));
        return;
    }
    let alone = engine(&server, &on_disks(0)).await;
    register(&alone, "alice").await.unwrap();
    assert!(log_in(&alone, "alice", 1).await.is_ok());

    let two = engine(&server, &on_disks(1)).await;
    let answer = log_in(&two, "alice", 2).await;
    assert_eq!(answer, Err(Error::Store(SHORTFALL)));

    server.tell("CONFIG SET appendfsync no");
    let answer = log_in(&alone, "alice", 3).await;
    assert_eq!(answer, Err(Error::Store(RedisError::NotOnDisk)));

    let Some((primary, _replica)) = start_pair() else {
        return;
    };
    register(&engine(&primary, &DURABLE).await, "alice")
        .await
        .unwrap();
    let two = engine(&primary, &on_disks(1)).await;
    let mut step = 1;
    // A replica that is new writes its log anew first.
    while log_in(&two, "alice", step).await.is_err() {
        step += 1;
    }
    assert_eq!(log_in(&two, "alice", step).await, REPLAYED);
}

// ---- Pending registrations

/// A pending registration as of `now`, and the code that confirms it.
async fn create(engine: &RedisEngine, id: &str, now: UnixTime) -> (UnixTime, Code) {
    let new = NewRegistration::default();
    let enrollment = engine
        .create(id, &new, now, &mut SystemEntropy)
        .await
        .unwrap();
    let code = Totp::new(enrollment.secret(), TotpParams::DEFAULT).code_at(now);
    (enrollment.pending_until(), code)
}

fn today() -> UnixTime {
    UnixTime::try_from(SystemTime::now()).unwrap()
}

#[tokio::test]
async fn only_pending_registrations_expire() {
    let Some(server) = Server::start_durable(&[]) else {
        return;
    };
    let engine = engine(&server, &DURABLE).await;
    let now = today();
    let (pending_until, code) = create(&engine, "alice", now).await;
    let an_hour_later = pending_until.as_seconds() + 3_600;
    let expires_at = || server.ask("PEXPIRETIME keyfob:alice");
    assert_eq!(expires_at(), Ok(an_hour_later * 1_000));

    assert!(engine.authenticate("alice", &code, now).await.is_ok());
    assert_eq!(server.ask("PTTL keyfob:alice"), Ok(-1));
    engine.unlock("alice").await.unwrap();
    assert_eq!(server.ask("PTTL keyfob:alice"), Ok(-1));
}

/// Else it would stay pending for as long as the clock was ahead.
#[tokio::test]
async fn what_was_made_while_a_clock_was_ahead_expires_like_the_rest() {
    let Some(server) = Server::start_durable(&[]) else {
        return;
    };
    let engine = engine(&server, &DURABLE).await;
    let before = today();
    for now in [u64::MAX, u64::MAX - 10_000, 4_000_000_000].map(UnixTime::from_seconds) {
        create(&engine, "alice", now).await;
        let expires_at: u64 = server.ask("PEXPIRETIME keyfob:alice").unwrap();
        let latest = |moment: UnixTime| (moment.as_seconds() + 25 * 3_600) * 1_000;
        let expected = latest(before)..=latest(today());
        assert!(expected.contains(&expires_at), "{expires_at}");
    }
}

#[tokio::test]
async fn a_pending_registration_is_gone_some_time_after_it_lapsed() {
    let Some(server) = Server::start_durable(&[]) else {
        return;
    };
    let engine = engine(&server, &DURABLE).await;
    let today = today();
    let lifetime = POLICY.pending_lifetime.as_seconds();
    let two_hours_ago = UnixTime::from_seconds(today.as_seconds() - lifetime - 3_600 + 3);
    create(&engine, "alice", two_hours_ago).await;
    // It has lapsed, and that is still told.
    let code = Code::parse("000000").unwrap();
    let expired = engine.authenticate("alice", &code, today).await;
    assert_eq!(expired, Err(Error::Rejected(Rejection::Expired)));
    while server.ask("EXISTS keyfob:alice") == Ok(1) {
        sleep(PAUSE).await;
    }
    let nobody = engine.status("alice", today).await;
    assert_eq!(nobody, Err(Error::Rejected(Rejection::Unknown)));
}

// ---- Recovery codes

#[tokio::test]
async fn recovery_codes_need_durable_writes() {
    let Some(server) = Server::start_durable(&[]) else {
        return;
    };
    let store = open(&server.client(), &IN_MEMORY).await.unwrap();
    let forgetful = AsyncEngine::new(store, Policy::strict());
    let refused = Err(Error::Store(RedisError::RecoveryCodes));
    assert_eq!(register(&forgetful, "alice").await, refused);
    assert_eq!(server.ask("DBSIZE"), Ok(0));

    let store = open(&server.client(), &DURABLE).await.unwrap();
    let durable = AsyncEngine::new(store, Policy::strict());
    register(&durable, "alice").await.unwrap();
    let codes = durable
        .rotate_recovery_codes("alice", START, &mut SystemEntropy)
        .await
        .unwrap();
    let code = codes.iter().next().unwrap().as_str();
    assert!(durable.recover("alice", code, START).await.is_ok());
    // What was stored by one that may keep them, the other doesn't write.
    let answer = log_in(&forgetful, "alice", 1).await;
    assert_eq!(answer, Err(Error::Store(RedisError::RecoveryCodes)));
    assert!(log_in(&durable, "alice", 1).await.is_ok());
}

// ---- What the server is and says

#[tokio::test]
async fn a_server_that_could_forget_is_refused() {
    let Some(server) = Server::start_durable(&[]) else {
        return;
    };
    let client = server.client();
    for (setting, needed, found) in [
        ("no-appendfsync-on-rewrite", "no", "yes"),
        ("appendfsync", "always", "everysec"),
        ("appendonly", "yes", "no"),
    ] {
        server.tell(&format!("CONFIG SET {setting} {found}"));
        let found = found.to_owned();
        let refused = open(&client, &DURABLE).await.unwrap_err();
        let not_durable = RedisError::NotDurable {
            setting,
            needed,
            found,
        };
        assert_eq!(refused, not_durable);
    }
    assert!(open(&client, &IN_MEMORY).await.is_ok());

    for policy in ["allkeys-lru", "allkeys-lfu", "allkeys-random"] {
        server.tell(&format!("CONFIG SET maxmemory-policy {policy}"));
        let maxmemory_policy = policy.to_owned();
        let refused = open(&client, &IN_MEMORY).await.unwrap_err();
        assert_eq!(refused, RedisError::Evicting { maxmemory_policy });
    }
    server.tell("CONFIG SET maxmemory-policy volatile-ttl");
    assert!(open(&client, &IN_MEMORY).await.is_ok());
}

/// With nothing looked at but when the store was made, the next code would have been accepted.
#[tokio::test]
async fn settings_that_are_changed_later_are_noticed_before_the_next_answer() {
    let Some(server) = Server::start_durable(&[]) else {
        return;
    };
    let engine = engine(&server, &DURABLE).await;
    register(&engine, "alice").await.unwrap();
    for (step, (setting, needed, found)) in (1..).zip([
        ("appendfsync", "always", "everysec"),
        ("no-appendfsync-on-rewrite", "no", "yes"),
        ("appendonly", "yes", "no"),
    ]) {
        server.tell(&format!("CONFIG SET {setting} {found}"));
        let not_durable = || {
            Error::Store(RedisError::NotDurable {
                setting,
                needed,
                found: found.to_owned(),
            })
        };
        assert_eq!(log_in(&engine, "alice", step).await, Err(not_durable()));
        assert_eq!(register(&engine, setting).await, Err(not_durable()));
        assert_eq!(engine.delete(setting).await, Err(not_durable()));
        server.tell(&format!("CONFIG SET {setting} {needed}"));
        // The server has it, so it is used up there.
        assert_eq!(log_in(&engine, "alice", step).await, REPLAYED);
    }
    assert!(log_in(&engine, "alice", 4).await.is_ok());

    server.tell("CONFIG SET maxmemory-policy allkeys-lru");
    let evicting = || {
        Error::Store(RedisError::Evicting {
            maxmemory_policy: "allkeys-lru".to_owned(),
        })
    };
    assert_eq!(log_in(&engine, "alice", 5).await, Err(evicting()));
    // Whether somebody never was, or was evicted, can't be told any more.
    assert_eq!(engine.status("nobody", START).await, Err(evicting()));
    server.tell("CONFIG SET maxmemory-policy noeviction");
    let nobody = engine.status("nobody", START).await;
    assert_eq!(nobody, Err(Error::Rejected(Rejection::Unknown)));
}

#[tokio::test]
async fn a_server_that_comes_back_set_otherwise_is_noticed() {
    let Some(mut server) = Server::start_durable(&[]) else {
        return;
    };
    let manager = server.client().get_connection_manager().await.unwrap();
    let store = RedisStore::from_connection(manager, &DURABLE).await;
    let engine = AsyncEngine::new(store.unwrap(), POLICY);
    register(&engine, "alice").await.unwrap();
    server.kill();
    server.set("appendfsync", "no");
    server.restart();
    loop {
        match log_in(&engine, "alice", 1).await {
            Err(Error::Store(RedisError::Connection(_))) => sleep(PAUSE).await,
            Err(Error::Store(RedisError::NotDurable { setting, .. })) => {
                assert_eq!(setting, "appendfsync");
                break;
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn settings_that_are_hidden_later_are_noticed() {
    let Some(server) = Server::start_durable(&[]) else {
        return;
    };
    server.tell("ACL SETUSER keyfob on nopass ~keyfob:* +@all");
    let client = Client::open(format!("redis://keyfob:x@127.0.0.1:{}/", server.port())).unwrap();
    let engine = AsyncEngine::new(open(&client, &DURABLE).await.unwrap(), POLICY);
    register(&engine, "alice").await.unwrap();
    server.tell("ACL SETUSER keyfob -config");
    let hidden = log_in(&engine, "alice", 1).await;
    assert!(
        matches!(hidden, Err(Error::Store(RedisError::SettingsHidden(_)))),
        "{hidden:?}"
    );
}

/// What is queued may be discarded.
#[tokio::test]
async fn every_operation_inside_a_transaction_is_refused() {
    let Some(server) = Server::start_durable(&[]) else {
        return;
    };
    let assumed = RedisOptions {
        settings: ServerSettings::Assumed,
        ..IN_MEMORY
    };
    for options in [DURABLE, IN_MEMORY, ON_A_REPLICA, assumed] {
        let mut connection = connect(&server.client()).await;
        let store = RedisStore::from_connection(connection.clone(), &options)
            .await
            .unwrap();
        let direct = open(&server.client(), &IN_MEMORY).await.unwrap();
        let record = Record::from_stored(Revision::from_u64(7), b"record").unwrap();
        let swap = direct.compare_and_swap("alice", None, Some(&record)).await;
        assert_eq!(swap, Ok(Swap::Stored));
        let mut send = async |command| {
            redis::cmd(command)
                .exec_async(&mut connection)
                .await
                .unwrap();
        };
        send("MULTI").await;
        for id in ["alice", "nobody"] {
            let stored = store.load(id).await;
            assert_eq!(stored.unwrap_err(), RedisError::InTransaction);
            for expected in [None, Some(record.revision())] {
                for next in [None, Some(&record)] {
                    let swap = store.compare_and_swap(id, expected, next).await;
                    assert_eq!(swap, Err(RedisError::InTransaction));
                }
            }
        }
        send("DISCARD").await;
        assert!(store.load("alice").await.unwrap().is_some());
        assert!(store.load("nobody").await.unwrap().is_none());
        server.tell("FLUSHALL");
    }
}

#[tokio::test]
async fn settings_that_are_hidden_are_assumed_only_if_told_so() {
    let Some(server) = Server::start_durable(&[]) else {
        return;
    };
    server.tell("ACL SETUSER keyfob on nopass ~keyfob:* +get +evalsha +eval +set +del +pexpireat");
    let client = Client::open(format!("redis://keyfob:x@127.0.0.1:{}/", server.port())).unwrap();
    let hidden = open(&client, &DURABLE).await.unwrap_err();
    assert!(
        matches!(hidden, RedisError::SettingsHidden(_)),
        "{hidden:?}"
    );
    let assumed = RedisOptions {
        settings: ServerSettings::Assumed,
        ..DURABLE
    };
    let store = open(&client, &assumed).await.unwrap();
    let engine = AsyncEngine::new(store, POLICY);
    register(&engine, "alice").await.unwrap();
    assert!(log_in(&engine, "alice", 1).await.is_ok());

    server.tell("ACL SETUSER keyfob -evalsha");
    let denied = log_in(&engine, "alice", 2).await;
    assert!(
        matches!(denied, Err(Error::Store(RedisError::Denied(_)))),
        "{denied:?}"
    );
}

#[tokio::test]
async fn a_replica_is_told_from_a_primary() {
    let Some((primary, replica)) = start_pair() else {
        return;
    };
    register(&engine(&primary, &ON_A_REPLICA).await, "alice")
        .await
        .unwrap();
    let answer = log_in(&engine(&replica, &IN_MEMORY).await, "alice", 1).await;
    let Err(Error::Store(error @ RedisError::ReadOnly(_))) = answer else {
        panic!("{answer:?}")
    };
    assert!(error.to_string().contains("connect to the primary"));
}

#[tokio::test]
async fn a_full_server_refuses_and_keeps_what_it_has() {
    let Some(server) = Server::start_durable(&[]) else {
        return;
    };
    let engine = engine(&server, &DURABLE).await;
    register(&engine, "alice").await.unwrap();
    server.tell("CONFIG SET maxmemory 1");
    let full = log_in(&engine, "alice", 1).await;
    assert!(
        matches!(full, Err(Error::Store(RedisError::OutOfMemory(_)))),
        "{full:?}"
    );
    server.tell("CONFIG SET maxmemory 0");
    assert!(log_in(&engine, "alice", 1).await.is_ok());
}

#[tokio::test]
async fn a_server_that_still_reads_its_data_says_so() {
    let slowly = ["--key-load-delay", "30000"]; // microseconds
    let often = ["--loading-process-events-interval-bytes", "1024"];
    let Some(mut server) = Server::start_durable(&[slowly, often].concat()) else {
        return;
    };
    let before = engine(&server, &DURABLE).await;
    for number in 0..200 {
        register(&before, &number.to_string()).await.unwrap();
    }
    server.tell("BGREWRITEAOF"); // the delay is for keys of a snapshot
    wait_until(&server, "INFO persistence", "aof_rewrite_in_progress:0");
    server.kill();
    server.restart_without_waiting();
    let assumed = RedisOptions {
        settings: ServerSettings::Assumed,
        ..DURABLE
    };
    let connection = loop {
        let connection = server.client().get_multiplexed_async_connection().await;
        match connection {
            Ok(connection) => break connection,
            Err(_) => sleep(PAUSE).await,
        }
    };
    let store = RedisStore::from_connection(connection, &assumed).await;
    let engine = AsyncEngine::new(store.unwrap(), POLICY);
    let loading = log_in(&engine, "1", 1).await;
    assert!(
        matches!(loading, Err(Error::Store(RedisError::Loading(_)))),
        "{loading:?}"
    );
}

/// A cluster of one node that has all slots.
fn start_cluster() -> Option<Server> {
    let server = start_node()?;
    server.tell("CLUSTER ADDSLOTSRANGE 0 16383");
    wait_until(&server, "CLUSTER INFO", "cluster_state:ok");
    Some(server)
}

/// A node of a cluster that has no slots.
fn start_node() -> Option<Server> {
    let bus = free_port().to_string();
    Server::start_durable(&["--cluster-enabled", "yes", "--cluster-port", &bus])
}

#[tokio::test]
async fn a_cluster_that_does_not_serve_a_key_says_so() {
    let Some(node) = start_node() else {
        return;
    };
    let answer = log_in(&engine(&node, &DURABLE).await, "alice", 1).await;
    assert!(
        matches!(answer, Err(Error::Store(RedisError::Cluster(_)))),
        "{answer:?}"
    );
}

/// `WAIT` alone would go to all nodes, over whatever connection.
#[tokio::test]
async fn a_cluster_waits_where_it_wrote() {
    let Some(server) = start_cluster() else {
        return;
    };
    let url = format!("redis://127.0.0.1:{}", server.port());
    let client = redis::cluster::ClusterClient::new([url]).unwrap();
    let connection = client.get_async_connection().await.unwrap();
    let store = RedisStore::from_connection(connection, &ON_A_REPLICA).await;
    let engine = AsyncEngine::new(store.unwrap(), POLICY);
    let answer = register(&engine, "alice").await;
    assert_eq!(answer, Err(Error::Store(SHORTFALL)));
}

// ---- Records

#[tokio::test]
async fn what_can_not_be_a_record_is_an_error() {
    let Some(server) = Server::start_durable(&[]) else {
        return;
    };
    let engine = engine(&server, &DURABLE).await;
    let malformed = RedisError::Corrupt(Corrupt::Malformed);
    let overlong = vec![1; 8 + Record::MAX_BYTES + 1];
    for value in [&b""[..], b"1234567", &overlong, &vec![0; 100_000]] {
        let mut connection = server.client().get_connection().unwrap();
        let mut set = redis::cmd("SET");
        set.arg("keyfob:alice")
            .arg(value)
            .exec(&mut connection)
            .unwrap();
        let answer = log_in(&engine, "alice", 1).await;
        assert_eq!(answer, Err(Error::Store(malformed.clone())));
        // Nor is it taken for an absent one.
        let record = Record::from_stored(Revision::from_u64(7), b"record").unwrap();
        let swap = engine
            .store()
            .compare_and_swap("alice", None, Some(&record));
        assert_eq!(swap.await, Ok(Swap::Conflict));
    }
    server.tell("SET keyfob:alice 12345678what-is-this?");
    let answer = log_in(&engine, "alice", 1).await;
    assert!(matches!(answer, Err(Error::Corrupt(_))), "{answer:?}");
    engine.delete("alice").await.unwrap();

    server.tell("RPUSH keyfob:alice 1");
    assert_eq!(
        log_in(&engine, "alice", 1).await,
        Err(Error::Store(malformed.clone()))
    );
    let swap = engine.store().compare_and_swap("alice", None, None);
    assert_eq!(swap.await, Err(malformed));
}

#[tokio::test]
async fn what_is_not_ours_stays_as_it_is() {
    let Some(server) = Server::start_durable(&[]) else {
        return;
    };
    server.tell("SET alice theirs");
    let options = RedisOptions {
        prefix: "otp:",
        ..DURABLE
    };
    let engine = engine(&server, &options).await;
    register(&engine, "alice").await.unwrap();
    assert_eq!(server.ask("DBSIZE"), Ok(2));
    assert_eq!(server.ask("EXISTS otp:alice"), Ok(1));
    engine.delete("alice").await.unwrap();
    assert_eq!(server.ask("KEYS *"), Ok(vec!["alice".to_owned()]));
    assert_eq!(server.ask("GET alice"), Ok("theirs".to_owned()));
}

#[tokio::test]
async fn a_password_is_not_shown() {
    let Some(server) = Server::start_durable(&[]) else {
        return;
    };
    server.tell("ACL SETUSER keyfob on >password ~* +@all");
    let url = format!("redis://keyfob:password@127.0.0.1:{}/", server.port());
    let store = open(&Client::open(url).unwrap(), &DURABLE).await.unwrap();
    let shown = format!("{store:?}");
    assert!(
        shown.contains("keyfob:") && !shown.contains("password"),
        "{shown}"
    );
}
