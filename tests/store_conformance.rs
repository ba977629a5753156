//! The conformance suite: stores of this crate pass it, and every flaw that it is for is reported.
#![cfg(feature = "conformance")]

#[cfg(feature = "sqlite")]
#[path = "support/directory.rs"]
mod directory;

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::task::Poll;
use std::thread;

use keyfob::conformance::{self, Blocking, Duty, IDS, Violation};
use keyfob::{
    AsyncRegistrationStore, HashMapStore, MemoryStore, Record, RegistrationStore, Revision, Swap,
};

/// Ids that a careless store takes for each other.
fn alike(number: usize) -> String {
    let ids = ["", "a", "A", "a ", "a\0", "ä", "a\u{308}", "%"];
    ids[number].repeat(if number == IDS - 1 { 300 } else { 1 })
}

#[test]
fn a_shared_map_passes() {
    let store = HashMapStore::<str>::new();
    assert_eq!(conformance::check(|| &store, alike), Ok(()));
    assert!(store.is_empty());
}

#[test]
fn an_array_passes_alone() {
    let mut store = MemoryStore::<String, IDS>::new();
    assert_eq!(conformance::check_alone(&mut store, alike), Ok(()));
}

#[cfg(feature = "sqlite")]
mod sqlite {
    use keyfob::{SqliteStore, conformance};
    use rusqlite::Connection;

    use super::alike;
    use super::directory::Directory;

    #[test]
    fn connections_to_one_file_pass() {
        let directory = Directory::new();
        let path = directory.file("registrations.sqlite");
        let open = || SqliteStore::open(&path).unwrap();
        assert_eq!(conformance::check(open, alike), Ok(()));
    }

    #[test]
    fn a_locked_file_is_an_error() {
        let directory = Directory::new();
        let path = directory.file("registrations.sqlite");
        let mut store = SqliteStore::open(&path).unwrap();
        store.set_busy_timeout(std::time::Duration::ZERO).unwrap();
        let other = Connection::open(&path).unwrap();
        let lock = || other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let outcome = conformance::check_failure(&mut store, alike, lock);
        assert_eq!(outcome, Ok(()));
    }
}

/// What can be wrong with a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    /// Nothing.
    None,
    /// It reads, compares and writes, each for itself.
    ReadsThenWrites,
    /// The same, for records that are too long for one row.
    ReadsThenWritesIfLong,
    /// It overwrites what it should find absent.
    Upserts,
    /// It deletes whatever the revision.
    DeletesAnything,
    /// It never deletes.
    DeletesNothing,
    /// It compares a part of the revision.
    ComparesHighBits,
    /// It has numbers of 53 bits.
    KeepsFloats,
    /// It has a column of 512 bytes.
    CutsLongRecords,
    /// It keeps bytes as text that ends at the first zero.
    CutsAtZero,
    /// It takes `a` for `A`.
    FoldsCase,
    /// It writes, and compares afterwards.
    WritesOnConflict,
    /// It doesn't look again once it has read.
    Caches,
    /// It takes the lower revision for the older one, and refuses it.
    WantsRisingRevisions,
    /// It takes it for the older one, and answers that it was stored.
    KeepsTheHighest,
    /// It keeps all that was written, and finds the highest revision when it is opened.
    OpensTheHighest,
    /// It fails where somebody else was faster.
    FailsOnConflict,
    /// It takes an error for a conflict.
    FailsAsConflict,
    /// It takes an error for an absent record.
    FailsAsAbsent,
}

/// Where each flaw must show.
const DUTIES: [(Flaw, Duty); 16] = [
    (Flaw::ReadsThenWrites, Duty::Atomicity),
    (Flaw::ReadsThenWritesIfLong, Duty::SingleUse),
    (Flaw::Upserts, Duty::Refusal),
    (Flaw::DeletesAnything, Duty::Refusal),
    (Flaw::DeletesNothing, Duty::Progress),
    (Flaw::ComparesHighBits, Duty::Refusal),
    (Flaw::KeepsFloats, Duty::Exactness),
    (Flaw::CutsLongRecords, Duty::Exactness),
    (Flaw::CutsAtZero, Duty::Exactness),
    (Flaw::FoldsCase, Duty::Separation),
    (Flaw::WritesOnConflict, Duty::Restraint),
    (Flaw::Caches, Duty::Visibility),
    (Flaw::WantsRisingRevisions, Duty::Progress),
    (Flaw::KeepsTheHighest, Duty::Exactness),
    (Flaw::OpensTheHighest, Duty::Durability),
    (Flaw::FailsOnConflict, Duty::Availability),
];

#[test]
fn every_flaw_is_reported() {
    for (flaw, duty) in DUTIES {
        let storage = Storage::default();
        let found = conformance::check(|| Flawed::new(&storage, flaw), alike);
        assert_eq!(
            found.map_err(|violation| violation.duty),
            Err(duty),
            "{flaw:?}"
        );
    }
}

#[test]
fn without_a_flaw_nothing_is_reported() {
    let storage = Storage::default();
    let open = || Flawed::new(&storage, Flaw::None);
    assert_eq!(conformance::check(open, alike), Ok(()));
    assert_eq!(failure(Flaw::None), Ok(()));
}

#[test]
fn a_guess_after_a_failure_is_reported() {
    for flaw in [Flaw::FailsAsConflict, Flaw::FailsAsAbsent] {
        let duty = failure(flaw).map_err(|violation| violation.duty);
        assert_eq!(duty, Err(Duty::Honesty), "{flaw:?}");
    }
}

fn failure(flaw: Flaw) -> Result<(), Violation> {
    let storage = Storage::default();
    let mut store = Flawed::new(&storage, flaw);
    let fail = || storage.is_broken.store(true, Ordering::Relaxed);
    conformance::check_failure(&mut store, alike, fail)
}

#[test]
fn a_violation_tells_what_is_wrong() {
    let storage = Storage::default();
    let mut store = Flawed::new(&storage, Flaw::Upserts);
    let violation = conformance::check_alone(&mut store, alike).unwrap_err();
    assert_eq!(
        violation.to_string(),
        "a swap that expects anything but what is stored is a Conflict: expected Conflict for a \
         swap from nothing to revision 9 with 4 bytes, over revision 7 with 3 bytes, saw Stored"
    );
}

#[derive(Default)]
struct Storage {
    records: Mutex<HashMap<String, Record>>,
    /// Of all that was written of a record that wasn't deleted, the highest revision.
    highest: Mutex<HashMap<String, Record>>,
    is_broken: AtomicBool,
}

/// A handle to the storage, sound but for one flaw.
struct Flawed<'a> {
    storage: &'a Storage,
    flaw: Flaw,
    cache: HashMap<String, Option<Record>>,
}

impl<'a> Flawed<'a> {
    fn new(storage: &'a Storage, flaw: Flaw) -> Self {
        let cache = HashMap::new();
        if flaw == Flaw::OpensTheHighest {
            let highest = storage.highest.lock().unwrap().clone();
            *storage.records.lock().unwrap() = highest;
        }
        Self {
            storage,
            flaw,
            cache,
        }
    }

    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == flaw
    }

    fn records(&self) -> MutexGuard<'a, HashMap<String, Record>> {
        self.storage.records.lock().unwrap()
    }

    fn is_broken(&self) -> bool {
        self.storage.is_broken.load(Ordering::Relaxed)
    }

    /// The id as it is kept.
    fn key(&self, id: &str) -> String {
        match self.flaw {
            Flaw::FoldsCase => id.to_lowercase(),
            _ => id.to_owned(),
        }
    }

    /// The record as it is kept.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]
    #[allow(clippy::cast_sign_loss)] // numbers of 53 bits are the flaw
    fn kept(&self, record: &Record) -> Record {
        let (mut revision, mut bytes) = (record.revision().as_u64(), record.as_bytes());
        match self.flaw {
            Flaw::KeepsFloats => revision = revision as f64 as u64,
            Flaw::CutsLongRecords => bytes = &bytes[..bytes.len().min(512)],
            Flaw::CutsAtZero => bytes = bytes.split(|byte| *byte == 0).next().unwrap(),
            _ => {}
        }
        Record::from_stored(Revision::from_u64(revision), bytes).unwrap()
    }

    fn admits(
        &self,
        stored: Option<Revision>,
        expected: Option<Revision>,
        next: Option<&Record>,
    ) -> bool {
        let high_bits = |revision: Revision| revision.as_u64() >> 4;
        match self.flaw {
            Flaw::Upserts if next.is_some() && expected.is_none() => true,
            Flaw::DeletesAnything if next.is_none() => true,
            Flaw::DeletesNothing if next.is_none() => stored.is_none() && expected.is_none(),
            Flaw::ComparesHighBits => stored.map(high_bits) == expected.map(high_bits),
            Flaw::WantsRisingRevisions => stored == expected && rises(stored, next),
            _ => stored == expected,
        }
    }

    /// Whether somebody else can come in between the comparison and the write.
    fn is_torn(&self, next: Option<&Record>) -> bool {
        match self.flaw {
            Flaw::ReadsThenWrites => true,
            Flaw::ReadsThenWritesIfLong => next.is_some_and(|next| next.as_bytes().len() > 64),
            _ => false,
        }
    }

    fn swap(&self, id: &str, expected: Option<Revision>, next: Option<&Record>) -> Swap {
        let mut records = self.records();
        let stored = records.get(id).map(Record::revision);
        let swap = match self.admits(stored, expected, next) {
            true => Swap::Stored,
            false if self.has(Flaw::WritesOnConflict) => Swap::Conflict,
            false => return Swap::Conflict,
        };
        if self.is_torn(next) {
            drop(records);
            thread::yield_now();
            records = self.records();
        }
        if self.has(Flaw::KeepsTheHighest) && !rises(stored, next) {
            return swap;
        }
        self.note(id, next);
        match next {
            Some(next) => records.insert(id.to_owned(), self.kept(next)),
            None => records.remove(id),
        };
        swap
    }

    fn note(&self, id: &str, next: Option<&Record>) {
        let mut highest = self.storage.highest.lock().unwrap();
        let noted = highest.get(id).map(Record::revision);
        match next {
            Some(next) if rises(noted, Some(next)) => highest.insert(id.to_owned(), next.clone()),
            Some(_) => None,
            None => highest.remove(id),
        };
    }
}

/// Whether the next revision is the higher one, or the first or last.
fn rises(stored: Option<Revision>, next: Option<&Record>) -> bool {
    let next = next.map(|next| next.revision().as_u64());
    next.is_none_or(|next| stored.is_none_or(|stored| stored.as_u64() < next))
}

impl RegistrationStore for Flawed<'_> {
    type Id = str;
    type Error = &'static str;

    fn load(&mut self, id: &str) -> Result<Option<Record>, &'static str> {
        match self.flaw {
            Flaw::FailsAsAbsent if self.is_broken() => return Ok(None),
            _ if self.is_broken() => return Err("the storage is broken"),
            _ => {}
        }
        let id = self.key(id);
        let stored = self.records().get(&id).cloned();
        if self.has(Flaw::Caches) {
            return Ok(self.cache.entry(id).or_insert(stored).clone());
        }
        Ok(stored)
    }

    fn compare_and_swap(
        &mut self,
        id: &str,
        expected: Option<Revision>,
        next: Option<&Record>,
    ) -> Result<Swap, &'static str> {
        let id = self.key(id);
        self.cache.remove(&id);
        match self.flaw {
            Flaw::FailsAsConflict if self.is_broken() => return Ok(Swap::Conflict),
            _ if self.is_broken() => return Err("the storage is broken"),
            _ => {}
        }
        match self.swap(&id, expected, next) {
            Swap::Conflict if self.has(Flaw::FailsOnConflict) => Err("somebody else was faster"),
            swap => Ok(swap),
        }
    }
}

/// Forgets everything when the last handle is closed.
struct Fleeting(Arc<HashMapStore<str>>);

impl Fleeting {
    fn open(storage: &Mutex<Weak<HashMapStore<str>>>) -> Self {
        let mut storage = storage.lock().unwrap();
        let store = storage.upgrade().unwrap_or_default();
        *storage = Arc::downgrade(&store);
        Self(store)
    }
}

impl RegistrationStore for Fleeting {
    type Id = str;
    type Error = Infallible;

    fn load(&mut self, id: &str) -> Result<Option<Record>, Infallible> {
        { &*self.0 }.load(id)
    }

    fn compare_and_swap(
        &mut self,
        id: &str,
        expected: Option<Revision>,
        next: Option<&Record>,
    ) -> Result<Swap, Infallible> {
        { &*self.0 }.compare_and_swap(id, expected, next)
    }
}

#[test]
fn a_store_that_forgets_is_reported() {
    let storage = Mutex::new(Weak::new());
    let found = conformance::check(|| Fleeting::open(&storage), alike);
    assert_eq!(
        found.map_err(|violation| violation.duty),
        Err(Duty::Durability)
    );
}

/// A store that waits: each answer comes from another thread, a moment later.
struct Waiting(HashMapStore<str>);

impl AsyncRegistrationStore for &Waiting {
    type Id = str;
    type Error = Infallible;

    async fn load(&self, id: &str) -> Result<Option<Record>, Infallible> {
        another_thread().await;
        { &self.0 }.load(id)
    }

    async fn compare_and_swap(
        &self,
        id: &str,
        expected: Option<Revision>,
        next: Option<&Record>,
    ) -> Result<Swap, Infallible> {
        another_thread().await;
        { &self.0 }.compare_and_swap(id, expected, next)
    }
}

/// Is ready once another thread has woken it.
async fn another_thread() {
    let is_awake = Arc::new(AtomicBool::new(false));
    poll_fn(|context| {
        if is_awake.load(Ordering::Acquire) {
            return Poll::Ready(());
        }
        let (is_awake, waker) = (Arc::clone(&is_awake), context.waker().clone());
        thread::spawn(move || {
            is_awake.store(true, Ordering::Release);
            waker.wake();
        });
        Poll::Pending
    })
    .await;
}

#[test]
fn a_store_that_waits_passes() {
    let store = Waiting(HashMapStore::new());
    let open = || Blocking::new(&store);
    assert_eq!(conformance::check(open, alike), Ok(()));
}
