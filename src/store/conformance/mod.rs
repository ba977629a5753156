//! Whether a store keeps the contract of [`RegistrationStore`].
//!
//! Write a store, and let a test of yours call [`check`]: it finds what isn't as the trait asks,
//! one handle alone, one handle after the other, and sixteen at once. The answer to a broken duty
//! is a [`Violation`] that says which, what was expected and what was seen.
//!
//! ```
//! use keyfob::{HashMapStore, conformance};
//!
//! let store = HashMapStore::<str>::new();
//! conformance::check(|| &store, |number| format!("person {number}"))?;
//! # Ok::<(), conformance::Violation>(())
//! ```
//!
//! | Your store | Call |
//! |---|---|
//! | can be opened many times: a database, a map that is shared | [`check`] |
//! | has one owner: flash, an array | [`check_alone`] |
//! | can fail: a server that goes away, a file that somebody locks | also [`check_failure`] |
//! | is around another store, and needs room of its own in a record | [`check_wrapper`] or [`check_wrapper_alone`] |
//! | waits: an [`AsyncRegistrationStore`] | the same, through [`Blocking`] |
//!
//! # The ids
//! Ids are yours, so you make them: from a number below [`IDS`], each time the same. None may be
//! stored already. The more they look alike, the more the suite can find: `a`, `A`, `a ` and the
//! empty string, as far as your people can be called that.
//!
//! # What it can't see
//! A power cut. Whether a swap is durable when it returns is for the store's own test to show: kill
//! the process at any moment, and look whether what it answered is still true.

mod blocking;
mod contract;
mod model;
mod numbered;
mod races;
mod violation;

use core::borrow::Borrow;
use core::fmt::Display;

pub use blocking::{BlockOn, Blocking, ThisThread};
pub use violation::{Duty, Violation};

#[cfg(doc)]
use super::AsyncRegistrationStore;
use super::RegistrationStore;
use crate::Record;
use numbered::Numbered;

/// How many ids the suite uses, and how many records it stores at most at the same time.
pub const IDS: usize = 8;

/// Checks a store that can be opened many times, in one thread and in sixteen at once.
///
/// `open` makes a new handle to one and the same store, and is called some forty times. When all is
/// well, the suite leaves nothing behind. It writes about 1,200 times: a few seconds where every
/// write waits for a disk.
///
/// # Errors
/// The first [`Violation`] that is found.
pub fn check<S, I>(open: impl Fn() -> S, id: impl Fn(usize) -> I + Sync) -> Result<(), Violation>
where
    S: RegistrationStore<Error: Display> + Send,
    I: Borrow<S::Id>,
{
    check_up_to(Record::MAX_BYTES, open, id)
}

/// [`check`] for a store around a store, which adds to each record: with records of up to
/// [`Record::MAX_PLAIN_BYTES`], the longest that an engine writes.
///
/// # Errors
/// The first [`Violation`] that is found.
pub fn check_wrapper<S, I>(
    open: impl Fn() -> S,
    id: impl Fn(usize) -> I + Sync,
) -> Result<(), Violation>
where
    S: RegistrationStore<Error: Display> + Send,
    I: Borrow<S::Id>,
{
    check_up_to(Record::MAX_PLAIN_BYTES, open, id)
}

fn check_up_to<S, I>(
    longest: usize,
    open: impl Fn() -> S,
    id: impl Fn(usize) -> I + Sync,
) -> Result<(), Violation>
where
    S: RegistrationStore<Error: Display> + Send,
    I: Borrow<S::Id>,
{
    let open = || Numbered::new(open(), &id);
    contract::check(&mut open(), longest)?;
    contract::check_handles(open)?;
    races::check_swaps(open)?;
    races::check_log_ins(open)
}

/// Checks a store through one handle: the part of [`check`] that needs neither a second handle nor
/// threads.
///
/// ```
/// use keyfob::{MemoryStore, conformance};
///
/// let mut store = MemoryStore::<usize, { conformance::IDS }>::new();
/// conformance::check_alone(&mut store, |number| number)?;
/// # Ok::<(), conformance::Violation>(())
/// ```
///
/// # Errors
/// The first [`Violation`] that is found.
pub fn check_alone<S, I>(store: &mut S, id: impl Fn(usize) -> I) -> Result<(), Violation>
where
    S: RegistrationStore<Error: Display>,
    I: Borrow<S::Id>,
{
    contract::check(&mut Numbered::new(store, &id), Record::MAX_BYTES)
}

/// [`check_alone`] for a store around a store, as [`check_wrapper`] is [`check`].
///
/// # Errors
/// The first [`Violation`] that is found.
pub fn check_wrapper_alone<S, I>(store: &mut S, id: impl Fn(usize) -> I) -> Result<(), Violation>
where
    S: RegistrationStore<Error: Display>,
    I: Borrow<S::Id>,
{
    contract::check(&mut Numbered::new(store, &id), Record::MAX_PLAIN_BYTES)
}

/// Checks that a store which has failed says so. A guess would let people in: a record that seems
/// absent, a conflict that seems to be somebody else's write.
///
/// `fail` makes every write fail from then on, for as long as the call lasts: stop the server, lock
/// the file. A read may go on working. What the suite stored before stays behind.
///
/// ```no_run
/// # use keyfob::{RegistrationStore, conformance};
/// # fn example<S: RegistrationStore<Id = str, Error: core::fmt::Display>>(
/// #     mut store: S, mut server: std::process::Child
/// # ) -> Result<(), conformance::Violation> {
/// conformance::check_failure(&mut store, |number| number.to_string(), || {
///     server.kill().expect("the server runs");
/// })?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Duty::Honesty`] for a guess; any other [`Violation`] from before the failure.
pub fn check_failure<S, I>(
    store: &mut S,
    id: impl Fn(usize) -> I,
    fail: impl FnOnce(),
) -> Result<(), Violation>
where
    S: RegistrationStore<Error: Display>,
    I: Borrow<S::Id>,
{
    contract::check_failure(&mut Numbered::new(store, &id), fail)
}
