//! A flash store against a map that forgets nothing: any sequence of swaps, restarts and power cuts.

use std::collections::BTreeMap;

use keyfob::{FlashError, FlashStore, Record, RegistrationStore as _, Revision, Swap};

use super::chip::{Chip, Cut, Fault};

/// Places of the store; one id more is tried.
const IDS: usize = 5;
const SECTORS: usize = 5;

type SmallChip = Chip<1, 4, 1024>;
type Store<'a> = FlashStore<&'a mut SmallChip, IDS>;

/// Something that happens to the store, made of any four bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event {
    action: Action,
    /// The power goes after so many bytes.
    cut_after: Option<u64>,
}

#[derive(Clone, Copy, Debug)]
enum Action {
    Store { id: u32, length: usize },
    Delete { id: u32 },
    EraseDeleted,
    Restart,
}

impl Event {
    pub(crate) fn from_bytes([action, length, low, high]: [u8; 4]) -> Self {
        let id = u32::from(action) % 6;
        let action = match action / 6 {
            0..36 => Action::Store {
                id,
                length: usize::from(length) * 704 / 255,
            },
            36..40 => Action::Delete { id },
            40 => Action::EraseDeleted,
            _ => Action::Restart,
        };
        let cut = u16::from_le_bytes([low, high]);
        let cut_after = (cut >= 0x8000).then_some(u64::from(cut % 0x1000));
        Self { action, cut_after }
    }
}

/// What is stored, by id.
type Contents = BTreeMap<u32, (Revision, Vec<u8>)>;

/// A chip, and what must be on it.
pub(crate) struct World {
    chip: SmallChip,
    contents: Contents,
    next_revision: u64,
}

impl World {
    pub(crate) fn new(cut: u8) -> Self {
        let mut chip = SmallChip::blank(SECTORS);
        let cuts = [Cut::Forward, Cut::Backward, Cut::Zeros, Cut::Scattered];
        chip.cut = cuts[usize::from(cut) % cuts.len()];
        Self {
            chip,
            contents: Contents::new(),
            next_revision: 0,
        }
    }

    /// Lets the events happen, the store staying open until it fails or is restarted.
    pub(crate) fn live(&mut self, events: &[Event]) {
        let mut events = events.iter();
        while !events.as_slice().is_empty() {
            self.chip.restart();
            let region = self.chip.region();
            let power = self.chip.power();
            let mut store = Store::open(&mut self.chip, region).unwrap();
            check(&mut store, &self.contents);
            for event in events.by_ref() {
                power.cut_after(event.cut_after.unwrap_or(u64::MAX));
                let mut after = self.contents.clone();
                self.next_revision += 1;
                let answer = act(&mut store, event.action, &mut after, self.next_revision);
                if power.is_off() {
                    drop(store);
                    self.settle(&after, answer.is_ok());
                    break;
                }
                assert!(!matches!(answer, Err(FlashError::Flash(_))), "{answer:?}");
                if answer.is_ok() {
                    self.contents = after;
                }
                power.cut_after(u64::MAX);
                check(&mut store, &self.contents);
                if matches!(event.action, Action::Restart) {
                    break;
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

fn check(store: &mut Store<'_>, contents: &Contents) {
    assert_eq!(stored(store), *contents);
    for id in 0..6 {
        assert_eq!(
            store.load(&id).unwrap().is_some(),
            contents.contains_key(&id)
        );
    }
}

fn stored(store: &mut Store<'_>) -> Contents {
    let ids: Vec<u32> = store.ids().unwrap().collect();
    let load = |id| {
        let record = store.load(&id).unwrap().unwrap();
        (id, (record.revision(), record.as_bytes().to_vec()))
    };
    ids.into_iter().map(load).collect()
}

/// Acts, and turns `contents` into what is stored if that succeeds.
fn act(
    store: &mut Store<'_>,
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
