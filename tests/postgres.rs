//! The PostgreSQL store over real servers: verifiers that race, a server that is killed in
//! mid-load, connections that break wherever they can, and settings that would lose log-ins.
//!
//! What a kill can't show: the operating system keeps what was written and not flushed. Whether a
//! disk keeps its promise in a power cut is PostgreSQL's part (`fsync`, which is on here).
#![cfg(feature = "postgres")]

#[path = "support/directory.rs"]
mod directory;
#[path = "support/postgres.rs"]
mod server;
#[path = "support/swap_proxy.rs"]
mod swap_proxy;

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use keyfob::{
    AsyncEngine, AsyncRegistrationStore, Authenticated, Code, Corrupt, Error, Migration,
    NewRegistration, Params, PendingLifetime, Policy, PostgresClients, PostgresError,
    PostgresStore, Proof, Record, Rejection, Revision, Secret, StatusState, Swap, SystemEntropy,
    Totp, TotpParams, UnixTime,
};
use server::{Clients, Database, Server, connect};
use swap_proxy::{Plan, Proxy};
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, Statement};

type Answer<E> = Result<Authenticated, Error<E>>;

const KEY: &[u8] = b"12345678901234567890";
const START: UnixTime = UnixTime::from_seconds(1_800_000_000);
/// When tokens are taken over, as that burns the steps around it.
const LONG_AGO: UnixTime = UnixTime::from_seconds(1_799_000_000);

/// The middle of a step; step 0 is that of the registration.
fn moment(step: u64) -> UnixTime {
    START.saturating_add(30 * step)
}

/// An engine for the exact step, as two neighbours that share their digits would burn each other.
fn engine<S: AsyncRegistrationStore>(store: S) -> AsyncEngine<S> {
    AsyncEngine::new(store, Policy::strict())
}

fn secret() -> Secret {
    Secret::from_bytes(KEY).unwrap()
}

/// Registers the token of all these tests, active at once.
async fn register<S>(engine: &AsyncEngine<S>, id: &str)
where
    S: AsyncRegistrationStore<Id = str, Error: std::fmt::Debug>,
{
    let migration = Migration::new(secret(), Params::Totp(TotpParams::DEFAULT));
    engine
        .migrate(id, &migration, LONG_AGO, &mut SystemEntropy)
        .await
        .unwrap();
}

async fn log_in<S>(engine: &AsyncEngine<S>, id: &str, step: u64) -> Answer<S::Error>
where
    S: AsyncRegistrationStore<Id = str>,
{
    let code = Totp::new(&secret(), TotpParams::DEFAULT).code_at(moment(step));
    engine.authenticate(id, &code, moment(step)).await
}

/// Whether the code is used up, by itself or by a later one.
fn is_replayed<E>(answer: &Answer<E>) -> bool {
    use Rejection::{Replayed, TooEarly};
    matches!(answer, Err(Error::Rejected(Replayed | TooEarly(_))))
}

/// Whether the store failed, so that the code may be used up and nobody was let in.
fn is_unknown<E>(answer: &Answer<E>) -> bool {
    matches!(answer, Err(Error::Store(_)))
}

// ---- The contract

#[cfg(feature = "conformance")]
mod contract {
    use keyfob::conformance::{BlockOn, Blocking, Violation, check, check_failure};
    use tokio::runtime::Runtime;

    use super::*;

    #[derive(Clone, Copy)]
    struct Tokio(&'static Runtime);

    impl Tokio {
        fn start() -> Self {
            Self(Box::leak(Box::new(Runtime::new().unwrap())))
        }
    }

    impl BlockOn for Tokio {
        fn block_on<F: Future>(&self, future: F) -> F::Output {
            self.0.block_on(future)
        }
    }

    /// Ids that look alike, and one that no text of SQL's can be.
    fn id(number: usize) -> String {
        let ids = ["", " ", "a", "A", "a ", "a\0", "ä", "a\u{308}"];
        ids[number].to_owned()
    }

    #[test]
    fn a_pool_keeps_the_contract() -> Result<(), Violation> {
        let tokio = Tokio::start();
        let Some(database) = tokio.block_on(Database::new()) else {
            return Ok(());
        };
        let open = || {
            let store = PostgresStore::connect(database.clients());
            Blocking::on(tokio, tokio.block_on(store).unwrap())
        };
        check(open, id)
    }

    #[test]
    fn clients_alone_keep_the_contract() -> Result<(), Violation> {
        let tokio = Tokio::start();
        let Some(database) = tokio.block_on(Database::new()) else {
            return Ok(());
        };
        let open = || Blocking::on(tokio, tokio.block_on(database.store()));
        check(open, id)
    }

    /// Where each statement may be undone because of others.
    #[test]
    fn a_serializable_database_keeps_the_contract() -> Result<(), Violation> {
        let tokio = Tokio::start();
        let Some(database) = tokio.block_on(Database::new()) else {
            return Ok(());
        };
        let mut config = database.config().clone();
        config.options("-c default_transaction_isolation=serializable");
        let open = || {
            let store = PostgresStore::connect(Clients::new(&config));
            Blocking::on(tokio, tokio.block_on(store).unwrap())
        };
        check(open, id)
    }

    #[test]
    fn a_server_that_went_away_is_an_error() -> Result<(), Violation> {
        let tokio = Tokio::start();
        let Some(mut server) = Server::start(&[]) else {
            return Ok(());
        };
        let store = PostgresStore::connect(Clients::new(&server.config()));
        let store = tokio.block_on(store).unwrap();
        check_failure(&mut Blocking::on(tokio, store), id, || server.stop())
    }
}

/// Compiles if every request can be moved between threads, whatever its clients.
#[allow(dead_code)]
fn every_request_is_send<C>(
    engine: &AsyncEngine<PostgresStore<C>>,
    (code, proof, migration): (&Code, Proof, &Migration<'_>),
) where
    C: PostgresClients + Sync,
{
    fn is_send(_: impl Future + Send) {}
    let (id, new, entropy) = ("", &NewRegistration::default(), &mut SystemEntropy);
    is_send(engine.create(id, new, START, entropy));
    is_send(engine.authenticate(id, code, START));
    is_send(engine.replace(id, proof, new, START, entropy));
    is_send(engine.migrate(id, migration, START, entropy));
    is_send(engine.status(id, START));
    is_send(engine.store().sweep(START));
}

/// Compiles if that is so for clients lent for a while, and for the start.
#[allow(dead_code)]
fn lent_clients_are_send(client: &Client) {
    fn is_send(_: impl Future + Send) {}
    is_send(async {
        let engine = engine(PostgresStore::connect(client).await.unwrap());
        register(&engine, "").await;
    });
}

// ---- Races

const VERIFIERS: usize = 16;
const ROUNDS: usize = 300;

#[tokio::test(flavor = "multi_thread")]
async fn one_of_sixteen_verifiers_accepts_a_code() {
    let Some(database) = Database::new().await else {
        return;
    };
    let store = PostgresStore::connect(database.clients()).await.unwrap();
    let accepted = race(engine(store)).await;
    assert_eq!(accepted, [1; ROUNDS]);
}

/// The control: it shows that the race is one.
#[tokio::test(flavor = "multi_thread")]
async fn a_naive_store_accepts_codes_twice() {
    let Some(database) = Database::new().await else {
        return;
    };
    let store = PostgresStore::connect(database.clients()).await.unwrap();
    let naive = Naive {
        store,
        clients: database.clients(),
    };
    let accepted = race(engine(naive)).await;
    assert!(accepted.iter().any(|accepted| *accepted > 1));
}

/// How many of the verifiers accepted each round's code.
async fn race<S>(engine: AsyncEngine<S>) -> Vec<usize>
where
    S: AsyncRegistrationStore<Id = str> + Send + Sync + 'static,
    S::Error: std::fmt::Debug,
{
    register(&engine, "alice").await;
    let (engine, start) = (Arc::new(engine), Arc::new(Barrier::new(VERIFIERS)));
    let mut verifiers = JoinSet::new();
    for _ in 0..VERIFIERS {
        let (engine, start) = (engine.clone(), start.clone());
        verifiers.spawn(async move { verify(&engine, &start).await });
    }
    let mut accepted = vec![0; ROUNDS];
    for verifier in verifiers.join_all().await {
        for (sum, accepted) in accepted.iter_mut().zip(verifier) {
            *sum += usize::from(accepted);
        }
    }
    accepted
}

/// In which rounds one verifier accepted the code.
async fn verify<S>(engine: &AsyncEngine<S>, start: &Barrier) -> Vec<bool>
where
    S: AsyncRegistrationStore<Id = str>,
    S::Error: std::fmt::Debug,
{
    let mut accepted = Vec::new();
    for round in (1..).take(ROUNDS) {
        start.wait().await;
        let answer = log_in(engine, "alice", round).await;
        assert!(answer.is_ok() || is_replayed(&answer), "{answer:?}");
        accepted.push(answer.is_ok());
    }
    accepted
}

/// Looks first and writes then, as one would without a conditional statement.
struct Naive {
    store: PostgresStore<Clients>,
    clients: Clients,
}

impl AsyncRegistrationStore for Naive {
    type Id = str;
    type Error = PostgresError<deadpool_postgres::PoolError>;

    async fn load(&self, id: &str) -> Result<Option<Record>, Self::Error> {
        self.store.load(id).await
    }

    async fn compare_and_swap(
        &self,
        id: &str,
        expected: Option<Revision>,
        next: Option<&Record>,
    ) -> Result<Swap, Self::Error> {
        let stored = self.load(id).await?.map(|record| record.revision());
        let (Some(next), true) = (next, stored.is_some()) else {
            return self.store.compare_and_swap(id, expected, next).await;
        };
        if stored != expected {
            return Ok(Swap::Conflict);
        }
        let client = self.clients.client().await.unwrap();
        let update = "UPDATE keyfob_registrations SET revision = $2, record = $3 WHERE id = $1";
        let revision = next.revision().as_u64().cast_signed();
        let values: [&(dyn ToSql + Sync); 3] = [&id.as_bytes(), &revision, &next.as_bytes()];
        client.execute(update, &values).await?;
        Ok(Swap::Stored)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_can_make_the_tables_at_once() {
    const MANY: usize = 32;
    for _ in 0..10 {
        let Some(database) = Database::new().await else {
            return;
        };
        let start = Arc::new(Barrier::new(MANY));
        let mut starting = JoinSet::new();
        for number in 0..MANY {
            let (start, client) = (start.clone(), database.client().await);
            starting.spawn(async move {
                start.wait().await;
                let store = PostgresStore::connect(Arc::new(client)).await.unwrap();
                register(&engine(store), &number.to_string()).await;
            });
        }
        starting.join_all().await;
        let engine = engine(database.store().await);
        for number in 0..MANY {
            assert!(engine.status(&number.to_string(), START).await.is_ok());
        }
    }
}

// ---- Kills

const KILLS: usize = 20;
const WALKERS: usize = 8;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_accepted_before_a_kill_stays_burned() {
    let Some(mut server) = Server::start(&[]) else {
        return;
    };
    let mut walkers: Vec<_> = (0..WALKERS).map(Walker::new).collect();
    let store = PostgresStore::connect(Clients::new(&server.config())).await;
    let engine = Arc::new(engine(store.unwrap()));
    for walker in &walkers {
        register(&engine, &walker.id).await;
    }
    for moment in (40..).step_by(7).take(KILLS) {
        let mut walking = JoinSet::new();
        for walker in walkers {
            walking.spawn(walker.walk(engine.clone()));
        }
        sleep(Duration::from_millis(moment)).await;
        server.kill();
        walkers = walking.join_all().await;
        server.start_again();
        for walker in &mut walkers {
            walker.check(&engine).await;
        }
    }
    let recoveries = server
        .log()
        .matches("automatic recovery in progress")
        .count();
    assert_eq!(recoveries, KILLS);
    let accepted: usize = walkers.iter().map(|walker| walker.accepted.len()).sum();
    assert!(accepted >= 5 * KILLS, "{accepted}");
}

/// Somebody who logs in step after step until the server is gone.
struct Walker {
    id: String,
    step: u64,
    accepted: Vec<u64>,
    /// How many of these have been looked at.
    checked: usize,
}

impl Walker {
    fn new(number: usize) -> Self {
        Self {
            id: format!("walker {number}"),
            step: 0,
            accepted: Vec::new(),
            checked: 0,
        }
    }

    async fn walk(mut self, engine: Arc<AsyncEngine<PostgresStore<Clients>>>) -> Self {
        loop {
            self.step += 1;
            let answer = log_in(&engine, &self.id, self.step).await;
            match answer {
                Ok(_) => self.accepted.push(self.step),
                _ if is_unknown(&answer) => return self,
                _ => panic!("{answer:?}"),
            }
        }
    }

    /// Every accepted code is used up. That of the unknown answer is good once more at most.
    async fn check(&mut self, engine: &AsyncEngine<PostgresStore<Clients>>) {
        for step in &self.accepted[self.checked..] {
            let answer = log_in_again(engine, &self.id, *step).await;
            assert!(is_replayed(&answer), "{} at {step}: {answer:?}", self.id);
        }
        self.checked = self.accepted.len();
        let unknown = log_in_again(engine, &self.id, self.step).await;
        assert!(unknown.is_ok() || is_replayed(&unknown), "{unknown:?}");
        let again = log_in(engine, &self.id, self.step).await;
        assert!(is_replayed(&again), "{again:?}");
    }
}

/// Logs in over a pool whose clients may still be those of a server that is gone.
async fn log_in_again<C>(
    engine: &AsyncEngine<PostgresStore<C>>,
    id: &str,
    step: u64,
) -> Answer<PostgresError<C::Error>>
where
    C: PostgresClients + Sync,
{
    loop {
        let answer = log_in(engine, id, step).await;
        if !is_unknown(&answer) {
            return answer;
        }
    }
}

/// The control: it shows that a kill can lose what isn't flushed, and why `off` is refused.
#[tokio::test]
async fn a_kill_loses_what_was_not_flushed() {
    let settings = ["synchronous_commit = off", "wal_writer_delay = 10s"];
    let Some(mut server) = Server::start(&settings) else {
        return;
    };
    let clients = Clients::new(&server.config());
    let store = PostgresStore::connect_allowing_loss(clients).await.unwrap();
    let engine = engine(store);
    register(&engine, "alice").await;
    let client = connect(&server.config()).await;
    client.batch_execute("CHECKPOINT").await.unwrap();

    assert!(log_in(&engine, "alice", 1).await.is_ok());
    server.kill();
    server.start_again();
    let again = log_in_again(&engine, "alice", 1).await;
    assert!(again.is_ok(), "{again:?}");
}

// ---- Connections

/// A server, an engine that reaches it directly, and one through a proxy.
struct Detour {
    direct: AsyncEngine<PostgresStore<Clients>>,
    proxy: Proxy,
    _server: Server,
}

impl Detour {
    /// Over one connection, whose swaps the proxy knows by their text.
    async fn engine(&self) -> AsyncEngine<PostgresStore<Arc<Client>>> {
        let client = Arc::new(connect(self.proxy.config()).await);
        engine(PostgresStore::connect(client).await.unwrap())
    }

    async fn start() -> Option<Self> {
        let server = Server::start(&[])?;
        let store = PostgresStore::connect(Clients::new(&server.config())).await;
        let direct = engine(store.unwrap());
        register(&direct, "alice").await;
        Some(Self {
            direct,
            proxy: Proxy::start(server.socket()).await,
            _server: server,
        })
    }
}

#[tokio::test]
async fn an_answer_that_is_cut_off_anywhere_accepts_nothing() {
    let Some(detour) = Detour::start().await else {
        return;
    };
    let whole = detour.engine().await;
    assert!(log_in(&whole, "alice", 1).await.is_ok());
    let length = detour.proxy.answered();
    assert!(length > 50);
    for given in 0..=length {
        let (engine, step) = (detour.engine().await, 2 + given as u64);
        detour.proxy.plan(Plan::CutAfter(given));
        let answer = log_in(&engine, "alice", step).await;
        detour.proxy.plan(Plan::Pass);
        assert_eq!(is_unknown(&answer), given < length, "{given}: {answer:?}");
        // The swap was carried out, so the code is used up.
        assert!(is_replayed(&log_in(&detour.direct, "alice", step).await));
    }
}

#[tokio::test]
async fn a_swap_that_never_arrived_is_an_error_and_burns_nothing() {
    let Some(detour) = Detour::start().await else {
        return;
    };
    let engine = detour.engine().await;
    detour.proxy.plan(Plan::CutBefore);
    assert!(is_unknown(&log_in(&engine, "alice", 1).await));
    assert!(is_unknown(&log_in(&engine, "alice", 1).await)); // one client doesn't come back
    assert!(log_in(&detour.direct, "alice", 1).await.is_ok());
}

#[tokio::test]
async fn a_request_that_ran_out_of_time_lets_nobody_in() {
    let Some(detour) = Detour::start().await else {
        return;
    };
    let engine = detour.engine().await;
    detour.proxy.plan(Plan::Stall);
    tokio::select! {
        answer = log_in(&engine, "alice", 1) => panic!("{answer:?}"),
        () = detour.proxy.has_answer() => {}
    }
    assert!(is_replayed(&log_in(&detour.direct, "alice", 1).await));
}

#[tokio::test]
async fn a_pool_without_a_server_says_so() {
    let Some(mut server) = Server::start(&[]) else {
        return;
    };
    let store = PostgresStore::connect(Clients::new(&server.config())).await;
    let engine = engine(store.unwrap());
    server.stop();
    log_in(&engine, "alice", 1).await.unwrap_err(); // the connection it had
    let refused = log_in(&engine, "alice", 1).await.unwrap_err();
    let Error::Store(PostgresError::Clients(_)) = refused else {
        panic!("{refused:?}");
    };
    let text = refused.to_string();
    let what = "there is no connection to the database: check the pool and the server: ";
    assert!(text.contains(what), "{text}");
}

// ---- Settings and transactions

type Opened = Result<(), PostgresError<Infallible>>;

/// What the store makes of a new client.
async fn open(config: &Config) -> Opened {
    let client = Arc::new(connect(config).await);
    PostgresStore::connect(client).await.map(drop)
}

fn is_not_durable(outcome: &Opened) -> bool {
    let Err(PostgresError::NotDurable { synchronous_commit }) = outcome else {
        return false;
    };
    synchronous_commit == "off"
}

#[tokio::test]
async fn a_session_without_synchronous_commits_is_refused() {
    let Some(database) = Database::new().await else {
        return;
    };
    for (value, is_refused) in [
        ("off", true),
        ("local", false),
        ("remote_write", false),
        ("on", false),
        ("remote_apply", false),
    ] {
        let mut config = database.config().clone();
        config.options(format!("-c synchronous_commit={value}"));
        let outcome = open(&config).await;
        assert_eq!(is_not_durable(&outcome), is_refused, "{value}");
        assert_eq!(outcome.is_err(), is_refused, "{value}");
    }
}

#[tokio::test]
async fn a_database_or_role_without_synchronous_commits_is_refused() {
    let Some(database) = Database::new().await else {
        return;
    };
    let administrator = database.client().await;
    let (name, role) = (database.name(), format!("{}_role", database.name()));
    let mut config = database.config().clone();
    config.user(&role);
    let set_up = format!(
        "CREATE ROLE {role} LOGIN SUPERUSER; ALTER ROLE {role} SET synchronous_commit = off"
    );
    administrator.batch_execute(&set_up).await.unwrap();
    assert!(is_not_durable(&open(&config).await));

    let change = format!("DROP ROLE {role}; ALTER DATABASE {name} SET synchronous_commit = off");
    administrator.batch_execute(&change).await.unwrap();
    assert!(is_not_durable(&open(database.config()).await));

    let client = Arc::new(database.client().await);
    let store = PostgresStore::connect_allowing_loss(client).await.unwrap();
    let engine = engine(store);
    register(&engine, "alice").await;
    assert!(log_in(&engine, "alice", 1).await.is_ok());
    assert!(is_replayed(&log_in(&engine, "alice", 1).await));
}

/// Another connection of a pool can have another setting than the first.
#[tokio::test]
async fn a_swap_that_a_crash_could_lose_accepts_nothing() {
    let Some(database) = Database::new().await else {
        return;
    };
    let client = Arc::new(database.client().await);
    let engine = engine(PostgresStore::connect(client.clone()).await.unwrap());
    register(&engine, "alice").await;
    let off = "SET synchronous_commit = off";
    client.batch_execute(off).await.unwrap();
    let answer = log_in(&engine, "alice", 1).await;
    let Err(Error::Store(PostgresError::NotDurable { .. })) = answer else {
        panic!("{answer:?}");
    };
    let on = "SET synchronous_commit = on";
    client.batch_execute(on).await.unwrap();
    assert!(is_replayed(&log_in(&engine, "alice", 1).await));
    assert!(log_in(&engine, "alice", 2).await.is_ok());
}

/// CVE-2026-35597: the lock-out was rolled back with the log-in that caused it.
#[tokio::test]
async fn nothing_is_accepted_inside_a_transaction() {
    let Some(database) = Database::new().await else {
        return;
    };
    let client = Arc::new(database.client().await);
    let engine = engine(PostgresStore::connect(client.clone()).await.unwrap());
    register(&engine, "alice").await;

    client.batch_execute("BEGIN").await.unwrap();
    let refused = PostgresStore::connect(client.clone()).await;
    assert!(matches!(refused, Err(PostgresError::InTransaction)));
    client.batch_execute("ROLLBACK; BEGIN").await.unwrap();
    let answer = log_in(&engine, "alice", 1).await;
    let Err(Error::Store(PostgresError::InTransaction)) = answer else {
        panic!("{answer:?}");
    };
    client.batch_execute("ROLLBACK").await.unwrap();
    assert!(log_in(&engine, "alice", 1).await.is_ok());
}

/// Statements that are prepared on one client, which is shared.
struct Preparing(Arc<Client>);

impl PostgresClients for Preparing {
    type Client = Arc<Client>;
    type Error = Infallible;

    async fn client(&self) -> Result<Arc<Client>, Infallible> {
        Ok(self.0.clone())
    }

    fn borrow(client: &Arc<Client>) -> &Client {
        client
    }

    async fn prepared(
        client: &Arc<Client>,
        statement: &'static str,
    ) -> Result<Option<Statement>, tokio_postgres::Error> {
        client.prepare(statement).await.map(Some)
    }
}

/// A store that takes the records of `alice`, who is registered, and of `nobody`, who isn't.
struct Inside<C> {
    store: PostgresStore<C>,
    client: Arc<Client>,
    record: Record,
}

/// All that a store can be asked for.
const OPERATIONS: [&str; 7] = [
    "load", "insert", "update", "delete", "look", "sweep", "count",
];

impl<C: PostgresClients + Sync> Inside<C> {
    async fn new(client: Arc<Client>, clients: C) -> Self
    where
        C::Error: std::fmt::Debug,
    {
        let store = PostgresStore::connect(clients).await.unwrap();
        let record = Record::from_stored(Revision::from_u64(7), b"record").unwrap();
        let swap = store.compare_and_swap("alice", None, Some(&record)).await;
        assert_eq!(swap.unwrap(), Swap::Stored);
        Self {
            store,
            client,
            record,
        }
    }

    async fn ask(&self, operation: &str, id: &str) -> Result<(), PostgresError<C::Error>> {
        let (store, revision) = (&self.store, Some(self.record.revision()));
        let next = Record::from_stored(Revision::from_u64(8), b"next").unwrap();
        match operation {
            "load" => store.load(id).await.map(drop),
            "insert" => store
                .compare_and_swap(id, None, Some(&next))
                .await
                .map(drop),
            "update" => {
                let swap = store.compare_and_swap(id, revision, Some(&next));
                swap.await.map(drop)
            }
            "delete" => store.compare_and_swap(id, revision, None).await.map(drop),
            "look" => store.compare_and_swap(id, None, None).await.map(drop),
            "sweep" => store
                .sweep(UnixTime::from_seconds(u64::MAX))
                .await
                .map(drop),
            _ => store.count().await.map(drop),
        }
    }

    async fn is_refused(&self, operation: &str, id: &str) -> bool {
        let answer = self.ask(operation, id).await;
        matches!(answer, Err(PostgresError::InTransaction))
    }

    async fn rows(&self) -> Vec<(Vec<u8>, i64)> {
        let select = "SELECT id, revision FROM keyfob_registrations ORDER BY id";
        let rows = self.client.query(select, &[]).await.unwrap();
        rows.iter().map(|row| (row.get(0), row.get(1))).collect()
    }

    /// Each operation as the first one of a transaction, and then as the second.
    async fn check(&self) {
        let before = self.rows().await;
        for begin in [
            "BEGIN",
            "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1",
            "BEGIN ISOLATION LEVEL SERIALIZABLE",
            "BEGIN; SAVEPOINT here",
            "BEGIN; SELECT set_config('keyfob.mark', 'gone', true)",
        ] {
            for (operation, id) in OPERATIONS
                .iter()
                .flat_map(|o| [(o, "alice"), (o, "nobody")])
            {
                for end in ["COMMIT", "ROLLBACK"] {
                    self.client.batch_execute(begin).await.unwrap();
                    let first = self.is_refused(operation, id).await;
                    let second = self.is_refused(operation, id).await;
                    self.client.batch_execute(end).await.unwrap();
                    assert!(first && second, "{operation} of {id} after {begin}");
                    assert_eq!(
                        self.rows().await,
                        before,
                        "{operation} of {id} after {begin}"
                    );
                }
            }
        }
    }

    /// The control: outside a transaction each operation has an answer.
    async fn check_outside(&self) {
        for operation in OPERATIONS {
            assert!(!self.is_refused(operation, "nobody").await);
        }
    }
}

#[tokio::test]
async fn every_operation_inside_a_transaction_is_refused() {
    let Some(database) = Database::new().await else {
        return;
    };
    let client = Arc::new(database.client().await);
    let inside = Inside::new(client.clone(), client.clone()).await;
    inside.check().await;
    inside.check_outside().await;
}

#[tokio::test]
async fn every_prepared_operation_inside_a_transaction_is_refused() {
    let Some(database) = Database::new().await else {
        return;
    };
    let client = Arc::new(database.client().await);
    let inside = Inside::new(client.clone(), Preparing(client)).await;
    inside.check().await;
    inside.check_outside().await;
}

/// Else she would have been told that she has a second factor, and have none.
#[tokio::test]
async fn nobody_is_registered_inside_a_transaction() {
    let Some(database) = Database::new().await else {
        return;
    };
    let client = Arc::new(database.client().await);
    let engine = engine(PostgresStore::connect(client.clone()).await.unwrap());
    let (new, migration) = (
        NewRegistration::default(),
        Migration::new(secret(), Params::Totp(TotpParams::DEFAULT)),
    );
    client.batch_execute("BEGIN").await.unwrap();
    let created = engine
        .create("alice", &new, START, &mut SystemEntropy)
        .await;
    let migrated = engine
        .migrate("alice", &migration, START, &mut SystemEntropy)
        .await;
    client.batch_execute("ROLLBACK").await.unwrap();
    let refused = |error| matches!(error, Some(Error::Store(PostgresError::InTransaction)));
    assert!(refused(created.err()) && refused(migrated.err()));
    assert_eq!(engine.store().count().await.unwrap(), 0);
    register(&engine, "alice").await;
    assert!(log_in(&engine, "alice", 1).await.is_ok());
}

/// Begins a transaction on the client between a request's load and its swap.
struct Interrupted {
    store: PostgresStore<Arc<Client>>,
    client: Arc<Client>,
}

impl AsyncRegistrationStore for Interrupted {
    type Id = str;
    type Error = PostgresError<Infallible>;

    async fn load(&self, id: &str) -> Result<Option<Record>, Self::Error> {
        self.store.load(id).await
    }

    async fn compare_and_swap(
        &self,
        id: &str,
        expected: Option<Revision>,
        next: Option<&Record>,
    ) -> Result<Swap, Self::Error> {
        self.client.batch_execute("BEGIN").await?;
        let swap = self.store.compare_and_swap(id, expected, next).await;
        self.client.batch_execute("ROLLBACK").await?;
        swap
    }
}

#[tokio::test]
async fn a_transaction_that_begins_after_the_load_is_noticed() {
    let Some(database) = Database::new().await else {
        return;
    };
    let client = Arc::new(database.client().await);
    let direct = engine(database.store().await);
    register(&direct, "alice").await;
    let store = PostgresStore::connect(client.clone()).await.unwrap();
    let interrupted = engine(Interrupted { store, client });
    let answer = log_in(&interrupted, "alice", 1).await;
    let Err(Error::Store(PostgresError::InTransaction)) = answer else {
        panic!("{answer:?}");
    };
    assert!(log_in(&direct, "alice", 1).await.is_ok());
}

/// What a transaction began to see before a registration was made, it goes on seeing.
#[tokio::test]
async fn nothing_is_said_by_an_old_snapshot() {
    let Some(database) = Database::new().await else {
        return;
    };
    let client = Arc::new(database.client().await);
    let inside = engine(PostgresStore::connect(client.clone()).await.unwrap());
    let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM keyfob_registrations";
    client.batch_execute(begin).await.unwrap();
    register(&engine(database.store().await), "alice").await;
    let status = inside.status("alice", START).await;
    let Err(Error::Store(PostgresError::InTransaction)) = status else {
        panic!("{status:?}");
    };
    client.batch_execute("COMMIT").await.unwrap();
    assert!(inside.status("alice", START).await.is_ok());
}

/// A server's settings can change under connections that are open.
#[tokio::test]
async fn a_server_that_is_set_otherwise_later_accepts_nothing() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let client = Arc::new(connect(&server.config()).await);
    let engine = engine(PostgresStore::connect(client.clone()).await.unwrap());
    register(&engine, "alice").await;
    for (step, value) in [(1, "off"), (2, "on")] {
        let set = format!("ALTER SYSTEM SET synchronous_commit = {value}");
        client.batch_execute(&set).await.unwrap();
        client
            .batch_execute("SELECT pg_reload_conf()")
            .await
            .unwrap();
        let show = "SHOW synchronous_commit";
        while client.query_one(show, &[]).await.unwrap().get::<_, &str>(0) != value {
            sleep(Duration::from_millis(1)).await;
        }
        let answer = log_in(&engine, "alice", step).await;
        match answer {
            Ok(_) if value == "on" => {}
            Err(Error::Store(PostgresError::NotDurable { .. })) if value == "off" => {}
            other => panic!("{value}: {other:?}"),
        }
    }
}

// ---- The database

#[tokio::test]
async fn tables_of_a_later_version_are_refused() {
    let Some(database) = Database::new().await else {
        return;
    };
    database.store().await;
    let client = database.client().await;
    let later = "INSERT INTO keyfob_schema (version) VALUES (99)";
    client.batch_execute(later).await.unwrap();
    let refused = open(database.config()).await.unwrap_err();
    let PostgresError::Schema { found: 99 } = refused else {
        panic!("version 99 wasn't refused");
    };
}

/// Once the tables are there, a role needs no more rights than it uses.
#[tokio::test]
async fn a_role_that_may_not_make_tables_can_use_them() {
    let Some(database) = Database::new().await else {
        return;
    };
    database.store().await;
    let role = format!("{}_role", database.name());
    let set_up = format!(
        "CREATE ROLE {role} LOGIN;
         GRANT SELECT ON keyfob_schema TO {role};
         GRANT SELECT, INSERT, UPDATE, DELETE ON keyfob_registrations TO {role};"
    );
    let administrator = database.client().await;
    administrator.batch_execute(&set_up).await.unwrap();
    let mut config = database.config().clone();
    let client = Arc::new(connect(config.user(&role)).await);
    let engine = engine(PostgresStore::connect(client).await.unwrap());
    register(&engine, "alice").await;
    assert!(log_in(&engine, "alice", 1).await.is_ok());
    assert_eq!(engine.store().sweep(START).await.unwrap(), 0);
    engine.delete("alice").await.unwrap();
    let clean_up = format!("DROP OWNED BY {role}; DROP ROLE {role}");
    administrator.batch_execute(&clean_up).await.unwrap();
}

// ---- Records

#[tokio::test]
async fn only_what_lapsed_is_swept() {
    let Some(database) = Database::new().await else {
        return;
    };
    let engine = engine(database.store().await);
    let create = async |id, now| {
        let new = NewRegistration::default();
        let enrollment = engine.create(id, &new, now, &mut SystemEntropy).await;
        enrollment.unwrap()
    };
    create("pending", START).await;
    create("pending a second longer", START.saturating_add(1)).await;
    let enrollment = create("confirmed", START).await;
    let code = Totp::new(enrollment.secret(), TotpParams::DEFAULT).code_at(START);
    assert!(engine.authenticate("confirmed", &code, START).await.is_ok());

    let lapses_at = enrollment.pending_until();
    let before = UnixTime::from_seconds(lapses_at.as_seconds() - 1);
    assert_eq!(engine.store().sweep(before).await.unwrap(), 0);
    let stored = engine.store().count().await.unwrap();
    assert_eq!(engine.store().sweep(lapses_at).await.unwrap(), 1);
    assert_eq!(engine.store().count().await.unwrap(), stored - 1);
    let state = async |id| {
        let status = engine.status(id, START).await;
        status.map(|status| status.state).ok()
    };
    assert_eq!(state("pending").await, None);
    let until = lapses_at.saturating_add(1);
    let later = Some(StatusState::Pending { until });
    assert_eq!(state("pending a second longer").await, later);
    let active = Some(StatusState::Active { since: START });
    assert_eq!(state("confirmed").await, active);

    let end_of_time = UnixTime::from_seconds(u64::MAX);
    assert_eq!(engine.store().sweep(end_of_time).await.unwrap(), 1);
}

/// Else it would stay pending for as long as the clock was ahead.
#[tokio::test]
async fn what_was_made_while_a_clock_was_ahead_is_swept() {
    let Some(database) = Database::new().await else {
        return;
    };
    let policy = Policy {
        pending_lifetime: PendingLifetime::from_minutes(1_440).unwrap(),
        ..Policy::strict()
    };
    let engine = AsyncEngine::new(database.store().await, policy);
    let (day, hour) = (86_400, 3_600);
    let create = async |id, now: UnixTime, lifetime| {
        let lifetime = PendingLifetime::from_minutes(lifetime);
        let new = NewRegistration {
            lifetime,
            ..NewRegistration::default()
        };
        let enrollment = engine.create(id, &new, now, &mut SystemEntropy).await;
        enrollment.unwrap()
    };
    create("an hour ahead", START.saturating_add(hour), 1_440).await;
    create("more", START.saturating_add(hour + 1), 1_440).await;
    create("years ahead", START.saturating_add(4_000 * day), 60).await;
    create("at the end of time", UnixTime::from_seconds(u64::MAX), 60).await;
    let ahead = START.saturating_add(4_000 * day);
    let enrollment = create("active", ahead, 60).await;
    let code = Totp::new(enrollment.secret(), TotpParams::DEFAULT).code_at(ahead);
    engine.authenticate("active", &code, ahead).await.unwrap();

    assert_eq!(engine.store().sweep(START).await.unwrap(), 3);
    assert_eq!(engine.store().sweep(START).await.unwrap(), 0);
    assert!(engine.status("an hour ahead", START).await.is_ok());
    assert!(engine.status("active", START).await.is_ok());
}

#[tokio::test]
async fn bytes_that_are_no_record_are_an_error() {
    let Some(database) = Database::new().await else {
        return;
    };
    let engine = engine(database.store().await);
    let client = database.client().await;
    let insert = "INSERT INTO keyfob_registrations VALUES ($1, 1, $2, NULL)";
    for length in [0, 1, 253, Record::MAX_BYTES, Record::MAX_BYTES + 1, 1 << 20] {
        let (id, bytes) = (length.to_string(), vec![0xffu8; length]);
        let values: [&(dyn ToSql + Sync); 2] = [&id.as_bytes(), &bytes];
        client.execute(insert, &values).await.unwrap();
        let refused = log_in(&engine, &id, 1).await.unwrap_err();
        let is_too_long = length > Record::MAX_BYTES;
        match refused {
            Error::Corrupt(_) if !is_too_long => {}
            Error::Store(PostgresError::Corrupt(Corrupt::Malformed)) if is_too_long => {}
            other => panic!("{length} bytes: {other:?}"),
        }
    }
}

#[tokio::test]
async fn columns_that_somebody_changed_are_an_error() {
    let Some(database) = Database::new().await else {
        return;
    };
    let engine = engine(database.store().await);
    register(&engine, "alice").await;
    let client = database.client().await;
    for change in [
        "ALTER COLUMN revision DROP NOT NULL, ALTER COLUMN record DROP NOT NULL",
        "ALTER COLUMN revision TYPE TEXT",
        "ALTER COLUMN record TYPE TEXT USING 'alice'",
        "DROP COLUMN record",
    ] {
        let change = format!(
            "ALTER TABLE keyfob_registrations {change};
             UPDATE keyfob_registrations SET revision = NULL"
        );
        client.batch_execute(&change).await.unwrap();
        let answer = log_in(&engine, "alice", 1).await;
        let Err(Error::Store(PostgresError::Database(_))) = answer else {
            panic!("{change}: {answer:?}");
        };
    }
}

/// An id that is too long for an index is refused whole, never cut.
#[tokio::test]
async fn an_id_that_is_too_long_is_an_error() {
    let Some(database) = Database::new().await else {
        return;
    };
    let engine = engine(database.store().await);
    register(&engine, &"a".repeat(2_600)).await;
    // Letters without a pattern, as the index would compress others.
    let long: String = (0..9_000u32)
        .map(|n| char::from_u32(0x4e00 + n.wrapping_mul(2_654_435_761) % 20_000).unwrap())
        .collect();
    let new = NewRegistration::default();
    let refused = engine.create(&long, &new, START, &mut SystemEntropy).await;
    let Err(Error::Store(PostgresError::Database(_))) = refused else {
        panic!("{refused:?}");
    };
}
