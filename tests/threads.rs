//! Real threads over one store: whatever they ask for at once, a code is accepted once, guesses are
//! counted, and no write is lost.
#![cfg(all(feature = "std", feature = "sha2"))]

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Barrier, Mutex};
use std::thread;

use keyfob::{
    Authenticated, Code, CodeFormat, Engine, Enrollment, Entropy, EntropyError, Error,
    HashMapStore, NewRegistration, Params, Policy, Record, RegistrationStore, Rejection, Revision,
    Swap, Throttle, Totp, TotpParams, UnixTime, Wait,
};

const ID: &str = "token 1";
const THREADS: usize = 64;
const ROUNDS: u64 = 50;
const START: UnixTime = UnixTime::from_seconds(1_800_000_000);

type Answer<T> = Result<T, Error<Infallible>>;

#[test]
fn one_of_64_threads_with_one_code_is_let_in() {
    let store = HashMapStore::new();
    let totp = Token::enroll(&store, 1).totp;
    for round in 0..ROUNDS {
        let now = START.saturating_add(30 * round);
        let answers = submit_at_once(&store, &totp.code_at(now), now);
        assert_eq!(accepted(&answers), 1);
        assert_eq!(refused(&answers, Rejection::Replayed), THREADS - 1);
        let confirmed = answers.iter().flatten().any(Authenticated::activated);
        assert_eq!(confirmed, round == 0);
    }
}

/// The control: these threads tell a store that keeps its promise from one that doesn't.
#[test]
fn a_store_that_is_not_atomic_lets_more_than_one_in() {
    let happened = (0..10_000).any(|_| {
        let store = NaiveStore::default();
        let code = Token::enroll(&store, 1).totp.code_at(START);
        accepted(&submit_at_once(&store, &code, START)) > 1
    });
    assert!(happened);
}

/// After each wait so many guesses are made as the throttle allows, however many come at once, up
/// to the one that disables the token.
#[test]
fn parallel_guesses_are_counted_one_by_one() {
    let store = HashMapStore::new();
    let totp = Token::enroll_and_confirm(&store, 1).totp;
    let (mut failures, mut now) = (0, START);
    while failures < Throttle::DEFAULT.disabled_at() {
        let answers = submit_at_once(&store, &wrong_code(&totp, now), now);
        let made = free_guesses(failures);
        failures += made;
        let before = now;
        now = now.saturating_add(Throttle::DEFAULT.wait_seconds(failures));
        let rest = THREADS - usize::from(made);
        assert_eq!(wrong(&answers), usize::from(made));
        assert_eq!(
            refused(&answers, refusal_after(failures, before, now)),
            rest
        );
    }
    let answers = submit_at_once(&store, &totp.code_at(now), now);
    assert_eq!(refused(&answers, Rejection::Disabled), THREADS);
}

#[test]
fn one_of_64_threads_with_one_recovery_code_is_let_in() {
    for round in 0..ROUNDS {
        let store = HashMapStore::new();
        let codes = Token::enroll_and_confirm(&store, round).recovery_codes;
        let answers = at_once(THREADS, |_| engine(&store).recover(ID, &codes[0], START));
        assert_eq!(accepted(&answers), 1);
        assert_eq!(refused(&answers, Rejection::Replayed), THREADS - 1);
    }
}

/// Each code lets one in, and each of those is told another number of codes that are left.
#[test]
fn recovery_codes_are_used_up_one_by_one() {
    let store = HashMapStore::new();
    let codes = Token::enroll_and_confirm(&store, 1).recovery_codes;
    let answers = at_once(THREADS, |thread| {
        engine(&store).recover(ID, &codes[thread % codes.len()], START)
    });
    let let_in = answers.iter().flatten();
    let mut remaining: Vec<_> = let_in.map(keyfob::Recovered::remaining).collect();
    remaining.sort_unstable();
    assert!(remaining.into_iter().eq(0..codes.len()));
    let late = [Rejection::Replayed, Rejection::NoRecoveryCodes];
    let late: usize = late.map(|why| refused(&answers, why)).iter().sum();
    assert_eq!(late, THREADS - codes.len());
}

/// All enrolments succeed, one after the other, and the last one's secret is what counts.
#[test]
fn parallel_enrolments_leave_one_secret_that_works() {
    const ENROLMENTS: usize = 16; // fewer than an engine's attempts
    let store = HashMapStore::new();
    let writes = Mutex::new(HashMap::new());
    let enrollments = at_once(ENROLMENTS, |thread| {
        let watched = WatchedStore {
            store: &store,
            writes: &writes,
        };
        let new = NewRegistration {
            params: EIGHT_DIGITS,
            lifetime: None,
        };
        let mut engine = Engine::new(watched, Policy::strict());
        let made = engine.create(ID, &new, START, &mut Draws(thread as u64));
        made.unwrap()
    });
    let working = enrollments.iter().filter(|made| works(&store, made));
    assert_eq!(working.count(), 1);
    assert_eq!(length_of_chain(&writes.into_inner().unwrap()), ENROLMENTS);
}

#[test]
fn a_token_that_is_being_deleted_lets_at_most_one_in() {
    const DELETER: usize = THREADS / 2;
    for round in 0..ROUNDS {
        let store = HashMapStore::new();
        let code = Token::enroll(&store, round).totp.code_at(START);
        let answers = at_once(THREADS, |thread| match thread {
            DELETER => engine(&store).delete(ID).map(|()| None),
            _ => engine(&store).authenticate(ID, &code, START).map(Some),
        });
        let let_in = answers.iter().flatten().flatten().count();
        let late = refused(&answers, Rejection::Replayed) + refused(&answers, Rejection::Unknown);
        assert!(let_in <= 1);
        assert_eq!(let_in + late, THREADS - 1);
        assert!(answers[DELETER].is_ok() && store.is_empty());
    }
}

/// Runs `work` in so many threads that wait for each other before they begin.
fn at_once<T: Send>(threads: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let start = Barrier::new(threads);
    let wait_and_work = |thread| {
        start.wait();
        work(thread)
    };
    thread::scope(|scope| {
        let begun = (0..threads).map(|thread| scope.spawn(move || wait_and_work(thread)));
        let begun: Vec<_> = begun.collect();
        let answers = begun.into_iter().map(|thread| thread.join().unwrap());
        answers.collect()
    })
}

fn engine<S: RegistrationStore>(store: S) -> Engine<S> {
    Engine::new(store, Policy::DEFAULT)
}

fn submit_at_once<S>(store: S, code: &Code, now: UnixTime) -> Vec<Answer<Authenticated>>
where
    S: RegistrationStore<Id = str, Error = Infallible> + Copy + Sync,
{
    at_once(THREADS, |_| engine(store).authenticate(ID, code, now))
}

fn accepted<T>(answers: &[Answer<T>]) -> usize {
    answers.iter().flatten().count()
}

fn refused<T>(answers: &[Answer<T>], why: Rejection) -> usize {
    let rejections = answers
        .iter()
        .filter_map(|answer| answer.as_ref().err()?.rejection());
    rejections.filter(|rejection| *rejection == why).count()
}

fn wrong<T>(answers: &[Answer<T>]) -> usize {
    let rejections = answers
        .iter()
        .filter_map(|answer| answer.as_ref().err()?.rejection());
    rejections
        .filter(|rejection| matches!(rejection, Rejection::Mismatch { .. }))
        .count()
}

/// How many guesses can be made after so many failures, up to one that brings a wait or the end.
fn free_guesses(failures: u8) -> u8 {
    let throttle = Throttle::DEFAULT;
    let last =
        (failures + 1..throttle.disabled_at()).find(|count| throttle.wait_seconds(*count) > 0);
    last.unwrap_or(throttle.disabled_at()) - failures
}

fn refusal_after(failures: u8, now: UnixTime, until: UnixTime) -> Rejection {
    if failures == Throttle::DEFAULT.disabled_at() {
        return Rejection::Disabled;
    }
    Rejection::Locked(Wait::between(now, until))
}

/// A code of the token, but of the week after.
fn wrong_code(totp: &Totp, now: UnixTime) -> Code {
    totp.code_at(now.saturating_add(604_800))
}

/// Whether the secret that was shown is the one that is registered.
fn works(store: &HashMapStore<str>, enrollment: &Enrollment) -> bool {
    let mut engine = Engine::new(store, Policy::strict());
    let code = totp(enrollment).code_at(START);
    let answer = engine.authenticate(ID, &code, START);
    engine.unlock(ID).unwrap();
    answer.is_ok()
}

const EIGHT_DIGITS: Params = Params::Totp(TotpParams {
    format: CodeFormat::EightDigits,
    ..TotpParams::DEFAULT
});

fn totp(enrollment: &Enrollment) -> Totp {
    let Params::Totp(params) = *enrollment.params() else {
        unreachable!()
    };
    Totp::new(enrollment.secret(), params)
}

/// A token as its owner has it.
struct Token {
    totp: Totp,
    recovery_codes: Vec<String>,
}

impl Token {
    /// A token that waits for its first code.
    fn enroll<S: RegistrationStore<Id = str, Error = Infallible>>(store: S, seed: u64) -> Self {
        let new = NewRegistration::default();
        let enrollment = engine(store)
            .create(ID, &new, START, &mut Draws(seed))
            .unwrap();
        let codes = enrollment.recovery_codes().iter();
        Self {
            totp: totp(&enrollment),
            recovery_codes: codes.map(|code| code.as_str().to_owned()).collect(),
        }
    }

    fn enroll_and_confirm(store: &HashMapStore<str>, seed: u64) -> Self {
        let token = Self::enroll(store, seed);
        let code = token.totp.code_at(START);
        engine(store).authenticate(ID, &code, START).unwrap();
        token
    }
}

/// What a store must not be: it compares, then it writes, and others come in between.
#[derive(Default)]
struct NaiveStore(Mutex<Option<Record>>);

impl RegistrationStore for &NaiveStore {
    type Id = str;
    type Error = Infallible;

    fn load(&mut self, _: &str) -> Answered<Option<Record>> {
        Ok(self.0.lock().unwrap().clone())
    }

    fn compare_and_swap(
        &mut self,
        id: &str,
        expected: Option<Revision>,
        next: Option<&Record>,
    ) -> Answered<Swap> {
        let stored = self.load(id)?.map(|record| record.revision());
        if stored != expected {
            return Ok(Swap::Conflict);
        }
        thread::yield_now();
        *self.0.lock().unwrap() = next.cloned();
        Ok(Swap::Stored)
    }
}

type Answered<T> = Result<T, Infallible>;

/// Revisions that were stored, by the one that each took the place of.
type Writes = HashMap<Option<Revision>, Option<Revision>>;

/// How many writes followed each other from the first one on.
fn length_of_chain(writes: &Writes) -> usize {
    let follow = |revision: &Option<Revision>| writes.get(revision).copied();
    std::iter::successors(follow(&None), follow).count()
}

/// A store that makes a note of each write, and allows none to take a place that was taken.
struct WatchedStore<'a> {
    store: &'a HashMapStore<str>,
    writes: &'a Mutex<Writes>,
}

impl RegistrationStore for WatchedStore<'_> {
    type Id = str;
    type Error = Infallible;

    fn load(&mut self, id: &str) -> Answered<Option<Record>> {
        self.store.load(id)
    }

    fn compare_and_swap(
        &mut self,
        id: &str,
        expected: Option<Revision>,
        next: Option<&Record>,
    ) -> Answered<Swap> {
        let swap = self.store.compare_and_swap(id, expected, next)?;
        if swap == Swap::Stored {
            let revision = next.map(Record::revision);
            let taken = self.writes.lock().unwrap().insert(expected, revision);
            assert_eq!(taken, None, "two writes took the place of {expected:?}");
        }
        Ok(swap)
    }
}

/// Bytes that look random, and are the same in every run.
struct Draws(u64);

impl Entropy for Draws {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        for byte in bytes {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            *byte = self.0.to_be_bytes()[0];
        }
        Ok(())
    }
}
