//! The contract as one handle, or one handle after the other, can see it.

use alloc::format;
use alloc::vec::Vec;

use super::model::Model;
use super::numbered::Subject;
use super::{Duty, IDS, Violation};
use crate::{Record, RegistrationStore, Revision};

/// Where a number that was squeezed into something smaller, or into a floating-point number, comes
/// back as another one.
const REVISIONS: [u64; 10] = [
    0,
    1,
    0x7fff_ffff,
    0xffff_ffff,
    0x1_0000_0000,
    0x20_0000_0000_0001,
    0x7fff_ffff_ffff_ffff,
    0x8000_0000_0000_0000,
    0xffff_ffff_ffff_fffe,
    0xffff_ffff_ffff_ffff,
];

/// Each lies on another side of the one before, by the sign that it may be given, or by one half of
/// its bits while the other half is the same.
const OUT_OF_ORDER: [u64; 8] = [
    0x8000_0000_0000_0000,
    0x7fff_ffff_ffff_ffff,
    0x8000_0000_0000_0001,
    0x5555_5555_0000_0002,
    0x5555_5555_0000_0001,
    0x4444_4444_0000_0001,
    0xffff_ffff_ffff_ffff,
    0,
];

/// A record of the suite's. Its last byte is 0, and a long one has every byte there is.
pub(super) fn record(revision: u64, length: usize) -> Result<Record, Violation> {
    let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(length).collect();
    let reversed: Vec<u8> = bytes.into_iter().rev().collect();
    Record::from_stored(Revision::from_u64(revision), &reversed).map_err(Violation::failed)
}

/// All that one handle can see, with records of up to `longest` bytes. Nothing is stored then.
pub(super) fn check(store: &mut Subject<'_>, longest: usize) -> Result<(), Violation> {
    let model = &mut Model::default();
    model.compare_all(store, Duty::Exactness)?;
    every_swap_over_every_state(store, model)?;
    a_revision_that_was(store, model)?;
    every_revision(store, model)?;
    revisions_in_any_order(store, model)?;
    every_length(store, model, longest)?;
    every_id(store, model)
}

fn every_swap_over_every_state(
    store: &mut Subject<'_>,
    model: &mut Model,
) -> Result<(), Violation> {
    let (ours, other, next) = (record(7, 3)?, record(8, 3)?, record(9, 4)?);
    for stored in [None, Some(&ours)] {
        for expected in [None, Some(&ours), Some(&other)] {
            for next in [None, Some(&next)] {
                model.put(store, 0, stored)?;
                model.swap(store, 0, expected.map(Record::revision), next)?;
            }
        }
    }
    model.put(store, 0, None)
}

/// Who expects a revision from before an update, a deletion or a new start comes too late.
fn a_revision_that_was(store: &mut Subject<'_>, model: &mut Model) -> Result<(), Violation> {
    let (first, second, third) = (record(7, 3)?, record(8, 3)?, record(9, 3)?);
    let too_late = Some(first.revision());
    model.put(store, 0, Some(&first))?;
    for stored in [Some(&second), None, Some(&third)] {
        model.put(store, 0, stored)?;
        model.swap(store, 0, too_late, Some(&second))?;
        model.swap(store, 0, too_late, None)?;
    }
    model.put(store, 0, None)
}

fn every_revision(store: &mut Subject<'_>, model: &mut Model) -> Result<(), Violation> {
    for number in REVISIONS {
        let neighbour = record(number ^ 1, 3)?;
        model.put(store, 0, Some(&record(number, 3)?))?;
        model.swap(store, 0, Some(neighbour.revision()), Some(&neighbour))?;
    }
    model.put(store, 0, None)
}

/// A revision tells one write from another, and not which of them came first.
fn revisions_in_any_order(store: &mut Subject<'_>, model: &mut Model) -> Result<(), Violation> {
    for number in REVISIONS.into_iter().rev().chain(OUT_OF_ORDER) {
        let before = model.revision(0);
        model.put(store, 0, Some(&record(number, 3)?))?;
        model.swap(store, 0, before, Some(&record(!number, 3)?))?;
    }
    model.put(store, 0, None)
}

fn every_length(
    store: &mut Subject<'_>,
    model: &mut Model,
    longest: usize,
) -> Result<(), Violation> {
    for (revision, length) in (0..).zip(0..=longest) {
        model.put(store, 0, Some(&record(revision, length)?))?;
    }
    model.put(store, 0, None)
}

fn every_id(store: &mut Subject<'_>, model: &mut Model) -> Result<(), Violation> {
    fill(store, model)?;
    clear(store, model)
}

/// Stores a record of its own under every id.
fn fill(store: &mut Subject<'_>, model: &mut Model) -> Result<(), Violation> {
    for (revision, number) in (0..).zip(0..IDS) {
        model.put(store, number, Some(&record(revision, number)?))?;
    }
    Ok(())
}

fn clear(store: &mut Subject<'_>, model: &mut Model) -> Result<(), Violation> {
    (0..IDS).try_for_each(|number| model.put(store, number, None))
}

/// What one handle did, others see: at the same time, and after all were closed.
pub(super) fn check_handles<S>(open: impl Fn() -> S) -> Result<(), Violation>
where
    S: RegistrationStore<Id = usize, Error = Violation>,
{
    let model = &mut Model::default();
    let (mut one, mut other) = (open(), open());
    fill(&mut one, model)?;
    model.compare_all(&mut other, Duty::Visibility)?;
    model.put(&mut other, 0, Some(&record(100, 5)?))?;
    model.put(&mut other, 1, None)?;
    model.put(&mut other, 2, Some(&record(1, 5)?))?; // it falls
    model.compare_all(&mut one, Duty::Visibility)?;
    drop((one, other));
    model.compare_all(&mut open(), Duty::Durability)?;
    clear(&mut open(), model)
}

/// After `fail`, no swap has an outcome, and no stored record seems to be another or absent.
pub(super) fn check_failure(store: &mut Subject<'_>, fail: impl FnOnce()) -> Result<(), Violation> {
    let model = &mut Model::default();
    let (stored, next) = (record(7, 3)?, record(8, 4)?);
    model.put(store, 0, Some(&stored))?;
    fail();
    for (number, next) in [(0, Some(&next)), (0, None), (1, Some(&next))] {
        if let Ok(swap) = store.compare_and_swap(&number, model.revision(number), next) {
            let seen = format!("{swap:?}");
            return Err(Violation::new(Duty::Honesty, "an error", seen));
        }
        if let Ok(seen) = store.load(&number) {
            model.judge(number, seen.as_ref(), Duty::Honesty)?;
        }
    }
    Ok(())
}
