//! The flash store on a chip whose power goes at every byte that is written or erased.
//!
//! The longest of these tests are ignored, as they take minutes in a release build:
//! `cargo test --release --features flash --test flash -- --ignored`
#![cfg(all(feature = "flash", feature = "sha2"))]

#[path = "support/chip.rs"]
mod chip;
#[path = "support/flash_model.rs"]
mod flash_model;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::ops::Range;

use chip::{Chip, Cut, Defect, Fault, Torn};
use embedded_storage::nor_flash::{NorFlash, ReadNorFlash as _};
use flash_model::{Event, World};
use indicatif::ProgressBar;
use keyfob::{
    Code, Engine, Entropy, EntropyError, Error, FlashError, FlashStore, Migration, Params, Policy,
    Record, RegistrationStore, Rejection, Revision, Secret, Swap, Totp, TotpParams, UnixTime,
};
use proptest::prelude::*;

const START: UnixTime = UnixTime::from_seconds(1_800_000_000);
/// When tokens are migrated, so that nothing that they use later is burned by it.
const LONG_AGO: UnixTime = UnixTime::from_seconds(1_799_900_000);
const IDS: usize = 6;

type Store<F> = FlashStore<F, IDS>;
type Answer<T> = Result<T, Error<FlashError<Fault>>>;

/// Deterministic and never twice the same.
struct Counting(u64);

impl Entropy for Counting {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        for byte in bytes {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            *byte = self.0.to_be_bytes()[0];
        }
        Ok(())
    }
}

/// The middle of a step; step 0 is that of the registrations.
fn moment(step: u64) -> UnixTime {
    START.saturating_add(30 * step)
}

/// Each registration's own, of bytes that nothing else has.
fn secret(id: u32) -> Secret {
    Secret::from_bytes(&[0xa0 | id.to_le_bytes()[0]; 20]).unwrap()
}

fn code(id: u32, step: u64) -> Code {
    Totp::new(&secret(id), TotpParams::DEFAULT).code_at(moment(step))
}

/// What is asked of an engine.
#[derive(Clone, Copy, Debug)]
enum Request {
    Migrate(u32),
    LogIn(u32, u64),
    Guess(u32, u64),
    Delete(u32),
    EraseDeleted,
}

/// An engine for the exact step, as two neighbours that share their digits would burn each other.
fn engine<F: NorFlash<Error = Fault>>(flash: F, region: Range<u32>) -> Answer<Engine<Store<F>>> {
    let store = Store::open(flash, region).map_err(Error::Store)?;
    Ok(Engine::new(store, Policy::strict()))
}

fn migrate<S>(engine: &mut Engine<S>, id: u32) -> Result<(), Error<S::Error>>
where
    S: RegistrationStore<Id = u32>,
{
    let migration = Migration::new(secret(id), Params::Totp(TotpParams::DEFAULT));
    let entropy = &mut Counting(id.into());
    engine.migrate(&id, &migration, LONG_AGO, entropy).map(drop)
}

fn log_in<S>(engine: &mut Engine<S>, id: u32, step: u64) -> Result<(), Error<S::Error>>
where
    S: RegistrationStore<Id = u32>,
{
    let code = code(id, step);
    engine.authenticate(&id, &code, moment(step)).map(drop)
}

fn perform<F: NorFlash<Error = Fault>>(
    engine: &mut Engine<Store<F>>,
    request: Request,
) -> Answer<()> {
    match request {
        Request::Migrate(id) => migrate(engine, id),
        Request::LogIn(id, step) => log_in(engine, id, step),
        Request::Guess(id, step) => {
            let wrong = code(id, step + 1_000);
            engine.authenticate(&id, &wrong, moment(step)).map(drop)
        }
        Request::Delete(id) => engine.delete(&id),
        Request::EraseDeleted => engine.store().erase_deleted().map_err(Error::Store),
    }
}

/// All that is stored, by id.
type Contents = BTreeMap<u32, (Revision, Vec<u8>)>;

fn contents<F: NorFlash<Error: Debug>>(store: &mut Store<F>) -> Contents {
    let ids: Vec<u32> = store.ids().unwrap().collect();
    let load = |id| {
        let record = store.load(&id).unwrap().unwrap();
        (id, (record.revision(), record.as_bytes().to_vec()))
    };
    ids.into_iter().map(load).collect()
}

/// A chip, and what must be on it.
#[derive(Clone)]
struct Device<const READ: usize, const WORD: usize, const SECTOR: usize> {
    chip: Chip<READ, WORD, SECTOR>,
    contents: Contents,
    /// The step of the last code that was accepted, by id.
    accepted: BTreeMap<u32, u64>,
}

impl<const READ: usize, const WORD: usize, const SECTOR: usize> Device<READ, WORD, SECTOR> {
    fn new(sectors: usize, (cut, torn): (Cut, Torn)) -> Self {
        let mut chip = Chip::blank(sectors);
        (chip.cut, chip.torn) = (cut, torn);
        Self {
            chip,
            contents: Contents::new(),
            accepted: BTreeMap::new(),
        }
    }

    fn engine(&mut self) -> Answer<Engine<Store<&mut Chip<READ, WORD, SECTOR>>>> {
        let region = self.chip.region();
        engine(&mut self.chip, region)
    }

    /// The device after a request that was answered.
    fn after(&self, request: Request) -> Self {
        let mut after = self.clone();
        let mut engine = after.engine().unwrap();
        let answer = perform(&mut engine, request);
        let contents = contents(engine.store());
        after.contents = contents;
        match (request, answer) {
            (Request::LogIn(id, step), Ok(())) => {
                after.accepted.insert(id, step);
            }
            (Request::Delete(id), Ok(())) => {
                after.accepted.remove(&id);
            }
            (Request::Guess(..), Err(Error::Rejected(Rejection::Mismatch { .. })))
            | (Request::Migrate(_) | Request::EraseDeleted, Ok(())) => {}
            (request, answer) => panic!("{request:?}: {answer:?}"),
        }
        after
    }

    /// Carries out a request until the power goes after so many bytes. `None` if that is too many
    /// for it to go.
    fn cut(&self, request: Request, bytes: u64) -> Option<Self> {
        let mut cut = self.clone();
        let power = cut.chip.power();
        power.cut_after(bytes);
        let answer = cut
            .engine()
            .and_then(|mut engine| perform(&mut engine, request));
        if !power.is_off() {
            return None;
        }
        assert!(
            matches!(answer, Err(Error::Store(FlashError::Flash(Fault::NoPower)))),
            "{answer:?}"
        );
        cut.chip.restart();
        Some(cut)
    }

    /// What must hold after a cut: nothing is lost, nothing that was answered is taken back, and
    /// everything goes on.
    fn check(&self, request: Request, after: &Self) {
        let mut device = self.clone();
        let mut engine = device.engine().unwrap_or_else(|error| panic!("{error}"));
        let found = contents(engine.store());
        assert!(
            found == self.contents || found == after.contents,
            "{:?} became {:?}",
            self.contents.keys(),
            found.keys()
        );
        for (id, step) in &self.accepted {
            if found.contains_key(id) {
                let again = perform(&mut engine, Request::LogIn(*id, *step));
                assert!(is_used(&again), "{again:?}");
            }
        }
        Self::check_request(&mut engine, request, found == after.contents);
        let ids: Vec<u32> = engine.store().ids().unwrap().collect();
        for id in ids {
            perform(&mut engine, Request::LogIn(id, 5_000)).unwrap();
            let again = perform(&mut engine, Request::LogIn(id, 5_000));
            assert!(is_used(&again), "{again:?}");
        }
    }

    /// The request that was interrupted, made once more.
    fn check_request<F: NorFlash<Error = Fault>>(
        engine: &mut Engine<Store<F>>,
        request: Request,
        is_stored: bool,
    ) {
        let again = perform(engine, request);
        let is_right = match request {
            Request::EraseDeleted => again.is_ok(),
            Request::Guess(..) => {
                let rejection = again.as_ref().err().and_then(Error::rejection);
                matches!(rejection, Some(Rejection::Mismatch { .. }))
            }
            _ if !is_stored => again.is_ok(),
            Request::LogIn(..) => is_used(&again),
            Request::Migrate(_) => again == Err(Error::Rejected(Rejection::AlreadyRegistered)),
            Request::Delete(_) => again == Err(Error::Rejected(Rejection::Unknown)),
        };
        assert!(is_right, "{request:?}: {again:?}");
    }
}

/// Whether a code was refused as one that is used: itself, or one of a later time.
fn is_used<S: PartialEq>(answer: &Result<(), Error<S>>) -> bool {
    let rejection = answer.as_ref().err().and_then(Error::rejection);
    matches!(
        rejection,
        Some(Rejection::Replayed | Rejection::TooEarly(_))
    )
}

/// A day in the life of a device.
fn requests(log_ins: u64) -> Vec<Request> {
    let mut requests: Vec<Request> = (0..3).map(Request::Migrate).collect();
    for step in 1..=log_ins {
        requests.push(match step {
            5 | 17 => Request::Guess(1, step),
            8 => Request::Delete(2),
            12 => Request::Migrate(2),
            _ if step % 7 == 0 => Request::LogIn(1, step),
            _ => Request::LogIn(0, step),
        });
    }
    requests.push(Request::EraseDeleted);
    requests
}

/// Where the power is cut.
#[derive(Clone, Copy)]
struct Cuts {
    /// At one in so many bytes of a request.
    bytes: usize,
    /// After one in so many of these cuts the recovery is interrupted as well,
    again: usize,
    /// at one in so many of its bytes.
    bytes_again: usize,
}

const EVERYWHERE: Cuts = Cuts {
    bytes: 1,
    again: 200,
    bytes_again: 101,
};

/// For the kinds of interrupted erases, which share the writes.
const HERE_AND_THERE: Cuts = Cuts {
    bytes: 13,
    again: 20,
    bytes_again: 101,
};

/// Cuts the power in every request. Each sector is erased twice at least.
fn cut<const READ: usize, const WORD: usize, const SECTOR: usize>(
    sectors: usize,
    kind: (Cut, Torn),
    log_ins: u64,
    cuts: Cuts,
) {
    let mut device = Device::<READ, WORD, SECTOR>::new(sectors, kind);
    let mut count = 0;
    for request in requests(log_ins) {
        let after = device.after(request);
        let bytes = (0..).step_by(cuts.bytes);
        for interrupted in bytes.map_while(|bytes| device.cut(request, bytes)) {
            interrupted.check(request, &after);
            count += 1;
            if count % cuts.again == 0 {
                let bytes = (0..).step_by(cuts.bytes_again);
                let twice = bytes.map_while(|bytes| interrupted.cut(request, bytes));
                twice.for_each(|interrupted| interrupted.check(request, &after));
            }
        }
        device = after;
    }
    assert!(device.chip.erases.iter().all(|erases| *erases >= 2));
    println!("{count} cuts");
}

#[test]
fn a_cut_at_any_byte_loses_nothing() {
    cut::<1, 1, 1024>(5, (Cut::Forward, Torn::Bytes), 30, EVERYWHERE);
}

#[test]
fn a_cut_loses_nothing_where_erases_go_backward() {
    cut::<1, 8, 1024>(5, (Cut::Backward, Torn::Bits), 30, HERE_AND_THERE);
}

#[test]
fn a_cut_loses_nothing_where_erases_write_zeros_first() {
    cut::<4, 4, 1024>(5, (Cut::Zeros, Torn::Bits), 30, HERE_AND_THERE);
}

#[test]
fn a_cut_loses_nothing_where_erases_turn_bits_here_and_there() {
    cut::<1, 4, 1024>(5, (Cut::Scattered, Torn::Bits), 30, HERE_AND_THERE);
}

#[test]
fn a_cut_loses_nothing_where_torn_words_cannot_be_read() {
    cut::<1, 8, 1024>(5, (Cut::Random, Torn::Unreadable), 30, HERE_AND_THERE);
}

#[test]
fn a_cut_loses_nothing_where_torn_words_seem_blank() {
    cut::<1, 16, 2048>(4, (Cut::Random, Torn::SeemsBlank), 60, HERE_AND_THERE);
}

#[test]
#[ignore = "takes minutes"]
fn every_cut_of_every_kind_loses_nothing() {
    for cut_kind in [
        Cut::Forward,
        Cut::Backward,
        Cut::Zeros,
        Cut::Scattered,
        Cut::Random,
    ] {
        for torn in [Torn::Bytes, Torn::Bits, Torn::Unreadable, Torn::SeemsBlank] {
            cut::<1, 4, 1024>(5, (cut_kind, torn), 30, EVERYWHERE);
            cut::<8, 8, 2048>(3, (cut_kind, torn), 50, EVERYWHERE);
        }
    }
}

#[test]
#[ignore = "takes minutes"]
fn a_cut_in_a_region_of_64_kib_loses_nothing() {
    let seldom = Cuts {
        bytes: 499,
        ..HERE_AND_THERE
    };
    cut::<1, 4, 4096>(16, (Cut::Scattered, Torn::Bits), 480, seldom);
}

#[test]
#[ignore = "takes minutes"]
fn two_cuts_in_a_row_lose_nothing() {
    let twice = Cuts {
        bytes: 7,
        again: 1,
        bytes_again: 41,
    };
    cut::<1, 1, 1024>(5, (Cut::Forward, Torn::Bytes), 30, twice);
    cut::<1, 4, 1024>(5, (Cut::Zeros, Torn::Bits), 30, twice);
    cut::<1, 4, 1024>(5, (Cut::Scattered, Torn::Bits), 30, twice);
    cut::<1, 8, 1024>(5, (Cut::Random, Torn::Unreadable), 30, twice);
}

// ---- Random lives

/// A life on one of the shapes that flash has: words of 1 to 32 bytes, sectors of 1 to 128 KiB.
fn live(seed: u64) {
    match seed % 10 {
        0 => World::<1, 1, 1024>::live_randomly(seed, 5, 120),
        1 => World::<1, 2, 2048>::live_randomly(seed, 4, 120),
        2 => World::<1, 4, 1024>::live_randomly(seed, 9, 160),
        3 => World::<4, 4, 4096>::live_randomly(seed, 6, 120),
        4 => World::<8, 8, 2048>::live_randomly(seed, 5, 120),
        5 => World::<1, 16, 4096>::live_randomly(seed, 3, 80),
        6 => World::<32, 8, 16384>::live_randomly(seed, 5, 60),
        7 => World::<4, 32, 8192>::live_randomly(seed, 3, 80),
        8 => World::<1, 4, 65536>::live_randomly(seed, 3, 40),
        _ => World::<1, 32, 131_072>::live_randomly(seed, 3, 30),
    }
}

/// A life for each seed, or that of `KEYFOB_SEED` alone.
fn lives(seeds: Range<u64>, bar: &ProgressBar) {
    if let Ok(seed) = std::env::var("KEYFOB_SEED") {
        return live(seed.parse().unwrap());
    }
    for seed in seeds {
        if let Err(panic) = std::panic::catch_unwind(|| live(seed)) {
            println!("replay it with KEYFOB_SEED={seed}");
            std::panic::resume_unwind(panic);
        }
        bar.inc(1);
        if bar.is_hidden() && bar.position().is_multiple_of(10_000) {
            println!("{} lives", bar.position());
        }
    }
    bar.finish();
}

#[test]
fn random_lives_lose_nothing() {
    lives(0..200, &ProgressBar::hidden());
}

#[test]
#[ignore = "takes many minutes"]
fn random_lives_by_the_hundred_thousand_lose_nothing() {
    lives(1_000_000..1_100_000, &ProgressBar::new(100_000));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn the_store_does_what_a_map_does(
        cut: u8,
        events in prop::collection::vec(any::<[u8; 4]>().prop_map(Event::from_bytes), 1..120),
    ) {
        World::<1, 4, 1024>::new(5, cut).live(&events);
    }
}

/// A byte of ones changes nothing: the word that was cut off after it is as blank as before.
#[test]
fn a_torn_word_that_reads_blank_can_be_written() {
    let mut chip = Chip::<1, 4, 1024>::blank(5);
    chip.torn = Torn::Bytes;
    chip.power().cut_after(1);
    let torn = chip.write(0, &[0xff, 0, 0, 0]);
    assert_eq!(torn, Err(Fault::NoPower));
    chip.restart();
    assert_eq!(chip.write(0, &[1, 2, 3, 4]), Ok(()));
    assert_eq!(chip.write(0, &[1, 2, 3, 4]), Err(Fault::WrittenTwice));
}

/// What was torn is never taken for the beginning of what is written next.
#[test]
fn what_follows_a_torn_item_is_kept() {
    for number in 0_u64..1_000 {
        let next = record(number, number.to_le_bytes()[0], 20);
        let mut chip = open(SmallChip::blank(5)).into_flash();
        let power = chip.power();
        let mut store = open(chip);
        power.cut_after(8 + number % 70);
        assert!(store.compare_and_swap(&0, None, Some(&next)).is_err());
        chip = store.into_flash();
        chip.restart();

        store = open(chip);
        let swap = store.compare_and_swap(&0, None, Some(&next));
        assert_eq!(swap, Ok(Swap::Stored), "record {number}");
        let stored = open(store.into_flash()).load(&0).unwrap();
        assert!(stored.is_some(), "record {number}");
    }
}

// ---- Controls: stores that break under the same cuts

/// A chip that goes back to what it held a write ago isn't taken for a sound one.
#[test]
fn a_life_tells_a_lost_write() {
    let (store, restart) = ([0, 100, 0, 0], [255, 0, 0, 0]);
    let mut world = World::<1, 4, 1024>::new(5, 0);
    world.live(&[store, store].map(Event::from_bytes));
    let before = world.chip.clone();
    world.live(&[restart, store].map(Event::from_bytes));
    world.live(&[Event::from_bytes(restart)]);
    world.chip = before;
    let lost = || world.live(&[Event::from_bytes(restart)]);
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(lost)).is_err());
}

/// One registration's record, in a sector that is erased and written anew.
struct ErasesThenWrites(SmallChip);

/// One registration's record, in memory until the next call comes.
struct AnswersThenWrites {
    inner: Store<SmallChip>,
    late: Option<(Option<Revision>, Record)>,
}

type SmallChip = Chip<1, 1, 1024>;

impl RegistrationStore for ErasesThenWrites {
    type Id = u32;
    type Error = Fault;

    fn load(&mut self, _: &u32) -> Result<Option<Record>, Fault> {
        let mut bytes = [0; 1024];
        self.0.read(0, &mut bytes)?;
        let (revision, rest) = bytes.split_first_chunk().unwrap();
        let (length, rest) = rest.split_first_chunk().unwrap();
        let length = usize::from(u16::from_le_bytes(*length));
        let revision = Revision::from_u64(u64::from_le_bytes(*revision));
        Ok(rest
            .get(..length)
            .map(|record| Record::from_stored(revision, record).unwrap()))
    }

    fn compare_and_swap(
        &mut self,
        id: &u32,
        expected: Option<Revision>,
        next: Option<&Record>,
    ) -> Result<Swap, Fault> {
        if self.load(id)?.map(|record| record.revision()) != expected {
            return Ok(Swap::Conflict);
        }
        let next = next.unwrap();
        let length = u16::try_from(next.as_bytes().len()).unwrap();
        self.0.erase(0, 1024)?;
        self.0.write(0, &next.revision().as_u64().to_le_bytes())?;
        self.0.write(8, &length.to_le_bytes())?;
        self.0.write(10, next.as_bytes())?;
        Ok(Swap::Stored)
    }
}

impl RegistrationStore for AnswersThenWrites {
    type Id = u32;
    type Error = FlashError<Fault>;

    fn load(&mut self, id: &u32) -> Result<Option<Record>, FlashError<Fault>> {
        if let Some((expected, record)) = self.late.take() {
            let _ = self.inner.compare_and_swap(id, expected, Some(&record))?;
        }
        self.inner.load(id)
    }

    fn compare_and_swap(
        &mut self,
        _: &u32,
        expected: Option<Revision>,
        next: Option<&Record>,
    ) -> Result<Swap, FlashError<Fault>> {
        self.late = next.cloned().map(|next| (expected, next));
        Ok(Swap::Stored)
    }
}

/// How many power cuts during a log-in lose the registration, or let the code in twice.
fn broken_cuts<S>(open: impl Fn(SmallChip) -> S, close: impl Fn(S) -> SmallChip) -> usize
where
    S: RegistrationStore<Id = u32, Error: Debug>,
{
    let mut store = open(SmallChip::blank(5));
    let mut engine = Engine::new(&mut store, Policy::strict());
    migrate(&mut engine, 0).unwrap();
    assert!(engine.status(&0, START).is_ok());
    let chip = close(store);

    let mut broken = 0;
    for bytes in 1.. {
        let chip = chip.clone();
        let power = chip.power();
        let mut store = open(chip);
        power.cut_after(bytes);
        let is_accepted = log_in(&mut Engine::new(&mut store, Policy::strict()), 0, 1).is_ok();
        let mut chip = close(store);
        chip.restart();
        let mut store = open(chip);
        let again = log_in(&mut Engine::new(&mut store, Policy::strict()), 0, 1);
        broken += usize::from(match again {
            Ok(()) => is_accepted,
            Err(Error::Rejected(Rejection::Replayed | Rejection::TooEarly(_))) => false,
            Err(_) => true,
        });
        if !power.is_off() {
            break;
        }
    }
    broken
}

#[test]
fn naive_stores_break() {
    assert_eq!(broken_cuts(open, Store::into_flash), 0);

    let broken = broken_cuts(ErasesThenWrites, |store| store.0);
    assert!(broken > 1_000, "{broken}");

    let late = |chip| AnswersThenWrites {
        inner: open(chip),
        late: None,
    };
    let broken = broken_cuts(late, |store| store.inner.into_flash());
    assert_eq!(broken, 1);
}

/// What the store is built upon, without what is built around it.
#[cfg(feature = "conformance")]
mod map_alone {
    use keyfob::conformance::{BlockOn as _, ThisThread};
    use sequential_storage::{cache::Cache, map};

    use super::*;

    /// The key that is written to: one only once, so that its value must be copied again and again.
    fn key(turn: u8) -> u8 {
        if turn == 0 { 0 } else { 1 + turn % 2 }
    }

    /// Writes to a map, with a cut at every byte, and tells whether a value is missing once the write
    /// was made again.
    fn loses(kind: Cut) -> bool {
        let mut chip = SmallChip::blank(5);
        (chip.cut, chip.torn) = (kind, Torn::Bytes);
        for turn in 0..45 {
            let lost = |mut chip: SmallChip| {
                chip.restart();
                let stored = store(&mut chip, turn);
                let right = |key| (0..=turn).rev().find(|turn| self::key(*turn) == key);
                stored.is_err() || (0..3).any(|key| fetch(&mut chip, key) != right(key))
            };
            for bytes in 0.. {
                let mut interrupted = chip.clone();
                let power = interrupted.power();
                power.cut_after(bytes);
                let _ = store(&mut interrupted, turn);
                if !power.is_off() {
                    break;
                }
                if lost(interrupted) {
                    return true;
                }
            }
            store(&mut chip, turn).unwrap();
        }
        assert!(chip.erases.iter().all(|erases| *erases >= 1));
        false
    }

    type Map<'a> = map::MapStorage<u8, Waiting<'a>, Uncached>;
    type Uncached = Cache<
        sequential_storage::cache::Uncached,
        sequential_storage::cache::Uncached,
        sequential_storage::cache::Uncached,
        u8,
    >;

    fn map(chip: &mut SmallChip) -> Map<'_> {
        let config = map::MapConfig::new(chip.region());
        Map::new(Waiting(chip), config, Cache::new_uncached())
    }

    fn store(chip: &mut SmallChip, turn: u8) -> Result<(), sequential_storage::Error<Fault>> {
        let value: &[u8] = &[turn; 250];
        let mut buffer = [0; 300];
        let mut map = map(chip);
        ThisThread.block_on(map.store_item(&mut buffer, &key(turn), &value))
    }

    fn fetch(chip: &mut SmallChip, key: u8) -> Option<u8> {
        let mut buffer = [0; 300];
        let mut map = map(chip);
        let value = ThisThread.block_on(map.fetch_item::<&[u8]>(&mut buffer, &key));
        value.ok().flatten().map(|value| value[0])
    }

    #[test]
    fn the_map_alone_loses_values() {
        for kind in [Cut::Forward, Cut::Backward, Cut::Zeros] {
            assert!(loses(kind), "{kind:?}");
        }
    }
}

/// A chip for whom waits.
#[cfg(feature = "conformance")]
struct Waiting<'a>(&'a mut SmallChip);

#[cfg(feature = "conformance")]
mod waiting {
    use embedded_storage::nor_flash::{NorFlash as Flash, ReadNorFlash as Readable};
    use embedded_storage_async::nor_flash::{ErrorType, NorFlash, ReadNorFlash};

    use super::{Fault, SmallChip, Waiting};

    impl ErrorType for Waiting<'_> {
        type Error = Fault;
    }

    impl ReadNorFlash for Waiting<'_> {
        const READ_SIZE: usize = SmallChip::READ_SIZE;

        async fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Fault> {
            self.0.read(offset, bytes)
        }

        fn capacity(&self) -> usize {
            self.0.capacity()
        }
    }

    impl NorFlash for Waiting<'_> {
        const WRITE_SIZE: usize = SmallChip::WRITE_SIZE;
        const ERASE_SIZE: usize = SmallChip::ERASE_SIZE;

        async fn erase(&mut self, from: u32, to: u32) -> Result<(), Fault> {
            self.0.erase(from, to)
        }

        async fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Fault> {
            self.0.write(offset, bytes)
        }
    }
}

// ---- The contract

fn open(chip: SmallChip) -> Store<SmallChip> {
    let region = chip.region();
    Store::open(chip, region).unwrap()
}

#[cfg(feature = "conformance")]
mod contract {
    use super::*;
    use keyfob::conformance;

    /// Numbers that differ in one byte or bit.
    fn alike(number: usize) -> u32 {
        [
            0,
            1,
            0x100,
            0x1_0000,
            0x100_0000,
            0x8000_0000,
            0x7fff_ffff,
            u32::MAX,
        ][number]
    }

    fn check<const READ: usize, const WORD: usize, const SECTOR: usize>(sectors: usize) {
        let mut chip = Chip::<READ, WORD, SECTOR>::blank(sectors);
        let region = chip.region();
        let mut store = FlashStore::<_, { conformance::IDS }>::open(&mut chip, region).unwrap();
        assert_eq!(conformance::check_alone(&mut store, alike), Ok(()));
        assert_eq!(store.ids().unwrap().count(), 0);
    }

    #[test]
    fn flash_of_any_words_passes() {
        check::<1, 1, 1024>(5);
        check::<1, 2, 2048>(3);
        check::<1, 4, 4096>(3);
        check::<4, 8, 4096>(16);
        check::<32, 16, 4096>(4);
        check::<1, 32, 8192>(3);
    }

    #[test]
    fn a_dead_chip_is_an_error() {
        let chip = SmallChip::blank(5);
        let power = chip.power();
        let mut store = open(chip);
        let fail = || power.cut_after(0);
        assert_eq!(conformance::check_failure(&mut store, alike, fail), Ok(()));
    }

    #[test]
    fn a_chip_that_stops_in_mid_write_is_an_error() {
        let chip = SmallChip::blank(5);
        let power = chip.power();
        let mut store = open(chip);
        let fail = || power.cut_after(11);
        assert_eq!(conformance::check_failure(&mut store, alike, fail), Ok(()));
    }
}

/// A record of the same byte over and over.
fn record(revision: u64, byte: u8, length: usize) -> Record {
    Record::from_stored(Revision::from_u64(revision), &vec![byte; length]).unwrap()
}

fn put<F: NorFlash<Error = Fault>>(
    store: &mut Store<F>,
    id: u32,
    next: Option<&Record>,
) -> Result<Swap, FlashError<Fault>> {
    let expected = store.load(&id)?.map(|record| record.revision());
    store.compare_and_swap(&id, expected, next)
}

#[test]
fn a_full_store_still_updates_and_deletes() {
    let mut store = open(SmallChip::blank(5));
    let long = record(1, 0xab, 200);
    let mut stored = 0;
    while put(&mut store, stored, Some(&long)) == Ok(Swap::Stored) {
        stored += 1;
    }
    assert_eq!(stored, 4);
    assert_eq!(put(&mut store, stored, Some(&long)), Err(FlashError::Full));
    assert_eq!(
        put(&mut store, 0, Some(&record(2, 0xab, 704))),
        Err(FlashError::Full)
    );
    for revision in 2..200 {
        let id = u32::try_from(revision % 4).unwrap();
        let next = record(revision, 0xab, 200);
        assert_eq!(put(&mut store, id, Some(&next)), Ok(Swap::Stored));
    }
    assert_eq!(put(&mut store, 0, None), Ok(Swap::Stored));
    assert_eq!(
        put(&mut store, stored, Some(&record(1, 0xab, 150))),
        Ok(Swap::Stored)
    );
}

#[test]
fn a_deleted_id_gives_its_place_back() {
    let mut store = open(SmallChip::blank(5));
    let short = record(1, 0xab, 10);
    for id in 0..6 {
        assert_eq!(put(&mut store, id, Some(&short)), Ok(Swap::Stored));
    }
    assert_eq!(put(&mut store, 6, Some(&short)), Err(FlashError::NoPlace));
    assert_eq!(put(&mut store, 0, None), Ok(Swap::Stored));
    let mut store = open(store.into_flash());
    assert_eq!(put(&mut store, 6, Some(&short)), Ok(Swap::Stored));
    assert_eq!(store.ids().unwrap().count(), 6);

    let chip = store.into_flash();
    let region = chip.region();
    let refused = FlashStore::<_, 5>::open(chip, region).unwrap_err();
    assert_eq!(refused, FlashError::NoPlace);
}

// ---- What is left on the chip

#[test]
fn what_was_deleted_or_superseded_is_erased() {
    let mut store = open(SmallChip::blank(9));
    for revision in 1..40 {
        assert_eq!(
            put(&mut store, 0, Some(&record(revision, 0xd0, 250))),
            Ok(Swap::Stored)
        );
        assert_eq!(
            put(&mut store, 1, Some(&record(revision, 0x1e, 250))),
            Ok(Swap::Stored)
        );
    }
    assert_eq!(put(&mut store, 0, None), Ok(Swap::Stored));
    assert_eq!(
        put(&mut store, 1, Some(&record(40, 0x11, 250))),
        Ok(Swap::Stored)
    );
    let mut store = open(store.into_flash());

    let chip = store.into_flash();
    assert!(chip.contains(&[0xd0; 250]) > 1 && chip.contains(&[0x1e; 250]) > 1);
    store = open(chip);
    store.erase_deleted().unwrap();
    assert_eq!(store.load(&0).unwrap().map(drop), None);
    assert_eq!(store.load(&1).unwrap().unwrap().as_bytes(), [0x11; 250]);
    let chip = store.into_flash();
    assert_eq!(chip.contains(&[0xd0; 4]), 0);
    assert_eq!(chip.contains(&[0x1e; 4]), 0);
    assert_eq!(chip.contains(&[0x11; 250]), 1);
}

// ---- Which region it is

#[test]
fn another_region_is_told() {
    let mut chip = Chip::<1, 4, 1024>::blank(10);
    let mut store = Store::open(&mut chip, 1024..9 * 1024).unwrap();
    for revision in 1..40 {
        let swap = put(&mut store, 0, Some(&record(revision, 0xab, 250)));
        assert_eq!(swap, Ok(Swap::Stored));
    }
    let before = chip.bytes.clone();
    let theirs = FlashError::OtherRegion {
        start: 1024,
        end: 9 * 1024,
    };
    for (start, end) in [
        (1, 6),
        (1, 8),
        (1, 10),
        (0, 9),
        (0, 8),
        (2, 10),
        (2, 9),
        (3, 9),
    ] {
        let region = start * 1024..end * 1024;
        assert_eq!(Store::open(&mut chip, region.clone()).unwrap_err(), theirs);
        assert_eq!(Store::salvage(&mut chip, region).unwrap_err(), theirs);
    }
    assert_eq!(chip.bytes, before);
    let mut store = Store::open(&mut chip, 1024..9 * 1024).unwrap();
    let stored = store.load(&0).unwrap().unwrap();
    assert_eq!(stored.revision(), Revision::from_u64(39));
}

#[test]
fn what_is_not_ours_is_never_erased() {
    let text = b"settings of another program\0".repeat(200);
    let mut blank_first = vec![0x5a; 5 * 1024];
    for sector in 0..5 {
        blank_first[sector * 1024..][..64].fill(0xff);
    }
    let mut one_word = vec![0xff; 5 * 1024];
    one_word[0] = 0x7f;
    let mut last_byte = vec![0xff; 5 * 1024];
    last_byte[5 * 1024 - 1] = 0;
    for bytes in [
        text[..5 * 1024].to_vec(),
        blank_first,
        one_word,
        last_byte,
        vec![0; 5 * 1024],
    ] {
        let mut chip = SmallChip::holding(bytes.clone());
        let region = chip.region();
        for _ in 0..2 {
            let refused = Store::open(&mut chip, region.clone()).unwrap_err();
            assert_eq!(refused, FlashError::Foreign);
            assert!(!refused.to_string().contains("reset"));
        }
        assert_eq!(chip.bytes, bytes);
    }
}

/// Whatever is left of the first header, the region isn't taken for somebody else's.
#[test]
fn a_region_that_was_just_begun_opens() {
    for torn in [Torn::Bytes, Torn::Bits, Torn::Unreadable, Torn::SeemsBlank] {
        for bytes in 0..60 {
            let mut chip = Chip::<1, 4, 1024>::blank(5);
            chip.torn = torn;
            for bytes in [bytes, bytes / 2] {
                let (region, power) = (chip.region(), chip.power());
                let mut store = Store::open(&mut chip, region).unwrap();
                power.cut_after(bytes);
                let swap = store.compare_and_swap(&0, None, Some(&record(1, 0xab, 30)));
                assert_eq!(swap, Err(FlashError::Flash(Fault::NoPower)));
                chip.restart();
            }
            let region = chip.region();
            let mut store = Store::open(&mut chip, region).unwrap();
            let swap = store.compare_and_swap(&0, None, Some(&record(1, 0xab, 30)));
            assert_eq!(swap, Ok(Swap::Stored));
        }
    }
}

/// An erase that was begun by `format` brings nothing back that was superseded.
#[test]
fn an_interrupted_format_brings_nothing_old_back() {
    let bytes = used();
    let mut truth = open(SmallChip::holding(bytes.clone()));
    let truth = contents(&mut truth);
    for cut in (0..6 * 1024).step_by(61) {
        let mut chip = SmallChip::holding(bytes.clone());
        chip.cut = Cut::Backward;
        chip.power().cut_after(cut);
        let region = chip.region();
        let _ = Store::format(&mut chip, region.clone());
        chip.restart();
        if let Ok(mut store) = Store::open(&mut chip, region.clone()) {
            let found = contents(&mut store);
            assert!(found.iter().all(|(id, stored)| truth[id] == *stored));
        }
        let mut store = Store::format(&mut chip, region).unwrap();
        assert_eq!(store.ids().unwrap().count(), 0);
    }
}

// ---- Decay

/// Three registrations, written again and again.
fn decaying() -> Chip<1, 4, 1024> {
    let mut chip = Chip::blank(5);
    let region = chip.region();
    let mut store = Store::open(&mut chip, region).unwrap();
    for revision in 1..30 {
        let id = u32::try_from(revision % 3).unwrap();
        let swap = put(
            &mut store,
            id,
            Some(&record(revision, revision.to_le_bytes()[0], 150)),
        );
        assert_eq!(swap, Ok(Swap::Stored));
    }
    chip
}

#[test]
fn one_flipped_bit_never_brings_an_old_record_back() {
    let sound = decaying();
    let region = sound.region();
    let truth = contents(&mut Store::open(sound.clone(), region.clone()).unwrap());
    let (mut told, mut kept) = (0, 0);
    for bit in (0..sound.bytes.len() * 8).step_by(7) {
        let mut chip = sound.clone();
        chip.bytes[bit / 8] ^= 1 << (bit % 8);
        match Store::open(&mut chip, region.clone()) {
            Ok(mut store) => {
                assert_eq!(contents(&mut store), truth, "bit {bit}");
                kept += 1;
            }
            Err(error) => {
                assert_eq!(error, FlashError::Damaged, "bit {bit}");
                told += 1;
            }
        }
    }
    assert!(told > 1_000 && kept > 1_000, "{told} told, {kept} kept");
}

/// What can be read of a damaged region can be taken over, and nothing is written meanwhile.
#[test]
fn a_damaged_region_can_be_salvaged() {
    let mut chip = decaying();
    let region = chip.region();
    let place = chip
        .bytes
        .windows(150)
        .rposition(|bytes| bytes == [29; 150]);
    chip.bytes[place.unwrap() + 70] ^= 0x10;
    let before = chip.bytes.clone();
    let damaged = Store::open(&mut chip, region.clone()).unwrap_err();
    assert_eq!(damaged, FlashError::Damaged);
    assert!(!damaged.to_string().contains("format"));

    let mut store = Store::salvage(&mut chip, region.clone()).unwrap();
    assert_eq!(store.ids().unwrap().count(), 3);
    let revision =
        |store: &mut Store<&mut _>, id| store.load(&id).unwrap().unwrap().revision().as_u64();
    assert_eq!([0, 1, 2].map(|id| revision(&mut store, id)), [27, 28, 26]);
    let swap = store.compare_and_swap(&1, Some(Revision::from_u64(28)), None);
    assert_eq!(swap, Err(FlashError::Damaged));
    assert_eq!(store.erase_deleted(), Err(FlashError::Damaged));
    assert_eq!(chip.bytes, before);
    assert!(Store::format(&mut chip, region).is_ok());
}

// ---- Worn sectors

#[test]
fn a_worn_sector_is_passed_over() {
    for defect in [Defect::Erase, Defect::Write] {
        for sector in 0..9 {
            let mut chip = decaying_over(9);
            chip.defects[sector] = Some(defect);
            let region = chip.region();
            let mut store = Store::open(&mut chip, region.clone()).unwrap();
            for revision in 100..300 {
                let id = u32::try_from(revision % 3).unwrap();
                let swap = put(&mut store, id, Some(&record(revision, 0xab, 150)));
                assert_eq!(swap, Ok(Swap::Stored), "{defect:?} {sector} {revision}");
            }
            let mut store = Store::open(&mut chip, region).unwrap();
            assert_eq!(store.ids().unwrap().count(), 3);
        }
    }
}

/// The same in so many sectors.
fn decaying_over(sectors: usize) -> Chip<1, 4, 1024> {
    let mut chip = Chip::blank(sectors);
    let region = chip.region();
    let mut store = Store::open(&mut chip, region).unwrap();
    for id in 0..3 {
        let swap = store.compare_and_swap(&id, None, Some(&record(1, 0xcd, 150)));
        assert_eq!(swap, Ok(Swap::Stored));
    }
    chip
}

#[test]
fn sectors_that_cannot_be_erased_can_be_read() {
    let mut chip = decaying();
    chip.defects.fill(Some(Defect::Erase));
    let region = chip.region();
    let mut store = Store::open(&mut chip, region.clone()).unwrap();
    let truth = contents(&mut store);
    let mut refused = 0;
    for revision in 100..150 {
        let swap = put(&mut store, 0, Some(&record(revision, 0xab, 150)));
        refused += usize::from(swap == Err(FlashError::Flash(Fault::Worn)));
        let found = contents(&mut store);
        assert_eq!((&found[&1], &found[&2]), (&truth[&1], &truth[&2]));
    }
    assert!(refused > 40, "{refused}");
    assert_eq!(
        Store::open(&mut chip, region)
            .unwrap()
            .ids()
            .unwrap()
            .count(),
        3
    );
}

#[test]
fn a_worn_sector_is_left_out_by_format() {
    let mut chip = decaying();
    let region = chip.region();
    chip.defects[2] = Some(Defect::Erase);
    let mut store = Store::format(&mut chip, region.clone()).unwrap();
    for revision in 1..60 {
        let swap = put(&mut store, 0, Some(&record(revision, 0xab, 150)));
        assert_eq!(swap, Ok(Swap::Stored));
    }
    let mut store = Store::open(&mut chip, region).unwrap();
    assert_eq!(store.ids().unwrap().collect::<Vec<_>>(), [0]);
}

// ---- Hostile flash

/// Whatever the chip holds, the store says what is wrong or works, and can be formatted.
fn survive(bytes: Vec<u8>) {
    let mut chip = SmallChip::holding(bytes);
    let region = chip.region();
    if let Ok(mut store) = Store::open(&mut chip, region.clone()) {
        let ids: Vec<u32> = store.ids().unwrap().collect();
        for id in ids.into_iter().chain([0, 7]) {
            let _ = store.load(&id);
            let expected = store
                .load(&id)
                .ok()
                .flatten()
                .map(|record| record.revision());
            let _ = store.compare_and_swap(&id, expected, Some(&record(9, 0xab, 250)));
            let _ = store.compare_and_swap(&id, Some(Revision::from_u64(9)), None);
        }
        let _ = store.erase_deleted();
    }
    let mut store = Store::format(&mut chip, region).unwrap();
    assert_eq!(store.ids().unwrap().count(), 0);
    assert_eq!(
        store.compare_and_swap(&0, None, Some(&record(1, 0xab, 250))),
        Ok(Swap::Stored)
    );
}

/// A region that has been in use.
fn used() -> Vec<u8> {
    let mut store = open(SmallChip::blank(5));
    for revision in 1..30 {
        let id = u32::try_from(revision % 3).unwrap();
        assert_eq!(
            put(&mut store, id, Some(&record(revision, 0xcd, 150))),
            Ok(Swap::Stored)
        );
    }
    assert_eq!(put(&mut store, 2, None), Ok(Swap::Stored));
    store.into_flash().bytes
}

#[test]
fn a_region_of_one_byte_over_and_over_is_survived() {
    for byte in 0..=u8::MAX {
        survive(vec![byte; 5 * 1024]);
    }
}

proptest! {
    #[test]
    fn a_region_of_any_bytes_is_survived(
        bytes in prop::collection::vec(any::<u8>(), 5 * 1024),
        marks: [u8; 10],
    ) {
        let mut bytes = bytes;
        for (sector, marks) in marks.chunks(2).enumerate() {
            bytes[sector * 1024] = marks[0];
            bytes[sector * 1024 + 1023] = marks[1];
        }
        survive(bytes);
    }

    #[test]
    fn damage_anywhere_is_survived(damage in prop::collection::vec((0..5 * 1024_usize, any::<u8>()), 1..40)) {
        let mut bytes = used();
        for (place, byte) in damage {
            bytes[place] = byte;
        }
        survive(bytes);
    }
}

/// Items of another map, of all lengths: shorter than our keys, and longer than our records.
#[cfg(feature = "conformance")]
#[test]
fn another_layout_is_refused() {
    for key in [0, 1, 2, 0xff] {
        for length in [0, 1, 3, 4, 5, 12, 723, 1_000] {
            survive(another_layout(key, length));
        }
    }
    let chip = SmallChip::holding(another_layout(0xff, 100));
    let region = chip.region();
    assert_eq!(Store::open(chip, region).unwrap_err(), FlashError::Foreign);
}

/// A record of ours under id 7, in the first form, and then an item of a map whose keys have one byte.
#[cfg(feature = "conformance")]
fn another_layout(key: u8, length: usize) -> Vec<u8> {
    let mut chip = SmallChip::blank(5);
    first_form::store(&mut chip, 7, Some((1, &[0xab; 50]))).unwrap();
    first_form::store_item(&mut chip, &[key], &vec![0; length]).unwrap();
    chip.bytes
}

/// Regions as earlier versions wrote them.
#[cfg(feature = "conformance")]
mod first_form {
    use keyfob::conformance::{BlockOn as _, ThisThread};
    use sequential_storage::{Error, cache::Cache, map};

    use super::*;

    /// One of 1 to 5 bytes.
    pub(super) fn store_item<const KEY: usize>(
        chip: &mut SmallChip,
        key: &[u8; KEY],
        value: &[u8],
    ) -> Result<(), Error<Fault>> {
        let config = map::MapConfig::new(chip.region());
        let cache = Cache::new_uncached();
        let mut map = map::MapStorage::<[u8; KEY], _, _>::new(Waiting(chip), config, cache);
        ThisThread.block_on(map.store_item(&mut [0; 1024], key, &value))
    }

    /// What was stored under an id, or that it was deleted.
    pub(super) fn store(
        chip: &mut SmallChip,
        id: u32,
        record: Option<(u64, &[u8])>,
    ) -> Result<(), Error<Fault>> {
        let [a, b, c, d] = id.to_le_bytes();
        let value = record.map(|(revision, bytes)| [&revision.to_le_bytes(), bytes].concat());
        store_item(chip, &[1, a, b, c, d], &value.unwrap_or_default())
    }
}

#[cfg(feature = "conformance")]
mod opened_first_form {
    use super::*;

    /// What was stored under each id, and deleted again.
    type Stored = BTreeMap<u32, (u64, Vec<u8>)>;

    fn stored(chip: &mut SmallChip) -> Stored {
        let region = chip.region();
        let mut store = Store::open(chip, region).unwrap_or_else(|error| panic!("{error}"));
        let contents = contents(&mut store).into_iter();
        contents
            .map(|(id, (revision, bytes))| (id, (revision.as_u64(), bytes)))
            .collect()
    }

    /// What is written in so many turns: one registration stays as it is, so that it must be copied.
    fn write(chip: &mut SmallChip, stored: &mut Stored, turn: u64) -> bool {
        let id = if turn == 0 {
            0
        } else {
            1 + u32::try_from(turn % 2).unwrap()
        };
        let is_deletion = turn % 11 == 10;
        let bytes = vec![turn.to_le_bytes()[0]; 200];
        if is_deletion {
            stored.remove(&id)
        } else {
            stored.insert(id, (turn, bytes.clone()))
        };
        let record = (!is_deletion).then_some((turn, bytes.as_slice()));
        first_form::store(chip, id, record).is_ok()
    }

    /// A region that was in use for so many turns.
    fn region(turns: u64) -> (SmallChip, Stored) {
        let (mut chip, mut contents) = (SmallChip::blank(5), Stored::new());
        for turn in 0..turns {
            assert!(write(&mut chip, &mut contents, turn));
        }
        (chip, contents)
    }

    /// Goes on in the present form until nothing of the first is left.
    fn pass(chip: &mut SmallChip, contents: &Stored) {
        let region = chip.region();
        let mut store = Store::open(&mut *chip, region).unwrap();
        for revision in 1_000..1_030 {
            assert_eq!(
                put(&mut store, 5, Some(&record(revision, 0xab, 200))),
                Ok(Swap::Stored)
            );
        }
        store.erase_deleted().unwrap();
        let mut after = stored(chip);
        assert!(after.remove(&5).is_some());
        assert_eq!(after, *contents);
    }

    #[test]
    fn a_region_in_the_first_form_opens_and_passes_to_the_present_one() {
        for turns in 0..60 {
            let (mut chip, contents) = region(turns);
            let before = chip.bytes.clone();
            assert_eq!(stored(&mut chip), contents);
            assert_eq!(chip.bytes, before);
            pass(&mut chip, &contents);
        }
    }

    /// The map itself loses values by these cuts.
    #[test]
    fn a_cut_in_the_first_form_loses_nothing() {
        for (kind, step) in [
            (Cut::Forward, 23),
            (Cut::Backward, 41),
            (Cut::Zeros, 89),
            (Cut::Random, 97),
        ] {
            let (mut chip, mut contents) = region(0);
            (chip.cut, chip.torn) = (kind, Torn::Bytes);
            // Before anything was stored, nothing tells what it is.
            assert!(write(&mut chip, &mut contents, 0));
            for turn in 1..45 {
                for bytes in (0..).step_by(step) {
                    let (mut cut, mut after) = (chip.clone(), contents.clone());
                    let power = cut.power();
                    power.cut_after(bytes);
                    write(&mut cut, &mut after, turn);
                    if !power.is_off() {
                        break;
                    }
                    cut.restart();
                    let found = stored(&mut cut);
                    assert!(
                        found == contents || found == after,
                        "{kind:?} {turn} {bytes}"
                    );
                    pass(&mut cut, &found);
                }
                assert!(write(&mut chip, &mut contents, turn));
            }
        }
    }

    /// Garbage in a sector that was being erased looks like the beginning of an item that is longer
    /// than any.
    #[test]
    fn a_false_header_in_a_half_erased_sector_is_no_item() {
        let (mut chip, contents) = region(40);
        let free = free_sector(&chip);
        let sector = &mut chip.bytes[free * 1024..][..1024];
        sector[0] = 0;
        sector[200..400].fill(0x5a);
        sector[404..408].copy_from_slice(&[0xb8, 0x0b, 0, 0]);
        let false_header = (0..=u16::MAX).find(|sum| {
            sector[406..408].copy_from_slice(&sum.to_le_bytes());
            length_checksum([0xb8, 0x0b]) == *sum
        });
        assert!(false_header.is_some());
        let mut chip = SmallChip::holding(chip.bytes);
        assert_eq!(stored(&mut chip), contents);
        pass(&mut chip, &contents);
    }

    /// A copy was being erased, to be made again, and all that is left of it are both its marks.
    #[test]
    fn a_half_erased_sector_that_seems_full_is_left_out() {
        let mut found = 0;
        for turns in 20..60 {
            let (mut chip, contents) = region(turns);
            let free = free_sector(&chip);
            let newest = (free + 4) % 5;
            // The newest is full; what comes next isn't begun.
            chip.bytes[newest * 1024 + 1023] = 0;
            let sector = &mut chip.bytes[free * 1024..][..1024];
            sector.fill(0x5a);
            (sector[0], sector[1023]) = (0, 0);
            let mut chip = SmallChip::holding(chip.bytes);
            assert_eq!(stored(&mut chip), contents, "{turns}");
            pass(&mut chip, &contents);
            found += 1;
        }
        assert!(found > 10);
    }

    /// The control for the test of flipped bits: in the first form they bring old records back.
    #[test]
    fn the_first_form_does_not_tell_a_flipped_bit() {
        let (chip, contents) = region(40);
        let old = (0..chip.bytes.len()).step_by(97).filter(|byte| {
            let mut bytes = chip.bytes.clone();
            bytes[*byte] ^= 0x10;
            stored(&mut SmallChip::holding(bytes)) != contents
        });
        assert!(old.count() > 0);
    }

    /// The one that has no mark.
    fn free_sector(chip: &SmallChip) -> usize {
        (0..5)
            .find(|sector| chip.bytes[sector * 1024] == 0xff)
            .unwrap()
    }

    /// CRC-16F/4.2, as the map has it.
    fn length_checksum(length: [u8; 2]) -> u16 {
        let mut sum = 0xffff_u16;
        for byte in length {
            sum ^= u16::from(byte);
            for _ in 0..8 {
                sum = if sum & 1 == 1 {
                    (sum >> 1) ^ 0x1a2e
                } else {
                    sum >> 1
                };
            }
        }
        (sum ^ 0xffff).min(0xfffe)
    }
}

#[test]
fn an_unfit_region_is_refused() {
    let refused = |region| {
        let store = Store::open(SmallChip::blank(8), region);
        assert_eq!(store.map(drop), Err(FlashError::Region));
    };
    #[allow(clippy::reversed_empty_ranges)] // as somebody might write it
    let reversed = 5120..0;
    for region in [
        reversed,
        0..0,
        0..2048,
        0..3072,
        1..5121,
        0..5121,
        4096..9216,
        0..u32::MAX,
    ] {
        refused(region);
    }
}

#[test]
fn the_store_is_small() {
    assert!(size_of::<FlashStore<(), 4>>() <= 136);
    assert!(size_of::<FlashStore<(), 32>>() <= 808);
}
