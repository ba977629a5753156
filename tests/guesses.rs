//! What a guesser can reach: the published chances, computed attempt by attempt, and how much work
//! guesses can cause.
#![cfg(all(feature = "std", feature = "pbkdf2"))]

use std::collections::BTreeSet;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use keyfob::transition::{self, Context, Recovery};
use keyfob::{
    Code, Engine, Error, HashMapStore, Hotp, HotpParams, LockState, MemoryStore, Migration,
    NewRegistration, Params, Pbkdf2Iterations, PendingLifetime, Policy, Record, RecoveryPolicy,
    RegistrationStore, Rejection, Secret, SlowHash, Step, SystemEntropy, Totp, TotpParams,
    UnixTime,
};

const ALICE: u8 = 1;
const ID: &str = "alice";
const NOW: UnixTime = UnixTime::from_seconds(1_800_000_000);
const DAY: u64 = 86_400;

type Desk = Engine<MemoryStore<u8, 1>>;

fn secret() -> Secret {
    Secret::from_bytes(b"12345678901234567890").unwrap()
}

fn totp() -> Totp {
    Totp::new(&secret(), TotpParams::DEFAULT)
}

fn code(now: UnixTime, drift: i64) -> Code {
    let step = totp().step_at(now).checked_add(drift).unwrap();
    totp().code(step)
}

/// What an attacker meets.
#[derive(Clone, Copy, Debug)]
struct Target {
    policy: Policy,
    is_counter_based: bool,
    /// How far the token's clock was followed.
    drift: i16,
    /// Whether a replacement waits for its first code, which the owner began after so many guesses.
    replaced_after: Option<usize>,
}

impl Target {
    fn new(policy: Policy) -> Self {
        Self {
            policy,
            is_counter_based: false,
            drift: 0,
            replaced_after: None,
        }
    }

    fn params(self) -> Params {
        if self.is_counter_based {
            return Params::Hotp(HotpParams::DEFAULT);
        }
        Params::default()
    }

    /// A desk whose owner logs in now, which is where counting begins.
    fn desk(self) -> (Desk, keyfob::Authenticated) {
        let mut desk = Engine::new(MemoryStore::new(), self.policy);
        let migration = Migration {
            drift_steps: self.drift,
            ..Migration::new(secret(), self.params())
        };
        let long_ago = UnixTime::from_seconds(NOW.as_seconds() - DAY);
        desk.migrate(&ALICE, &migration, long_ago, &mut SystemEntropy)
            .unwrap();
        let code = if self.is_counter_based {
            Hotp::new(&secret(), HotpParams::DEFAULT).code(Step::new(0))
        } else {
            code(NOW, self.drift.into())
        };
        let proof = desk.authenticate(&ALICE, &code, NOW).unwrap();
        (desk, proof)
    }

    /// How many steps or counters a code is accepted for at this moment, all told.
    fn accepted_steps(self, desk: &mut Desk, now: UnixTime) -> u64 {
        let window = self.policy.window;
        let around = |offset: i64| -> BTreeSet<i64> {
            let (past, future) = (i64::from(window.past()), i64::from(window.future()));
            (offset - past..=offset + future).collect()
        };
        let own = if self.is_counter_based {
            usize::from(self.policy.look_ahead.future()) + 1
        } else {
            around(0).union(&around(self.drift.into())).count()
        };
        let status = desk.status(&ALICE, now).unwrap();
        let waiting = match (status.replacement_until, self.is_counter_based) {
            (None, _) => 0,
            (Some(_), false) => around(0).len(),
            (Some(_), true) => usize::from(self.policy.look_ahead.future()) + 1,
        };
        u64::try_from(own + waiting).unwrap()
    }

    /// Guesses whenever it is let, and gives the chance, in millionths, to have been let in: within
    /// 24 hours, and before the registration is disabled.
    fn chances(self) -> (u64, u64) {
        let (mut desk, proof) = self.desk();
        let mut proof = Some(proof);
        let (mut now, mut in_a_day, mut ever) = (NOW, 0, 0);
        for guess in 0.. {
            if self.replaced_after == Some(guess) {
                let new = NewRegistration {
                    params: self.params(),
                    lifetime: None,
                };
                let proof = proof.take().unwrap();
                desk.replace(&ALICE, proof, &new, now, &mut SystemEntropy)
                    .unwrap();
            }
            let steps = self.accepted_steps(&mut desk, now);
            let refused = self.guess(&mut desk, now).unwrap_err();
            match refused.rejection() {
                Some(Rejection::Mismatch { .. }) => {
                    ever += steps;
                    if now.seconds_since(NOW) <= DAY {
                        in_a_day += steps;
                    }
                }
                Some(Rejection::Locked(wait)) => now = wait.until,
                Some(Rejection::Disabled) => break,
                // One guess in a million is right by chance, or was used already.
                other => panic!("{other:?}"),
            }
        }
        (in_a_day, ever)
    }

    /// A code that is wrong for certain is a guess as well as any.
    fn guess(self, desk: &mut Desk, now: UnixTime) -> Result<(), Error<keyfob::MemoryStoreFull>> {
        let wrong = if self.is_counter_based {
            Hotp::new(&secret(), HotpParams::DEFAULT).code(Step::new(1_000_000))
        } else {
            code(now, 40_000)
        };
        desk.authenticate(&ALICE, &wrong, now).map(drop)
    }
}

/// The table in the documentation of `Throttle`, in millionths.
fn published() -> [(Policy, u64, u64); 3] {
    [
        (Policy::strict(), 33, 100),
        (Policy::DEFAULT, 99, 300),
        (Policy::lenient_for_hardware_tokens(), 165, 500),
    ]
}

#[test]
fn the_published_chances_are_exact() {
    for (policy, in_a_day, ever) in published() {
        assert_eq!(Target::new(policy).chances(), (in_a_day, ever));
        let counter = Target {
            is_counter_based: true,
            ..Target::new(policy)
        };
        assert_eq!(counter.chances(), (363, 1_100));
    }
}

/// With a replacement that waits for an hour or a day, begun while the proof is fresh, and with a clock that
/// was followed, the chances are at most those of the table.
#[test]
fn the_published_chances_hold_with_a_replacement_and_with_drift() {
    let lifetimes = [
        PendingLifetime::ONE_HOUR,
        PendingLifetime::from_minutes(1_440).unwrap(),
    ];
    for (policy, in_a_day, ever) in published() {
        for pending_lifetime in lifetimes {
            for replaced_after in [None, Some(0), Some(1), Some(2), Some(3)] {
                for (is_counter_based, drift) in [(false, 0), (false, 2), (false, 20), (true, 0)] {
                    let target = Target {
                        policy: Policy {
                            pending_lifetime,
                            ..policy
                        },
                        is_counter_based,
                        drift,
                        replaced_after,
                    };
                    let most = if is_counter_based {
                        (363, 1_100)
                    } else {
                        (in_a_day, ever)
                    };
                    let chances = target.chances();
                    let holds = chances.0 <= most.0 && chances.1 <= most.1;
                    assert!(holds, "{chances:?} of {most:?}: {target:?}");
                }
            }
        }
    }
}

/// The control: if each wrong code counted once, a waiting replacement would double the chances.
#[test]
fn counted_once_each_the_chances_with_a_replacement_would_be_too_high() {
    let policy = Policy {
        pending_lifetime: PendingLifetime::from_minutes(1_440).unwrap(),
        ..Policy::DEFAULT
    };
    let (mut failures, mut now, mut chance) = (0, 0, 0);
    while now <= DAY {
        chance += 6;
        failures += 1;
        now += policy.throttle.wait_seconds(failures);
    }
    assert!(chance > 99, "{chance}");
}

/// Two codes at once are no better than one, and failures count alike.
#[test]
fn guesses_by_resynchronisation_count_as_others_do() {
    let (mut desk, _) = Target::new(Policy::DEFAULT).desk();
    let wrong = code(NOW, 40_000);
    for failures in 1..=6 {
        let refused = desk.resync(&ALICE, &wrong, &wrong, NOW).unwrap_err();
        let Some(Rejection::Mismatch { lock }) = refused.rejection() else {
            panic!("{refused:?}")
        };
        assert_eq!(matches!(lock, LockState::Locked { .. }), failures == 6);
    }
    let refused = desk.authenticate(&ALICE, &wrong, NOW).unwrap_err();
    assert!(matches!(refused.rejection(), Some(Rejection::Locked(_))));
}

/// Codes of four hours ago that were never used open nothing where no drift is followed, and the owner
/// isn't shut out by them.
#[test]
fn old_codes_resynchronise_nothing_by_default() {
    let (mut desk, _) = Target::new(Policy::DEFAULT).desk();
    let now = NOW.saturating_add(5 * 3_600);
    let old = [-480, -479].map(|drift| code(now, drift));
    let refused = desk.resync(&ALICE, &old[0], &old[1], now).unwrap_err();
    assert!(matches!(
        refused.rejection(),
        Some(Rejection::Mismatch { .. })
    ));
    desk.authenticate(&ALICE, &code(now, 0), now).unwrap();
}

const ATTACKERS: usize = 128;

fn weak_codes_policy() -> Policy {
    Policy {
        recovery: RecoveryPolicy {
            slow_hash: Some(SlowHash::Pbkdf2 {
                iterations: Pbkdf2Iterations::new(1_000).unwrap(),
            }),
            ..RecoveryPolicy::DEFAULT
        },
        ..Policy::DEFAULT
    }
}

/// A store whose registration has weak recovery codes.
fn store_with_weak_codes() -> HashMapStore<str> {
    let store = HashMapStore::new();
    let migration = Migration {
        recovery_codes: (&["12345678", "87654321"]).into(),
        ..Migration::new(secret(), Params::default())
    };
    Engine::new(&store, weak_codes_policy())
        .migrate(ID, &migration, NOW, &mut SystemEntropy)
        .unwrap();
    store
}

/// Does the work in so many threads at once, and gives what they say.
fn at_once<T: Send>(threads: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let barrier = Barrier::new(threads);
    let (barrier, work) = (&barrier, &work);
    thread::scope(|scope| {
        let begun = (0..threads).map(|thread| {
            scope.spawn(move || {
                barrier.wait();
                work(thread)
            })
        });
        let begun: Vec<_> = begun.collect();
        begun
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    })
}

/// However many wrong weak codes come at once, no more are hashed than the throttle lets through. The
/// loop is written by hand, to count.
#[test]
fn no_more_slow_hashes_are_computed_than_attempts_are_counted() {
    let store = store_with_weak_codes();
    let slow = AtomicUsize::new(0);
    let policy = weak_codes_policy();
    let context = Context::new(NOW, &policy);
    let answers = at_once(ATTACKERS, |attacker| {
        let mut store = &store;
        let typed = format!("{attacker:08}");
        let counted = loop {
            let record = store.load(ID).unwrap();
            let proposal = transition::recover(record.as_ref(), &typed, &context).unwrap();
            let swap = proposal.write().map(|write| {
                store
                    .compare_and_swap(ID, write.expected(), write.next())
                    .unwrap()
            });
            match proposal.settle(swap) {
                Ok(Ok(Recovery::Counted(counted))) => break counted,
                Ok(Ok(Recovery::Recovered(_))) => panic!("it is wrong"),
                Ok(Err(rejection)) => return rejection,
                Err(_) => {}
            }
        };
        slow.fetch_add(1, Ordering::Relaxed);
        let hashed = counted.hash(None).unwrap();
        let record: Option<Record> = store.load(ID).unwrap();
        let proposal = transition::finish_recovery(record.as_ref(), &hashed, &context).unwrap();
        assert!(proposal.write().is_none(), "it was counted before");
        proposal.settle(None).unwrap().unwrap_err()
    });
    let wrong = |answer: &&Rejection| matches!(answer, Rejection::Mismatch { .. });
    let locked = |answer: &&Rejection| matches!(answer, Rejection::Locked(_));
    assert_eq!(slow.into_inner(), 6);
    assert_eq!(answers.iter().filter(wrong).count(), 6);
    assert_eq!(answers.iter().filter(locked).count(), ATTACKERS - 6);
}

/// The same through the engine: each attempt that isn't refused at once was counted.
#[test]
fn the_engine_hashes_no_more_than_it_counts() {
    let store = store_with_weak_codes();
    let answers = at_once(ATTACKERS, |attacker| {
        let mut engine = Engine::new(&store, weak_codes_policy());
        let typed = format!("{attacker:08}");
        engine.recover(ID, &typed, NOW).unwrap_err().rejection()
    });
    let wrong = |answer: &&Option<Rejection>| matches!(answer, Some(Rejection::Mismatch { .. }));
    assert_eq!(answers.iter().filter(wrong).count(), 6);
}

#[test]
fn a_right_weak_code_takes_its_own_count_back() {
    let store = store_with_weak_codes();
    let mut engine = Engine::new(&store, weak_codes_policy());
    assert_eq!(engine.recover(ID, "1234 5678", NOW).unwrap().remaining(), 1);
    let failures = 0;
    let status = engine.status(ID, NOW).unwrap();
    assert_eq!(status.recovery, LockState::Open { failures });
}

/// A weak code that is used already costs a hash, so it stays counted; the last one is told like the
/// others.
#[test]
fn a_weak_code_given_twice_is_a_replay_that_counts() {
    let store = store_with_weak_codes();
    let mut engine = Engine::new(&store, weak_codes_policy());
    for code in ["12345678", "87654321"] {
        engine.recover(ID, code, NOW).unwrap();
        let again = engine.recover(ID, code, NOW).unwrap_err();
        assert_eq!(again.rejection(), Some(Rejection::Replayed));
        let failures = 1;
        let status = engine.status(ID, NOW).unwrap();
        assert_eq!(status.recovery, LockState::Open { failures });
    }
    let none_left = engine.recover(ID, "11111111", NOW).unwrap_err();
    assert_eq!(none_left.rejection(), Some(Rejection::NoRecoveryCodes));
}

/// What was counted and hashed for one registration opens no other, and nothing after its codes were
/// made anew.
#[test]
fn a_hash_is_good_for_the_codes_that_it_was_counted_for() {
    let store = store_with_weak_codes();
    let policy = weak_codes_policy();
    let context = Context::new(NOW, &policy);
    let record = (&store).load(ID).unwrap();
    let proposal = transition::recover(record.as_ref(), "12345678", &context).unwrap();
    let write = proposal.write().unwrap();
    let swap = (&store).compare_and_swap(ID, write.expected(), write.next());
    let Ok(Ok(Recovery::Counted(counted))) = proposal.settle(swap.ok()) else {
        panic!("weak codes are counted first")
    };
    let hashed = counted.hash(None).unwrap();

    let mut engine = Engine::new(&store, policy);
    engine
        .rotate_recovery_codes(ID, NOW, &mut SystemEntropy)
        .unwrap();
    let other = store_with_weak_codes();
    for store in [&store, &other] {
        let mut store = store;
        let record = store.load(ID).unwrap();
        let proposal = transition::finish_recovery(record.as_ref(), &hashed, &context).unwrap();
        assert!(proposal.settle(None).unwrap().is_err());
    }
}
