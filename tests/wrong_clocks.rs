//! A server's clock was wrong for a while, or a token's: everything heals once it is right.
#![cfg(all(feature = "std", feature = "sha2"))]

use keyfob::{
    Code, DriftCap, Engine, Error, LockState, MemoryStore, MemoryStoreFull, Migration,
    NewRegistration, Params, Policy, Proof, Rejection, Secret, StatusState, Step, SystemEntropy,
    Throttle, Totp, TotpParams, UnixTime,
};

const ALICE: u8 = 1;
const NOW: UnixTime = UnixTime::from_seconds(1_800_000_000);
const YEAR: u64 = 31_536_000;

type Outcome<T> = Result<T, Error<MemoryStoreFull>>;

/// An engine with one active token, whose secret is known.
struct Desk(Engine<MemoryStore<u8, 1>>);

impl Desk {
    fn new(policy: Policy, drift_steps: i16) -> Self {
        let mut engine = Engine::new(MemoryStore::new(), policy);
        let migration = Migration {
            drift_steps,
            ..Migration::new(secret(), Params::default())
        };
        let long_ago = UnixTime::from_seconds(NOW.as_seconds() - 86_400);
        engine
            .migrate(&ALICE, &migration, long_ago, &mut SystemEntropy)
            .unwrap();
        Self(engine)
    }

    fn submit(&mut self, code: &Code, now: UnixTime) -> Outcome<keyfob::Authenticated> {
        self.0.authenticate(&ALICE, code, now)
    }

    fn fail(&mut self, times: usize, now: UnixTime) {
        for _ in 0..times {
            let wrong = code(now, 5_000);
            let refused = refusal(self.submit(&wrong, now));
            assert!(matches!(refused, Rejection::Mismatch { .. }), "{refused:?}");
        }
    }

    fn codes(&mut self, now: UnixTime) -> LockState {
        self.0.status(&ALICE, now).unwrap().codes
    }
}

fn secret() -> Secret {
    Secret::from_bytes(b"12345678901234567890").unwrap()
}

/// The code of a token whose clock is so many steps ahead.
fn code(now: UnixTime, drift: i64) -> Code {
    let totp = Totp::new(&secret(), TotpParams::DEFAULT);
    totp.code(totp.step_at(now).checked_add(drift).unwrap())
}

fn later(seconds: u64) -> UnixTime {
    NOW.saturating_add(seconds)
}

fn earlier(seconds: u64) -> UnixTime {
    UnixTime::from_seconds(NOW.as_seconds() - seconds)
}

#[track_caller]
fn refusal<T: std::fmt::Debug>(outcome: Outcome<T>) -> Rejection {
    outcome.unwrap_err().rejection().expect("a rejection")
}

#[test]
fn a_lock_counted_eleven_years_ahead_ends_within_the_longest_wait() {
    let mut desk = Desk::new(Policy::DEFAULT, 0);
    desk.fail(6, later(11 * YEAR));
    let Rejection::Locked(wait) = refusal(desk.submit(&code(NOW, 0), NOW)) else {
        panic!("it is locked")
    };
    assert_eq!((wait.seconds, wait.until), (3_600, later(3_600)));
    // It was written down, so it doesn't begin anew with each attempt.
    let Rejection::Locked(wait) = refusal(desk.submit(&code(NOW, 0), later(3_599))) else {
        panic!("it is locked still")
    };
    assert_eq!(wait.seconds, 1);
    desk.submit(&code(later(3_600), 0), later(3_600)).unwrap();
}

#[test]
fn a_lock_on_recovery_codes_counted_ahead_ends_too() {
    let mut desk = Desk::new(Policy::DEFAULT, 0);
    let wrong = "7".repeat(24);
    for _ in 0..6 {
        let _ = desk.0.recover(&ALICE, &wrong, later(YEAR));
    }
    let recover = |desk: &mut Desk, now| refusal(desk.0.recover(&ALICE, &wrong, now));
    assert!(matches!(recover(&mut desk, NOW), Rejection::Locked(wait) if wait.seconds == 3_600));
    let again = recover(&mut desk, later(3_600));
    assert!(matches!(again, Rejection::Mismatch { .. }));
}

/// A server that is a minute behind shortens no wait that another counted, so a guesser gains nothing
/// by going from one to the other.
#[test]
fn a_clock_that_is_a_little_behind_shortens_no_wait() {
    let mut desk = Desk::new(Policy::DEFAULT, 0);
    desk.fail(6, NOW);
    let until = later(120);
    for now in [earlier(60), earlier(1), NOW, later(119)] {
        let refused = refusal(desk.submit(&code(now, 0), now));
        assert!(matches!(refused, Rejection::Locked(wait) if wait.until == until));
    }
    desk.submit(&code(until, 0), until).unwrap();
}

/// Free failures bring no wait, whatever the clock does meanwhile.
#[test]
fn free_failures_stay_free_when_the_clock_goes_back() {
    let mut desk = Desk::new(Policy::DEFAULT, 0);
    desk.fail(5, later(YEAR));
    assert_eq!(desk.codes(NOW), LockState::Open { failures: 5 });
    desk.submit(&code(NOW, 0), NOW).unwrap();
}

#[test]
fn a_proof_from_a_server_that_is_seconds_ahead_counts() {
    for (behind, is_fresh) in [(0, true), (1, true), (30, true), (31, false), (301, false)] {
        let mut desk = Desk::new(Policy::DEFAULT, 0);
        let proof = Proof::from(desk.submit(&code(NOW, 0), NOW).unwrap());
        let new = NewRegistration::default();
        let outcome = desk
            .0
            .replace(&ALICE, proof, &new, earlier(behind), &mut SystemEntropy);
        assert_eq!(outcome.is_ok(), is_fresh, "{behind} s");
    }
}

#[test]
fn an_operator_makes_a_token_usable_that_was_used_a_year_ahead() {
    let mut desk = Desk::new(Policy::DEFAULT, 0);
    let ahead = later(YEAR);
    let used = code(ahead, 0);
    desk.submit(&used, ahead).unwrap();
    let refused = refusal(desk.submit(&code(NOW, 0), NOW));
    let Rejection::TooEarly(wait) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(wait.until, later(YEAR + 30));
    let text = refused.to_string();
    assert!(
        text.contains("366 days") && text.contains("operator"),
        "{text}"
    );
    let refused_until = desk.0.status(&ALICE, NOW).unwrap().refused_until;
    assert_eq!(refused_until, Some(later(YEAR + 30)));

    desk.0.forget_future_steps(&ALICE, NOW).unwrap();
    assert_eq!(desk.0.status(&ALICE, NOW).unwrap().refused_until, None);
    let refused = refusal(desk.submit(&code(NOW, 0), NOW));
    assert_eq!(refused, Rejection::Replayed); // what could have been used just now stays burned
    desk.submit(&code(later(60), 0), later(60)).unwrap();

    // The price that is documented.
    desk.submit(&used, ahead).unwrap();
}

#[test]
fn forgetting_future_steps_forgets_nothing_of_the_past() {
    let mut desk = Desk::new(Policy::DEFAULT, 0);
    desk.submit(&code(NOW, 0), NOW).unwrap();
    desk.0.forget_future_steps(&ALICE, NOW).unwrap();
    for now in [NOW, earlier(30), later(30)] {
        assert_eq!(
            refusal(desk.submit(&code(NOW, 0), now)),
            Rejection::Replayed
        );
    }
    desk.0.forget_future_steps(&ALICE, later(300)).unwrap();
    assert_eq!(
        refusal(desk.submit(&code(NOW, 0), NOW)),
        Rejection::Replayed
    );
}

fn pending(policy: Policy, now: UnixTime) -> (Engine<MemoryStore<u8, 1>>, Secret) {
    let mut engine = Engine::new(MemoryStore::new(), policy);
    let new = NewRegistration::default();
    let enrollment = engine
        .create(&ALICE, &new, now, &mut SystemEntropy)
        .unwrap();
    (engine, enrollment.secret().clone())
}

#[test]
fn a_registration_made_while_the_clock_was_ahead_does_not_wait_for_long() {
    for (ahead, waits) in [(0, true), (30, true), (31, false), (YEAR, false)] {
        let (mut engine, secret) = pending(Policy::DEFAULT, later(ahead));
        let state = engine.status(&ALICE, NOW).unwrap().state;
        assert_eq!(matches!(state, StatusState::Pending { .. }), waits);
        assert_eq!(state == StatusState::Lapsed, !waits);
        let code = Totp::new(&secret, TotpParams::DEFAULT).code_at(NOW);
        let outcome = engine.authenticate(&ALICE, &code, NOW);
        let resync = engine.resync(&ALICE, &code, &code, NOW);
        if !waits {
            assert_eq!(refusal(outcome), Rejection::Expired);
            assert_eq!(refusal(resync), Rejection::Expired);
            assert_eq!(
                refusal(engine.export(&ALICE, NOW).map(drop)),
                Rejection::Expired
            );
        }
        let new = NewRegistration::default();
        let again = engine.create(&ALICE, &new, NOW, &mut SystemEntropy);
        assert_eq!(again.is_ok(), !waits, "an active one is spared");
    }
}

#[test]
fn a_replacement_made_while_the_clock_was_ahead_does_not_wait_for_long() {
    let mut desk = Desk::new(Policy::DEFAULT, 0);
    let ahead = later(YEAR);
    let proof = desk.submit(&code(ahead, 0), ahead).unwrap();
    let new = NewRegistration::default();
    desk.0
        .replace(&ALICE, proof, &new, ahead, &mut SystemEntropy)
        .unwrap();
    let status = desk.0.status(&ALICE, NOW).unwrap();
    assert_eq!(status.replacement_until, None);
}

fn following(steps: u8) -> Policy {
    Policy {
        drift: DriftCap::from_steps(steps).unwrap(),
        ..Policy::DEFAULT
    }
}

/// The token's clock was followed to +20 and then put right.
#[test]
fn a_token_whose_clock_was_put_right_is_found() {
    let mut desk = Desk::new(following(20), 20);
    desk.submit(&code(NOW, 20), NOW).unwrap();
    // Steps up to +20 are burned, so the owner waits for ten minutes and isn't counted a guesser.
    let refused = refusal(desk.submit(&code(NOW, 0), NOW));
    assert!(matches!(refused, Rejection::TooEarly(wait) if wait.until == later(21 * 30)));
    assert_eq!(desk.codes(NOW), LockState::Open { failures: 0 });
    let now = later(21 * 30);
    assert_eq!(desk.submit(&code(now, 0), now).unwrap().offset(), 0);
    assert_eq!(desk.0.status(&ALICE, now).unwrap().drift_steps, 0);
}

/// A drift from elsewhere goes back a step a log-in, even where no drift is followed.
#[test]
fn an_imported_drift_heals_under_every_policy() {
    for policy in [
        Policy::strict(),
        Policy::DEFAULT,
        Policy::lenient_for_hardware_tokens(),
    ] {
        for imported in [20_i16, -20, 300] {
            let mut desk = Desk::new(policy, imported);
            let mut now = NOW;
            let mut actual = i64::from(imported);
            // The token's clock is put right slowly, within what the window forgives.
            let step = i64::from(policy.window.past()).min(1) * actual.signum();
            for _ in 0..18 {
                now = now.saturating_add(3_600);
                actual -= step;
                desk.submit(&code(now, actual), now).unwrap();
            }
            // Or all at once.
            now = now.saturating_add(36_000);
            desk.submit(&code(now, 0), now).unwrap();
            let drift = desk.0.status(&ALICE, now).unwrap().drift_steps;
            assert!(drift.abs() <= 1, "{drift}");
        }
    }
}

#[test]
fn a_drift_is_not_followed_away_from_where_the_cap_ends() {
    let mut desk = Desk::new(Policy::DEFAULT, 20);
    let mut now = NOW;
    for expected in [20, 20, 19, 20, 20] {
        let offset = expected - 19;
        now = now.saturating_add(3_600);
        let drift = i64::from(desk.0.status(&ALICE, now).unwrap().drift_steps);
        let away = if expected == 19 { -1 } else { offset.min(1) };
        desk.submit(&code(now, drift + away), now).unwrap();
        assert!(desk.0.status(&ALICE, now).unwrap().drift_steps <= 20);
    }
}

/// Texts name how long it takes, never a time of day that could be of another day.
#[test]
fn waits_are_shown_as_durations() {
    let day = Throttle::new(0, 86_400, 86_400, 100).unwrap();
    let policy = Policy {
        throttle: day,
        ..Policy::DEFAULT
    };
    let mut desk = Desk::new(policy, 0);
    desk.fail(1, NOW);
    for (now, expected) in [
        (NOW, "24 hours"),
        (later(1), "24 hours"),
        (later(86_400 - 7_199), "120 minutes"),
        (later(86_400 - 119), "119 seconds"),
        (later(86_399), "1 second"),
    ] {
        let text = refusal(desk.submit(&code(now, 0), now)).to_string();
        assert!(
            text.ends_with(&format!("try again in {expected}")),
            "{text}"
        );
    }
}

/// The failure that locks says so at once.
#[test]
fn the_sixth_failure_tells_of_the_lock() {
    let mut desk = Desk::new(Policy::DEFAULT, 0);
    desk.fail(5, NOW);
    let Rejection::Mismatch { lock } = refusal(desk.submit(&code(NOW, 5_000), NOW)) else {
        panic!("it is wrong")
    };
    let LockState::Locked { failures, wait } = lock else {
        panic!("{lock:?}")
    };
    assert_eq!((failures, wait.seconds), (6, 120));
    assert_eq!(lock, desk.codes(NOW));
    let text = Rejection::Mismatch { lock }.to_string();
    assert!(text.ends_with("try again in 2 minutes"), "{text}");
}

/// Steps at the very ends of time are refused without a panic.
#[test]
fn the_ends_of_time_do_no_harm() {
    let end = UnixTime::from_seconds(u64::MAX);
    for policy in [Policy::DEFAULT, Policy::lenient_for_hardware_tokens()] {
        for drift in [0, i16::MAX, i16::MIN] {
            let mut desk = Desk::new(policy, drift);
            for now in [UnixTime::EPOCH, end, NOW] {
                desk.0.fence(&ALICE, now).unwrap();
                let _ = desk.submit(
                    &Totp::new(&secret(), TotpParams::DEFAULT).code(Step::new(0)),
                    now,
                );
                desk.0.status(&ALICE, now).unwrap();
                desk.0.forget_future_steps(&ALICE, now).unwrap();
            }
        }
    }
}
