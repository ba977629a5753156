//! What a store should hold: the contract itself, in a map.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;

use super::numbered::Subject;
use super::violation::Shown;
use super::{Duty, IDS, Violation};
use crate::{Record, Revision, Swap};

/// The records that should be stored now, by number. A swap goes to the store and to the map, and
/// the store must do what the map does.
#[derive(Default)]
pub(super) struct Model(BTreeMap<usize, Record>);

impl Model {
    fn stored(&self, number: usize) -> Option<&Record> {
        self.0.get(&number)
    }

    pub(super) fn revision(&self, number: usize) -> Option<Revision> {
        self.stored(number).map(Record::revision)
    }

    /// Takes note of a swap that was stored.
    pub(super) fn note(&mut self, number: usize, next: Option<&Record>) {
        match next {
            Some(next) => self.0.insert(number, next.clone()),
            None => self.0.remove(&number),
        };
    }

    /// Swaps whatever is stored for `next`.
    pub(super) fn put(
        &mut self,
        store: &mut Subject<'_>,
        number: usize,
        next: Option<&Record>,
    ) -> Result<(), Violation> {
        self.swap(store, number, self.revision(number), next)
    }

    /// Swaps, and compares the outcome and all that is stored then.
    pub(super) fn swap(
        &mut self,
        store: &mut Subject<'_>,
        number: usize,
        expected: Option<Revision>,
        next: Option<&Record>,
    ) -> Result<(), Violation> {
        let (right, duty, afterwards) = if self.revision(number) == expected {
            (Swap::Stored, Duty::Progress, Duty::Exactness)
        } else {
            (Swap::Conflict, Duty::Refusal, Duty::Restraint)
        };
        let seen = store.compare_and_swap(&number, expected, next)?;
        if seen != right {
            let swap = self.in_words(number, expected, next);
            let right = format!("{right:?} for a swap {swap}");
            return Err(Violation::new(duty, right, format!("{seen:?}")));
        }
        if right == Swap::Stored {
            self.note(number, next);
        }
        self.compare(store, number, afterwards)?;
        self.compare_all(store, Duty::Separation)
    }

    fn in_words(&self, number: usize, expected: Option<Revision>, next: Option<&Record>) -> String {
        let (stored, next) = (Shown(self.stored(number)), Shown(next));
        let expected = revision_in_words(expected);
        format!("from {expected} to {next}, over {stored}")
    }

    /// Compares all that is stored with what should be.
    pub(super) fn compare_all(&self, store: &mut Subject<'_>, duty: Duty) -> Result<(), Violation> {
        (0..IDS).try_for_each(|number| self.compare(store, number, duty))
    }

    pub(super) fn compare(
        &self,
        store: &mut Subject<'_>,
        number: usize,
        duty: Duty,
    ) -> Result<(), Violation> {
        let seen = store.load(&number)?;
        self.judge(number, seen.as_ref(), duty)
    }

    /// Whether what was loaded is what should be stored.
    pub(super) fn judge(
        &self,
        number: usize,
        seen: Option<&Record>,
        duty: Duty,
    ) -> Result<(), Violation> {
        let right = self.stored(number);
        if contents(right) == contents(seen) {
            return Ok(());
        }
        Err(Violation::loaded(duty, right, seen))
    }
}

fn contents(record: Option<&Record>) -> Option<(Revision, &[u8])> {
    record.map(|record| (record.revision(), record.as_bytes()))
}

pub(super) fn revision_in_words(revision: Option<Revision>) -> String {
    revision.map_or_else(
        || String::from("nothing"),
        |revision| format!("revision {}", revision.as_u64()),
    )
}
