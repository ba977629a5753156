//! Nothing secret stays in memory: what lay where a value was dropped, overwritten or deleted is read
//! back, and so is every block that is given back to the heap.
//!
//! [`HOLDERS`] has every public type that holds a secret, a key, a code, a recovery code or a record,
//! and [`OTHERS`] every one that doesn't. A public type in neither fails a test.
#![cfg(all(
    feature = "std",
    feature = "pbkdf2",
    feature = "seal",
    feature = "png",
    feature = "import",
    feature = "flash"
))]
#![allow(unsafe_code)] // memory is read after its value was dropped, and as the heap gets it back

#[allow(dead_code)] // nothing cuts its power here
#[path = "support/chip.rs"]
mod chip;
#[path = "support/heap.rs"]
mod heap;
#[path = "support/source.rs"]
mod source;

use std::convert::Infallible;
use std::hint::black_box;
use std::mem::MaybeUninit;
use std::ptr;

use chip::{Chip, Fault};
use embedded_storage::nor_flash::{ErrorType, NorFlash, ReadNorFlash};

use heap::{freed_with, largest_block};
use keyfob::import::{self, Import, Imported, Options, RecoveryCodeTexts, Unlock};
use keyfob::transition::{self, Context, PreparedKeys as _, Recovery};
use keyfob::{
    Algorithm, AsyncEngine, AsyncRegistrationStore, Base32Buffer, Code, CodeText, Engine,
    Enrollment, Entropy, EntropyError, FlashStore, HashMapStore, Hotp, HotpParams, KeyCache,
    KeyUri, Keyring, MemoryStore, Migrated, Migration, MigrationUri, NewRegistration, OtpKey,
    Params, Pbkdf2Iterations, Pepper, PixelsPerModule, Policy, Proposal, QrBuffer, QrCode, Record,
    RecoveryCodes, RecoveryPolicy, RegistrationStore, Revision, SealedStore, SealingCipher,
    SealingKey, Secret, SlowHash, Swap, SystemEntropy, Totp, TotpParams, UnixTime, Write, export,
};

const NOW: UnixTime = UnixTime::from_seconds(1_800_000_000);

/// What must not be found. Every byte of it occurs once, so that no part is found by chance.
const SECRET: &[u8; 20] =
    b"\xd1\x17\xe2\x28\xf3\x39\xa4\x4a\xb5\x5b\xc6\x6c\x97\x7d\x88\x8e\x91\x1f\xa2\x20";
const SECRET_BASE32: &str = "2EL6EKHTHGSEVNK3YZWJO7MIR2IR7IRA";
const SECRET_HEX: &str = "d117e228f339a44ab55bc66c977d888e911fa220";
const OTHER_SECRET: &[u8; 16] = b"another secret!!";
const KEY: &[u8; 32] = b"\xc1k\xe4y\xf0b\x93\xa5w\x82\xd8\x1e\xb7g\x9c\x05\xfa@\x8bU\xe6;\x96\xcf\"\xd3j\x84\xb1\x0d\xeb\x7c";
const RECOVERY_CODE: &str = "kq7wz-vx3mj-tbn92";
const PASSWORD: &str = "Jz8!mQ2#vX";

type Needle = &'static [u8];

/// The types that hold what is secret, and for each what shows that it is wiped.
const HOLDERS: &[(&str, fn())] = &[
    ("AsyncEngine", async_engine),
    ("Base32Buffer", base32_buffer),
    ("Code", code),
    ("CodeText", code_text),
    ("CountedRecoveryCode", counted_recovery_code),
    ("Engine", engine),
    ("Enrollment", enrollment),
    ("HashMapStore", hash_map_store),
    ("Hotp", hotp),
    ("Import", an_import),
    ("Imported", imported),
    ("KeyCache", key_cache),
    ("KeyUri", key_uri),
    ("Keyring", keyring),
    ("MemoryStore", memory_store),
    ("Migrated", migrated),
    ("Migration", a_migration),
    ("MigrationUri", migration_uri),
    ("OtpKey", otp_key),
    ("Pepper", pepper),
    ("Proposal", proposals),
    ("QrBuffer", qr_buffer),
    ("Record", record),
    ("Recovery", counted_recovery_code),
    ("RecoveryCode", recovery_codes),
    ("RecoveryCodeTexts", recovery_code_texts),
    ("RecoveryCodes", recovery_codes),
    ("SealedStore", sealed_store),
    ("SealingKey", sealing_key),
    ("Secret", a_secret),
    ("Totp", totp),
    ("Write", write),
];

/// The types that hold nothing secret: choices, answers, errors, and what is only lent its secrets by
/// somebody else, who wipes them.
const OTHERS: &[&str] = &[
    // choices
    "Algorithm",
    "CodeFormat",
    "DriftCap",
    "Durability",
    "Format",
    "HotpParams",
    "LegacySecrets",
    "Limits",
    "NewRegistration",
    "OtherSystem",
    "Params",
    "Pbkdf2Iterations",
    "PendingLifetime",
    "Period",
    "PixelsPerModule",
    "Policy",
    "QrBackground",
    "RecoveryCount",
    "RecoveryFormat",
    "RecoveryPolicy",
    "RedisOptions",
    "Replicas",
    "ResyncReach",
    "SealingCipher",
    "ServerSettings",
    "SlowHash",
    "SystemEntropy",
    "Throttle",
    "TotpParams",
    "WaitTimeout",
    "Window",
    // times, counts and names
    "Batch",
    "Burned",
    "Match",
    "Place",
    "RegistrationId",
    "Revision",
    "RewrapProgress",
    "SkippedRecoveryCodes",
    "Step",
    "UnixTime",
    "Wait",
    // answers: a registration's salt at the most, which tells no code
    "Authenticated",
    "HashedRecoveryCode", // a digest as the record has it
    "LeftOut",
    "LockState",
    "Omission",
    "Omitted",
    "Proof",
    "Reason",
    "Recovered",
    "Remark",
    "Resynced",
    "Rewrap",
    "Status",
    "StatusState",
    "Swap",
    // a file whose secrets are encrypted
    "Written",
    // lent, and wiped by their owner
    "Context",
    "ExistingRecoveryCodes",
    "Options",
    "Protection",
    "QrCode",
    "Unlock",
    "UriText",
    // stores that keep records elsewhere, and a store around a store; FlashStore's buffers are seen below
    "Blocking",
    "BlockingPool",
    "FlashStore",
    "PostgresStore",
    "RedisStore",
    "SqliteStore",
    "ThisThread",
    // errors
    "BlockingPoolError",
    "CodeError",
    "Conflict",
    "Corrupt",
    "Duty",
    "EntropyError",
    "Error",
    "ExportError",
    "Failure",
    "FlashError",
    "ImportError",
    "KeyringError",
    "MemoryStoreFull",
    "MigrationUriError",
    "PostgresError",
    "QrError",
    "RedisError",
    "Rejection",
    "SealedError",
    "SecretError",
    "SqliteError",
    "UnknownAlgorithm",
    "UriError",
    "VerifyError",
    "Violation",
];

#[test]
fn every_type_that_holds_what_is_secret_wipes_it() {
    let fails = |check: &fn()| std::panic::catch_unwind(check).is_err();
    let careless = HOLDERS.iter().filter(|(_, check)| fails(check));
    let careless: Vec<&str> = careless.map(|(name, _)| *name).collect();
    assert!(careless.is_empty(), "not wiped: {careless:?}");
}

#[test]
fn every_public_type_is_listed() {
    let text = source::all();
    let mut public = source::public_types(&text);
    public.sort_unstable();
    let holders = HOLDERS.iter().map(|(name, _)| *name);
    let mut listed: Vec<&str> = holders.chain(OTHERS.iter().copied()).collect();
    listed.sort_unstable();
    assert_eq!(
        public, listed,
        "left: the types there are; right: those listed"
    );
}

#[test]
fn control_a_new_type_is_found() {
    let text = "    /// A key.\n    pub struct Unlisted([u8; 4]);\npub(crate) enum Private {}\n";
    assert_eq!(source::public_types(text), ["Unlisted"]);
}

/// What a type without a destructor leaves.
#[derive(Clone)]
struct Careless([u8; 20]);

#[test]
fn control_a_value_that_is_not_wiped_is_found() {
    let left = left_by(|| Careless(*SECRET), |_| {});
    assert!(left.before.has(SECRET) && left.after.has(SECRET));
    let half = left_by(|| Careless(*SECRET), |careless| careless.0[..12].fill(0));
    assert!(half.after.has(SECRET), "a part of it is found too");
}

#[test]
fn control_a_block_that_is_not_wiped_is_found() {
    let kept = freed_with(&[SECRET], || drop(SECRET.to_vec()));
    assert_eq!(kept, 1);
    let grown = freed_with(&[SECRET], || {
        let mut bytes = Vec::with_capacity(20);
        bytes.extend_from_slice(SECRET);
        bytes.reserve_exact(4_000);
        bytes.fill(0);
        black_box(bytes);
    });
    assert_eq!(grown, 1);
}

/// Memory as it was at a moment.
struct Memory(Vec<u8>);

impl Memory {
    /// What lies at `place`, values or not.
    fn at<T>(place: *const T) -> Self {
        let bytes = 0..size_of::<T>();
        // SAFETY: the place has so many bytes, which were all written before.
        let read = |at| unsafe { ptr::read_volatile(place.cast::<u8>().add(at)) };
        Self(bytes.map(read).collect())
    }

    /// Whether any part of `needle` is in it, eight bytes of it being enough.
    fn has(&self, needle: &[u8]) -> bool {
        let part = needle.len().min(8);
        let mut parts = needle.windows(part);
        parts.any(|part| self.0.windows(part.len()).any(|bytes| bytes == part))
    }
}

/// What a place had before its value was dropped, and after.
struct Left {
    before: Memory,
    after: Memory,
}

/// Makes a value, lets `act` work on it, and drops it where it lies.
fn left_by<T>(make: impl FnOnce() -> T, act: impl FnOnce(&mut T)) -> Left {
    let mut place = Box::new(MaybeUninit::<T>::zeroed());
    let value = place.write(make());
    act(value);
    let value = ptr::from_mut(value);
    let before = Memory::at(value);
    // SAFETY: it was written above, and isn't used as a value again.
    unsafe { ptr::drop_in_place(value) };
    let after = Memory::at(value);
    Left { before, after }
}

/// Fails if a value of such a type leaves one of these where it is dropped, or in the heap.
#[track_caller]
fn assert_wiped<T>(needles: &[Needle], make: impl FnOnce() -> T) {
    let mut left = None;
    let in_heap = freed_with(needles, || left = Some(left_by(make, |_| {})));
    let Left { before, after } = left.unwrap();
    for needle in needles {
        assert!(before.has(needle), "nothing to be wiped: {needle:x?}");
        assert!(!after.has(needle), "left behind: {needle:x?}");
    }
    assert_eq!(in_heap, 0, "blocks were freed unwiped");
}

/// Fails if `act` leaves one of these in the heap, in blocks that are freed.
#[track_caller]
fn assert_heap_wiped(needles: &[Needle], act: impl FnOnce()) {
    assert_eq!(freed_with(needles, act), 0, "blocks were freed unwiped");
}

/// Fails if `SECRET` is still there once `act` has put another value in a value's place.
#[track_caller]
fn assert_overwritten<T>(make: impl FnOnce() -> T, act: impl FnOnce(&mut T)) {
    let Left { before, .. } = left_by(make, act);
    assert!(!before.has(SECRET));
}

/// How many runs of eight bytes are the same in both, at the same place, and too varied to be a small
/// number or a run of one byte.
fn survivors(before: &[u8], after: &[u8]) -> usize {
    let runs = before.windows(8).zip(after.windows(8));
    let is_varied = |run: &[u8]| (0..8).filter(|at| !run[..*at].contains(&run[*at])).count() >= 6;
    runs.filter(|(one, other)| one == other && is_varied(one))
        .count()
}

/// Gives bytes that count up, so that what is drawn can be told beforehand.
struct Counting(u8);

impl Entropy for Counting {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        for byte in bytes {
            self.0 = self.0.wrapping_add(73);
            *byte = self.0;
        }
        Ok(())
    }
}

fn secret() -> Secret {
    Secret::from_bytes(SECRET).unwrap()
}

fn other() -> Secret {
    Secret::from_bytes(OTHER_SECRET).unwrap()
}

fn migration() -> Migration<'static> {
    Migration::new(secret(), Params::default())
}

fn a_secret() {
    assert_wiped(&[SECRET], secret);
    assert_wiped(&[SECRET], || secret().clone());
    assert_wiped(&[SECRET], || Secret::from_base32(SECRET_BASE32).unwrap());
    assert_overwritten(secret, |it| it.clone_from(&other()));
    assert_overwritten(secret, |it| *it = other());
}

fn base32_buffer() {
    assert_wiped(&[SECRET_BASE32.as_bytes()], || {
        let mut buffer = Base32Buffer::new();
        assert_eq!(secret().to_base32(&mut buffer), SECRET_BASE32);
        buffer
    });
}

const ALGORITHMS: [Algorithm; 3] = [Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512];

fn otp_key() {
    for algorithm in ALGORITHMS {
        let midstates = midstates(algorithm);
        assert_wiped(&[midstates], || OtpKey::new(algorithm, &secret()));
        assert_wiped(&[midstates], || OtpKey::new(algorithm, &secret()).clone());
    }
}

/// The two midstates of `SECRET`'s key: what is the same whenever the key is made.
fn midstates(algorithm: Algorithm) -> Needle {
    let bytes = 2 * algorithm.output_bytes();
    let read = || {
        left_by(|| OtpKey::new(algorithm, &secret()), |_| {})
            .before
            .0
    };
    let (one, other) = (read(), read());
    let start = (0..=one.len() - bytes)
        .find(|start| survivors(&one[*start..start + bytes], &other[*start..]) == bytes - 7)
        .expect("the midstates");
    leak(&one[start..start + bytes])
}

fn totp() {
    for algorithm in ALGORITHMS {
        let params = TotpParams {
            algorithm,
            ..TotpParams::DEFAULT
        };
        assert_wiped(&[midstates(algorithm)], || Totp::new(&secret(), params));
    }
}

fn hotp() {
    for algorithm in ALGORITHMS {
        let params = HotpParams {
            algorithm,
            ..HotpParams::DEFAULT
        };
        assert_wiped(&[midstates(algorithm)], || Hotp::new(&secret(), params));
    }
}

fn code() {
    const CODE: Needle = &87_654_321_u32.to_ne_bytes();
    assert_wiped(&[CODE], || Code::parse("8765 4321").unwrap());
    assert_wiped(&[CODE], || Code::parse("87654321").unwrap().clone());
}

fn code_text() {
    assert_wiped(&[b"87654321"], || {
        Code::parse("87654321").unwrap().to_text()
    });
    let text = Code::parse("87654321").unwrap().to_text();
    assert_wiped(&[b"87654321"], || CodeText::clone(&text));
}

fn pepper() {
    assert_wiped(&[KEY], || Pepper::new(*KEY));
    assert_wiped(&[KEY], || Pepper::new(*KEY).clone());
}

/// A stored record, with `SECRET` in it.
fn stored() -> Record {
    let mut engine = Engine::new(MemoryStore::<u8, 1>::new(), Policy::DEFAULT);
    engine
        .migrate(&1, migration(), NOW, &mut SystemEntropy)
        .unwrap();
    engine.store().load(&1).unwrap().unwrap()
}

fn record() {
    assert_wiped(&[SECRET], stored);
    assert_wiped(&[SECRET], || stored().clone());
    let short = || Record::from_stored(stored().revision(), &[1; 40]).unwrap();
    assert_overwritten(stored, |it| it.clone_from(&short()));
    assert_overwritten(stored, |it| *it = short());
}

fn write() {
    let policy = Policy::DEFAULT;
    let context = Context::new(NOW, &policy);
    let make = || transition::migrate(None, &migration(), &context, &mut SystemEntropy).unwrap();
    assert_wiped(&[SECRET], || Write::clone(make().write().unwrap()));
}

fn proposals() {
    let policy = Policy::DEFAULT;
    let context = Context::new(NOW, &policy);
    let new = NewRegistration::default();
    let create = || transition::create(None, &new, &context, &mut Counting(0)).unwrap();
    let secret = create().settle(Some(Swap::Stored)).unwrap().unwrap();
    let first_code = secret.recovery_codes().iter().next().unwrap();
    let needles = [
        leak(secret.secret().as_bytes()),
        leak(first_code.as_str().as_bytes()),
    ];
    assert_wiped::<Proposal<Enrollment>>(&needles, create);
    // One without a write has room for it, in which there is what the stack had there before.
    let migrate = || transition::migrate(None, &migration(), &context, &mut Counting(0)).unwrap();
    assert_wiped::<Proposal<Migrated>>(&[SECRET], migrate);
    let stored = stored();
    let rotate =
        || transition::rotate_recovery_codes(Some(&stored), &context, &mut Counting(0)).unwrap();
    let codes: RecoveryCodes = rotate().settle(Some(Swap::Stored)).unwrap().unwrap();
    let needle = leak(codes.iter().last().unwrap().as_str().as_bytes());
    assert_wiped(&[SECRET, needle], rotate);
}

/// Bytes that stay as they are, in memory that is never freed.
fn leak(bytes: &[u8]) -> Needle {
    Box::leak(bytes.into())
}

fn create() -> Enrollment {
    let mut engine = Engine::new(MemoryStore::<u8, 1>::new(), Policy::DEFAULT);
    let new = NewRegistration::default();
    engine.create(&1, &new, NOW, &mut Counting(0)).unwrap()
}

fn enrollment() {
    let same = create();
    let codes = same.recovery_codes().iter();
    let mut needles: Vec<Needle> = codes.map(|code| leak(code.as_str().as_bytes())).collect();
    assert_eq!(needles.len(), 10);
    needles.push(leak(same.secret().as_bytes()));
    assert_wiped(&needles, create);
}

fn migrate() -> Migrated {
    let mut engine = Engine::new(MemoryStore::<u8, 1>::new(), Policy::DEFAULT);
    engine
        .migrate(&1, migration(), NOW, &mut Counting(0))
        .unwrap()
}

fn migrated() {
    let same = migrate();
    let codes = same.recovery_codes().iter();
    let needles: Vec<Needle> = codes.map(|code| leak(code.as_str().as_bytes())).collect();
    assert_eq!(needles.len(), 10);
    assert_wiped(&needles, migrate);
}

/// Codes by themselves, and each of them.
fn recovery_codes() {
    let rotate = || {
        let mut engine = Engine::new(MemoryStore::<u8, 1>::new(), Policy::DEFAULT);
        engine
            .migrate(&1, migration(), NOW, &mut SystemEntropy)
            .unwrap();
        engine
            .rotate_recovery_codes(&1, NOW, &mut Counting(0))
            .unwrap()
    };
    let same = rotate();
    let needles: Vec<Needle> = same
        .iter()
        .map(|code| leak(code.as_str().as_bytes()))
        .collect();
    assert_eq!(needles.len(), 10);
    assert_wiped(&needles, rotate);
}

fn a_migration() {
    assert_wiped(&[SECRET], migration);
    assert_wiped(&[SECRET], || migration().clone());
}

fn engine() {
    assert_wiped(&[SECRET, KEY], || {
        let store = MemoryStore::<u8, 1>::new();
        let mut engine = Engine::new(store, Policy::DEFAULT).with_pepper(Pepper::new(*KEY));
        engine
            .migrate(&1, migration(), NOW, &mut SystemEntropy)
            .unwrap();
        engine
    });
}

fn async_engine() {
    assert_wiped(&[KEY], || {
        AsyncEngine::new(Nowhere, Policy::DEFAULT).with_pepper(Pepper::new(*KEY))
    });
}

/// A store that has nothing and keeps nothing.
struct Nowhere;

impl AsyncRegistrationStore for Nowhere {
    type Id = u8;
    type Error = Infallible;

    async fn load(&self, _: &u8) -> Result<Option<Record>, Infallible> {
        Ok(None)
    }

    async fn compare_and_swap(
        &self,
        _: &u8,
        _: Option<Revision>,
        _: Option<&Record>,
    ) -> Result<Swap, Infallible> {
        Ok(Swap::Conflict)
    }
}

/// Dropped, overwritten by a shorter record, and deleted in the first place and in the last.
fn memory_store() {
    let full = || {
        let mut store = MemoryStore::<u8, 3>::new();
        for id in 0..3 {
            let swap = store.compare_and_swap(&id, None, Some(&stored()));
            assert_eq!(swap.unwrap(), Swap::Stored);
        }
        store
    };
    assert_wiped(&[SECRET], full);
    assert_wiped(&[SECRET], || full().clone());
    let short = Record::from_stored(stored().revision(), &[1; 40]).unwrap();
    let swap_all = |store: &mut MemoryStore<u8, 3>, next: Option<&Record>, ids: [u8; 3]| {
        for id in ids {
            let expected = store.load(&id).unwrap().map(|stored| stored.revision());
            assert_eq!(
                store.compare_and_swap(&id, expected, next).unwrap(),
                Swap::Stored
            );
        }
    };
    assert_overwritten(full, |store| swap_all(store, Some(&short), [0, 1, 2]));
    assert_overwritten(full, |store| swap_all(store, None, [0, 1, 2]));
    assert_overwritten(full, |store| swap_all(store, None, [2, 1, 0]));
}

fn hash_map_store() {
    assert_heap_wiped(&[SECRET], || {
        let store = HashMapStore::<str>::new();
        let mut engine = Engine::new(&store, Policy::DEFAULT);
        for id in ["one", "two", "three"] {
            engine
                .migrate(id, migration(), NOW, &mut SystemEntropy)
                .unwrap();
        }
        engine.delete("one").unwrap();
        let later = NOW.saturating_add(90);
        let code = Totp::new(&secret(), TotpParams::DEFAULT).code_at(later);
        let proof = engine.authenticate("two", &code, later).unwrap();
        let new = NewRegistration::default();
        engine
            .replace("two", proof, &new, later, &mut SystemEntropy)
            .unwrap(); // longer
        drop(store);
    });
}

/// Taken over, cleared, dropped.
fn key_cache() {
    let cache = largest_block(|| KeyCache::new(1));
    let (cache, slots) = cache;
    cache.key(0, Algorithm::Sha1, &secret());
    assert!(slots.read().windows(20).any(|bytes| bytes == SECRET));
    let before = slots.read();
    cache.key(1, Algorithm::Sha1, &other());
    assert!(!slots.read().windows(8).any(|bytes| bytes == &SECRET[..8]));
    cache.key(1, Algorithm::Sha1, &secret());
    cache.clear();
    assert!(!slots.read().windows(8).any(|bytes| bytes == &SECRET[..8]));
    assert_eq!(survivors(&before, &slots.read()), 0);
    assert_heap_wiped(&[SECRET], || {
        let cache = KeyCache::new(1);
        cache.key(0, Algorithm::Sha1, &secret());
    });
}

fn sealing_key() {
    let make = || SealingKey::new(7, SealingCipher::default(), *KEY).unwrap();
    assert_wiped(&[KEY], make);
    assert_wiped(&[KEY], || make().clone());
}

/// Two keys, current and other.
fn a_keyring() -> Keyring {
    let [mut current, other] = [*KEY; 2];
    current.reverse();
    let key = |id, bytes| SealingKey::new(id, SealingCipher::default(), bytes).unwrap();
    Keyring::new(key(2, current))
        .with_key(key(1, other))
        .unwrap()
}

fn keyring() {
    let mut current = *KEY;
    current.reverse();
    assert_wiped(&[KEY, leak(&current)], a_keyring);
    assert_wiped(&[KEY, leak(&current)], || a_keyring().clone());
}

/// With a key inside, over a store that sees no secret.
fn sealed_store() {
    assert_wiped(&[KEY], || {
        SealedStore::new(MemoryStore::<u32, 1>::new(), a_keyring(), SystemEntropy)
    });
    assert_heap_wiped(&[SECRET, KEY], || {
        let records = HashMapStore::<str>::new();
        let store = SealedStore::new(&records, a_keyring(), SystemEntropy);
        let mut engine = Engine::new(store, Policy::DEFAULT);
        engine
            .migrate("one", migration(), NOW, &mut SystemEntropy)
            .unwrap();
        engine.status("one", NOW).unwrap();
        engine.delete("one").unwrap();
    });
}

fn a_key_uri(secret: &Secret) -> KeyUri<'static> {
    KeyUri::totp(secret, TotpParams::DEFAULT, "ACME", "alice").unwrap()
}

fn key_uri() {
    assert_wiped(&[SECRET], || a_key_uri(&secret()));
    assert_wiped(&[SECRET], || a_key_uri(&secret()).clone());
}

fn qr_buffer() {
    assert_wiped_whole(QrBuffer::new);
    assert_wiped_whole(QrBuffer::<408>::sized);
}

/// Fails unless each byte of a buffer is 0 when it was dropped.
#[track_caller]
fn assert_wiped_whole<const BYTES: usize>(make: impl FnOnce() -> QrBuffer<BYTES>) {
    let uri = a_key_uri(&secret());
    let left = left_by(make, |buffer| {
        let qr = QrCode::new(&uri, buffer).unwrap();
        assert_heap_wiped(&[SECRET, SECRET_BASE32.as_bytes()], || {
            let image = qr.png(PixelsPerModule::DEFAULT);
            assert!(!image.is_empty());
        });
    });
    assert!(left.before.0.iter().any(|byte| *byte != 0));
    assert!(left.after.0.iter().all(|byte| *byte == 0));
}

/// Whether it was read or not.
fn migration_uri() {
    const URI: &str = "otpauth-migration://offline?data=Ch0KFNEX4ijzOaRKtVvGbJd9iI6RH6IgEgVhbGljZQ";
    for (uri, is_ok) in [(URI, true), (&URI[..URI.len() - 1], false)] {
        let mut buffer = [0; 100];
        match MigrationUri::parse(uri, &mut buffer) {
            Ok(read) => {
                let token = read.tokens().next().unwrap().unwrap();
                assert_eq!(token.secret().as_bytes(), SECRET);
                assert!(is_ok);
            }
            Err(_) => assert!(!is_ok),
        }
        assert_eq!(buffer, [0; 100]);
    }
}

fn an_imported() -> Imported {
    let mut imported = Imported::new(secret(), Params::default());
    imported.recovery_codes.push(RECOVERY_CODE);
    imported
}

fn imported() {
    assert_wiped(&[SECRET], an_imported);
    assert_wiped(&[SECRET], || an_imported().clone());
    assert_heap_wiped(&[SECRET, RECOVERY_CODE.as_bytes()], || {
        drop([an_imported(), an_imported().clone()]);
        drop(Imported::from(migration()));
    });
}

/// A code that was typed, while it waits for its slow hash.
fn counted_recovery_code() {
    const NORMAL_FORM: &[u8] = b"kq7wzvx3mjtbn92";
    let policy = Policy {
        recovery: RecoveryPolicy {
            slow_hash: Pbkdf2Iterations::new(1).map(|iterations| SlowHash::Pbkdf2 { iterations }),
            ..RecoveryPolicy::DEFAULT
        },
        ..Policy::DEFAULT
    };
    let mut engine = Engine::new(MemoryStore::<u8, 1>::new(), policy);
    let codes = [RECOVERY_CODE];
    let migration = Migration {
        recovery_codes: (&codes).into(),
        ..migration()
    };
    engine
        .migrate(&1, &migration, NOW, &mut SystemEntropy)
        .unwrap();
    let record = engine.store().load(&1).unwrap();
    let recover = || {
        let context = Context::new(NOW, &policy);
        let proposal = transition::recover(record.as_ref(), RECOVERY_CODE, &context).unwrap();
        proposal.settle(Some(Swap::Stored)).unwrap().unwrap()
    };
    assert_wiped(&[NORMAL_FORM], recover);
    assert_wiped(&[NORMAL_FORM], || match recover() {
        Recovery::Counted(counted) => counted,
        Recovery::Recovered(_) => panic!("it has to be hashed first"),
    });
}

/// However it grows.
fn recovery_code_texts() {
    assert_heap_wiped(&[RECOVERY_CODE.as_bytes()], || {
        let mut texts = RecoveryCodeTexts::new();
        for _ in 0..100 {
            texts.push(RECOVERY_CODE);
        }
        drop(texts.clone());
        texts.clone_from(&RecoveryCodeTexts::new());
    });
}

/// Files that have the secret in the clear, in the ways in which there are any; with as many entries
/// as make the list of tokens grow.
fn files() -> Vec<String> {
    let many = |entry: &str, between: &str| vec![entry; 40].join(between);
    let uri = format!("otpauth://totp/ACME:alice?secret={SECRET_BASE32}");
    let two_fas = format!(r#"{{"secret":"{SECRET_BASE32}","name":"a","otp":{{}}}}"#);
    let bitwarden = format!(r#"{{"name":"a","login":{{"totp":"{uri}"}}}}"#);
    let and_otp = format!(r#"{{"secret":"{SECRET_BASE32}","label":"a","type":"TOTP"}}"#);
    let bytes = SECRET.map(|byte| byte.cast_signed().to_string()).join(",");
    let free_otp_plus = format!(
        r#"{{"secret":[{bytes}],"label":"a","type":"TOTP","algo":"SHA1","digits":6,"period":30}}"#
    );
    let aegis = format!(
        r#"{{"type":"totp","name":"a","info":{{"secret":"{SECRET_BASE32}","algo":"SHA1","digits":6,"period":30}}}}"#
    );
    vec![
        many(&uri, "\n"),
        many(&format!("serial,{SECRET_HEX},totp,6,30"), "\n"),
        format!("{SECRET_BASE32}\n\" TOTP_AUTH\n87654321\n12345678\n"),
        format!(
            r#"{{"schemaVersion":4,"services":[{}]}}"#,
            many(&two_fas, ",")
        ),
        format!(
            r#"{{"encrypted":false,"items":[{}]}}"#,
            many(&bitwarden, ",")
        ),
        format!("[{}]", many(&and_otp, ",")),
        format!(
            r#"{{"tokens":[{}],"tokenOrder":[]}}"#,
            many(&free_otp_plus, ",")
        ),
        format!(
            r#"{{"version":1,"header":{{"slots":null,"params":null}},"db":{{"version":2,"entries":[{}]}}}}"#,
            many(&aegis, ",")
        ),
    ]
}

/// Import, and the way out again.
fn an_import() {
    const NEEDLES: &[Needle] = &[
        SECRET,
        SECRET_BASE32.as_bytes(),
        SECRET_HEX.as_bytes(),
        b"87654321",
    ];
    for file in files() {
        assert_heap_wiped(NEEDLES, || {
            let import: Import = import::read(file.as_bytes(), &Options::default()).unwrap();
            assert!(
                !import.tokens.is_empty() && import.left_out.is_empty(),
                "{import:?}"
            );
            drop(import.clone());
        });
    }
    exports();
}

/// What is encrypted is opened again, too.
fn exports() {
    const NEEDLES: &[Needle] = &[SECRET, SECRET_BASE32.as_bytes(), PASSWORD.as_bytes(), KEY];
    let iterations = Pbkdf2Iterations::new(1).unwrap();
    assert_heap_wiped(NEEDLES, || {
        let tokens = [an_imported()];
        let (key, password) = (export::Protection::Key(KEY), PASSWORD);
        let password_too = export::Protection::Password {
            password,
            iterations,
        };
        for (protection, unlock) in [
            (key, Unlock::Key(KEY)),
            (password_too, Unlock::Password(PASSWORD)),
        ] {
            let written = export::pskc(&tokens, protection, &mut SystemEntropy).unwrap();
            let options = Options {
                unlock,
                ..Options::default()
            };
            let import = import::read(written.text.as_bytes(), &options).unwrap();
            assert_eq!(import.tokens.len(), 1);
        }
        export::uri_list(&tokens, &mut Sink).unwrap();
    });
}

/// Takes text and keeps nothing.
struct Sink;

impl std::fmt::Write for Sink {
    fn write_str(&mut self, _: &str) -> std::fmt::Result {
        Ok(())
    }
}

/// The flash store holds no record, but reads and writes through buffers on the stack.
#[test]
fn the_flash_store_wipes_its_buffers() {
    let mut flash = Seeing::default();
    let mut store = FlashStore::<_, 2>::open(&mut flash, 0..5 * 4_096).unwrap();
    let record = stored();
    let swap = deep_down(|| store.compare_and_swap(&1, None, Some(&record)));
    assert_eq!(swap.unwrap(), Swap::Stored);
    assert!(deep_down(|| store.load(&1)).unwrap().is_some());
    drop(store);
    assert!(flash.seen.len() > 1, "nothing to be wiped");
    assert!(flash.seen.iter().all(|buffer| !buffer.is_as_it_was()));
}

/// Runs `act` so far down the stack that what is called afterwards doesn't write over what it left.
#[inline(never)]
fn deep_down<T>(act: impl FnOnce() -> T) -> T {
    let room = black_box([0_u8; 16_384]);
    let outcome = act();
    black_box(room);
    outcome
}

/// A chip that remembers where in memory it saw the secret.
struct Seeing {
    chip: Chip<1, 4, 4_096>,
    seen: Vec<Seen>,
}

/// Where the secret was.
struct Seen(*const [u8; 20]);

impl Seen {
    fn is_as_it_was(&self) -> bool {
        // SAFETY: the stack's memory stays readable for as long as its thread runs.
        Memory::at(self.0).has(SECRET)
    }
}

impl Default for Seeing {
    fn default() -> Self {
        Self {
            chip: Chip::blank(5),
            seen: Vec::new(),
        }
    }
}

impl Seeing {
    fn look(&mut self, bytes: &[u8]) {
        let at = bytes.windows(20).position(|part| part == SECRET);
        self.seen
            .extend(at.map(|at| Seen(bytes[at..].as_ptr().cast())));
    }
}

impl ErrorType for Seeing {
    type Error = Fault;
}

impl ReadNorFlash for Seeing {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Fault> {
        self.chip.read(offset, bytes)?;
        self.look(bytes);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.chip.capacity()
    }
}

impl NorFlash for Seeing {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = 4_096;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), Fault> {
        self.chip.erase(from, to)
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Fault> {
        self.look(bytes);
        self.chip.write(offset, bytes)
    }
}
