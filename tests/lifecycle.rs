//! The life of a registration, through the engine over a store in memory.
#![cfg(all(feature = "std", feature = "sha2"))]

use keyfob::{
    Authenticated, Burned, Code, CodeError, CodeFormat, DriftCap, Engine, Enrollment, Error, Hotp,
    HotpParams, LegacySecrets, LockState, MemoryStore, MemoryStoreFull, Migration, NewRegistration,
    OtherSystem, Params, PendingLifetime, Pepper, Policy, Proof, RecoveryCode, Rejection,
    ResyncReach, Secret, StatusState, Step, SystemEntropy, Throttle, Totp, TotpParams, UnixTime,
    Wait, Window,
};

type Outcome<T> = Result<T, Error<MemoryStoreFull>>;

/// An engine with one registration, and the clock.
struct Desk {
    engine: Engine<MemoryStore<u32, 2>>,
    now: UnixTime,
}

const ALICE: u32 = 1;

impl Desk {
    fn new(policy: Policy) -> Self {
        Self {
            engine: Engine::new(MemoryStore::new(), policy),
            now: UnixTime::from_seconds(1_800_000_000),
        }
    }

    /// A desk where a token of a known secret is active, and the token.
    fn with_active_token(policy: Policy) -> (Self, Totp) {
        let mut desk = Self::new(policy);
        desk.migrate(&migration()).unwrap();
        desk.wait(90);
        (desk, Totp::new(&secret(), TotpParams::DEFAULT))
    }

    fn wait(&mut self, seconds: u64) {
        self.now = self.now.saturating_add(seconds);
    }

    fn create(&mut self) -> Outcome<Enrollment> {
        let new = NewRegistration::default();
        self.engine
            .create(&ALICE, &new, self.now, &mut SystemEntropy)
    }

    fn migrate(&mut self, migration: &Migration<'_>) -> Outcome<keyfob::Migrated> {
        self.engine
            .migrate(&ALICE, migration, self.now, &mut SystemEntropy)
    }

    fn submit(&mut self, code: &Code) -> Outcome<Authenticated> {
        self.engine.authenticate(&ALICE, code, self.now)
    }

    fn log_in(&mut self, totp: &Totp) -> Outcome<Authenticated> {
        self.submit(&totp.code_at(self.now))
    }

    fn recover(&mut self, typed: &str) -> Outcome<keyfob::Recovered> {
        self.engine.recover(&ALICE, typed, self.now)
    }

    fn replace(&mut self, proof: impl Into<Proof>) -> Outcome<Enrollment> {
        let new = NewRegistration::default();
        self.engine
            .replace(&ALICE, proof, &new, self.now, &mut SystemEntropy)
    }

    fn status(&mut self) -> keyfob::Status {
        self.engine.status(&ALICE, self.now).unwrap()
    }

    /// A code that no step near now has.
    fn wrong_code(&self, totp: &Totp) -> Code {
        let near = totp.step_at(self.now).number();
        let is_wrong =
            |code: &Code| (near - 30..near + 30).all(|step| totp.code(Step::new(step)) != *code);
        (0..1_000_000)
            .map(|n| Code::parse(&format!("{n:06}")).unwrap())
            .find(is_wrong)
            .unwrap()
    }

    fn fail(&mut self, totp: &Totp, times: usize) {
        for _ in 0..times {
            let wrong = self.wrong_code(totp);
            assert_wrong(self.submit(&wrong));
        }
    }
}

fn secret() -> Secret {
    Secret::from_bytes(b"12345678901234567890").unwrap()
}

fn migration() -> Migration<'static> {
    Migration::new(secret(), Params::default())
}

fn token(enrollment: &Enrollment) -> Totp {
    let Params::Totp(params) = *enrollment.params() else {
        panic!("a time-based token was asked for")
    };
    Totp::new(enrollment.secret(), params)
}

#[track_caller]
fn refusal<T: std::fmt::Debug>(outcome: Outcome<T>) -> Rejection {
    outcome.unwrap_err().rejection().expect("a rejection")
}

/// Fails unless the code was wrong, and counted.
#[track_caller]
fn assert_wrong<T: std::fmt::Debug>(outcome: Outcome<T>) {
    let rejection = refusal(outcome);
    assert!(
        matches!(rejection, Rejection::Mismatch { .. }),
        "{rejection:?}"
    );
}

#[test]
fn from_pending_to_deleted() {
    let mut desk = Desk::new(Policy::DEFAULT);
    let enrollment = desk.create().unwrap();
    assert_eq!(enrollment.recovery_codes().len(), 10);
    assert!(matches!(desk.status().state, StatusState::Pending { .. }));
    let totp = token(&enrollment);
    assert!(desk.log_in(&totp).unwrap().activated());
    assert_eq!(refusal(desk.log_in(&totp)), Rejection::Replayed);
    desk.wait(30);
    let again = desk.log_in(&totp).unwrap();
    assert!(!again.activated());
    assert_eq!((again.step(), again.offset()), (totp.step_at(desk.now), 0));
    assert_eq!(desk.status().last_use, Some(desk.now));
    desk.engine.delete(&ALICE).unwrap();
    assert_eq!(refusal(desk.log_in(&totp)), Rejection::Unknown);
    assert_eq!(
        refusal(desk.engine.status(&ALICE, desk.now).map(drop)),
        Rejection::Unknown
    );
}

#[test]
fn a_pending_registration_lapses() {
    let mut desk = Desk::new(Policy::DEFAULT);
    let new = NewRegistration {
        lifetime: PendingLifetime::from_minutes(5),
        ..NewRegistration::default()
    };
    let now = desk.now;
    let enrollment = desk
        .engine
        .create(&ALICE, &new, now, &mut SystemEntropy)
        .unwrap();
    assert_eq!(enrollment.pending_until(), now.saturating_add(300));
    desk.wait(300);
    assert_eq!(desk.status().state, StatusState::Lapsed);
    assert_eq!(
        refusal(desk.log_in(&token(&enrollment))),
        Rejection::Expired
    );
    desk.wait(0);
    desk.now = now.saturating_add(299);
    assert!(desk.log_in(&token(&enrollment)).is_ok());
}

#[test]
fn create_starts_a_pending_one_again_and_spares_an_active_one() {
    let mut desk = Desk::new(Policy::DEFAULT);
    let first = token(&desk.create().unwrap());
    let second = token(&desk.create().unwrap());
    assert_wrong(desk.log_in(&first));
    assert!(desk.log_in(&second).is_ok());
    assert_eq!(refusal(desk.create()), Rejection::AlreadyRegistered);
    assert_eq!(
        refusal(desk.migrate(&migration())),
        Rejection::AlreadyRegistered
    );
    desk.wait(30);
    assert!(desk.log_in(&second).is_ok());
}

#[test]
fn lifetimes_and_policies_out_of_range_do_not_exist() {
    assert_eq!(PendingLifetime::from_minutes(4), None);
    assert_eq!(PendingLifetime::from_minutes(1_441), None);
    assert_eq!(DriftCap::from_steps(101), None);
    assert_eq!(ResyncReach::from_steps(1_501), None);
    assert_eq!(Throttle::new(5, 30, 3_600, 101), None);
    assert_eq!(Throttle::new(5, 30, 3_600, 5), None);
    assert_eq!(Throttle::new(5, 0, 3_600, 100), None);
    assert_eq!(Throttle::new(5, 60, 30, 100), None);
    assert_eq!(Throttle::new(5, 30, 86_401, 100), None);
    assert_eq!(Policy::strict().window, Window::EXACT);
}

#[test]
fn five_failures_are_free_and_then_waits_double_up_to_an_hour() {
    let waits: Vec<u64> = (0..=15)
        .map(|failures| Throttle::DEFAULT.wait_seconds(failures))
        .collect();
    assert_eq!(waits[..6], [0; 6]);
    assert_eq!(waits[6..12], [120, 240, 480, 960, 1_920, 3_600]);
    assert_eq!(Throttle::DEFAULT.wait_seconds(u8::MAX), 3_600);
}

#[test]
fn a_locked_registration_refuses_even_the_right_code_and_writes_nothing() {
    let (mut desk, totp) = Desk::with_active_token(Policy::DEFAULT);
    desk.fail(&totp, 6);
    let wait = Wait::between(desk.now, desk.now.saturating_add(120));
    let stored = stored_revision(&mut desk);
    assert_eq!(refusal(desk.log_in(&totp)), Rejection::Locked(wait));
    let failures = 6;
    assert_eq!(desk.status().codes, LockState::Locked { failures, wait });
    assert_eq!(stored_revision(&mut desk), stored);
    desk.wait(120);
    assert!(desk.log_in(&totp).is_ok());
    assert_eq!(desk.status().codes, LockState::Open { failures: 0 });
}

fn stored_revision(desk: &mut Desk) -> keyfob::Revision {
    use keyfob::RegistrationStore as _;
    desk.engine
        .store()
        .load(&ALICE)
        .unwrap()
        .unwrap()
        .revision()
}

#[test]
fn a_hundred_failures_in_a_row_disable_until_unlocked() {
    let (mut desk, totp) = Desk::with_active_token(Policy::DEFAULT);
    for _ in 0..100 {
        desk.fail(&totp, 1);
        desk.wait(3_600);
    }
    assert_eq!(refusal(desk.log_in(&totp)), Rejection::Disabled);
    assert_eq!(desk.status().codes, LockState::Disabled);
    desk.engine.unlock(&ALICE).unwrap();
    assert!(desk.log_in(&totp).is_ok());
}

#[test]
fn replays_and_other_formats_do_not_count() {
    let (mut desk, totp) = Desk::with_active_token(Policy::DEFAULT);
    let code = totp.code_at(desk.now);
    desk.submit(&code).unwrap();
    let stored = stored_revision(&mut desk);
    for _ in 0..20 {
        assert_eq!(refusal(desk.submit(&code)), Rejection::Replayed);
        let other = Code::parse("1234567").unwrap();
        let expected = CodeFormat::SixDigits;
        assert_eq!(refusal(desk.submit(&other)), Rejection::Format { expected });
    }
    assert_eq!(stored_revision(&mut desk), stored);
}

#[test]
fn the_old_token_works_until_the_new_one_takes_over() {
    let (mut desk, old) = Desk::with_active_token(Policy::DEFAULT);
    let proof = desk.log_in(&old).unwrap();
    let enrollment = desk.replace(proof).unwrap();
    assert!(enrollment.recovery_codes().is_empty());
    let new = token(&enrollment);
    desk.wait(60);
    assert!(!desk.log_in(&old).unwrap().replaced());
    assert_eq!(
        desk.status().replacement_until,
        Some(enrollment.pending_until())
    );
    assert!(desk.log_in(&new).unwrap().replaced());
    desk.wait(60);
    assert_wrong(desk.log_in(&old));
    assert!(!desk.log_in(&new).unwrap().replaced());
    assert_eq!(desk.status().recovery_codes, 10);
}

#[test]
fn a_replacement_that_is_not_confirmed_lapses_alone() {
    let (mut desk, old) = Desk::with_active_token(Policy::DEFAULT);
    let proof = desk.log_in(&old).unwrap();
    let new = token(&desk.replace(proof).unwrap());
    desk.wait(3_600);
    assert_wrong(desk.log_in(&new));
    assert!(desk.log_in(&old).is_ok());
    assert_eq!(desk.status().replacement_until, None);
}

#[test]
fn replacing_needs_a_fresh_proof_of_the_same_registration() {
    let (mut desk, totp) = Desk::with_active_token(Policy::DEFAULT);
    let stale = desk.log_in(&totp).unwrap();
    desk.wait(301);
    assert_eq!(refusal(desk.replace(stale)), Rejection::StaleProof);
    let from_the_future = desk.log_in(&totp).unwrap();
    desk.now = UnixTime::from_seconds(desk.now.as_seconds() - 31);
    assert_eq!(
        refusal(desk.replace(from_the_future)),
        Rejection::StaleProof
    );
    desk.wait(91);
    let of_the_deleted = desk.log_in(&totp).unwrap();
    desk.engine.delete(&ALICE).unwrap();
    desk.migrate(&migration()).unwrap();
    assert_eq!(refusal(desk.replace(of_the_deleted)), Rejection::StaleProof);
}

#[test]
fn a_proof_can_be_kept_with_a_session() {
    let (mut desk, totp) = Desk::with_active_token(Policy::DEFAULT);
    let kept = Proof::from(desk.log_in(&totp).unwrap()).to_bytes();
    for not_a_proof in [&kept[1..], &[], &[0; 25]] {
        assert!(Proof::from_trusted_bytes(not_a_proof).is_none());
    }
    desk.wait(300);
    let proof = || Proof::from_trusted_bytes(&kept).unwrap();
    assert!(desk.replace(proof()).is_ok());
    desk.wait(1);
    assert_eq!(refusal(desk.replace(proof())), Rejection::StaleProof);
}

#[test]
fn a_registration_keeps_its_own_name_until_it_is_deleted() {
    let mut desk = Desk::new(Policy::DEFAULT);
    let enrollment = desk.create().unwrap();
    let name = enrollment.registration_id();
    assert_eq!(desk.status().registration_id, name);
    let authenticated = desk.log_in(&token(&enrollment)).unwrap();
    assert_eq!(authenticated.registration_id(), name);
    assert_eq!(desk.replace(authenticated).unwrap().registration_id(), name);
    desk.engine.delete(&ALICE).unwrap();
    let other = desk.migrate(&migration()).unwrap().registration_id();
    assert_ne!(other, name);
    assert_eq!(other.to_string().len(), 32);
    assert_eq!(format!("{other:?}"), format!("RegistrationId({other})"));
}

#[test]
fn a_recovery_code_works_once_however_it_is_typed() {
    let mut desk = Desk::new(Policy::DEFAULT);
    let enrollment = desk.create().unwrap();
    let codes: Vec<&str> = enrollment
        .recovery_codes()
        .iter()
        .map(RecoveryCode::as_str)
        .collect();
    assert_eq!(refusal(desk.recover(codes[0])), Rejection::Pending);
    desk.log_in(&token(&enrollment)).unwrap();
    assert_eq!(codes[0].len(), 29);
    assert_eq!(desk.recover(codes[0]).unwrap().remaining(), 9);
    assert_eq!(refusal(desk.recover(codes[0])), Rejection::Replayed);
    let sloppy = codes[9]
        .to_lowercase()
        .replace('-', " ")
        .replace('0', "o")
        .replace('1', "l");
    assert_eq!(desk.recover(&sloppy).unwrap().remaining(), 8);
    assert_eq!(desk.status().recovery_codes, 8);
}

#[test]
fn what_is_no_recovery_code_is_told_and_not_counted() {
    let (mut desk, totp) = Desk::with_active_token(Policy::DEFAULT);
    let code = totp.code_at(desk.now).to_string();
    let stored = stored_revision(&mut desk);
    assert_eq!(refusal(desk.recover(&code)), Rejection::CodeAsRecoveryCode);
    for typed in [
        "",
        "abc",
        "7KZQ-7KZQ",
        &"7".repeat(25),
        &"x".repeat(1_000),
        "UUUUUUUUUUUUUUUUUUUUUUUU",
    ] {
        assert_eq!(refusal(desk.recover(typed)), Rejection::RecoveryCodeFormat);
    }
    assert_eq!(stored_revision(&mut desk), stored);
}

#[test]
fn wrong_recovery_codes_have_a_throttle_of_their_own() {
    let (mut desk, totp) = Desk::with_active_token(Policy::DEFAULT);
    for guess in 0..6 {
        assert_wrong(desk.recover(&format!("{guess:024}")));
    }
    let wait = Wait::between(desk.now, desk.now.saturating_add(120));
    assert_eq!(
        refusal(desk.recover(&"7".repeat(24))),
        Rejection::Locked(wait)
    );
    let failures = 6;
    assert_eq!(desk.status().recovery, LockState::Locked { failures, wait });
    assert!(desk.log_in(&totp).is_ok());
    desk.engine.unlock(&ALICE).unwrap();
    assert_wrong(desk.recover(&"7".repeat(24)));
}

#[test]
fn rotated_recovery_codes_replace_the_old_ones() {
    let mut desk = Desk::new(Policy::DEFAULT);
    let enrollment = desk.create().unwrap();
    let now = desk.now;
    let rotate = |desk: &mut Desk| {
        desk.engine
            .rotate_recovery_codes(&ALICE, now, &mut SystemEntropy)
    };
    assert_eq!(refusal(rotate(&mut desk).map(drop)), Rejection::Pending);
    desk.log_in(&token(&enrollment)).unwrap();
    let rotated = rotate(&mut desk).unwrap();
    let old = enrollment.recovery_codes().iter().next().unwrap();
    assert_wrong(desk.recover(old.as_str()));
    assert_eq!(
        desk.recover(rotated.iter().next().unwrap().as_str())
            .unwrap()
            .remaining(),
        9
    );
}

#[test]
fn a_recovery_lets_a_person_who_lost_the_token_get_a_new_one() {
    let mut desk = Desk::new(Policy::DEFAULT);
    let enrollment = desk.create().unwrap();
    let lost = token(&enrollment);
    desk.log_in(&lost).unwrap();
    desk.fail(&lost, 6);
    let recovered = desk
        .recover(enrollment.recovery_codes().iter().next().unwrap().as_str())
        .unwrap();
    let new = token(&desk.replace(recovered).unwrap());
    assert!(desk.log_in(&new).unwrap().replaced());
}

#[test]
fn a_pepper_is_needed_again() {
    let mut desk = Desk::new(Policy::DEFAULT);
    desk.engine =
        Engine::new(MemoryStore::new(), Policy::DEFAULT).with_pepper(Pepper::new([7; 32]));
    let migrated = desk.migrate(&migration()).unwrap();
    let code = migrated.recovery_codes().iter().next().unwrap().as_str();
    let (id, now, policy) = (ALICE, desk.now, Policy::DEFAULT);
    let mut without = Engine::new(desk.engine.store(), policy);
    assert_eq!(without.recover(&id, code, now), Err(Error::PepperMissing));
    let mut other = Engine::new(desk.engine.store(), policy).with_pepper(Pepper::new([8; 32]));
    assert_eq!(
        other.recover(&id, code, now),
        Err(Error::Rejected(Rejection::Mismatch {
            lock: LockState::Open { failures: 1 }
        }))
    );
    assert_eq!(desk.recover(code).unwrap().remaining(), 9);
}

#[test]
fn a_migrated_token_is_active_and_its_current_codes_are_burned() {
    let mut desk = Desk::new(Policy::DEFAULT);
    assert_eq!(
        desk.migrate(&migration()).unwrap().recovery_codes().len(),
        10
    );
    assert_eq!(desk.status().state, StatusState::Active { since: desk.now });
    let totp = Totp::new(&secret(), TotpParams::DEFAULT);
    assert_eq!(refusal(desk.log_in(&totp)), Rejection::Replayed);
    let early = totp.code_at(desk.now.saturating_add(30));
    assert_eq!(refusal(desk.submit(&early)), Rejection::Replayed);
    desk.wait(60);
    assert!(desk.log_in(&totp).is_ok());
}

#[test]
fn a_migrated_token_whose_system_has_stopped_keeps_its_window() {
    let mut desk = Desk::new(Policy::DEFAULT);
    let totp = Totp::new(&secret(), TotpParams::DEFAULT);
    let last = totp.step_at(desk.now).checked_add(-1).unwrap();
    desk.migrate(&Migration {
        burned: Some(Burned::up_to(last)),
        other_system: OtherSystem::Stopped,
        ..migration()
    })
    .unwrap();
    assert_eq!(refusal(desk.submit(&totp.code(last))), Rejection::Replayed);
    assert!(desk.log_in(&totp).is_ok());
}

/// What was burned when it was read, and all that the other system may have accepted since.
#[test]
fn a_migrated_token_has_the_later_of_what_was_and_what_may_have_been_accepted_burned() {
    let looks_ahead = |steps| OtherSystem::LooksAhead { steps };
    for (policy, burned, other_system, first) in [
        (Policy::strict(), Some(-1), OtherSystem::Unknown, 2),
        (Policy::strict(), Some(5), OtherSystem::Unknown, 6),
        (Policy::strict(), None, OtherSystem::Stopped, 2),
        (Policy::strict(), Some(-1), OtherSystem::Stopped, 0),
        (Policy::strict(), Some(5), OtherSystem::Stopped, 6),
        (Policy::strict(), Some(-1), looks_ahead(0), 1),
        (Policy::DEFAULT, Some(-1), looks_ahead(0), 1),
        (Policy::DEFAULT, Some(-1), looks_ahead(8), 9),
        (Policy::DEFAULT, Some(-1), OtherSystem::Unknown, 2),
        (
            Policy::lenient_for_hardware_tokens(),
            Some(-1),
            OtherSystem::Unknown,
            3,
        ),
    ] {
        let mut desk = Desk::new(policy);
        let totp = Totp::new(&secret(), TotpParams::DEFAULT);
        let now = totp.step_at(desk.now);
        let burned = burned.map(|away| Burned::up_to(now.checked_add(away).unwrap()));
        desk.migrate(&Migration {
            burned,
            other_system,
            ..migration()
        })
        .unwrap();
        let accepted = (0..20).find(|_| {
            let is_in = desk.log_in(&totp).is_ok();
            desk.wait(30);
            is_in
        });
        assert_eq!(accepted, Some(first), "{burned:?}, {other_system:?}");
    }
}

/// Between the export and the take-over a person logs in once more where the token still is, under
/// the wider policy.
#[test]
fn a_code_that_is_accepted_while_a_token_moves_is_used() {
    let policies = [
        Policy::strict(),
        Policy::DEFAULT,
        Policy::lenient_for_hardware_tokens(),
    ];
    for (from, to) in policies
        .iter()
        .flat_map(|from| policies.map(|to| (from, to)))
    {
        let (mut old, totp) = Desk::with_active_token(*from);
        old.wait(300);
        let handed_out = old.engine.export(&ALICE, old.now).unwrap();
        let ahead = i64::from(from.window.future());
        let code = totp.code(totp.step_at(old.now).checked_add(ahead).unwrap());
        old.submit(&code).unwrap();
        let mut new = Desk::new(to);
        new.now = old.now;
        new.migrate(&handed_out).unwrap();
        for _ in 0..10 {
            assert!(new.submit(&code).is_err(), "{from:?} to {to:?}");
            new.wait(30);
        }
    }
}

#[test]
fn a_migrated_token_keeps_its_drift() {
    let mut desk = Desk::new(Policy::DEFAULT);
    desk.migrate(&Migration {
        drift_steps: 7,
        ..migration()
    })
    .unwrap();
    assert_eq!(desk.status().drift_steps, 7);
    desk.wait(90);
    let totp = Totp::new(&secret(), TotpParams::DEFAULT);
    let shown = totp.code_at(desk.now.saturating_add(7 * 30));
    assert!(desk.submit(&shown).is_ok());
}

#[test]
fn a_token_that_is_handed_out_takes_what_it_burned_with_it() {
    let (mut desk, totp) = Desk::with_active_token(Policy::DEFAULT);
    desk.log_in(&totp).unwrap();
    let now = desk.now;
    let handed_out = desk.engine.export(&ALICE, now).unwrap();
    let mut elsewhere = Desk::new(Policy::DEFAULT);
    elsewhere.now = now;
    elsewhere.migrate(&handed_out).unwrap();
    for _ in 0..2 {
        // Whatever is accepted where it was, until it is deleted there, isn't accepted here.
        assert_eq!(refusal(elsewhere.log_in(&totp)), Rejection::Replayed);
        elsewhere.wait(30);
    }
    assert!(elsewhere.log_in(&totp).is_ok());
}

#[test]
fn only_a_confirmed_token_is_handed_out() {
    let mut desk = Desk::new(Policy::DEFAULT);
    let export = |desk: &mut Desk| refusal(desk.engine.export(&ALICE, desk.now).map(drop));
    assert_eq!(export(&mut desk), Rejection::Unknown);
    desk.create().unwrap();
    assert_eq!(export(&mut desk), Rejection::Pending);
    desk.wait(3_600);
    assert_eq!(export(&mut desk), Rejection::Expired);
}

/// A cached key is no memory of what was accepted, and of no other secret.
#[cfg(feature = "std")]
#[test]
fn cached_keys_change_no_answer() {
    let keys = std::sync::Arc::new(keyfob::KeyCache::new(1));
    let mut desk = Desk::new(Policy::DEFAULT);
    desk.engine = Engine::new(MemoryStore::new(), Policy::DEFAULT).with_key_cache(keys);
    desk.migrate(&migration()).unwrap();
    desk.wait(90);
    let old = Totp::new(&secret(), TotpParams::DEFAULT);
    let proof = desk.log_in(&old).unwrap();
    assert_eq!(refusal(desk.log_in(&old)), Rejection::Replayed);
    let wrong = desk.wrong_code(&old);
    assert_wrong(desk.submit(&wrong));

    let enrollment = desk.replace(proof).unwrap();
    let new = Totp::new(enrollment.secret(), TotpParams::DEFAULT);
    desk.wait(90);
    assert!(desk.log_in(&old).is_ok());
    assert!(desk.log_in(&new).unwrap().replaced());
    desk.wait(90);
    assert_wrong(desk.log_in(&old));
    assert!(desk.log_in(&new).is_ok());
}

#[test]
fn legacy_secrets_need_a_policy() {
    let secret = Secret::from_legacy_bytes(&[7; 10]).unwrap();
    let migration = Migration::new(secret, Params::default());
    let mut desk = Desk::new(Policy::DEFAULT);
    assert_eq!(refusal(desk.migrate(&migration)), Rejection::LegacySecret);
    let mut desk = Desk::new(Policy {
        legacy_secrets: LegacySecrets::Accept,
        ..Policy::DEFAULT
    });
    desk.migrate(&migration).unwrap();
    assert!(desk.status().legacy_secret);
}

#[cfg(feature = "pbkdf2")]
mod slow {
    use super::*;
    use keyfob::{Pbkdf2Iterations, RecoveryCount, RecoveryFormat, RecoveryPolicy, SlowHash};

    fn policy(slow_hash: SlowHash) -> Policy {
        Policy {
            recovery: RecoveryPolicy {
                count: RecoveryCount::new(3).unwrap(),
                format: RecoveryFormat::Short,
                slow_hash: Some(slow_hash),
                ..RecoveryPolicy::DEFAULT
            },
            ..Policy::DEFAULT
        }
    }

    fn pbkdf2() -> SlowHash {
        SlowHash::Pbkdf2 {
            iterations: Pbkdf2Iterations::new(1_000).unwrap(),
        }
    }

    #[test]
    fn short_codes_are_minted_and_used() {
        let mut desk = Desk::new(policy(pbkdf2()));
        let enrollment = desk.create().unwrap();
        desk.log_in(&token(&enrollment)).unwrap();
        let code = enrollment.recovery_codes().iter().next().unwrap().as_str();
        assert_eq!((code.len(), code.to_lowercase().as_str()), (14, code));
        assert_eq!(desk.recover(&code.to_uppercase()).unwrap().remaining(), 2);
    }
    /// Eight-digit scratch codes, as google-authenticator-libpam keeps them.
    #[test]
    fn scratch_codes_are_told_from_codes_of_the_token() {
        let mut desk = Desk::new(policy(pbkdf2()));
        let recovery_codes = &["12345678", "87654321"];
        desk.migrate(&Migration {
            recovery_codes: recovery_codes.into(),
            ..migration()
        })
        .unwrap();
        desk.wait(90);
        let as_code = desk.submit(&Code::parse("12345678").unwrap());
        assert_eq!(refusal(as_code), Rejection::RecoveryCodeAsCode);
        assert_eq!(
            refusal(desk.recover("123456")),
            Rejection::CodeAsRecoveryCode
        );
        assert_wrong(desk.recover("12345679"));
        assert_eq!(desk.recover("1234-5678").unwrap().remaining(), 1);
    }

    /// Where a code of the token could be a recovery code too, it is tried, counted and named.
    #[test]
    fn what_is_typed_instead_of_a_code_is_named_and_not_counted() {
        let mut desk = Desk::new(Policy::DEFAULT);
        let enrollment = desk.create().unwrap();
        let totp = Totp::new(enrollment.secret(), TotpParams::DEFAULT);
        let typed =
            |desk: &mut Desk, text: &str| desk.engine.authenticate_typed(&ALICE, text, desk.now);
        let code = totp.code_at(desk.now).to_string();
        assert!(typed(&mut desk, &code).unwrap().activated());
        let replayed = typed(&mut desk, &format!(" {code} "));
        assert_eq!(replayed.unwrap_err().rejection(), Some(Rejection::Replayed));
        let recovery_code = enrollment.recovery_codes().iter().next().unwrap().as_str();
        for (text, expected) in [
            (recovery_code, Rejection::RecoveryCodeAsCode),
            ("", Rejection::NoCode(CodeError::Empty)),
            ("12345", Rejection::NoCode(CodeError::Length)),
            ("12345x", Rejection::NoCode(CodeError::Symbol)),
        ] {
            let refused = typed(&mut desk, text).unwrap_err();
            assert_eq!(refused.rejection(), Some(expected), "{text}");
        }
        assert_eq!(desk.status().codes, LockState::Open { failures: 0 });
    }

    #[test]
    fn a_code_that_could_be_either_counts() {
        let mut desk = Desk::new(policy(pbkdf2()));
        desk.migrate(&Migration {
            recovery_codes: (&["123456"]).into(),
            ..migration()
        })
        .unwrap();
        assert_wrong(desk.recover("654321"));
        assert_eq!(desk.status().recovery, LockState::Open { failures: 1 });
        assert_eq!(desk.recover("123456").unwrap().remaining(), 0);
        assert_eq!(refusal(desk.recover("123456")), Rejection::Replayed);
        assert_eq!(refusal(desk.recover("654321")), Rejection::NoRecoveryCodes);
    }

    #[cfg(feature = "argon2")]
    #[test]
    fn argon2id_works_as_well() {
        let mut desk = Desk::new(policy(SlowHash::Argon2id));
        desk.migrate(&Migration {
            recovery_codes: (&["12345678"]).into(),
            ..migration()
        })
        .unwrap();
        assert_eq!(desk.recover("12345678").unwrap().remaining(), 0);
    }
}

#[test]
fn drift_is_followed_a_step_a_log_in_and_not_past_the_cap() {
    let policy = Policy {
        drift: DriftCap::from_steps(3).unwrap(),
        ..Policy::lenient_for_hardware_tokens()
    };
    let (mut desk, totp) = Desk::with_active_token(policy);
    let mut drifts = Vec::new();
    for lag in [0, 2, 3, 4, 5, 5] {
        desk.wait(3_000);
        let step = totp.step_at(desk.now).checked_add(-lag).unwrap();
        desk.submit(&totp.code(step)).unwrap();
        drifts.push(desk.status().drift_steps);
    }
    assert_eq!(drifts, [0, -1, -2, -3, -3, -3]);
    desk.wait(3_000);
    let beyond = totp.step_at(desk.now).checked_add(-6).unwrap();
    assert_wrong(desk.submit(&totp.code(beyond)));
}

#[test]
fn drift_is_not_followed_by_default() {
    let (mut desk, totp) = Desk::with_active_token(Policy::DEFAULT);
    desk.submit(&totp.code_at(desk.now.saturating_add(30)))
        .unwrap();
    assert_eq!(desk.status().drift_steps, 0);
    desk.engine.set_drift(&ALICE, 40).unwrap();
    desk.wait(60);
    let ahead = totp.step_at(desk.now).checked_add(40).unwrap();
    assert_eq!(desk.submit(&totp.code(ahead)).unwrap().offset(), 0);
}

/// A policy that follows a clock so many steps.
fn following(steps: u8) -> Policy {
    Policy {
        drift: DriftCap::from_steps(steps).unwrap(),
        ..Policy::DEFAULT
    }
}

fn resync(desk: &mut Desk, codes: &[Code; 2]) -> Outcome<keyfob::Resynced> {
    let now = desk.now;
    desk.engine.resync(&ALICE, &codes[0], &codes[1], now)
}

#[test]
fn a_token_far_astray_is_found_by_two_consecutive_codes() {
    for away in [-101, -7, 0, 80, 99] {
        let (mut desk, totp) = Desk::with_active_token(following(100));
        desk.wait(30_000);
        let first = totp.step_at(desk.now).checked_add(away).unwrap();
        let second = first.checked_add(1).unwrap();
        let codes = [totp.code(first), totp.code(second)];
        let found = resync(&mut desk, &codes).unwrap();
        assert_eq!(
            (found.step, i64::from(found.drift_steps)),
            (second, away + 1)
        );
        assert_eq!(refusal(resync(&mut desk, &codes)), Rejection::Replayed);
        assert_eq!(refusal(desk.submit(&codes[1])), Rejection::Replayed);
        desk.wait(30);
        let next = second.checked_add(1).unwrap();
        assert_eq!(desk.submit(&totp.code(next)).unwrap().offset(), 0);
    }
}

#[test]
fn a_resync_reaches_no_further_and_wants_the_right_order() {
    let (mut desk, totp) = Desk::with_active_token(following(100));
    desk.wait(60_000);
    let code = |desk: &Desk, away| totp.code(totp.step_at(desk.now).checked_add(away).unwrap());
    for [first, second] in [[101, 102], [-103, -102], [3, 2], [2, 2], [2, 4]] {
        let codes = [code(&desk, first), code(&desk, second)];
        assert_wrong(resync(&mut desk, &codes));
    }
    assert_eq!(desk.status().codes, LockState::Open { failures: 5 });
    let eight = || Code::parse("12345678").unwrap();
    let expected = CodeFormat::SixDigits;
    assert_eq!(
        refusal(resync(&mut desk, &[eight(), eight()])),
        Rejection::Format { expected }
    );
}

#[test]
fn a_counter_based_token_lives_by_the_same_rules() {
    let hotp = Hotp::new(&secret(), HotpParams::DEFAULT);
    let code = |counter| hotp.code(Step::new(counter));
    let mut desk = Desk::new(Policy::DEFAULT);
    let burned = Some(Burned::before(Step::new(5)));
    let params = Params::Hotp(HotpParams::DEFAULT);
    desk.migrate(&Migration {
        burned,
        ..Migration::new(secret(), params)
    })
    .unwrap();
    assert_eq!(refusal(desk.submit(&code(4))), Rejection::Replayed);
    assert_eq!(desk.submit(&code(5)).unwrap().step(), Step::new(5));
    assert_eq!(desk.submit(&code(16)).unwrap().offset(), 10);
    assert_eq!(refusal(desk.submit(&code(16))), Rejection::Replayed);
    assert_wrong(desk.submit(&code(28)));
    let found = resync(&mut desk, &[code(200), code(201)]).unwrap();
    assert_eq!((found.step, found.drift_steps), (Step::new(201), 0));
    assert_eq!(desk.submit(&code(202)).unwrap().step(), Step::new(202));
    assert_eq!(
        refusal(desk.engine.set_drift(&ALICE, 1)),
        Rejection::WrongKind
    );
}

#[test]
fn a_counter_based_registration_is_confirmed_by_its_first_code() {
    let mut desk = Desk::new(Policy::DEFAULT);
    let params = Params::Hotp(HotpParams::DEFAULT);
    let new = NewRegistration {
        params,
        lifetime: None,
    };
    let enrollment = desk
        .engine
        .create(&ALICE, &new, desk.now, &mut SystemEntropy)
        .unwrap();
    let hotp = Hotp::new(enrollment.secret(), HotpParams::DEFAULT);
    assert!(desk.submit(&hotp.code(Step::new(0))).unwrap().activated());
}

#[test]
fn a_fence_refuses_what_a_restored_store_forgot() {
    let (mut desk, totp) = Desk::with_active_token(Policy::DEFAULT);
    let backup = desk.engine.store().clone();
    let code = totp.code_at(desk.now);
    desk.submit(&code).unwrap();
    *desk.engine.store() = backup;
    let now = desk.now;
    desk.engine.fence(&ALICE, now).unwrap();
    assert_eq!(refusal(desk.submit(&code)), Rejection::Replayed);
    let early = totp.code_at(now.saturating_add(30));
    assert_eq!(refusal(desk.submit(&early)), Rejection::Replayed);
    desk.wait(60);
    assert!(desk.log_in(&totp).is_ok());
}

#[test]
fn a_full_store_says_so_and_keeps_what_it_has() {
    let mut desk = Desk::new(Policy::DEFAULT);
    let new = NewRegistration::default();
    let mut create = |id: u32| desk.engine.create(&id, &new, desk.now, &mut SystemEntropy);
    assert!(create(1).is_ok() && create(2).is_ok());
    assert_eq!(create(3).err(), Some(Error::Store(MemoryStoreFull)));
    assert!(create(2).is_ok());
}

#[test]
fn a_damaged_record_is_told_and_can_be_deleted() {
    use keyfob::{Corrupt, Record, RegistrationStore as _, Revision, Swap};
    let mut desk = Desk::new(Policy::DEFAULT);
    let damaged = Record::from_stored(Revision::from_u64(7), b"\x01damaged").unwrap();
    let swap = desk
        .engine
        .store()
        .compare_and_swap(&ALICE, None, Some(&damaged));
    assert_eq!(swap, Ok(Swap::Stored));
    let code = Code::parse("123456").unwrap();
    assert_eq!(desk.submit(&code), Err(Error::Corrupt(Corrupt::Malformed)));
    assert!(matches!(
        desk.create(),
        Err(Error::Corrupt(Corrupt::Malformed))
    ));
    desk.engine.delete(&ALICE).unwrap();
    assert!(desk.create().is_ok());
}

#[test]
fn nothing_secret_is_debugged() {
    let mut desk = Desk::new(Policy::DEFAULT);
    let enrollment = desk.create().unwrap();
    let debugged = format!(
        "{enrollment:?} {:?} {:?}",
        enrollment.recovery_codes(),
        desk.engine
    );
    assert!(debugged.contains("RecoveryCode { .. }"), "{debugged}");
    assert!(debugged.len() < 1_500, "{debugged}");
    for code in enrollment.recovery_codes() {
        assert!(!debugged.contains(code.as_str()));
    }
}
