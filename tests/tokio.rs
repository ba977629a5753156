//! The engine that waits, over stores that block: `BlockingPool` on tokio.
#![cfg(all(feature = "tokio", feature = "sha2"))]

#[cfg(feature = "sqlite")]
#[path = "support/directory.rs"]
mod directory;

use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Barrier, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread::sleep;
use std::time::Duration;

#[cfg(feature = "conformance")]
use keyfob::conformance;
use keyfob::{
    AsyncEngine, AsyncRegistrationStore, Authenticated, BlockingPool, BlockingPoolError, Code,
    Engine, Enrollment, Error, HashMapStore, MemoryStore, MemoryStoreFull, Migration,
    NewRegistration, Params, Policy, Proof, Record, RegistrationStore, Rejection, Revision, Status,
    StatusState, Swap, SystemEntropy, Totp, UnixTime,
};
use tokio::runtime;
use tokio::task::{JoinSet, spawn_blocking, yield_now};
use tokio::time::timeout;

const ID: &str = "token 1";
const NOW: UnixTime = UnixTime::from_seconds(1_800_000_000);
/// How long a test waits for what would otherwise never come.
const PATIENCE: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_token_lives_from_enrolment_to_deletion() {
    let engine = engine(4);
    let enrollment = enroll(&engine).await;
    let totp = totp(&enrollment);

    let later = NOW.saturating_add(30);
    let first = engine.authenticate(ID, &totp.code_at(NOW), NOW).await;
    assert!(first.unwrap().activated());
    let second = engine.authenticate(ID, &totp.code_at(later), later).await;
    assert!(!second.unwrap().activated());
    let replay = engine.authenticate(ID, &totp.code_at(later), later).await;
    assert_eq!(replay, REPLAYED);

    let recovery_code = enrollment.recovery_codes().iter().next().unwrap();
    let recovered = engine.recover(ID, recovery_code.as_str(), later).await;
    assert_eq!(recovered.unwrap().remaining(), 9);

    let status = engine.status(ID, later).await.unwrap();
    assert_eq!(status.state, StatusState::Active { since: NOW });
    assert_eq!((status.last_use, status.recovery_codes), (Some(later), 9));

    engine.delete(ID).await.unwrap();
    assert_eq!(engine.status(ID, later).await, UNKNOWN);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_64_tasks_with_one_code_is_let_in() {
    for stores in [1, 3, 64] {
        let engine = Arc::new(engine(stores));
        let code = totp(&enroll(&engine).await).code_at(NOW);
        let mut tasks = JoinSet::new();
        for _ in 0..64 {
            tasks.spawn(submit(engine.clone(), code.clone(), NOW));
        }
        let (let_in, refused): (Vec<_>, Vec<_>) =
            tasks.join_all().await.into_iter().partition(Result::is_ok);
        assert_eq!((let_in.len(), refused.len()), (1, 63));
        assert!(refused.iter().all(|answer| *answer == REPLAYED));
    }
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn a_call_that_leaves_a_transaction_open_fails_what_follows() {
    use keyfob::{SqliteError, SqliteStore};

    let directory = directory::Directory::new();
    let store = SqliteStore::open(directory.file("registrations.sqlite")).unwrap();
    let pool = BlockingPool::new(store);
    let engine = AsyncEngine::new(pool.clone(), Policy::DEFAULT);
    let new = NewRegistration::default();
    let run = |statement| {
        pool.call(move |store: &mut SqliteStore| store.connection().execute_batch(statement))
    };
    run("BEGIN").await.unwrap();
    let refused = engine.create(ID, &new, NOW, &mut SystemEntropy).await;
    let in_transaction = BlockingPoolError::Store(SqliteError::InTransaction);
    assert_eq!(refused.err(), Some(Error::Store(in_transaction)));
    run("ROLLBACK").await.unwrap();
    assert!(
        engine
            .create(ID, &new, NOW, &mut SystemEntropy)
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_call_of_ones_own_takes_its_turn_on_a_store() {
    let pool = BlockingPool::new(MemoryStore::<u32, 1>::new());
    let stored = pool.call(|store| store.load(&1)).await;
    assert!(matches!(stored, Ok(None)));
    let panicked = pool.call(|_| -> Result<(), Infallible> { panic!("on purpose") });
    assert_eq!(panicked.await, Err(BlockingPoolError::Panicked));
    let after = pool.call(|store| store.load(&1)).await;
    assert_eq!(after.err(), Some(BlockingPoolError::NoStoreLeft));
}

/// Wherever it is aborted, the code then counts once more only if nobody was told that it counted.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_aborted_request_lets_nobody_in_beside_another() {
    let engine = Arc::new(engine(2));
    let totp = totp(&enroll(&engine).await);
    for round in 0..200 {
        let now = NOW.saturating_add(30 * round);
        let code = totp.code_at(now);
        let first = tokio::spawn(submit(engine.clone(), code.clone(), now));
        for _ in 0..round {
            yield_now().await;
        }
        first.abort();
        let was_told = first.await.is_ok_and(|answer| answer.is_ok());
        let again = submit(engine.clone(), code.clone(), now).await;
        assert!(again == REPLAYED || again.is_ok() && !was_told);
        assert_eq!(submit(engine.clone(), code, now).await, REPLAYED);
    }
}

#[tokio::test]
async fn a_swap_that_has_begun_is_stored_though_its_request_is_dropped() {
    let (map, code) = map_with_token();
    let (store, halt) = HaltingStore::new(map, Call::Swap);
    let engine = AsyncEngine::new(BlockingPool::new(store), Policy::DEFAULT);
    tokio::select! {
        answer = engine.authenticate(ID, &code, NOW) => panic!("{answer:?}"),
        () = meet(&halt) => {}
    }
    halt.wait();
    assert_eq!(engine.authenticate(ID, &code, NOW).await, REPLAYED);
}

#[tokio::test]
async fn a_request_that_is_dropped_before_its_swap_changes_nothing() {
    let (map, code) = map_with_token();
    let (store, halt) = HaltingStore::new(map, Call::Load);
    let engine = AsyncEngine::new(BlockingPool::new(store), Policy::DEFAULT);
    tokio::select! {
        answer = engine.authenticate(ID, &code, NOW) => panic!("{answer:?}"),
        () = meet(&halt) => {}
    }
    halt.wait();
    assert!(engine.authenticate(ID, &code, NOW).await.is_ok());
    assert_eq!(engine.authenticate(ID, &code, NOW).await, REPLAYED);
}

#[tokio::test]
async fn a_request_that_ran_out_of_time_in_the_queue_was_never_begun() {
    let (map, code) = map_with_token();
    let (store, halt) = HaltingStore::new(map, Call::Load);
    let engine = AsyncEngine::new(BlockingPool::new(store), Policy::DEFAULT);
    let while_halted = async {
        meet(&halt).await;
        let waiting = engine.authenticate(ID, &code, NOW);
        let answer = timeout(Duration::from_millis(1), waiting).await;
        halt.wait();
        answer
    };
    let (status, answer) = tokio::join!(engine.status(ID, NOW), while_halted);
    assert!(status.is_ok() && answer.is_err());
    assert!(engine.authenticate(ID, &code, NOW).await.is_ok());
}

/// Of two threads that may block the store holds one, and those that wait for it leave the other.
#[test]
fn requests_that_wait_for_a_store_hold_no_thread() {
    let mut runtime = runtime::Builder::new_current_thread();
    let runtime = runtime
        .enable_time()
        .max_blocking_threads(2)
        .build()
        .unwrap();
    runtime.block_on(async {
        let (store, halt) = HaltingStore::new(map_with_token().0, Call::Load);
        let engine = Arc::new(AsyncEngine::new(BlockingPool::new(store), Policy::DEFAULT));
        let mut requests = JoinSet::new();
        for _ in 0..64 {
            let engine = engine.clone();
            requests.spawn(async move { engine.status(ID, NOW).await });
        }
        meet(&halt).await;
        let other_work = timeout(PATIENCE, spawn_blocking(|| ())).await;
        halt.wait();
        assert!(other_work.is_ok());
        assert!(requests.join_all().await.iter().all(Result::is_ok));
    });
}

#[tokio::test]
async fn requests_are_served_in_the_order_of_asking() {
    let (store, log) = TalkativeStore::new();
    let engine = AsyncEngine::new(BlockingPool::new(store), Policy::DEFAULT);
    let ask = |id| engine.status(id, NOW);
    let _ = tokio::join!(ask("first"), ask("second"), ask("third"), ask("fourth"));
    assert_eq!(*log.lock().unwrap(), ["first", "second", "third", "fourth"]);
}

#[tokio::test]
async fn a_store_that_panicked_is_not_used_again() {
    let stores = [TalkativeStore::new().0, TalkativeStore::new().0];
    let pool = BlockingPool::from_stores(stores).unwrap();
    let engine = AsyncEngine::new(pool, Policy::DEFAULT);
    let ask = |id| engine.status(id, NOW);
    assert_eq!(ask("panic").await, Err(Error::Store(PoolError::Panicked)));
    let of_the_other_store = tokio::join!(ask("one"), ask("at"), ask("a time"));
    assert_eq!(of_the_other_store, (UNKNOWN, UNKNOWN, UNKNOWN));

    let last = async { tokio::join!(ask("panic"), ask("who waits meanwhile")) };
    let no_store_left = Err(Error::Store(PoolError::NoStoreLeft));
    assert_eq!(
        timeout(PATIENCE, last).await,
        Ok((Err(Error::Store(PoolError::Panicked)), no_store_left))
    );
    assert_eq!(ask("who comes later").await, no_store_left);
}

#[test]
fn a_pool_of_no_stores_is_none() {
    assert!(BlockingPool::<MapStore>::from_stores([]).is_none());
}

#[tokio::test]
async fn a_pool_passes_on_the_errors_of_its_store() {
    let store = MemoryStore::<u32, 0>::new();
    let engine = AsyncEngine::new(BlockingPool::new(store), Policy::DEFAULT);
    let new = NewRegistration::default();
    let answer = engine.create(&1, &new, NOW, &mut SystemEntropy).await;
    let full = Error::Store(BlockingPoolError::Store(MemoryStoreFull));
    assert_eq!(answer.unwrap_err(), full);
}

#[test]
fn a_pool_outside_of_a_runtime_says_so() {
    let engine = engine(1);
    let answer = poll_once(engine.status(ID, NOW));
    assert_eq!(answer, Poll::Ready(Err(Error::Store(PoolError::NoRuntime))));
}

#[test]
fn a_pool_outlives_a_runtime_that_shut_down() {
    let engine = engine(1);
    let first = runtime::Builder::new_current_thread().build().unwrap();
    let handle = first.handle().clone();
    drop(first);
    let _entered = handle.enter();
    let answer = poll_once(engine.status(ID, NOW));
    assert_eq!(
        answer,
        Poll::Ready(Err(Error::Store(PoolError::ShuttingDown)))
    );

    let second = runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(second.block_on(engine.status(ID, NOW)), UNKNOWN);
}

#[cfg(feature = "conformance")]
#[test]
fn a_pool_keeps_the_contract_of_its_stores() -> Result<(), conformance::Violation> {
    struct Runtime(runtime::Runtime);

    impl conformance::BlockOn for &Runtime {
        fn block_on<F: Future>(&self, future: F) -> F::Output {
            self.0.block_on(future)
        }
    }

    let runtime = Runtime(runtime::Runtime::new().unwrap());
    let pool = BlockingPool::from_stores([map(); 3]).unwrap();
    let open = || conformance::Blocking::on(&runtime, pool.clone());
    conformance::check(open, |number| number.to_string())
}

/// Compiles if every request can be moved between threads, whatever its store.
#[allow(dead_code)]
fn every_request_is_send<S: AsyncRegistrationStore<Id = str> + Sync>(
    engine: &AsyncEngine<S>,
    (code, proof, migration): (&Code, Proof, &Migration<'_>),
) {
    fn is_send(_: impl Future + Send) {}
    let (new, entropy) = (&NewRegistration::default(), &mut SystemEntropy);
    is_send(engine.create(ID, new, NOW, entropy));
    is_send(engine.authenticate(ID, code, NOW));
    is_send(engine.replace(ID, proof, new, NOW, entropy));
    is_send(engine.migrate(ID, migration, NOW, entropy));
    is_send(engine.recover(ID, "", NOW));
    is_send(engine.rotate_recovery_codes(ID, NOW, entropy));
    is_send(engine.resync(ID, code, code, NOW));
    is_send(engine.status(ID, NOW));
    is_send(engine.unlock(ID));
    is_send(engine.set_drift(ID, 0));
    is_send(engine.fence(ID, NOW));
    is_send(engine.delete(ID));
}

const REPLAYED: Result<Authenticated, Error<PoolError>> = Err(Error::Rejected(Rejection::Replayed));
const UNKNOWN: Result<Status, Error<PoolError>> = Err(Error::Rejected(Rejection::Unknown));

type MapStore = &'static HashMapStore<str>;
type PoolError = BlockingPoolError<Infallible>;
type PoolEngine = AsyncEngine<BlockingPool<MapStore>>;

fn map() -> MapStore {
    Box::leak(Box::default())
}

/// An engine over so many handles to one map.
fn engine(stores: usize) -> PoolEngine {
    let pool = BlockingPool::from_stores(vec![map(); stores]);
    AsyncEngine::new(pool.unwrap(), Policy::DEFAULT)
}

async fn enroll(engine: &PoolEngine) -> Enrollment {
    let new = NewRegistration::default();
    let enrollment = engine.create(ID, &new, NOW, &mut SystemEntropy).await;
    enrollment.unwrap()
}

/// A map with a token that waits for its first code, and that code.
fn map_with_token() -> (MapStore, Code) {
    let (map, new) = (map(), NewRegistration::default());
    let enrollment = Engine::new(map, Policy::DEFAULT).create(ID, &new, NOW, &mut SystemEntropy);
    (map, totp(&enrollment.unwrap()).code_at(NOW))
}

fn totp(enrollment: &Enrollment) -> Totp {
    let Params::Totp(params) = *enrollment.params() else {
        unreachable!()
    };
    Totp::new(enrollment.secret(), params)
}

async fn submit(
    engine: Arc<PoolEngine>,
    code: Code,
    now: UnixTime,
) -> Result<Authenticated, Error<PoolError>> {
    engine.authenticate(ID, &code, now).await
}

fn poll_once<F: Future>(request: F) -> Poll<F::Output> {
    pin!(request).poll(&mut Context::from_waker(Waker::noop()))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Call {
    Load,
    Swap,
}

/// A store whose first call of one kind halts twice: to be met, and until it may go on.
struct HaltingStore {
    map: MapStore,
    halt: Option<(Call, Arc<Barrier>)>,
}

impl HaltingStore {
    fn new(map: MapStore, at: Call) -> (Self, Arc<Barrier>) {
        let barrier = Arc::new(Barrier::new(2));
        let halt = Some((at, barrier.clone()));
        (Self { map, halt }, barrier)
    }

    fn halt_at(&mut self, call: Call) {
        if let Some((_, barrier)) = self.halt.take_if(|(at, _)| *at == call) {
            barrier.wait();
            barrier.wait();
        }
    }
}

/// Waits until the store has begun its call and halts. It goes on at one more `wait`.
async fn meet(halt: &Arc<Barrier>) {
    let halt = halt.clone();
    spawn_blocking(move || halt.wait()).await.unwrap();
}

impl RegistrationStore for HaltingStore {
    type Id = str;
    type Error = Infallible;

    fn load(&mut self, id: &str) -> Result<Option<Record>, Infallible> {
        self.halt_at(Call::Load);
        self.map.load(id)
    }

    fn compare_and_swap(
        &mut self,
        id: &str,
        expected: Option<Revision>,
        next: Option<&Record>,
    ) -> Result<Swap, Infallible> {
        self.halt_at(Call::Swap);
        self.map.compare_and_swap(id, expected, next)
    }
}

/// An empty store that tells whom it was asked for, takes its time, and panics if told to.
struct TalkativeStore(Arc<Mutex<Vec<String>>>);

impl TalkativeStore {
    fn new() -> (Self, Arc<Mutex<Vec<String>>>) {
        let log = Arc::default();
        (Self(Arc::clone(&log)), log)
    }
}

impl RegistrationStore for TalkativeStore {
    type Id = str;
    type Error = Infallible;

    fn load(&mut self, id: &str) -> Result<Option<Record>, Infallible> {
        assert_ne!(id, "panic", "as the test wants it");
        sleep(Duration::from_millis(1));
        self.0.lock().unwrap().push(id.to_owned());
        Ok(None)
    }

    fn compare_and_swap(
        &mut self,
        _: &str,
        _: Option<Revision>,
        _: Option<&Record>,
    ) -> Result<Swap, Infallible> {
        Ok(Swap::Conflict)
    }
}
