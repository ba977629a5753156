//! Every order in which two or three requests can meet in a store, one by one: loom finds them.
//!
//! A request loads, decides and swaps. The store here gives loom a say before each load and each
//! swap, so a scenario runs once for each of their orders. What the requests then say is collected,
//! and each test names all that may be said.
#![cfg(feature = "sha2")]

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use keyfob::{
    Code, Engine, Enrollment, Entropy, EntropyError, Error, LockState, MemoryStore,
    NewRegistration, Params, Policy, Record, RegistrationStore, Rejection, Revision, Secret,
    StatusState, Swap, Totp, UnixTime,
};
use loom::thread;

const ID: u8 = 1;
const NOW: UnixTime = UnixTime::from_seconds(1_800_000_000);
const HOUR_SECONDS: u64 = 3_600;
/// Loom's own choice is too small for a request in a build without optimisation.
const STACK_WORDS: usize = 32 * 1_024;

#[test]
fn one_of_the_requests_with_one_code_is_accepted() {
    for token in [Token::pending(), Token::confirmed()] {
        for requests in [2, 3] {
            let request = login(token.code());
            let seen = explore(&token, move |store| at_once(store, vec![request; requests]));
            assert_eq!(seen, one_says("accepted", "replayed", requests));
        }
    }
}

/// The control: where the store writes without comparing, in some orders all are accepted.
#[test]
fn all_are_accepted_over_a_store_that_does_not_compare() {
    let token = Token::confirmed().over_heedless_store();
    for requests in [2, 3] {
        let request = login(token.code());
        let seen = explore(&token, move |store| at_once(store, vec![request; requests]));
        assert!(seen.contains(&vec!["accepted"; requests]));
    }
}

#[test]
fn one_of_the_requests_with_one_recovery_code_is_accepted() {
    let token = Token::confirmed();
    for requests in [2, 3] {
        let request = recovery(token.recovery_code.clone());
        let seen = explore(&token, move |store| at_once(store, vec![request; requests]));
        assert_eq!(seen, one_says("accepted", "replayed", requests));
    }
}

/// Weak codes are counted, hashed and then burned: two writes, in every order.
#[cfg(feature = "pbkdf2")]
#[test]
fn one_of_the_requests_with_one_weak_recovery_code_is_accepted() {
    let token = Token::with_weak_recovery_codes();
    let request = recovery(token.recovery_code.clone());
    let seen = explore(&token, move |store| at_once(store, vec![request; 2]));
    assert_eq!(seen, one_says("accepted", "replayed", 2));
}

/// The guess is counted, and forgotten only by a log-in that comes after it.
#[test]
fn a_wrong_guess_beside_a_log_in_is_counted() {
    let token = Token::confirmed();
    let requests = vec![login(token.code()), login(token.wrong_code())];
    let seen = explore(&token, move |store| {
        (at_once(store, requests), failures(store))
    });
    let answers = vec!["accepted", "wrong"];
    assert_eq!(seen, BTreeSet::from([(answers.clone(), 0), (answers, 1)]));
}

#[test]
fn both_guesses_are_made_while_both_are_free() {
    let token = Token::confirmed().after_failures(3);
    let guess = login(token.wrong_code());
    let seen = explore(&token, move |store| {
        (at_once(store, vec![guess; 2]), failures(store))
    });
    assert_eq!(seen, BTreeSet::from([(vec!["wrong"; 2], 5)]));
}

#[test]
fn one_guess_is_made_where_the_throttle_allows_one() {
    for (failures_before, answer) in [(5, "locked"), (99, "disabled")] {
        let token = Token::confirmed().after_failures(failures_before);
        for guesses in [2, 3] {
            let guess = login(token.wrong_code());
            let seen = explore(&token, move |store| at_once(store, vec![guess; guesses]));
            assert_eq!(seen, one_says("wrong", answer, guesses));
        }
    }
}

/// The control: guesses that overwrite each other's count are all made.
#[test]
fn all_guesses_are_made_over_a_store_that_does_not_compare() {
    let token = Token::confirmed().after_failures(5).over_heedless_store();
    let guess = login(token.wrong_code());
    let seen = explore(&token, move |store| at_once(store, vec![guess; 3]));
    assert!(seen.contains(&vec!["wrong"; 3]));
}

/// Before, between or after: no code of the old token confirms the new one.
#[test]
fn a_token_that_is_enrolled_anew_is_not_confirmed_by_a_code_of_the_old_one() {
    let token = Token::pending();
    let requests = vec![login(token.code()), enrolment_anew(Draws::from(2))];
    let seen = explore(&token, move |store| {
        (at_once(store, requests), is_confirmed(store))
    });
    let all = ["accepted", "unknown", "wrong"].map(|answer| (vec![answer, "enrolled"], false));
    assert_eq!(seen, BTreeSet::from(all));
}

/// The control: if revisions began with the same number again, a swap meant for the old registration
/// would bring it back.
#[test]
fn an_old_registration_would_come_back_over_a_store_that_counts_revisions() {
    let token = Token::pending().over_counting_store();
    let requests = vec![login(token.code()), enrolment_anew(Draws::from(2))];
    let seen = explore(&token, move |store| {
        (at_once(store, requests), is_confirmed(store))
    });
    assert!(seen.contains(&(vec!["accepted", "enrolled"], true)));
}

/// Runs the scenario in every order, and collects what is said.
fn explore<T: Ord + Send + 'static>(
    token: &Token,
    scenario: impl FnOnce(&ModelStore) -> T + Clone + Send + Sync + 'static,
) -> BTreeSet<T> {
    let said = Arc::new(Mutex::new(BTreeSet::new()));
    let (token, collected) = (token.clone(), said.clone());
    loom::model(move || {
        let (store, scenario, collected) = (token.store(), scenario.clone(), collected.clone());
        spawn(move || {
            let answers = scenario(&store);
            collected.lock().unwrap().insert(answers);
        });
    });
    let mut said = said.lock().unwrap();
    std::mem::take(&mut said)
}

/// What `requests` requests say of which any may be the one that says `one`.
fn one_says(
    one: &'static str,
    others: &'static str,
    requests: usize,
) -> BTreeSet<Vec<&'static str>> {
    let with_winner = |winner| {
        let mut answers = vec![others; requests];
        answers[winner] = one;
        answers
    };
    (0..requests).map(with_winner).collect()
}

type ModelEngine = Engine<ModelStore>;

/// What one thread asks of an engine of its own, and is told.
type Request = Arc<dyn Fn(&mut ModelEngine) -> &'static str + Send + Sync>;

/// Makes each request in a thread of its own, the last one in this.
fn at_once(store: &ModelStore, mut requests: Vec<Request>) -> Vec<&'static str> {
    let last = requests.pop().unwrap();
    let begin = |request: Request| {
        let mut engine = engine(store);
        spawn(move || request(&mut engine))
    };
    let others: Vec<_> = requests.into_iter().map(begin).collect();
    let last = last(&mut engine(store));
    let others = others.into_iter().map(|thread| thread.join().unwrap());
    others.chain([last]).collect()
}

fn engine(store: &ModelStore) -> ModelEngine {
    Engine::new(store.clone(), Policy::DEFAULT)
}

fn spawn<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> thread::JoinHandle<T> {
    let thread = thread::Builder::new().stack_size(STACK_WORDS);
    thread.spawn(work).unwrap()
}

fn login(code: Code) -> Request {
    Arc::new(move |engine| word(&engine.authenticate(&ID, &code, NOW)))
}

fn recovery(typed: String) -> Request {
    Arc::new(move |engine| word(&engine.recover(&ID, &typed, NOW)))
}

fn enrolment_anew(draws: Draws) -> Request {
    Arc::new(move |engine| {
        let (new, mut draws) = (NewRegistration::default(), draws.clone());
        engine.delete(&ID).unwrap();
        engine.create(&ID, &new, NOW, &mut draws).unwrap();
        "enrolled"
    })
}

fn word<T>(answer: &Result<T, Error<Infallible>>) -> &'static str {
    let Err(error) = answer else {
        return "accepted";
    };
    match error.rejection() {
        Some(Rejection::Mismatch { .. }) => "wrong",
        Some(Rejection::Replayed) => "replayed",
        Some(Rejection::Locked(_)) => "locked",
        Some(Rejection::Disabled) => "disabled",
        Some(Rejection::Unknown) => "unknown",
        _ => panic!("{error:?}"),
    }
}

/// How many failures in a row are remembered in the end.
fn failures(store: &ModelStore) -> u8 {
    let status = engine(store).status(&ID, NOW);
    match status.unwrap().codes {
        LockState::Open { failures } => failures,
        other => panic!("{other:?}"),
    }
}

fn is_confirmed(store: &ModelStore) -> bool {
    let status = engine(store).status(&ID, NOW);
    matches!(status.unwrap().state, StatusState::Active { .. })
}

/// A store with one place. Each load and each swap takes the lock once, which is where loom lets
/// other threads come first.
#[derive(Clone)]
struct ModelStore {
    record: Arc<loom::sync::Mutex<Option<Record>>>,
    swaps: Swaps,
}

/// How a store decides whether a swap may be made.
#[derive(Clone, Copy, PartialEq)]
enum Swaps {
    /// By the record's own revision.
    Comparing,
    /// Not at all.
    Heedless,
    /// By revisions of its own, which count up from 1.
    Counting,
}

impl Swaps {
    /// The record as it is stored in the place of `previous`.
    fn name(self, next: Record, previous: Option<&Record>) -> Record {
        if self != Self::Counting {
            return next;
        }
        let number = previous.map_or(1, |previous| previous.revision().as_u64() + 1);
        Record::from_stored(Revision::from_u64(number), next.as_bytes()).unwrap()
    }
}

impl RegistrationStore for ModelStore {
    type Id = u8;
    type Error = Infallible;

    fn load(&mut self, _: &u8) -> Result<Option<Record>, Infallible> {
        Ok(self.record.lock().unwrap().clone())
    }

    fn compare_and_swap(
        &mut self,
        _: &u8,
        expected: Option<Revision>,
        next: Option<&Record>,
    ) -> Result<Swap, Infallible> {
        let mut record = self.record.lock().unwrap();
        let stored = record.as_ref().map(Record::revision);
        if self.swaps != Swaps::Heedless && stored != expected {
            return Ok(Swap::Conflict);
        }
        *record = next.map(|next| self.swaps.name(next.clone(), record.as_ref()));
        Ok(Swap::Stored)
    }
}

/// A registered token, and the record that each scenario begins with.
#[derive(Clone)]
struct Token {
    record: Record,
    secret: Secret,
    recovery_code: String,
    swaps: Swaps,
}

impl Token {
    fn pending() -> Self {
        let (enrollment, mut engine) = enroll(NOW);
        Self {
            record: engine.store().load(&ID).unwrap().unwrap(),
            secret: enrollment.secret().clone(),
            recovery_code: first_recovery_code(&enrollment),
            swaps: Swaps::Comparing,
        }
    }

    #[cfg(feature = "pbkdf2")]
    fn with_weak_recovery_codes() -> Self {
        use keyfob::{Pbkdf2Iterations, RecoveryFormat, RecoveryPolicy, SlowHash};
        let policy = Policy {
            recovery: RecoveryPolicy {
                format: RecoveryFormat::Short,
                slow_hash: Pbkdf2Iterations::new(1)
                    .map(|iterations| SlowHash::Pbkdf2 { iterations }),
                ..RecoveryPolicy::DEFAULT
            },
            ..Policy::DEFAULT
        };
        let mut engine = Engine::new(MemoryStore::<u8, 1>::new(), policy);
        let new = NewRegistration::default();
        let long_ago = hours_ago(1);
        let enrollment = engine
            .create(&ID, &new, long_ago, &mut Draws::from(1))
            .unwrap();
        let token = Self {
            record: engine.store().load(&ID).unwrap().unwrap(),
            secret: enrollment.secret().clone(),
            recovery_code: first_recovery_code(&enrollment),
            swaps: Swaps::Comparing,
        };
        let code = token.totp().code_at(long_ago);
        engine.authenticate(&ID, &code, long_ago).unwrap();
        Self {
            record: engine.store().load(&ID).unwrap().unwrap(),
            ..token
        }
    }

    /// One that was confirmed long ago.
    fn confirmed() -> Self {
        let token = Self::pending();
        let long_ago = hours_ago(200);
        let (_, mut engine) = enroll(long_ago);
        let code = token.totp().code_at(long_ago);
        engine.authenticate(&ID, &code, long_ago).unwrap();
        Self {
            record: engine.store().load(&ID).unwrap().unwrap(),
            ..token
        }
    }

    /// The same after so many wrong codes in a row, the last of which nobody waits for any more.
    fn after_failures(self, failures: u64) -> Self {
        let mut engine = Engine::new(MemoryStore::<u8, 1>::new(), Policy::DEFAULT);
        let swap = engine
            .store()
            .compare_and_swap(&ID, None, Some(&self.record));
        assert_eq!(swap, Ok(Swap::Stored));
        for hours in (1..=failures).rev() {
            let guess = engine.authenticate(&ID, &self.wrong_code(), hours_ago(hours));
            let rejection = guess.unwrap_err().rejection();
            assert!(matches!(rejection, Some(Rejection::Mismatch { .. })));
        }
        Self {
            record: engine.store().load(&ID).unwrap().unwrap(),
            ..self
        }
    }

    fn over_heedless_store(self) -> Self {
        Self {
            swaps: Swaps::Heedless,
            ..self
        }
    }

    fn over_counting_store(self) -> Self {
        let swaps = Swaps::Counting;
        Self {
            record: swaps.name(self.record.clone(), None),
            swaps,
            ..self
        }
    }

    fn store(&self) -> ModelStore {
        ModelStore {
            record: Arc::new(loom::sync::Mutex::new(Some(self.record.clone()))),
            swaps: self.swaps,
        }
    }

    fn totp(&self) -> Totp {
        let Params::Totp(params) = Params::default() else {
            unreachable!()
        };
        Totp::new(&self.secret, params)
    }

    fn code(&self) -> Code {
        self.totp().code_at(NOW)
    }

    /// A code of the token, but of next week.
    fn wrong_code(&self) -> Code {
        self.totp().code_at(NOW.saturating_add(168 * HOUR_SECONDS))
    }
}

fn enroll(now: UnixTime) -> (Enrollment, Engine<MemoryStore<u8, 1>>) {
    let mut engine = Engine::new(MemoryStore::new(), Policy::DEFAULT);
    let new = NewRegistration::default();
    let enrollment = engine.create(&ID, &new, now, &mut Draws::from(1)).unwrap();
    (enrollment, engine)
}

fn first_recovery_code(enrollment: &Enrollment) -> String {
    let mut codes = enrollment.recovery_codes().iter();
    codes.next().unwrap().as_str().to_owned()
}

fn hours_ago(hours: u64) -> UnixTime {
    UnixTime::from_seconds(NOW.as_seconds() - hours * HOUR_SECONDS)
}

/// Bytes that look random and are the same in every run, as loom's replays need them.
#[derive(Clone)]
struct Draws {
    state: u64,
}

impl From<u64> for Draws {
    fn from(seed: u64) -> Self {
        Self { state: seed }
    }
}

impl Entropy for Draws {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        for byte in bytes {
            self.state = self
                .state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            *byte = self.state.to_be_bytes()[0];
        }
        Ok(())
    }
}
