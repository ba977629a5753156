//! A flash store against a map that forgets nothing: any sequence of swaps, restarts and power cuts.

use std::collections::BTreeMap;

use keyfob::{FlashError, FlashStore, Record, RegistrationStore as _, Revision, Swap};

use super::chip::{Chip, Cut, Defect, Fault, Torn, random};

/// Places of the store; one id more is tried.
const IDS: usize = 5;

const CUTS: [Cut; 5] = [
    Cut::Forward,
    Cut::Backward,
    Cut::Zeros,
    Cut::Scattered,
    Cut::Random,
];
const TORN: [Torn; 4] = [Torn::Bytes, Torn::Bits, Torn::Unreadable, Torn::SeemsBlank];

type Store<'a, const READ: usize, const WORD: usize, const SECTOR: usize> =
    FlashStore<&'a mut Chip<READ, WORD, SECTOR>, IDS>;

/// Something that happens to the store.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event {
    action: Action,
    power: Supply,
}

#[derive(Clone, Copy, Debug)]
enum Supply {
    Mains,
    /// It goes after so many bytes.
    CutAfter(u64),
    /// It goes after so many bytes that are erased.
    CutErasingAfter(u64),
}

#[derive(Clone, Copy, Debug)]
enum Action {
    Store { id: u32, length: usize },
    Delete { id: u32 },
    EraseDeleted,
    Restart,
}

impl Action {
    fn from_bytes(action: u8, length: u8) -> Self {
        let id = u32::from(action) % 6;
        match action / 6 {
            0..36 => Self::Store {
                id,
                length: usize::from(length) * 704 / 255,
            },
            36..40 => Self::Delete { id },
            40 => Self::EraseDeleted,
            _ => Self::Restart,
        }
    }
}

impl Event {
    /// One of any four bytes.
    pub(crate) fn from_bytes([action, length, low, high]: [u8; 4]) -> Self {
        let cut = u16::from_le_bytes([low, high]);
        let power = match cut {
            0x8000.. => Supply::CutAfter(u64::from(cut % 0x1000)),
            _ => Supply::Mains,
        };
        let action = Action::from_bytes(action, length);
        Self { action, power }
    }

    /// One of a random life. Cuts come in pairs and more, and many of them in an erase.
    fn random(state: &mut u64, sector: usize) -> Self {
        let [action, length, kind, _] = random(state).to_le_bytes();
        let erase_deleted = kind >= 0xf0;
        let action = if erase_deleted {
            Action::EraseDeleted
        } else {
            Action::from_bytes(action, length)
        };
        let bytes = |state: &mut u64, most: usize| u64::from(random(state)) % most as u64;
        let power = match random(state) % 8 {
            0 => Supply::CutAfter(bytes(state, 800)),
            1 => Supply::CutAfter(bytes(state, 4 * sector)),
            2 => Supply::CutErasingAfter(bytes(state, 2 * sector)),
            _ => Supply::Mains,
        };
        Self { action, power }
    }
}

/// What is stored, by id.
type Contents = BTreeMap<u32, (Revision, Vec<u8>)>;

/// A chip, and what must be on it.
pub(crate) struct World<const READ: usize, const WORD: usize, const SECTOR: usize> {
    pub(crate) chip: Chip<READ, WORD, SECTOR>,
    contents: Contents,
    revision: u64,
}

impl<const READ: usize, const WORD: usize, const SECTOR: usize> World<READ, WORD, SECTOR> {
    /// On a chip whose power leaves behind what this number says.
    pub(crate) fn new(sectors: usize, kind: u8) -> Self {
        let mut chip = Chip::blank(sectors);
        let kind = usize::from(kind);
        chip.cut = CUTS[kind % CUTS.len()];
        chip.torn = TORN[kind / CUTS.len() % TORN.len()];
        Self {
            chip,
            contents: Contents::new(),
            revision: 0,
        }
    }

    /// A life of so many events; the same for the same seed.
    #[allow(dead_code)] // the fuzzer makes its own
    pub(crate) fn live_randomly(seed: u64, sectors: usize, events: usize) {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        for _ in 0..8 {
            let _ = random(&mut state);
        }
        let mut world = Self::new(sectors, random(&mut state).to_le_bytes()[0]);
        if sectors > 4 && random(&mut state).is_multiple_of(8) {
            let defect = [Defect::Erase, Defect::Write][random(&mut state) as usize % 2];
            let sector = random(&mut state) as usize % sectors;
            world.chip.defects[sector] = Some(defect);
        }
        let events: Vec<Event> = (0..events)
            .map(|_| Event::random(&mut state, SECTOR))
            .collect();
        world.live(&events);
    }

    /// Lets the events happen, the store staying open until it fails or is restarted.
    pub(crate) fn live(&mut self, events: &[Event]) {
        let mut events = events.iter();
        while !events.as_slice().is_empty() {
            self.chip.restart();
            let is_worn = self.chip.defects.iter().any(Option::is_some);
            let region = self.chip.region();
            let power = self.chip.power();
            let mut store = Store::open(&mut self.chip, region).unwrap();
            check(&mut store, &self.contents);
            for event in events.by_ref() {
                match event.power {
                    Supply::Mains => power.cut_after(u64::MAX),
                    Supply::CutAfter(bytes) => power.cut_after(bytes),
                    Supply::CutErasingAfter(bytes) => power.cut_erasing_after(bytes),
                }
                let mut after = self.contents.clone();
                self.revision = next_revision(self.revision);
                let answer = act(&mut store, event.action, &mut after, self.revision);
                let is_off = power.is_off();
                power.cut_after(u64::MAX);
                if is_off || (is_worn && answer == Err(FlashError::Flash(Fault::Worn))) {
                    drop(store);
                    self.settle(&after, answer.is_ok());
                    break;
                }
                match answer {
                    Ok(()) => self.contents = after,
                    Err(FlashError::Full | FlashError::NoPlace) => {}
                    Err(error) => panic!("{event:?}: {error:?}"),
                }
                match event.action {
                    Action::Restart => break,
                    Action::EraseDeleted => check(&mut store, &self.contents),
                    Action::Store { id, .. } | Action::Delete { id } => {
                        check_one(&mut store, &self.contents, id);
                    }
                }
            }
        }
    }

    /// After a power cut: what was answered is stored, and what wasn't may be.
    fn settle(&mut self, after: &Contents, is_answered: bool) {
        self.chip.restart();
        let region = self.chip.region();
        let mut store = Store::open(&mut self.chip, region).unwrap();
        if is_answered || stored(&mut store) == *after {
            self.contents.clone_from(after);
        }
        check(&mut store, &self.contents);
    }
}

/// Revisions have no order.
fn next_revision(before: u64) -> u64 {
    before
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407)
}

fn check<const READ: usize, const WORD: usize, const SECTOR: usize>(
    store: &mut Store<'_, READ, WORD, SECTOR>,
    contents: &Contents,
) {
    (0..6).for_each(|id| check_one(store, contents, id));
    assert_eq!(store.ids().unwrap().count(), contents.len());
}

fn check_one<const READ: usize, const WORD: usize, const SECTOR: usize>(
    store: &mut Store<'_, READ, WORD, SECTOR>,
    contents: &Contents,
    id: u32,
) {
    let stored = store.load(&id).unwrap();
    let stored = stored.map(|record| (record.revision(), record.as_bytes().to_vec()));
    assert_eq!(stored.as_ref(), contents.get(&id));
}

fn stored<const READ: usize, const WORD: usize, const SECTOR: usize>(
    store: &mut Store<'_, READ, WORD, SECTOR>,
) -> Contents {
    let ids: Vec<u32> = store.ids().unwrap().collect();
    let load = |id| {
        let record = store.load(&id).unwrap().unwrap();
        (id, (record.revision(), record.as_bytes().to_vec()))
    };
    ids.into_iter().map(load).collect()
}

/// Acts, and turns `contents` into what is stored if that succeeds.
fn act<const READ: usize, const WORD: usize, const SECTOR: usize>(
    store: &mut Store<'_, READ, WORD, SECTOR>,
    action: Action,
    contents: &mut Contents,
    revision: u64,
) -> Result<(), FlashError<Fault>> {
    let mut swap = |id, next: Option<&Record>| {
        let expected = contents.get(&id).map(|(revision, _)| *revision);
        let other = Some(Revision::from_u64(u64::MAX));
        assert_eq!(store.compare_and_swap(&id, other, next), Ok(Swap::Conflict));
        match next {
            Some(next) => contents.insert(id, (next.revision(), next.as_bytes().to_vec())),
            None => contents.remove(&id),
        };
        let swap = store.compare_and_swap(&id, expected, next)?;
        assert_eq!(swap, Swap::Stored);
        Ok(())
    };
    match action {
        Action::Store { id, length } => {
            let bytes: Vec<u8> = (revision.to_le_bytes().into_iter().cycle())
                .take(length)
                .collect();
            let record = Record::from_stored(Revision::from_u64(revision), &bytes).unwrap();
            swap(id, Some(&record))
        }
        Action::Delete { id } => swap(id, None),
        Action::EraseDeleted => store.erase_deleted(),
        Action::Restart => Ok(()),
    }
}
