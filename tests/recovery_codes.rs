//! Recovery codes: as people type them, as other systems made them, and the work that they ask for.
#![cfg(all(feature = "std", feature = "pbkdf2"))]

use keyfob::{
    Code, Engine, Enrollment, Entropy, EntropyError, Error, ExistingRecoveryCodes, LockState,
    MemoryStore, MemoryStoreFull, Migration, NewRegistration, Params, Pbkdf2Iterations, Policy,
    Record, RecoveryCount, RecoveryFormat, RecoveryPolicy, RegistrationStore as _, Rejection,
    Secret, SkippedRecoveryCodes, SlowHash, Swap, SystemEntropy, Totp, TotpParams, UnixTime,
};

type Outcome<T> = Result<T, Error<MemoryStoreFull>>;

/// An engine with one registration, and the clock.
struct Desk {
    engine: Engine<MemoryStore<u32, 1>>,
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
        (desk, Totp::new(&migration().secret, TotpParams::DEFAULT))
    }

    fn wait(&mut self, seconds: u64) {
        self.now = self.now.saturating_add(seconds);
    }

    /// A registration confirmed by its first code.
    fn enroll(&mut self, entropy: &mut impl Entropy) -> Enrollment {
        let new = NewRegistration::default();
        let enrollment = self.engine.create(&ALICE, &new, self.now, entropy).unwrap();
        let totp = Totp::new(enrollment.secret(), TotpParams::DEFAULT);
        self.log_in(&totp);
        enrollment
    }

    fn migrate(&mut self, migration: &Migration<'_>) -> Outcome<keyfob::Migrated> {
        self.engine
            .migrate(&ALICE, migration, self.now, &mut SystemEntropy)
    }

    fn log_in(&mut self, totp: &Totp) {
        let code: Code = totp.code_at(self.now);
        self.engine.authenticate(&ALICE, &code, self.now).unwrap();
    }

    fn recover(&mut self, typed: &str) -> Outcome<keyfob::Recovered> {
        self.engine.recover(&ALICE, typed, self.now)
    }

    fn status(&mut self) -> keyfob::Status {
        self.engine.status(&ALICE, self.now).unwrap()
    }

    fn stored(&mut self) -> Record {
        self.engine.store().load(&ALICE).unwrap().unwrap()
    }

    /// Changes the bytes that are stored, and gives them.
    fn edit(&mut self, change: impl FnOnce(&mut [u8])) -> Vec<u8> {
        let stored = self.stored();
        let mut bytes = stored.as_bytes().to_vec();
        change(&mut bytes);
        let changed = Record::from_stored(stored.revision(), &bytes).unwrap();
        let expected = Some(stored.revision());
        let store = self.engine.store();
        let swap = store.compare_and_swap(&ALICE, expected, Some(&changed));
        assert_eq!(swap.unwrap(), Swap::Stored);
        bytes
    }
}

fn migration() -> Migration<'static> {
    let secret = Secret::from_bytes(b"12345678901234567890").unwrap();
    Migration::new(secret, Params::default())
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

#[track_caller]
fn refusal<T: std::fmt::Debug>(outcome: Outcome<T>) -> Rejection {
    outcome.unwrap_err().rejection().expect("a rejection")
}

/// Three short codes, under a hash that is no slower than a test needs.
fn policy() -> Policy {
    Policy {
        recovery: RecoveryPolicy {
            count: RecoveryCount::new(3).unwrap(),
            format: RecoveryFormat::Short,
            slow_hash: Some(SlowHash::Pbkdf2 {
                iterations: Pbkdf2Iterations::new(1_000).unwrap(),
            }),
            ..RecoveryPolicy::DEFAULT
        },
        ..Policy::DEFAULT
    }
}

/// Where the recovery codes start in the bytes of a record that has so many, under PBKDF2: what
/// kind they are, iterations, symbols, how many, which are used, and the digests.
fn set_starts(bytes: &[u8], codes: usize) -> usize {
    bytes.len() - codes * 16 - 9
}

/// Gives the same bytes over and over.
struct Repeating(&'static [u8]);

impl Entropy for Repeating {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        for (byte, from) in bytes.iter_mut().zip(self.0.iter().cycle()) {
            *byte = *from;
        }
        Ok(())
    }
}

/// The digits that a short code can't have look like letters that it can.
#[test]
fn a_short_code_is_read_as_it_looks() {
    let one_code = Policy {
        recovery: RecoveryPolicy {
            count: RecoveryCount::new(1).unwrap(),
            ..policy().recovery
        },
        ..policy()
    };
    let minted = || {
        let mut desk = Desk::new(one_code);
        // 01110 01011 00001 00000 is "olba"
        let enrollment = desk.enroll(&mut Repeating(&[0x72, 0xc2, 0x07, 0x2c, 0x20]));
        let code = enrollment.recovery_codes().iter().next().unwrap();
        assert_eq!(code.as_str(), "olba-olba-olba");
        desk
    };
    for typed in [
        "olba-olba-olba",
        "01ba OLBA 018a",
        "01 8A\u{2013}01\u{ad}8A\u{2011}01\u{a0}8A",
        "\u{ff10}\u{ff11}\u{ff18}a\u{ff0d}olba\u{2212}olba",
    ] {
        assert!(minted().recover(typed).is_ok(), "{typed}");
    }
    let mut desk = minted();
    for typed in [
        "olb9-olba-olba",
        "olb\u{e4}-olba-olba",
        "olba\u{b7}olbaolba",
    ] {
        assert_eq!(
            refusal(desk.recover(typed)),
            Rejection::RecoveryCodeFormat,
            "{typed}"
        );
    }
    assert_eq!(desk.status().recovery, LockState::Open { failures: 0 });
    assert_wrong(desk.recover("iiba-olba-olba"));
}

/// Short codes of a time before records told them from foreign ones.
#[test]
fn records_that_say_nothing_of_short_codes_are_still_good() {
    let mut desk = Desk::new(policy());
    let enrollment = desk.enroll(&mut SystemEntropy);
    desk.edit(|bytes| {
        let kind = &mut bytes[set_starts(bytes, 3)];
        assert_eq!(*kind, 36 + 2, "short, PBKDF2");
        *kind = 2;
    });
    for code in enrollment.recovery_codes() {
        let typed = code.as_str().to_uppercase().replace('-', " ");
        desk.recover(&typed).unwrap();
    }
    let after = desk.stored();
    assert_eq!(after.as_bytes()[set_starts(after.as_bytes(), 3)], 2);
}

#[test]
fn recovery_codes_are_taken_over_as_they_are() {
    let codes = [
        "correct-horse-battery-staple-anew",
        "Tr0ub4dor-AND-three-more-long-words",
    ];
    let mut desk = Desk::new(policy());
    let migrated = desk
        .migrate(&Migration {
            recovery_codes: (&codes).into(),
            ..migration()
        })
        .unwrap();
    assert!(migrated.recovery_codes().is_empty());
    assert_eq!(
        migrated.skipped_recovery_codes(),
        SkippedRecoveryCodes::default()
    );
    let typed = "CORRECT horse\u{2014}battery\u{a0}STAPLE\u{2011}anew";
    assert_eq!(desk.recover(typed).unwrap().remaining(), 1);
    assert_eq!(refusal(desk.recover(codes[0])), Rejection::Replayed);
    let stored = desk.stored();
    let kind = stored.as_bytes()[set_starts(stored.as_bytes(), 2)];
    assert_eq!(kind, 32 + 2, "foreign, PBKDF2");
}

#[test]
fn recovery_codes_can_come_as_lines() {
    let codes = ExistingRecoveryCodes::from_lines(
        "correct-horse-battery-staple-anew\r\n\nTr0ub4dor-AND-three-more-long-words\n",
    );
    let mut desk = Desk::new(policy());
    desk.migrate(&Migration {
        recovery_codes: codes,
        ..migration()
    })
    .unwrap();
    assert_eq!(desk.status().recovery_codes, 2);
    for code in codes.iter() {
        desk.recover(code).unwrap();
    }
}

/// What a migration with these codes takes over, newly makes and skips: duplicates, too many,
/// unusable ones.
fn migrate_with(codes: &[&str]) -> (Desk, (usize, usize), [usize; 3]) {
    let mut desk = Desk::new(policy());
    let migrated = desk
        .migrate(&Migration {
            recovery_codes: codes.into(),
            ..migration()
        })
        .unwrap();
    let skipped = migrated.skipped_recovery_codes();
    let reasons = [skipped.duplicate, skipped.too_many, skipped.unusable];
    assert_eq!(skipped.total(), reasons.iter().sum::<usize>());
    let new = migrated.recovery_codes().len();
    let taken_over = desk.status().recovery_codes - new;
    (desk, (taken_over, new), reasons)
}

#[test]
fn a_token_moves_whatever_its_recovery_codes_are() {
    let long = "x".repeat(65);
    let (_, codes, skipped) = migrate_with(&["one", "two", "one"]);
    assert_eq!((codes, skipped), ((2, 0), [1, 0, 0]));
    let (mut desk, codes, skipped) = migrate_with(&["Abc-1", "aBC1", "ab\u{2013}c 1", "abc2"]);
    assert_eq!((codes, skipped), ((2, 0), [2, 0, 0]));
    assert_eq!(desk.recover("ABC1").unwrap().remaining(), 1);
    let (_, codes, skipped) = migrate_with(&["one", " - ", &long, ""]);
    assert_eq!((codes, skipped), ((1, 0), [0, 0, 3]));
}

#[test]
fn of_many_recovery_codes_the_first_sixteen_are_taken_over() {
    let many: Vec<String> = (0..20).map(|n| format!("1234{n:04}")).collect();
    let mut many: Vec<&str> = many.iter().map(String::as_str).collect();
    many.insert(3, "1234-0000");
    many.push("-");
    many.push("12340015");
    let (mut desk, codes, skipped) = migrate_with(&many);
    assert_eq!((codes, skipped), ((16, 0), [2, 4, 1]));
    assert_wrong(desk.recover("12340016"));
    assert_eq!(desk.recover("12340015").unwrap().remaining(), 15);
}

/// As where there are none.
#[test]
fn new_recovery_codes_are_made_where_none_can_be_taken_over() {
    let (_, codes, skipped) = migrate_with(&["-", &"x".repeat(65)]);
    assert_eq!((codes, skipped), ((0, 3), [0, 0, 2]));
    let (_, codes, skipped) = migrate_with(&[]);
    assert_eq!((codes, skipped), ((0, 3), [0, 0, 0]));
}

#[test]
fn skipped_recovery_codes_are_told_in_words() {
    let mut skipped = SkippedRecoveryCodes::default();
    assert_eq!(skipped.to_string(), "0 recovery codes not taken over");
    skipped.duplicate = 1;
    let one = "1 recovery code not taken over (1 duplicate)";
    assert_eq!(skipped.to_string(), one);
    (skipped.too_many, skipped.unusable) = (4, 1);
    let all = "6 recovery codes not taken over (1 duplicate, 4 too many, 1 empty or too long)";
    assert_eq!(skipped.to_string(), all);
}

/// The work that a stored record asks for is the policy's to allow. It is asked for only where
/// a recovery code is tried.
#[test]
fn a_record_cannot_ask_for_more_work_than_the_policy_allows() {
    let (mut desk, totp) = Desk::with_active_token(policy());
    let set_iterations = |desk: &mut Desk, iterations: u32| {
        desk.edit(|bytes| {
            let start = set_starts(bytes, 3) + 1;
            bytes[start..start + 4].copy_from_slice(&iterations.to_be_bytes());
        })
    };
    for iterations in [2_000_001, 10_000_000] {
        let bytes = set_iterations(&mut desk, iterations);
        let refused = desk.recover("aaaa-bbbb-cccc").unwrap_err();
        assert_eq!(refused, Error::CostlyRecoveryCodes { iterations });
        assert!(refused.to_string().contains("max_pbkdf2_iterations"));
        assert_eq!(desk.stored().as_bytes(), bytes);
        assert_eq!(refusal(desk.recover("aaaa")), Rejection::RecoveryCodeFormat);
        desk.wait(90);
        desk.log_in(&totp);
    }
    set_iterations(&mut desk, 1_001);
    assert_wrong(desk.recover("aaaa-bbbb-cccc"));
}

/// A policy's own hash is never too slow for it.
#[test]
fn what_the_policy_itself_asks_for_is_allowed() {
    let low_limit = Policy {
        recovery: RecoveryPolicy {
            max_pbkdf2_iterations: 999,
            ..policy().recovery
        },
        ..Policy::DEFAULT
    };
    let (mut desk, _) = Desk::with_active_token(low_limit);
    assert_wrong(desk.recover("aaaa-bbbb-cccc"));
}

/// Words look strong by their length, and how they were chosen can't be seen.
#[test]
fn recovery_codes_of_another_system_need_a_slow_hash() {
    let without = Policy {
        recovery: RecoveryPolicy {
            slow_hash: None,
            ..RecoveryPolicy::DEFAULT
        },
        ..Policy::DEFAULT
    };
    for code in [
        "12345678",
        "apple-horse-table-green-chair",
        "7KZQ-7KZR-7KZS-7KZT-7KZV-7KZW",
    ] {
        let mut desk = Desk::new(without);
        let codes = [code];
        let migration = Migration {
            recovery_codes: (&codes).into(),
            ..migration()
        };
        assert_eq!(
            refusal(desk.migrate(&migration)),
            Rejection::WeakRecoveryCodes,
            "{code}"
        );
        assert_eq!(
            refusal(desk.engine.status(&ALICE, desk.now).map(drop)),
            Rejection::Unknown
        );
    }
}
