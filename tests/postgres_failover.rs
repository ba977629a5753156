//! A failover that loses commits: the primary is killed with 64 requests in flight, a standby that
//! lacks its last commits takes over, and every registration is fenced. Then all codes of the last
//! five minutes are sent again, and none may have been accepted twice.
//!
//! Requests in flight go on where the pool takes them: those that had loaded from the old primary and
//! were waiting for a client write to the new one.
//!
//! `KEYFOB_FAILOVER_ROUNDS` says how often, 5 unless it does.
#![cfg(all(feature = "postgres", feature = "sha2"))]

#[path = "support/directory.rs"]
mod directory;
#[path = "support/postgres.rs"]
mod server;

use std::collections::BTreeMap;
use std::env;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::PoolError;
use keyfob::{
    AsyncEngine, AsyncRegistrationStore, Authenticated, Error, Migration, Params, Policy,
    PostgresClients, PostgresError, PostgresStore, Record, RecoveryCount, RecoveryPolicy,
    Rejection, Revision, Secret, Swap, SystemEntropy, Totp, TotpParams, UnixTime, Window,
};
use server::{Clients, Server, connect};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::{JoinSet, block_in_place};
use tokio::time::sleep;
use tokio_postgres::{Client, Statement};

type Failure = PostgresError<PoolError>;
type FailoverEngine = AsyncEngine<Revised>;

const ROUNDS: &str = "KEYFOB_FAILOVER_ROUNDS";

const PEOPLE: usize = 8;
/// Codes of each person in flight: 64 requests in all.
const CODES: u64 = 8;
/// Clients that they share, so that most of them wait for one.
const AT_ONCE: usize = 4;

/// The steps of five minutes.
const LAST_STEP: u64 = 10;
const START: UnixTime = UnixTime::from_seconds(1_800_000_000);
const KEY: &[u8] = b"12345678901234567890";

/// A code is good for five minutes, so that what isn't burned is accepted.
const POLICY: Policy = Policy {
    window: Window::new(10, 0).unwrap(),
    recovery: RecoveryPolicy {
        count: RecoveryCount::new(0).unwrap(),
        ..RecoveryPolicy::DEFAULT
    },
    ..Policy::DEFAULT
};

fn moment(step: u64) -> UnixTime {
    START.saturating_add(30 * step)
}

// ---- Clients

/// Clients of whichever server is the primary, a few at a time. While none is, they are waited for.
#[derive(Clone)]
struct Following {
    turns: Arc<Semaphore>,
    primary: watch::Sender<Option<Clients>>,
}

impl Following {
    fn to(primary: &Server) -> Self {
        let primary = Some(Clients::new(&primary.config()));
        Self {
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            primary: watch::Sender::new(primary),
        }
    }

    fn pause(&self) {
        self.primary.send_replace(None);
    }

    fn go_on_with(&self, primary: &Server) {
        let clients = Clients::new(&primary.config());
        self.primary.send_replace(Some(clients));
    }
}

impl PostgresClients for Following {
    type Client = (deadpool_postgres::Client, OwnedSemaphorePermit);
    type Error = PoolError;

    async fn client(&self) -> Result<Self::Client, PoolError> {
        let turn = self.turns.clone().acquire_owned().await.unwrap();
        let mut primary = self.primary.subscribe();
        let primary = primary.wait_for(Option::is_some).await.unwrap().clone();
        Ok((primary.unwrap().client().await?, turn))
    }

    fn borrow((client, _): &Self::Client) -> &Client {
        client
    }

    async fn prepared(
        (client, _): &Self::Client,
        statement: &'static str,
    ) -> Result<Option<Statement>, tokio_postgres::Error> {
        client.prepare_cached(statement).await.map(Some)
    }
}

// ---- Stores

/// Whose revisions are stored.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Revisions {
    /// The engine's.
    Derived,
    /// Numbers that count up, as the control: a number can name another record after a loss.
    Counting,
}

/// The store, with the one or the other revisions, and a gate before its swaps.
struct Revised {
    store: PostgresStore<Following>,
    revisions: Revisions,
    gate: Gate,
}

/// Open, unless it was closed; then it tells that somebody waits.
#[derive(Clone)]
struct Gate {
    open: watch::Sender<bool>,
    waits: watch::Sender<bool>,
}

impl Gate {
    fn new(is_open: bool) -> Self {
        Self {
            open: watch::Sender::new(is_open),
            waits: watch::Sender::new(false),
        }
    }

    async fn pass(&self) {
        self.waits.send_replace(true);
        self.open.subscribe().wait_for(|open| *open).await.unwrap();
    }
}

impl Revised {
    async fn over(clients: Following, revisions: Revisions, gate: Gate) -> Self {
        let store = PostgresStore::connect(clients).await.unwrap();
        Self {
            store,
            revisions,
            gate,
        }
    }

    /// The record as it is stored over the one with the revision `before`.
    fn stored(&self, before: Option<Revision>, next: &Record) -> Record {
        if self.revisions == Revisions::Derived {
            return next.clone();
        }
        let count = before.map_or(0, |before| before.as_u64() + 1);
        Record::from_stored(Revision::from_u64(count), next.as_bytes()).unwrap()
    }
}

impl AsyncRegistrationStore for Revised {
    type Id = str;
    type Error = Failure;

    async fn load(&self, id: &str) -> Result<Option<Record>, Failure> {
        self.store.load(id).await
    }

    async fn compare_and_swap(
        &self,
        id: &str,
        expected: Option<Revision>,
        next: Option<&Record>,
    ) -> Result<Swap, Failure> {
        self.gate.pass().await;
        let next = next.map(|next| self.stored(expected, next));
        self.store
            .compare_and_swap(id, expected, next.as_ref())
            .await
    }
}

// ---- People

fn secret() -> Secret {
    Secret::from_bytes(KEY).unwrap()
}

async fn engine(clients: Following, revisions: Revisions) -> FailoverEngine {
    let store = Revised::over(clients, revisions, Gate::new(true)).await;
    AsyncEngine::new(store, POLICY)
}

/// Registers somebody a while ago, so that no step of the last minutes is burned.
async fn register(engine: &FailoverEngine, id: &str) {
    let migration = Migration::new(secret(), Params::Totp(TotpParams::DEFAULT));
    let a_while_ago = UnixTime::from_seconds(START.as_seconds() - 86_400);
    engine
        .migrate(id, &migration, a_while_ago, &mut SystemEntropy)
        .await
        .unwrap();
}

/// Sends the code of a step, at the end of the five minutes.
async fn send(
    engine: &FailoverEngine,
    id: &str,
    step: u64,
) -> Result<Authenticated, Error<Failure>> {
    let code = Totp::new(&secret(), TotpParams::DEFAULT).code_at(moment(step));
    engine.authenticate(id, &code, moment(LAST_STEP)).await
}

// ---- Servers

/// A primary, and a standby that has all of it.
struct Pair {
    primary: Server,
    standby: Server,
}

impl Pair {
    fn start() -> Option<Self> {
        Some(Self::led_by(Server::start(&[])?))
    }

    fn led_by(primary: Server) -> Self {
        let standby = primary.start_standby();
        Self { primary, standby }
    }

    /// Waits until the standby has what the primary has.
    async fn catch_up(&self) {
        let client = connect(&self.primary.config()).await;
        let lag = "SELECT count(*) = 1 FROM pg_stat_replication
            WHERE replay_lsn >= pg_current_wal_flush_lsn()";
        while !client.query_one(lag, &[]).await.unwrap().get::<_, bool>(0) {
            sleep(Duration::from_millis(2)).await;
        }
    }

    /// Kills the primary, and lets the standby take over.
    fn fail_over(mut self) -> Server {
        block_in_place(|| self.primary.kill());
        block_in_place(|| self.standby.promote());
        self.standby
    }
}

// ---- A late request

/// A request loads what two lost log-ins are about to be; and comes back after the fence.
async fn late_request(revisions: Revisions) -> Option<usize> {
    let pair = block_in_place(Pair::start)?;
    let clients = Following::to(&pair.primary);
    let direct = engine(clients.clone(), revisions).await;
    register(&direct, "alice").await;
    pair.catch_up().await;
    pair.primary.cut_off_standbys();

    send(&direct, "alice", 1).await.unwrap();
    let gate = Gate::new(false);
    let late = Revised::over(clients.clone(), revisions, gate.clone()).await;
    let late = tokio::spawn(async move {
        let late = AsyncEngine::new(late, POLICY);
        send(&late, "alice", 2).await.is_ok()
    });
    gate.waits
        .subscribe()
        .wait_for(|waits| *waits)
        .await
        .unwrap();
    send(&direct, "alice", 3).await.unwrap();

    clients.pause();
    let primary = pair.fail_over();
    clients.go_on_with(&primary);
    direct.fence("alice", moment(LAST_STEP)).await.unwrap();
    gate.open.send_replace(true);
    let mut accepted = [1, usize::from(late.await.unwrap()), 1];
    for (step, accepted) in (1..).zip(&mut accepted) {
        *accepted += usize::from(send(&direct, "alice", step).await.is_ok());
    }
    Some(
        accepted
            .into_iter()
            .filter(|accepted| *accepted > 1)
            .count(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_request_never_undoes_a_fence() {
    let twice = late_request(Revisions::Derived).await;
    assert_eq!(twice.unwrap_or(0), 0);
}

/// The control: this is what the revisions are derived for.
#[tokio::test(flavor = "multi_thread")]
async fn with_counting_revisions_a_late_request_undoes_the_fence() {
    let twice = late_request(Revisions::Counting).await;
    assert_eq!(twice.unwrap_or(1), 1);
}

// ---- 64 requests in flight

/// How often each code was accepted, by person and step.
type Accepted = BTreeMap<(usize, u64), usize>;

/// What came of a round.
struct Outcome {
    accepted: Accepted,
    /// Answers after the primary was dead, that weren't the failure to reach it.
    late: usize,
    primary: Server,
}

impl Outcome {
    fn twice(&self) -> usize {
        self.accepted.values().filter(|times| **times > 1).count()
    }
}

/// Numbers without a pattern.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

async fn round(pair: Pair, revisions: Revisions, dice: &mut Dice) -> Outcome {
    let clients = Following::to(&pair.primary);
    let engine = Arc::new(engine(clients.clone(), revisions).await);
    for person in 0..PEOPLE {
        register(&engine, &person.to_string()).await;
    }
    pair.catch_up().await;

    let mut accepted = Accepted::new();
    let mut requests = if dice.below(2) == 0 {
        pair.primary.cut_off_standbys();
        in_flight(&engine, dice)
    } else {
        let mut requests = in_flight(&engine, dice);
        take(&mut requests, dice.below(6), &mut accepted).await;
        pair.primary.cut_off_standbys();
        requests
    };
    lose_some(&mut requests, dice, &mut accepted).await;
    clients.pause();
    let primary = pair.fail_over();
    fence_all(&self::engine(Following::to(&primary), revisions).await).await;
    clients.go_on_with(&primary);
    let late = take(&mut requests, u64::MAX, &mut accepted).await;
    send_all_again(&engine, &mut accepted).await;
    Outcome {
        accepted,
        late,
        primary,
    }
}

/// A request: who, which step's code, and the answer.
type Answer = (usize, u64, Result<Authenticated, Error<Failure>>);

/// Sends all codes of all people at once, in any order.
fn in_flight(engine: &Arc<FailoverEngine>, dice: &mut Dice) -> JoinSet<Answer> {
    let codes = (0..PEOPLE).flat_map(|person| (1..=CODES).map(move |step| (person, step)));
    let mut codes: Vec<_> = codes.collect();
    codes.sort_by_cached_key(|_| dice.below(u64::MAX));
    let mut requests = JoinSet::new();
    for (person, step) in codes {
        let engine = engine.clone();
        requests.spawn(async move {
            let answer = send(&engine, &person.to_string(), step).await;
            (person, step, answer)
        });
    }
    requests
}

/// Takes so many answers, notes what was accepted, and tells how many were answers indeed.
async fn take(requests: &mut JoinSet<Answer>, most: u64, accepted: &mut Accepted) -> usize {
    let mut answered = 0;
    for _ in 0..most {
        let Some(answer) = requests.join_next().await else {
            break;
        };
        let (person, step, answer) = answer.unwrap();
        answered += usize::from(!matches!(answer, Err(Error::Store(_))));
        *accepted.entry((person, step)).or_default() += usize::from(answer.is_ok());
    }
    answered
}

/// Waits until somebody was let in twice more, as then requests of theirs have loaded what came
/// between the two.
async fn lose_some(requests: &mut JoinSet<Answer>, dice: &mut Dice, accepted: &mut Accepted) {
    let lost = &mut Accepted::new();
    while take(requests, 1, lost).await > 0 {
        let log_ins = |person| {
            lost.range((person, 0)..(person + 1, 0))
                .map(|(_, times)| times)
        };
        if (0..PEOPLE).any(|person| log_ins(person).sum::<usize>() == 2) {
            break;
        }
    }
    take(requests, dice.below(3), lost).await;
    accepted.append(lost);
}

async fn fence_all(engine: &FailoverEngine) {
    for person in 0..PEOPLE {
        let id = person.to_string();
        engine.fence(&id, moment(LAST_STEP)).await.unwrap();
    }
}

async fn send_all_again(engine: &FailoverEngine, accepted: &mut Accepted) {
    for person in 0..PEOPLE {
        for step in 1..=LAST_STEP {
            let answer = send(engine, &person.to_string(), step).await;
            let used_up = matches!(
                answer,
                Err(Error::Rejected(
                    Rejection::Replayed | Rejection::TooEarly(_)
                ))
            );
            assert!(answer.is_ok() || used_up, "{answer:?}");
            *accepted.entry((person, step)).or_default() += usize::from(answer.is_ok());
        }
    }
}

fn rounds() -> u32 {
    env::var(ROUNDS).map_or(5, |rounds| rounds.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_code_is_accepted_twice_after_a_failover() {
    let Some(mut pair) = block_in_place(Pair::start) else {
        return;
    };
    let (mut dice, mut late, mut sum) = (Dice(0x9e37_79b9_7f4a_7c15), 0, 0);
    for number in 0..rounds() {
        let outcome = round(pair, Revisions::Derived, &mut dice).await;
        assert_eq!(outcome.twice(), 0, "round {number}: {:?}", outcome.accepted);
        late += outcome.late;
        sum += outcome.accepted.values().sum::<usize>();
        delete_all(&outcome.primary).await;
        pair = block_in_place(|| Pair::led_by(outcome.primary));
    }
    println!("{sum} log-ins, {late} late answers, none accepted twice");
    assert!(sum > 0 && late > 0);
}

/// The control: it shows that the rounds above would find what they are for.
#[tokio::test(flavor = "multi_thread")]
async fn with_counting_revisions_codes_are_accepted_twice() {
    let Some(mut pair) = block_in_place(Pair::start) else {
        return;
    };
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    for _ in 0..40 {
        let outcome = round(pair, Revisions::Counting, &mut dice).await;
        if outcome.twice() > 0 {
            return;
        }
        delete_all(&outcome.primary).await;
        pair = block_in_place(|| Pair::led_by(outcome.primary));
    }
    panic!("no code was accepted twice");
}

async fn delete_all(primary: &Server) {
    let client = connect(&primary.config()).await;
    let delete = "DELETE FROM keyfob_registrations";
    client.batch_execute(delete).await.unwrap();
}
