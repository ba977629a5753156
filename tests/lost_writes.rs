//! What a fence must refuse after a failover or a restore lost writes, and what it costs the owner.
#![cfg(all(feature = "std", feature = "sha2"))]

use std::cell::RefCell;
use std::convert::Infallible;

use keyfob::{
    Authenticated, Burned, Code, Engine, Error, HashMapStore, Hotp, HotpParams, LockState,
    Migration, Params, Policy, Proposal, Record, RegistrationStore, Rejection, Revision, Secret,
    Step, Swap, SystemEntropy, Totp, TotpParams, UnixTime, Write,
    transition::{self, Context},
};

const ID: &str = "alice";
const NOW: UnixTime = UnixTime::from_seconds(1_800_000_000);

type Store = RefCell<Option<Record>>;

fn secret() -> Secret {
    Secret::from_bytes(b"12345678901234567890").unwrap()
}

fn totp() -> Totp {
    Totp::new(&secret(), TotpParams::DEFAULT)
}

fn hotp(counter: u64) -> Code {
    Hotp::new(&secret(), HotpParams::DEFAULT).code(Step::new(counter))
}

/// The code that a token shows whose clock is so many steps ahead.
fn code(now: UnixTime, drift: i64) -> Code {
    let step = totp().step_at(now).checked_add(drift).unwrap();
    totp().code(step)
}

fn later(steps: u64) -> UnixTime {
    NOW.saturating_add(30 * steps)
}

/// A store of one registration, whose content can be put back, with the engine's revisions or with
/// numbers of its own that count up.
#[derive(Default)]
struct Restorable {
    record: Store,
    counts: bool,
}

impl RegistrationStore for &Restorable {
    type Id = str;
    type Error = Infallible;

    fn load(&mut self, _: &str) -> Result<Option<Record>, Infallible> {
        Ok(self.record.borrow().clone())
    }

    fn compare_and_swap(
        &mut self,
        _: &str,
        expected: Option<Revision>,
        next: Option<&Record>,
    ) -> Result<Swap, Infallible> {
        let stored = self.record.borrow().as_ref().map(Record::revision);
        if stored != expected {
            return Ok(Swap::Conflict);
        }
        let number = stored.map_or(0, Revision::as_u64) + 1;
        *self.record.borrow_mut() = next.map(|next| {
            if self.counts {
                Record::from_stored(Revision::from_u64(number), next.as_bytes()).unwrap()
            } else {
                next.clone()
            }
        });
        Ok(Swap::Stored)
    }
}

impl Restorable {
    fn engine(&self, policy: Policy) -> Engine<&Self> {
        Engine::new(self, policy)
    }

    fn counting() -> Self {
        Self {
            counts: true,
            ..Self::default()
        }
    }

    fn migrated(self, migration: &Migration<'_>, policy: Policy) -> Self {
        let mut engine = self.engine(policy);
        let long_ago = UnixTime::from_seconds(NOW.as_seconds() - 86_400);
        engine
            .migrate(ID, migration, long_ago, &mut SystemEntropy)
            .unwrap();
        self
    }

    fn with_totp(self, policy: Policy) -> Self {
        self.migrated(&Migration::new(secret(), Params::default()), policy)
    }

    fn backup(&self) -> Option<Record> {
        self.record.borrow().clone()
    }

    fn restore(&self, backup: Option<Record>) {
        *self.record.borrow_mut() = backup;
    }
}

/// A request that loaded and decided, and has not swapped yet.
fn held(store: &Restorable, code: &Code, now: UnixTime) -> Proposal<Authenticated> {
    let record = store.backup();
    let context = Context::new(now, &Policy::DEFAULT);
    transition::authenticate(record.as_ref(), code, &context).unwrap()
}

/// Whether a request that was held up is answered with an acceptance, if it swaps now.
fn is_accepted(mut store: &Restorable, held: Proposal<Authenticated>) -> bool {
    let swap = held.write().map(|write: &Write| {
        store
            .compare_and_swap(ID, write.expected(), write.next())
            .unwrap()
    });
    matches!(held.settle(swap), Ok(Ok(_)))
}

/// A log-in is lost with its write, and fenced; the same request's twin was loaded between log-in and
/// loss, and swaps last. Tells how often the code was accepted.
fn accepted_around_a_loss(store: &Restorable) -> usize {
    let mut engine = store.engine(Policy::DEFAULT);
    let used = code(NOW, 0);
    let backup = store.backup();
    engine.authenticate(ID, &code(NOW, -1), NOW).unwrap();
    let late = held(store, &used, NOW); // loaded after a write that will be lost
    let mut accepted = usize::from(is_accepted(store, held(store, &used, NOW)));

    store.restore(backup);
    engine.fence(ID, NOW).unwrap();
    accepted += usize::from(is_accepted(store, late));
    accepted + usize::from(engine.authenticate(ID, &used, NOW).is_ok())
}

#[test]
fn a_late_request_cannot_overwrite_what_came_after_a_loss() {
    let store = Restorable::default().with_totp(Policy::DEFAULT);
    assert_eq!(accepted_around_a_loss(&store), 1);
    let fenced = store.engine(Policy::DEFAULT).status(ID, NOW).unwrap();
    assert_eq!(fenced.last_use, None); // the lost log-ins are lost, and the fence is there
}

/// The control: revisions that count up name another content after the loss.
#[test]
fn over_counting_revisions_a_late_request_overwrites_the_fence() {
    let store = Restorable::counting().with_totp(Policy::DEFAULT);
    assert_eq!(accepted_around_a_loss(&store), 2);
}

/// The same over a store of the library, whose snapshot is put back.
#[test]
fn over_a_hash_map_store_a_late_request_conflicts() {
    let store = HashMapStore::<str>::new();
    let mut engine = Engine::new(&store, Policy::DEFAULT);
    let migration = Migration::new(secret(), Params::default());
    let long_ago = UnixTime::from_seconds(NOW.as_seconds() - 3_600);
    engine
        .migrate(ID, &migration, long_ago, &mut SystemEntropy)
        .unwrap();
    let load = || (&store).load(ID).unwrap();
    let put_back = |record: &Record| {
        let stored = load().map(|record| record.revision());
        let swap = (&store).compare_and_swap(ID, stored, Some(record));
        assert_eq!(swap, Ok(Swap::Stored));
    };

    let backup = load().unwrap();
    engine.authenticate(ID, &code(NOW, -1), NOW).unwrap();
    let context = Context::new(NOW, &Policy::DEFAULT);
    let late = transition::authenticate(load().as_ref(), &code(NOW, 0), &context).unwrap();
    engine.authenticate(ID, &code(NOW, 0), NOW).unwrap();
    put_back(&backup);
    engine.fence(ID, NOW).unwrap();
    let write = late.write().unwrap();
    let swap = (&store).compare_and_swap(ID, write.expected(), write.next());
    assert_eq!(swap, Ok(Swap::Conflict));
    assert!(engine.authenticate(ID, &code(NOW, 0), NOW).is_err());
}

/// One revision, whatever is written: never the same for other bytes.
#[test]
fn revisions_name_contents() {
    let store = Restorable::default().with_totp(Policy::DEFAULT);
    let mut seen = std::collections::HashMap::new();
    let mut look = |store: &Restorable| {
        let record = store.backup().unwrap();
        let bytes = record.as_bytes().to_vec();
        let known = seen.entry(record.revision().as_u64()).or_insert(bytes);
        assert_eq!(known, record.as_bytes());
    };
    for round in 0..200 {
        let backup = store.backup();
        for choice in 0..4 {
            store.restore(backup.clone());
            let mut engine = store.engine(Policy::DEFAULT);
            let _ = match choice {
                0 => engine
                    .authenticate(ID, &code(later(round), 0), later(round))
                    .map(drop),
                1 => engine
                    .authenticate(ID, &code(later(round), 9), later(round))
                    .map(drop),
                2 => engine.unlock(ID),
                _ => engine.fence(ID, later(round)),
            };
            look(&store);
        }
        if round % 5 == 0 {
            store.engine(Policy::DEFAULT).unlock(ID).unwrap();
            look(&store);
        }
    }
}

/// Under a policy that follows clocks, logs in `logins` times with a clock that is ahead by one step
/// more each time, then loses all that. Gives the last code that was accepted.
fn followed_then_lost(store: &Restorable, policy: Policy, logins: i64) -> (Code, UnixTime) {
    let backup = store.backup();
    let mut engine = store.engine(policy);
    let mut now = NOW;
    let mut last = code(now, 0);
    for drift in 1..=logins {
        now = now.saturating_add(3_000);
        last = code(now, drift);
        engine.authenticate(ID, &last, now).unwrap();
    }
    store.restore(backup);
    (last, now)
}

/// Tries a code every ten seconds for two hours.
fn is_ever_accepted(store: &Restorable, policy: Policy, code: &Code, from: UnixTime) -> bool {
    (0..720).any(|tries| {
        let now = from.saturating_add(10 * tries);
        let mut engine = store.engine(policy);
        engine.unlock(ID).unwrap();
        engine.authenticate(ID, code, now).is_ok()
    })
}

#[test]
fn a_fence_covers_drift_that_was_lost() {
    let policy = Policy::lenient_for_hardware_tokens();
    let store = Restorable::default().with_totp(policy);
    let (used, now) = followed_then_lost(&store, policy, 12);
    store.engine(policy).fence(ID, now).unwrap();
    assert!(!is_ever_accepted(&store, policy, &used, now));
}

/// The control: without the fence it is accepted when its time comes.
#[test]
fn without_a_fence_a_code_of_lost_drift_is_accepted_again() {
    let policy = Policy::lenient_for_hardware_tokens();
    let store = Restorable::default().with_totp(policy);
    let (used, now) = followed_then_lost(&store, policy, 12);
    assert!(is_ever_accepted(&store, policy, &used, now));
}

#[test]
fn a_fence_covers_a_resynchronisation_that_was_lost() {
    let policy = Policy::lenient_for_hardware_tokens();
    let store = Restorable::default().with_totp(policy);
    let backup = store.backup();
    let mut engine = store.engine(policy);
    let codes = [code(NOW, 19), code(NOW, 20)];
    engine.resync(ID, &codes[0], &codes[1], NOW).unwrap();
    let now = later(2);
    let used = code(now, 22); // at drift 20, as far ahead as the window reaches
    engine.authenticate(ID, &used, now).unwrap();
    store.restore(backup);
    engine.fence(ID, now).unwrap();
    for code in [&codes[0], &codes[1], &used] {
        assert!(!is_ever_accepted(&store, policy, code, now));
    }
}

/// What the fence costs: two steps by default, 23 where clocks are followed up to 20 steps. The text
/// says how long it is, and nothing is counted.
#[test]
fn after_a_fence_the_owner_is_told_how_long_to_wait() {
    for (policy, steps) in [
        (Policy::strict(), 1),
        (Policy::DEFAULT, 2),
        (Policy::lenient_for_hardware_tokens(), 23),
    ] {
        let store = Restorable::default().with_totp(policy);
        let mut engine = store.engine(policy);
        engine.fence(ID, NOW).unwrap();
        for step in 0..steps {
            let refused = engine.authenticate(ID, &code(later(step), 0), later(step));
            match refused.unwrap_err().rejection() {
                Some(Rejection::Replayed) => {
                    let reach = u64::from(policy.window.future());
                    assert!(steps - step <= reach + 1);
                }
                Some(Rejection::TooEarly(wait)) => assert_eq!(wait.until, later(steps)),
                other => panic!("{other:?}"),
            }
        }
        let status = engine.status(ID, NOW).unwrap();
        assert_eq!(status.codes, LockState::Open { failures: 0 });
        let now = later(steps);
        engine.authenticate(ID, &code(now, 0), now).unwrap();
    }
}

fn with_hotp(counter: u64) -> Restorable {
    let migration = Migration {
        burned: Some(Burned::before(Step::new(counter))),
        ..Migration::new(secret(), Params::Hotp(HotpParams::DEFAULT))
    };
    Restorable::default().migrated(&migration, Policy::DEFAULT)
}

#[test]
fn a_fence_does_not_count_the_next_codes_of_a_counter_against_the_owner() {
    for fences in 1..=3_u64 {
        let store = with_hotp(5);
        let mut engine = store.engine(Policy::DEFAULT);
        for _ in 0..fences {
            engine.fence(ID, NOW).unwrap();
        }
        let resync = engine.resync(ID, &hotp(6), &hotp(7), NOW);
        assert_eq!(resync.unwrap_err().rejection(), Some(Rejection::Replayed));
        for counter in 5..5 + 11 * fences {
            let refused = engine.authenticate(ID, &hotp(counter), NOW).unwrap_err();
            assert_eq!(refused.rejection(), Some(Rejection::Replayed), "{counter}");
        }
        let status = engine.status(ID, NOW).unwrap();
        assert_eq!(status.codes, LockState::Open { failures: 0 });
        let next = 5 + 11 * fences;
        engine.authenticate(ID, &hotp(next), NOW).unwrap();
        let old = engine.authenticate(ID, &hotp(next - 2), NOW).unwrap_err();
        assert!(matches!(old.rejection(), Some(Rejection::Mismatch { .. })));
    }
}

/// The record keeps how far back a fence may have hit the token, within bounds.
#[test]
fn many_fences_leave_a_record_that_can_be_read() {
    let store = with_hotp(0);
    let mut engine = store.engine(Policy::DEFAULT);
    for _ in 0..300 {
        engine.fence(ID, NOW).unwrap();
    }
    engine.authenticate(ID, &hotp(3_300), NOW).unwrap();
    assert_eq!(
        engine.authenticate(ID, &hotp(3_300), NOW),
        Err(Error::Rejected(Rejection::Replayed))
    );
}
