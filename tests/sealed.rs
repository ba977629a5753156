//! Sealed records: what they are byte by byte, what is refused, and keys that change under way.
#![cfg(all(feature = "seal", feature = "std"))]

mod support;

use std::cell::Cell;
use std::convert::Infallible;
use std::sync::Mutex;
use std::thread::{self, ScopedJoinHandle};

use keyfob::{
    Corrupt, Engine, Entropy, EntropyError, Error, HashMapStore, Keyring, KeyringError,
    MemoryStore, Migration, NewRegistration, Params, Policy, Record, RegistrationStore, Rejection,
    Revision, Rewrap, SealedError, SealedStore, SealingCipher, SealingId, SealingKey, Secret, Swap,
    SystemEntropy, Totp, TotpParams, UnixTime,
};
use proptest::prelude::*;
use support::{rows, unhex};

type Map = HashMapStore<str>;
type Sealed<'a> = SealedStore<&'a Map, SystemEntropy>;

const NOW: UnixTime = UnixTime::from_seconds(1_800_000_000);
const ALICE: &str = "alice";
const BOB: &str = "bob";

fn key(id: u32) -> SealingKey {
    key_for(SealingCipher::XChaCha20Poly1305, id)
}

fn key_for(cipher: SealingCipher, id: u32) -> SealingKey {
    let mut bytes = *b"an example of a key, number ....";
    bytes[28..].copy_from_slice(&id.to_be_bytes());
    SealingKey::new(id, cipher, bytes).unwrap()
}

fn sealed(records: &Map, keyring: Keyring) -> Sealed<'_> {
    SealedStore::new(records, keyring, SystemEntropy)
}

fn ciphers() -> Vec<SealingCipher> {
    vec![
        SealingCipher::XChaCha20Poly1305,
        #[cfg(feature = "seal-aes")]
        SealingCipher::Aes256Gcm,
    ]
}

fn record(revision: u64, bytes: &[u8]) -> Record {
    Record::from_stored(Revision::from_u64(revision), bytes).unwrap()
}

/// Stores `record` under `id`, whatever is there.
fn put<S: RegistrationStore<Error: std::fmt::Debug>>(store: &mut S, id: &S::Id, record: &Record) {
    let stored = store.load(id).unwrap().map(|stored| stored.revision());
    let swap = store.compare_and_swap(id, stored, Some(record)).unwrap();
    assert_eq!(swap, Swap::Stored);
}

/// What the inner store has.
fn stored(mut records: &Map, id: &str) -> Record {
    records.load(id).unwrap().unwrap()
}

/// What the id's record opens as: its bytes, or why it doesn't.
fn opened(records: &Map, keyring: &Keyring, id: &str) -> Result<Vec<u8>, SealedError<Infallible>> {
    let record = sealed(records, keyring.clone()).load(id)?.unwrap();
    Ok(record.as_bytes().to_vec())
}

/// A map in which `bytes` are sealed under `id` with revision 7.
fn map_with(keyring: &Keyring, id: &str, bytes: &[u8]) -> Map {
    let records = Map::new();
    put(
        &mut sealed(&records, keyring.clone()),
        id,
        &record(7, bytes),
    );
    records
}

// ---- The form

/// Gives what it has, and zeros thereafter.
struct Given(Vec<u8>);

impl Entropy for Given {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        self.0.resize(bytes.len(), 0);
        bytes.copy_from_slice(&self.0);
        Ok(())
    }
}

fn cipher(name: &str) -> Option<SealingCipher> {
    match name {
        "xchacha20-poly1305" => Some(SealingCipher::XChaCha20Poly1305),
        #[cfg(feature = "seal-aes")]
        "aes-256-gcm" => Some(SealingCipher::Aes256Gcm),
        _ => None,
    }
}

#[test]
fn another_implementation_seals_to_the_same_bytes() {
    let mut seen = 0;
    for (line, row) in rows(include_str!("vectors/sealed_v1.tsv")) {
        let Some(cipher) = cipher(row[1]) else {
            continue;
        };
        let key = unhex(row[2]).try_into().unwrap();
        let key = SealingKey::new(row[3].parse().unwrap(), cipher, key).unwrap();
        let (id, revision) = (unhex(row[4]), row[5].parse().unwrap());
        let (record_bytes, sealed_bytes) = (unhex(row[7]), unhex(row[8]));

        let records = HashMapStore::<[u8]>::new();
        let keyring = Keyring::new(key);
        let mut store = SealedStore::new(&records, keyring, Given(unhex(row[6])));
        put(&mut store, &id, &record(revision, &record_bytes));
        let stored = store.inner_mut().load(&id).unwrap().unwrap();
        assert_eq!(stored.as_bytes(), sealed_bytes, "line {line}: {}", row[0]);
        assert_eq!(stored.revision().as_u64(), revision);

        let opened = store.load(&id).unwrap().unwrap();
        assert_eq!(opened.as_bytes(), record_bytes, "line {line}: {}", row[0]);
        seen += 1;
    }
    assert_eq!(seen, 5 * ciphers().len());
}

#[test]
fn ids_are_bytes_and_numbers_big_endian() {
    fn bytes(id: &(impl SealingId + ?Sized)) -> Vec<u8> {
        id.to_bytes().as_ref().to_vec()
    }
    assert_eq!(bytes("Zoë"), "Zoë".as_bytes());
    assert_eq!(bytes(&"Zoë".to_owned()), "Zoë".as_bytes());
    assert_eq!(bytes(&[1_u8, 2][..]), [1, 2]);
    assert_eq!(bytes(&vec![1_u8, 2]), [1, 2]);
    assert_eq!(bytes(&[1_u8, 2]), [1, 2]);
    assert_eq!(bytes(&&258_u32), [0, 0, 1, 2]);
    assert_eq!(bytes(&-2_i16), [0xff, 0xfe]);
    assert_eq!(bytes(&1_u128).len(), 16);
}

#[test]
fn every_write_has_a_salt_of_its_own() {
    let keyring = Keyring::new(key(1));
    let records: Vec<_> = (0..2).map(|_| map_with(&keyring, ALICE, b"\x01")).collect();
    let bytes: Vec<_> = records.iter().map(|map| stored(map, ALICE)).collect();
    assert_ne!(bytes[0].as_bytes()[6..38], bytes[1].as_bytes()[6..38]);
}

#[test]
fn without_randomness_nothing_is_written() {
    let records = Map::new();
    let mut store = SealedStore::new(&records, Keyring::new(key(1)), Given(Vec::new()));
    let outcome = store.compare_and_swap(ALICE, None, Some(&record(7, b"\x01")));
    assert_eq!(outcome, Err(SealedError::Entropy(EntropyError)));
    assert!(records.is_empty());
}

proptest! {
    #[test]
    fn what_is_sealed_opens(
        bytes in prop::collection::vec(any::<u8>(), 0..=Record::MAX_PLAIN_BYTES),
        revision: u64, id in ".{0,40}", key_id: u32,
    ) {
        for cipher in ciphers() {
            let records = Map::new();
            let mut store = sealed(&records, Keyring::new(key_for(cipher, key_id)));
            put(&mut store, &id, &record(revision, &bytes));
            let opened = store.load(&id).unwrap().unwrap();
            prop_assert_eq!(opened.as_bytes(), &bytes[..]);
            prop_assert_eq!(opened.revision().as_u64(), revision);
        }
    }

    #[test]
    fn what_was_not_sealed_does_not_open(
        mut bytes in prop::collection::vec(any::<u8>(), 0..=Record::MAX_BYTES), known in 0..7_usize,
    ) {
        let header = [0x81, 1, 0, 0, 0, 1];
        let known = known.min(bytes.len());
        bytes[..known].copy_from_slice(&header[..known]);
        let records = Map::new();
        put(&mut &records, ALICE, &record(7, &bytes));
        prop_assert!(opened(&records, &Keyring::new(key(1)), ALICE).is_err());
    }
}

#[test]
fn every_length_up_to_the_longest_is_sealed() {
    for cipher in ciphers() {
        let keyring = Keyring::new(key_for(cipher, 1));
        for length in 0..=Record::MAX_PLAIN_BYTES {
            let bytes = vec![0x5a; length];
            let records = map_with(&keyring, ALICE, &bytes);
            assert_eq!(opened(&records, &keyring, ALICE), Ok(bytes));
        }
    }
    let too_long = record(7, &[0x5a; Record::MAX_PLAIN_BYTES + 1]);
    let records = Map::new();
    let outcome =
        sealed(&records, Keyring::new(key(1))).compare_and_swap(ALICE, None, Some(&too_long));
    assert_eq!(outcome, Err(SealedError::TooLong));
    assert!(records.is_empty());
}

// ---- What is refused

const NOT_AUTHENTIC: Result<Vec<u8>, SealedError<Infallible>> = Err(SealedError::NotAuthentic);

#[test]
fn a_row_swapped_with_anothers_is_refused() {
    let keyring = Keyring::new(key(1));
    let records = map_with(&keyring, ALICE, b"\x01 of Alice");
    put(
        &mut sealed(&records, keyring.clone()),
        BOB,
        &record(7, b"\x01 of Bob"),
    );
    let (alice, bob) = (stored(&records, ALICE), stored(&records, BOB));
    put(&mut &records, ALICE, &bob);
    put(&mut &records, BOB, &alice);
    assert_eq!(opened(&records, &keyring, ALICE), NOT_AUTHENTIC);
    assert_eq!(opened(&records, &keyring, BOB), NOT_AUTHENTIC);
}

#[test]
fn older_bytes_under_a_newer_revision_are_refused() {
    let keyring = Keyring::new(key(1));
    let records = map_with(&keyring, ALICE, b"\x01 at first");
    let old = stored(&records, ALICE);
    put(
        &mut sealed(&records, keyring.clone()),
        ALICE,
        &record(8, b"\x01 later"),
    );
    put(&mut &records, ALICE, &record(8, old.as_bytes()));
    assert_eq!(opened(&records, &keyring, ALICE), NOT_AUTHENTIC);
}

#[test]
fn every_altered_byte_is_refused() {
    for cipher in ciphers() {
        let keyring = Keyring::new(key_for(cipher, 1)).with_key(key(0)).unwrap();
        let records = map_with(&keyring, ALICE, &[1; 40]);
        let bytes = stored(&records, ALICE).as_bytes().to_vec();
        for place in 0..bytes.len() {
            for difference in (0..8).map(|bit| 1 << bit) {
                let mut bytes = bytes.clone();
                bytes[place] ^= difference;
                put(&mut &records, ALICE, &record(7, &bytes));
                let expected = match (place, bytes[place]) {
                    (0, found @ 0x80..) => SealedError::Format { found },
                    (0, _) => SealedError::Plain,
                    (5, 0) | (6.. | 1, _) => SealedError::NotAuthentic,
                    _ => SealedError::KeyUnknown {
                        id: u32::from_be_bytes(*bytes[2..].first_chunk().unwrap()),
                    },
                };
                assert_eq!(opened(&records, &keyring, ALICE), Err(expected), "{place}");
            }
        }
    }
}

#[test]
fn every_truncation_and_extension_is_refused() {
    for cipher in ciphers() {
        let keyring = Keyring::new(key_for(cipher, 1));
        let records = map_with(&keyring, ALICE, &[1; 40]);
        let bytes = stored(&records, ALICE).as_bytes().to_vec();
        for length in 0..bytes.len() {
            put(&mut &records, ALICE, &record(7, &bytes[..length]));
            assert_eq!(opened(&records, &keyring, ALICE), NOT_AUTHENTIC, "{length}");
        }
        for length in bytes.len() + 1..=Record::MAX_BYTES {
            let mut bytes = bytes.clone();
            bytes.resize(length, 0);
            put(&mut &records, ALICE, &record(7, &bytes));
            assert_eq!(opened(&records, &keyring, ALICE), NOT_AUTHENTIC, "{length}");
        }
    }
}

#[test]
fn another_key_with_the_same_id_opens_nothing() {
    let records = map_with(&Keyring::new(key(1)), ALICE, b"\x01");
    let other = SealingKey::new(
        1,
        SealingCipher::default(),
        *b"another key that is numbered one",
    );
    assert_eq!(
        opened(&records, &Keyring::new(other.unwrap()), ALICE),
        NOT_AUTHENTIC
    );
}

#[cfg(feature = "seal-aes")]
#[test]
fn a_key_is_for_one_cipher() {
    let records = map_with(&Keyring::new(key(1)), ALICE, b"\x01");
    let aes = Keyring::new(key_for(SealingCipher::Aes256Gcm, 1));
    assert_eq!(opened(&records, &aes, ALICE), NOT_AUTHENTIC);
}

/// An engine that was set up without the seal says what is missing.
#[test]
fn a_sealed_record_is_told_from_one_of_a_later_version() {
    let records = Map::new();
    register(sealed(&records, Keyring::new(key(1))), ALICE);
    let answer = Engine::new(&records, Policy::DEFAULT).status(ALICE, NOW);
    assert_eq!(answer, Err(Error::Corrupt(Corrupt::Sealed)));
}

#[test]
fn a_record_that_does_not_open_is_deleted_through_the_inner_store() {
    let records = map_with(&Keyring::new(key(1)), ALICE, b"\x01");
    let mut store = sealed(&records, Keyring::new(key(2)));
    let answer = Engine::new(&mut store, Policy::DEFAULT).delete(ALICE);
    assert_eq!(answer, Err(Error::Store(SealedError::KeyUnknown { id: 1 })));
    Engine::new(store.inner_mut(), Policy::DEFAULT)
        .delete(ALICE)
        .unwrap();
    assert!(records.is_empty());
}

// ---- Keys

#[test]
fn no_keyring_can_refuse_or_confuse_its_own_keys() {
    let duplicate = Keyring::new(key(1)).with_key(key(1));
    assert_eq!(duplicate.err(), Some(KeyringError::Duplicate { id: 1 }));
    let twice = Keyring::new(key(1))
        .with_key(key(2))
        .unwrap()
        .with_key(key(2));
    assert_eq!(twice.err(), Some(KeyringError::Duplicate { id: 2 }));
    let refused = Keyring::new(key(1)).with_lowest_id(2);
    assert_eq!(
        refused.err(),
        Some(KeyringError::CurrentRefused { current: 1 })
    );
    assert!(Keyring::new(key(1)).with_lowest_id(1).is_ok());
    let mut ids = 1..;
    let full = ids
        .by_ref()
        .take(Keyring::MAX_KEYS - 1)
        .try_fold(Keyring::new(key(0)), |keyring, id| {
            keyring.with_key(key(id))
        });
    let overfull = full.unwrap().with_key(key(100));
    assert_eq!(overfull.err(), Some(KeyringError::Full));
}

#[test]
fn erased_flash_is_no_key() {
    for byte in [0, 0xff] {
        assert!(SealingKey::new(1, SealingCipher::default(), [byte; 32]).is_none());
    }
}

#[test]
fn keys_below_the_lowest_id_are_refused() {
    let records = map_with(&Keyring::new(key(1)), ALICE, b"\x01");
    let both = Keyring::new(key(2)).with_key(key(1)).unwrap();
    assert_eq!(opened(&records, &both, ALICE), Ok(b"\x01".to_vec()));
    let refused = Err(SealedError::KeyRefused { id: 1, lowest: 2 });
    assert_eq!(
        opened(&records, &both.with_lowest_id(2).unwrap(), ALICE),
        refused
    );
    let without = Keyring::new(key(2)).with_lowest_id(2).unwrap();
    assert_eq!(opened(&records, &without, ALICE), refused);
}

/// A key that isn't current yet opens what processes that were restarted before seal under it.
#[test]
fn a_key_that_is_to_come_opens() {
    let records = map_with(&Keyring::new(key(2)), ALICE, b"\x01");
    let keyring = Keyring::new(key(1)).with_key(key(2)).unwrap();
    assert_eq!(opened(&records, &keyring, ALICE), Ok(b"\x01".to_vec()));
}

#[test]
fn debug_hides_the_keys() {
    let keyring = Keyring::new(key(1)).with_key(key(2)).unwrap();
    let records = Map::new();
    let shown = format!("{:?}", sealed(&records, keyring));
    assert!(shown.contains("id: 2"), "{shown}");
    assert!(!shown.contains("97, 110, 32"), "{shown}"); // `an `
}

/// A dropped keyring leaves no key where it was.
#[allow(unsafe_code)] // looks at memory after its value is gone
#[test]
fn keys_are_wiped() {
    use std::mem::{ManuallyDrop, MaybeUninit};
    let keyring = Keyring::new(key(1)).with_key(key(2)).unwrap();
    let mut place = Box::new(ManuallyDrop::new(keyring));
    let keys_at = |place: *const ManuallyDrop<Keyring>| {
        let bytes: Vec<u8> = (0..size_of::<Keyring>())
            // SAFETY: inside the box, which lives; padding may hold anything, and nothing hangs on it.
            .map(|offset| unsafe { place.cast::<MaybeUninit<u8>>().add(offset).read_volatile() })
            // SAFETY: the allocation was written in whole or read as what it was.
            .map(|byte| unsafe { byte.assume_init() })
            .collect();
        bytes
            .windows(10)
            .filter(|window| window == b"an example")
            .count()
    };
    assert_eq!(keys_at(&raw const *place), 2);
    // SAFETY: dropped once, and not used afterwards.
    unsafe { ManuallyDrop::drop(&mut place) };
    assert_eq!(keys_at(&raw const *place), 0);
}

// ---- Moving in

#[test]
fn plain_records_are_refused_unless_they_are_to_be_moved_in() {
    let records = Map::new();
    let token = register(&records, ALICE);
    let keyring = Keyring::new(key(1));
    let mut engine = Engine::new(sealed(&records, keyring.clone()), Policy::strict());
    let refused = engine.status(ALICE, NOW);
    assert_eq!(refused, Err(Error::Store(SealedError::Plain)));

    let moving = sealed(&records, keyring.clone()).accepting_plain();
    let mut moving = Engine::new(moving, Policy::strict());
    assert_eq!(stored(&records, ALICE).as_bytes()[0], 1);
    moving
        .authenticate(ALICE, &token.code_at(NOW), NOW)
        .unwrap();
    assert_eq!(stored(&records, ALICE).as_bytes()[0], 0x81);
    assert!(engine.status(ALICE, NOW).is_ok());
}

#[test]
fn plain_records_are_sealed_in_bulk() {
    let records = Map::new();
    for id in [ALICE, BOB] {
        register(&records, id);
    }
    let keyring = Keyring::new(key(1));
    let mut moving = sealed(&records, keyring.clone()).accepting_plain();
    let result = moving.rewrap_all([ALICE, BOB, "nobody"], |_, _, _| {});
    assert_eq!((result.rewrapped, result.absent, result.done()), (2, 1, 3));
    let mut engine = Engine::new(sealed(&records, keyring), Policy::DEFAULT);
    assert!(engine.status(BOB, NOW).is_ok());
}

// ---- Changing keys

fn secret() -> Secret {
    Secret::from_bytes(b"12345678901234567890").unwrap()
}

/// Registers the token of all these tests, active at once.
fn register<S: RegistrationStore<Error: std::fmt::Debug>>(store: S, id: &S::Id) -> Totp {
    let migration = Migration::new(secret(), Params::Totp(TotpParams::DEFAULT));
    let before = UnixTime::from_seconds(1_700_000_000);
    Engine::new(store, Policy::strict())
        .migrate(id, &migration, before, &mut SystemEntropy)
        .unwrap();
    Totp::new(&secret(), TotpParams::DEFAULT)
}

fn old_then_new() -> (Keyring, Keyring) {
    let both = Keyring::new(key(2)).with_key(key(1)).unwrap();
    (Keyring::new(key(1)), both)
}

#[test]
fn a_swap_seals_under_the_current_key() {
    let (old, both) = old_then_new();
    let records = Map::new();
    let token = register(sealed(&records, old), ALICE);
    let mut engine = Engine::new(sealed(&records, both), Policy::strict());
    engine
        .authenticate(ALICE, &token.code_at(NOW), NOW)
        .unwrap();
    assert_eq!(
        stored(&records, ALICE).as_bytes()[..6],
        [0x81, 1, 0, 0, 0, 2]
    );
}

#[test]
fn a_rewrap_changes_the_key_and_the_revision_alone() {
    let (old, both) = old_then_new();
    let records = Map::new();
    register(sealed(&records, old.clone()), ALICE);
    let (before, plain) = (stored(&records, ALICE), opened(&records, &old, ALICE));

    let mut store = sealed(&records, both);
    assert_eq!(store.rewrap(ALICE), Ok(Rewrap::Rewrapped));
    let after = stored(&records, ALICE);
    assert_ne!(after.revision(), before.revision());
    assert_eq!(opened(&records, &Keyring::new(key(2)), ALICE), plain);

    assert_eq!(store.rewrap(ALICE), Ok(Rewrap::Current));
    assert_eq!(stored(&records, ALICE).as_bytes(), after.as_bytes());
    assert_eq!(store.rewrap(BOB), Ok(Rewrap::Absent));
}

/// The new key may be for another cipher.
#[cfg(feature = "seal-aes")]
#[test]
fn a_rewrap_changes_the_cipher() {
    let records = Map::new();
    register(sealed(&records, Keyring::new(key(1))), ALICE);
    let aes = || key_for(SealingCipher::Aes256Gcm, 2);
    let mut store = sealed(&records, Keyring::new(aes()).with_key(key(1)).unwrap());
    assert_eq!(store.rewrap(ALICE), Ok(Rewrap::Rewrapped));
    assert!(opened(&records, &Keyring::new(aes()), ALICE).is_ok());
}

#[test]
fn a_bulk_rewrap_tells_what_failed_and_is_begun_anew() {
    let (old, both) = old_then_new();
    let records = Map::new();
    for id in [ALICE, BOB, "carol", "dave"] {
        register(sealed(&records, old.clone()), id);
    }
    let sound = stored(&records, BOB);
    put(&mut &records, BOB, &stored(&records, ALICE));
    put(
        &mut sealed(&records, old),
        "carol",
        &record(7, b"\x02 of a later version"),
    );

    let mut store = sealed(&records, both);
    let failures = &mut Vec::new();
    let is_interrupted = Cell::new(false);
    let ids = [ALICE, BOB, "carol", "dave"];
    let ids_until = ids.into_iter().take_while(|_| !is_interrupted.get());
    let part = store.rewrap_all(ids_until, |id, outcome, progress| {
        if let Err(error) = outcome {
            failures.push((id.to_owned(), error));
        }
        is_interrupted.set(progress.done() == 3);
    });
    assert_eq!((part.done(), part.rewrapped, part.failed), (3, 1, 2));
    let later = SealedError::Corrupt(Corrupt::Version { found: 2 });
    let expected = [(BOB, SealedError::NotAuthentic), ("carol", later)];
    assert_eq!(
        *failures,
        expected.map(|(id, error)| (id.to_owned(), error))
    );

    put(&mut &records, BOB, &sound);
    let rest = store.rewrap_all(ids, |_, _, _| {});
    assert_eq!((rest.current, rest.rewrapped, rest.failed), (1, 2, 1));
}

/// A map that lets somebody act before a swap, and see what is to be written.
struct Meddled<'a, F> {
    records: &'a Map,
    meddle: F,
}

impl<F: FnMut(Option<&Record>)> RegistrationStore for Meddled<'_, F> {
    type Id = str;
    type Error = Infallible;

    fn load(&mut self, id: &str) -> Result<Option<Record>, Infallible> {
        self.records.load(id)
    }

    fn compare_and_swap(
        &mut self,
        id: &str,
        expected: Option<Revision>,
        next: Option<&Record>,
    ) -> Result<Swap, Infallible> {
        (self.meddle)(next);
        self.records.compare_and_swap(id, expected, next)
    }
}

/// A store that could forget a used recovery code must be able to refuse sealed ones, too.
#[test]
fn the_inner_store_is_told_of_recovery_codes() {
    let (old, both) = old_then_new();
    for count in [0, 10] {
        let records = Map::new();
        let told = Cell::new(None);
        let noting = || Meddled {
            records: &records,
            meddle: |next: Option<&Record>| told.set(next.map(Record::has_recovery_codes)),
        };
        let mut policy = Policy::DEFAULT;
        policy.recovery.count = keyfob::RecoveryCount::new(count).unwrap();
        let store = SealedStore::new(noting(), old.clone(), SystemEntropy);
        Engine::new(store, policy)
            .create(ALICE, &NewRegistration::default(), NOW, &mut SystemEntropy)
            .unwrap();
        assert_eq!(told.take(), Some(count > 0));
        let mut store = SealedStore::new(noting(), both.clone(), SystemEntropy);
        assert_eq!(store.rewrap(ALICE), Ok(Rewrap::Rewrapped));
        assert_eq!(told.take(), Some(count > 0));
    }
}

#[test]
fn a_log_in_in_the_middle_of_a_rewrap_is_not_lost() {
    let (old, both) = old_then_new();
    let records = Map::new();
    let token = register(sealed(&records, old.clone()), ALICE);
    let code = token.code_at(NOW);
    // Its process has the old key as the current one, so the record is to be rewrapped again.
    let mut engine = Engine::new(
        sealed(&records, old.with_key(key(2)).unwrap()),
        Policy::strict(),
    );
    let mut log_ins = 0;
    let meddle = |_: Option<&Record>| {
        log_ins += usize::from(engine.authenticate(ALICE, &code, NOW).is_ok());
    };
    let records = &records;
    let meddled = Meddled { records, meddle };
    let mut store = SealedStore::new(meddled, both.clone(), SystemEntropy);
    assert_eq!(store.rewrap(ALICE), Ok(Rewrap::Rewrapped));
    drop(store);
    assert_eq!(log_ins, 1);
    let mut engine = Engine::new(sealed(records, both), Policy::strict());
    let replay = engine.authenticate(ALICE, &code, NOW);
    assert_eq!(replay.err(), Some(Error::Rejected(Rejection::Replayed)));
}

/// The control: who seals what was loaded without comparing brings a used code back.
#[test]
fn a_rewrap_that_does_not_compare_loses_a_log_in() {
    let (old, both) = old_then_new();
    let records = Map::new();
    let token = register(sealed(&records, old), ALICE);
    let mut store = sealed(&records, both.clone());
    let mut engine = Engine::new(sealed(&records, both), Policy::strict());
    let code = token.code_at(NOW);

    let loaded = store.load(ALICE).unwrap().unwrap();
    assert!(engine.authenticate(ALICE, &code, NOW).is_ok());
    put(&mut store, ALICE, &loaded);
    assert!(engine.authenticate(ALICE, &code, NOW).is_ok());
}

/// Processes change over one after the other: some seal under the old key, some under the new one,
/// and the records are rewrapped meanwhile.
#[test]
fn keys_change_while_people_log_in() {
    const STEPS: u64 = 200;
    const IDS: [&str; 4] = ["alice", "bob", "carol", "dave"];
    let (old, both) = old_then_new();
    let old_first = old.with_key(key(2)).unwrap();
    let records = Map::new();
    for id in IDS {
        register(sealed(&records, old_first.clone()), id);
    }
    let accepted = Mutex::new(Vec::new());
    let log_in = |keyring: &Keyring| {
        let mut engine = Engine::new(sealed(&records, keyring.clone()), Policy::strict());
        let token = Totp::new(&secret(), TotpParams::DEFAULT);
        for (step, id) in (0..STEPS).flat_map(|step| IDS.map(|id| (step, id))) {
            let now = NOW.saturating_add(30 * step);
            match engine.authenticate(id, &token.code_at(now), now) {
                Ok(_) => accepted.lock().unwrap().push((step, id)),
                // Used by another thread, or one that is ahead has used a later one.
                Err(error) => assert!(matches!(
                    error,
                    Error::Rejected(Rejection::Replayed | Rejection::TooEarly(_))
                )),
            }
        }
    };
    let rewrapped = thread::scope(|scope| {
        let people = [&old_first, &both].into_iter().cycle().take(8);
        let people: Vec<_> = people
            .map(|keyring| scope.spawn(|| log_in(keyring)))
            .collect();
        let mut store = sealed(&records, both.clone());
        let mut rewrapped = 0;
        while !people.iter().all(ScopedJoinHandle::is_finished) {
            let result = store.rewrap_all(IDS, |_, _, _| {});
            assert_eq!(result.failed, 0);
            rewrapped += result.rewrapped;
        }
        rewrapped
    });
    assert!(rewrapped > 0);
    let mut accepted = accepted.into_inner().unwrap();
    accepted.sort_unstable();
    let once: Vec<_> = (0..STEPS)
        .flat_map(|step| IDS.map(|id| (step, id)))
        .collect();
    assert_eq!(accepted, once);

    let result = sealed(&records, both).rewrap_all(IDS, |_, _, _| {});
    assert_eq!((result.failed, result.done()), (0, 4));
    let mut engine = Engine::new(sealed(&records, Keyring::new(key(2))), Policy::strict());
    for id in IDS {
        let last = NOW.saturating_add(30 * (STEPS - 1));
        assert_eq!(engine.status(id, last).unwrap().last_use, Some(last));
    }
}

#[test]
fn a_device_needs_no_heap() {
    let store = MemoryStore::<u32, 2>::new();
    let store = SealedStore::new(store, Keyring::new(key(1)), SystemEntropy);
    let mut engine = Engine::new(store, Policy::DEFAULT);
    engine
        .create(&7, &NewRegistration::default(), NOW, &mut SystemEntropy)
        .unwrap();
    assert!(engine.status(&7, NOW).is_ok());
}

// ---- Around every store

#[cfg(feature = "conformance")]
mod conformance_suite {
    use keyfob::conformance::{self, Duty, IDS};

    use super::*;

    #[test]
    fn around_an_array_it_conforms() {
        for cipher in ciphers() {
            let store = MemoryStore::<u32, IDS>::new();
            let mut store =
                SealedStore::new(store, Keyring::new(key_for(cipher, 1)), SystemEntropy);
            let id = |number| u32::try_from(number).unwrap();
            assert_eq!(conformance::check_wrapper_alone(&mut store, id), Ok(()));
        }
    }

    #[test]
    fn around_a_shared_map_it_conforms() {
        let records = Map::new();
        let open = || sealed(&records, Keyring::new(key(1)));
        let id = |number: usize| "i".repeat(number);
        assert_eq!(conformance::check_wrapper(open, id), Ok(()));
    }

    /// The control: the suite for other stores asks for the room that the seal takes.
    #[test]
    fn it_has_no_room_for_another_wrapper() {
        let records = Map::new();
        let mut store = sealed(&records, Keyring::new(key(1)));
        let found = conformance::check_alone(&mut store, |number| number.to_string());
        assert_eq!(
            found.map_err(|violation| violation.duty),
            Err(Duty::Availability)
        );
    }
}

#[cfg(feature = "sqlite")]
#[path = "support/directory.rs"]
mod directory;

#[cfg(feature = "sqlite")]
mod sqlite {
    use keyfob::SqliteStore;

    use super::directory::Directory;
    use super::*;

    #[cfg(feature = "conformance")]
    #[test]
    fn around_sqlite_it_conforms() {
        use keyfob::conformance;
        let directory = Directory::new();
        let path = directory.file("registrations.sqlite");
        let open = || {
            let store = SqliteStore::open(&path).unwrap();
            SealedStore::new(store, Keyring::new(key(1)), SystemEntropy)
        };
        assert_eq!(
            conformance::check_wrapper(open, |number| number.to_string()),
            Ok(())
        );
    }

    /// Page by page, and the row of an unconfirmed registration can still be swept.
    #[test]
    fn all_rows_are_rewrapped() {
        let directory = Directory::new();
        let path = directory.file("registrations.sqlite");
        let open =
            |keyring| SealedStore::new(SqliteStore::open(&path).unwrap(), keyring, SystemEntropy);
        let (old, both) = old_then_new();
        let mut engine = Engine::new(open(old), Policy::DEFAULT);
        let ids: Vec<String> = (0..25).map(|number| format!("{number:02}")).collect();
        for id in ids.iter().map(String::as_str).chain([""]) {
            engine
                .create(id, &NewRegistration::default(), NOW, &mut SystemEntropy)
                .unwrap();
        }
        let mut store = open(both);
        let (mut last, mut rewrapped) = (None, 0);
        loop {
            let page = store.inner().ids(last.as_deref(), 10).unwrap();
            rewrapped += store
                .rewrap_all(page.iter().map(String::as_str), |_, _, _| {})
                .rewrapped;
            match page.last() {
                Some(id) => last = Some(id.clone()),
                None => break,
            }
        }
        assert_eq!(rewrapped, 26);
        let tomorrow = NOW.saturating_add(86_400);
        assert_eq!(store.inner_mut().sweep(tomorrow), Ok(26));
    }

    /// After the key is gone, nothing that the files still hold says the secret.
    #[test]
    fn the_files_hold_no_secret() {
        let directory = Directory::new();
        let path = directory.file("registrations.sqlite");
        let files_hold_secret = || {
            ["", "-wal", "-shm"].iter().any(|suffix| {
                let file = directory.file(&format!("registrations.sqlite{suffix}"));
                let bytes = std::fs::read(file).unwrap_or_default();
                let secret = secret();
                bytes.windows(20).any(|window| window == secret.as_bytes())
            })
        };
        let store = SqliteStore::open(&path).unwrap();
        let store = SealedStore::new(store, Keyring::new(key(1)), SystemEntropy);
        let mut engine = Engine::new(store, Policy::DEFAULT);
        register(engine.store(), ALICE);
        assert!(!files_hold_secret());
        // The control: plain, it would be there.
        register(engine.store().inner_mut(), BOB);
        assert!(files_hold_secret());
    }
}

#[cfg(feature = "tokio")]
mod waiting {
    use std::sync::{Arc, LazyLock};

    use keyfob::{AsyncEngine, BlockingPool};
    use tokio::task::JoinSet;

    use super::*;

    type Pool = BlockingPool<&'static Map>;

    fn pool() -> Pool {
        let records: &'static Map = Box::leak(Box::new(Map::new()));
        BlockingPool::from_stores([records; 4]).unwrap()
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn one_of_64_tasks_with_one_code_is_let_in() {
        let store = SealedStore::new(pool(), Keyring::new(key(1)), SystemEntropy);
        let engine = Arc::new(AsyncEngine::new(store, Policy::strict()));
        let migration = Migration::new(secret(), Params::Totp(TotpParams::DEFAULT));
        engine
            .migrate(ALICE, &migration, NOW, &mut SystemEntropy)
            .await
            .unwrap();
        let later = NOW.saturating_add(60);
        let code = Totp::new(&secret(), TotpParams::DEFAULT).code_at(later);
        let mut tasks = JoinSet::new();
        for _ in 0..64 {
            let (engine, code) = (Arc::clone(&engine), code.clone());
            tasks.spawn(async move { engine.authenticate(ALICE, &code, later).await });
        }
        let answers = tasks.join_all().await;
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    }

    #[tokio::test]
    async fn keys_change_over_a_store_that_waits() {
        let pool = pool();
        let (old, both) = old_then_new();
        let store = SealedStore::new(pool.clone(), old, SystemEntropy);
        let engine = AsyncEngine::new(store, Policy::strict());
        let new = NewRegistration::default();
        for id in [ALICE, BOB] {
            engine
                .create(id, &new, NOW, &mut SystemEntropy)
                .await
                .unwrap();
        }
        // Another generator is shared through a mutex.
        let store = SealedStore::new(pool.clone(), both, Mutex::new(SystemEntropy));
        assert_eq!(store.rewrap_async(ALICE).await, Ok(Rewrap::Rewrapped));
        let ids = [ALICE, BOB, "nobody"];
        let rewrap = async move { store.rewrap_all_async(ids, |_, _, _| {}).await };
        let result = tokio::spawn(rewrap).await.unwrap();
        assert_eq!((result.current, result.rewrapped, result.absent), (1, 1, 1));
        let store = SealedStore::new(pool, Keyring::new(key(2)), SystemEntropy);
        let engine = AsyncEngine::new(store, Policy::strict());
        assert!(engine.status(BOB, NOW).await.is_ok());
    }

    #[cfg(feature = "conformance")]
    #[test]
    fn around_a_pool_it_conforms() {
        use keyfob::conformance::{self, BlockOn, Blocking};

        static RUNTIME: LazyLock<tokio::runtime::Runtime> = LazyLock::new(|| {
            tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .build()
                .unwrap()
        });

        struct Tokio;

        impl BlockOn for Tokio {
            fn block_on<F: Future>(&self, future: F) -> F::Output {
                RUNTIME.block_on(future)
            }
        }

        let pool = pool();
        let open = || {
            let keyring = Keyring::new(key(1));
            Blocking::on(
                Tokio,
                SealedStore::new(pool.clone(), keyring, SystemEntropy),
            )
        };
        assert_eq!(
            conformance::check_wrapper(open, |number| number.to_string()),
            Ok(())
        );
    }
}
