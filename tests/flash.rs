//! The flash store on a chip whose power goes at every byte that is written or erased.
//!
//! Set `KEYFOB_EVERY_CUT` to interrupt each recovery at every byte too, which takes minutes in a
//! release build.
#![cfg(all(feature = "flash", feature = "sha2"))]

#[path = "support/chip.rs"]
mod chip;

use std::collections::BTreeMap;
use std::env;
use std::fmt::Debug;

use chip::{Chip, Cut, Fault};
use embedded_storage::nor_flash::NorFlash;
use keyfob::{
    Code, Engine, Entropy, EntropyError, Error, FlashError, FlashStore, Migration, Params, Policy,
    Record, RegistrationStore, Rejection, Revision, Secret, Swap, Totp, TotpParams, UnixTime,
};
use proptest::prelude::*;

const START: UnixTime = UnixTime::from_seconds(1_800_000_000);
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
fn engine<F: NorFlash<Error = Fault>>(
    flash: F,
    region: std::ops::Range<u32>,
) -> Answer<Engine<Store<F>>> {
    let store = Store::open(flash, region).map_err(Error::Store)?;
    Ok(Engine::new(store, Policy::strict()))
}

fn perform<F: NorFlash<Error = Fault>>(
    engine: &mut Engine<Store<F>>,
    request: Request,
) -> Answer<()> {
    match request {
        Request::Migrate(id) => {
            let migration = Migration::new(secret(id), Params::Totp(TotpParams::DEFAULT));
            let entropy = &mut Counting(id.into());
            engine.migrate(&id, &migration, START, entropy).map(drop)
        }
        Request::LogIn(id, step) => {
            let code = code(id, step);
            engine.authenticate(&id, &code, moment(step)).map(drop)
        }
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
    fn new(sectors: usize, cut: Cut) -> Self {
        let mut chip = Chip::blank(sectors);
        chip.cut = cut;
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
            (Request::Guess(..), Err(Error::Rejected(Rejection::Mismatch)))
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
        let answer = restart(&mut cut.chip, request, Some(bytes));
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
                assert_eq!(again, Err(Error::Rejected(Rejection::Replayed)));
            }
        }
        self.check_request(&mut engine, request, found == after.contents);
        for id in contents(engine.store()).into_keys() {
            perform(&mut engine, Request::LogIn(id, 5_000)).unwrap();
            let again = perform(&mut engine, Request::LogIn(id, 5_000));
            assert_eq!(again, Err(Error::Rejected(Rejection::Replayed)));
        }
    }

    /// The request that was interrupted, made once more.
    fn check_request<F: NorFlash<Error = Fault>>(
        &self,
        engine: &mut Engine<Store<F>>,
        request: Request,
        is_stored: bool,
    ) {
        let again = perform(engine, request).map_err(|error| error.rejection());
        let rejected = |rejection| Err(Some(rejection));
        let right = match request {
            Request::EraseDeleted => Ok(()),
            Request::Guess(..) => rejected(Rejection::Mismatch),
            _ if !is_stored => Ok(()),
            Request::LogIn(..) => rejected(Rejection::Replayed),
            Request::Migrate(_) => rejected(Rejection::AlreadyRegistered),
            Request::Delete(_) => rejected(Rejection::Unknown),
        };
        assert_eq!(again, right, "{request:?}");
    }
}

/// Opens the store and makes a request, with power for so many bytes.
fn restart<const READ: usize, const WORD: usize, const SECTOR: usize>(
    chip: &mut Chip<READ, WORD, SECTOR>,
    request: Request,
    bytes: Option<u64>,
) -> Answer<()> {
    let region = chip.region();
    if let Some(bytes) = bytes {
        chip.power().cut_after(bytes);
    }
    perform(&mut engine(chip, region)?, request)
}

/// A day in the life of a device: it fills its sectors twice and more.
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

/// Cuts the power at every byte of every request, and at some bytes of the recovery.
fn cut_everywhere<const READ: usize, const WORD: usize, const SECTOR: usize>(
    sectors: usize,
    cut: Cut,
    log_ins: u64,
) {
    let mut device = Device::<READ, WORD, SECTOR>::new(sectors, cut);
    let mut cuts = 0;
    for request in requests(log_ins) {
        let after = device.after(request);
        let all = (0..).map_while(|bytes| device.cut(request, bytes));
        for interrupted in all {
            interrupted.check(request, &after);
            cuts += 1;
        }
        device = after;
    }
    let erases = device.chip.erases.iter().min().unwrap();
    println!("{cuts} cuts; each sector was erased {erases} times at least");
    assert!(*erases >= 2);
}

#[test]
fn bytes_forward() {
    cut_everywhere::<1, 1, 1024>(5, Cut::Forward, 30);
}

#[test]
fn words_forward() {
    cut_everywhere::<1, 4, 1024>(5, Cut::Forward, 30);
}
#[test]
fn words_backward() {
    cut_everywhere::<1, 4, 1024>(5, Cut::Backward, 30);
}
#[test]
fn words_zeros() {
    cut_everywhere::<1, 4, 1024>(5, Cut::Zeros, 30);
}
#[test]
fn words_scattered() {
    cut_everywhere::<1, 4, 1024>(5, Cut::Scattered, 30);
}
