//! A store that C brings, as two functions.

use core::cell::Cell;
use core::ffi::{c_int, c_void};

use keyfob::{Record, RegistrationStore, Revision, Swap};

use crate::keyfob_status_t::{self, *};
use crate::lent::{Result, lent};
use crate::record::{keyfob_record_t, keyfob_swap_t, keyfob_write_t};
use crate::wiped::Wiped;

/// What a store found.
#[repr(u32)]
#[derive(Clone, Copy)]
pub enum keyfob_load_t {
    /// A record, which it copied to its place.
    KEYFOB_LOAD_FOUND = 1,
    /// Nothing is stored.
    KEYFOB_LOAD_NOTHING = 2,
    /// The store can't be used now.
    KEYFOB_LOAD_FAILED = 3,
}

/// Where records are kept. keyfob's promises rest on these duties:
///
/// - `compare_and_swap` is atomic: of all calls that expect the same revision, in whatever threads
///   and processes, one is `KEYFOB_SWAP_STORED`.
/// - It is durable before it returns: what it stored survives a crash and a power cut.
/// - It never guesses: an I/O error, a time-out, an unknown commit is `KEYFOB_SWAP_FAILED`.
/// - `load` sees every swap that returned before it began.
/// - Revision and bytes come back exactly as they were given.
///
/// Neither function may throw, nor leave by `longjmp`, nor write to what the caller of keyfob gave.
/// `id` is that caller's, handed on unread.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct keyfob_store_t {
    /// Handed to the functions as it is.
    pub context: *mut c_void,
    /// Copies the record of `id` to `record`; returns a `keyfob_load_t`, and anything else counts as
    /// `KEYFOB_LOAD_FAILED`.
    pub load: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            id: *const c_void,
            record: *mut keyfob_record_t,
        ) -> c_int,
    >,
    /// Carries out `write`, whose kind is never `KEYFOB_WRITE_NOTHING`; returns a `keyfob_swap_t`, and
    /// anything else counts as `KEYFOB_SWAP_FAILED`.
    pub compare_and_swap: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            id: *const c_void,
            write: *const keyfob_write_t,
        ) -> c_int,
    >,
}

/// C's store as keyfob's.
pub(crate) struct Store(keyfob_store_t);

impl Store {
    pub(crate) fn of(store: Option<&Cell<keyfob_store_t>>) -> Result<Self> {
        lent(store, |store| Ok(Self(*store)))
    }
}

/// What C names a registration by.
pub(crate) struct Id(pub(crate) *const c_void);

impl RegistrationStore for Store {
    type Id = Id;
    type Error = keyfob_status_t;

    fn load(&mut self, id: &Id) -> Result<Option<Record>> {
        let load = self.0.load.ok_or(KEYFOB_NULL_POINTER)?;
        let mut place = Wiped::<keyfob_record_t>::new();
        let record = place.zeros();
        // SAFETY: the record is lent for the call, and C said that this is such a function.
        match unsafe { load(self.0.context, id.0, &raw mut *record) } {
            found if is(found, keyfob_load_t::KEYFOB_LOAD_FOUND as u32) => record.read().map(Some),
            nothing if is(nothing, keyfob_load_t::KEYFOB_LOAD_NOTHING as u32) => Ok(None),
            _ => Err(KEYFOB_STORE_FAILED),
        }
    }

    fn compare_and_swap(
        &mut self,
        id: &Id,
        expected: Option<Revision>,
        next: Option<&Record>,
    ) -> Result<Swap> {
        let swap = self.0.compare_and_swap.ok_or(KEYFOB_NULL_POINTER)?;
        let mut place = Wiped::<keyfob_write_t>::new();
        let write = place.zeros();
        write.copy(expected, next);
        // SAFETY: the write is lent for the call, and C said that this is such a function.
        let swapped = unsafe { swap(self.0.context, id.0, &raw mut *write) };
        u32::try_from(swapped).map_or(Err(KEYFOB_STORE_FAILED), read_swap)
    }
}

/// What became of a write, as C told it.
pub(crate) const fn read_swap(swap: u32) -> Result<Swap> {
    match swap {
        stored if stored == keyfob_swap_t::KEYFOB_SWAP_STORED as u32 => Ok(Swap::Stored),
        conflict if conflict == keyfob_swap_t::KEYFOB_SWAP_CONFLICT as u32 => Ok(Swap::Conflict),
        _ => Err(KEYFOB_STORE_FAILED),
    }
}

fn is(answer: c_int, wanted: u32) -> bool {
    u32::try_from(answer) == Ok(wanted)
}
