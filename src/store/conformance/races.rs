//! The contract as sixteen threads see it that all want the same.

use alloc::format;
use alloc::vec;
use alloc::vec::Vec;
use core::iter;
use std::panic::resume_unwind;
use std::sync::RwLock;
use std::thread::{self, ScopedJoinHandle};

use super::contract::record;
use super::model::{Model, revision_in_words};
use super::{Duty, Violation};
use crate::{
    Authenticated, Engine, Error, NewRegistration, Params, Policy, Record, RegistrationStore,
    Rejection, Swap, SystemEntropy, Totp, TotpParams, UnixTime,
};

const RACERS: usize = 16;
const ROUNDS: usize = 100;

/// When the log-ins begin: far ahead, for stores that let pending registrations expire by a clock of
/// their own.
const START: UnixTime = UnixTime::from_seconds(4_000_000_000);

/// Creates, changes and deletes one record again and again, all racers at the same time.
pub(super) fn check_swaps<S>(open: impl Fn() -> S) -> Result<(), Violation>
where
    S: RegistrationStore<Id = usize, Error = Violation> + Send,
{
    let mut handles: Vec<S> = iter::repeat_with(open).take(RACERS).collect();
    let model = &mut Model::default();
    for revision in (0..).take(ROUNDS) {
        race_swaps(&mut handles, model, &one_each(revision)?)?;
        race_swaps(&mut handles, model, &one_each(!revision)?)?;
        race_swaps(&mut handles, model, &vec![None; RACERS])?;
    }
    Ok(())
}

/// A record for each racer, all of the same revision, as racing engines make them.
fn one_each(revision: u64) -> Result<Vec<Option<Record>>, Violation> {
    let records = (0..RACERS).map(|racer| record(revision, racer));
    records.map(|record| record.map(Some)).collect()
}

fn race_swaps<S>(
    handles: &mut [S],
    model: &mut Model,
    nexts: &[Option<Record>],
) -> Result<(), Violation>
where
    S: RegistrationStore<Id = usize, Error = Violation> + Send,
{
    let expected = model.revision(0);
    let swaps = race(handles.iter_mut().zip(nexts), |(handle, next)| {
        handle.compare_and_swap(&0, expected, next.as_ref())
    })?;
    let swaps = nexts.iter().zip(swaps);
    let stored: Vec<_> = swaps.filter(|(_, swap)| *swap == Swap::Stored).collect();
    let [(winner, _)] = stored[..] else {
        let from = revision_in_words(expected);
        let right = format!("1 Stored of {RACERS} swaps from {from}");
        return Err(Violation::new(Duty::Atomicity, right, stored.len()));
    };
    model.note(0, winner.as_ref());
    handles
        .iter_mut()
        .try_for_each(|handle| model.compare(handle, 0, Duty::Visibility))
}

/// Logs in with one code a round, all racers at the same time.
pub(super) fn check_log_ins<S>(open: impl Fn() -> S) -> Result<(), Violation>
where
    S: RegistrationStore<Id = usize, Error = Violation> + Send,
{
    // The exact step only: otherwise two steps that share their digits burn each other.
    let engine = || Engine::new(open(), Policy::strict());
    let totp = enrol(&mut engine())?;
    let mut engines: Vec<_> = iter::repeat_with(engine).take(RACERS).collect();
    for seconds in (0..).step_by(30).take(ROUNDS) {
        race_log_ins(&mut engines, &totp, START.saturating_add(seconds))?;
    }
    engine().delete(&0).map_err(failure)
}

/// A pending registration, and the token that it waits for.
fn enrol<S>(engine: &mut Engine<S>) -> Result<Totp, Violation>
where
    S: RegistrationStore<Id = usize, Error = Violation>,
{
    let new = NewRegistration {
        params: Params::Totp(TotpParams::DEFAULT),
        lifetime: None,
    };
    let enrollment = engine
        .create(&0, &new, START, &mut SystemEntropy)
        .map_err(failure)?;
    Ok(Totp::new(enrollment.secret(), TotpParams::DEFAULT))
}

fn race_log_ins<S>(engines: &mut [Engine<S>], totp: &Totp, now: UnixTime) -> Result<(), Violation>
where
    S: RegistrationStore<Id = usize, Error = Violation> + Send,
{
    let code = totp.code_at(now);
    let accepted = race(engines, |engine| {
        accepted(engine.authenticate(&0, &code, now))
    })?;
    match accepted.into_iter().filter(|accepted| *accepted).count() {
        1 => Ok(()),
        count => {
            let right = format!("1 accepted of {RACERS} log-ins with one code");
            Err(Violation::new(Duty::SingleUse, right, count))
        }
    }
}

/// Whether the code was accepted. A replay is the only good reason why not.
fn accepted(answer: Result<Authenticated, Error<Violation>>) -> Result<bool, Violation> {
    match answer {
        Ok(_) => Ok(true),
        Err(Error::Rejected(Rejection::Replayed)) => Ok(false),
        Err(error) => Err(failure(error)),
    }
}

fn failure(error: Error<Violation>) -> Violation {
    match error {
        Error::Store(violation) => violation,
        other => Violation::failed(other),
    }
}

/// Lets all racers act at the same time, each in a thread of its own.
///
/// They wait at a gate, not at a barrier: it opens even if one of them couldn't be started.
fn race<R: Send, T: Send>(
    racers: impl IntoIterator<Item = R>,
    act: impl Fn(R) -> Result<T, Violation> + Sync,
) -> Result<Vec<T>, Violation> {
    let (act, gate) = (&act, &RwLock::new(()));
    let closed = gate.write();
    thread::scope(|scope| {
        let start = |racer| {
            scope.spawn(move || {
                drop(gate.read());
                act(racer)
            })
        };
        let threads: Vec<_> = racers.into_iter().map(start).collect();
        drop(closed);
        threads.into_iter().map(finish).collect()
    })
}

fn finish<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| resume_unwind(panic))
}
