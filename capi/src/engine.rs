//! The engine over a store of C's: load, decide, swap, until nobody else wrote in between.
//!
//! Each request is the proposal of the same name, carried out: its answer leaves only after the
//! store has swapped the record.

use core::cell::Cell;
use core::ffi::{c_char, c_void};
use core::mem::MaybeUninit;

use keyfob::{Engine, Error, Migration, UnixTime};

use crate::entropy::{Source, keyfob_entropy_t};
use crate::given::{Told, give};
use crate::keyfob_status_t;
use crate::lent::{KEYFOB_TYPED_BYTES, Result, copied_text, lent};
use crate::otp::read_code;
use crate::params::keyfob_params_t;
use crate::policy::{Settings, keyfob_context_t};
use crate::registration::{
    keyfob_authentication_t, keyfob_enrollment_t, keyfob_migrated_t, keyfob_migration_t,
    keyfob_proof_t, keyfob_registration_t, keyfob_resync_t,
};
#[cfg(feature = "sha2")]
use crate::registration::{keyfob_recovery_codes_t, keyfob_recovery_t};
use crate::store::{Id, Store, keyfob_store_t};
use crate::wiped::Wiped;

type Answer<T> = core::result::Result<T, Error<keyfob_status_t>>;

/// Makes a request to an engine over C's store, and tells C the answer.
fn request<T, C: Told<T>>(
    store: Option<&Cell<keyfob_store_t>>,
    settings: Result<Settings>,
    place: Option<&mut MaybeUninit<C>>,
    make: impl FnOnce(&mut Engine<Store>, UnixTime) -> Result<Answer<T>>,
) -> keyfob_status_t {
    give(place, || {
        let (store, settings) = (Store::of(store)?, settings?);
        let now = settings.now;
        match make(&mut settings.engine(store), now)? {
            Ok(answer) => Ok(Ok(answer)),
            Err(Error::Rejected(rejection)) => Ok(Err(rejection)),
            Err(error) => Err(error.into()),
        }
    })
}

/// Makes a request that is answered by a status alone.
fn change(
    store: Option<&Cell<keyfob_store_t>>,
    settings: Result<Settings>,
    make: impl FnOnce(&mut Engine<Store>, UnixTime) -> Answer<()>,
) -> keyfob_status_t {
    let nothing = &mut MaybeUninit::<()>::uninit();
    request(store, settings, Some(nothing), |engine, now| {
        Ok(make(engine, now))
    })
}

/// Starts a registration, pending until its first code: `keyfob_propose_create`, carried out.
///
/// # Safety
/// The functions of `store` and `entropy` are as those say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keyfob_create(
    store: Option<&Cell<keyfob_store_t>>,
    id: *const c_void,
    params: Option<&Cell<keyfob_params_t>>,
    context: Option<&Cell<keyfob_context_t>>,
    entropy: Option<&Cell<keyfob_entropy_t>>,
    enrollment: Option<&mut MaybeUninit<keyfob_enrollment_t>>,
) -> keyfob_status_t {
    let settings = Settings::read(context);
    request(store, settings, enrollment, |engine, now| {
        let new = lent(params, keyfob_params_t::read_new)?;
        let mut source = Source::of(entropy)?;
        Ok(engine.create(&Id(id), &new, now, &mut source))
    })
}

/// Accepts a code of the token as it was typed, at most once a step: `keyfob_propose_authenticate`,
/// carried out. Let the person in on `KEYFOB_OK` and on nothing else.
///
/// # Safety
/// `length` bytes can be read at `typed`, and the functions of `store` are as it says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keyfob_authenticate(
    store: Option<&Cell<keyfob_store_t>>,
    id: *const c_void,
    typed: *const c_char,
    length: usize,
    context: Option<&Cell<keyfob_context_t>>,
    authentication: Option<&mut MaybeUninit<keyfob_authentication_t>>,
) -> keyfob_status_t {
    let mut room = Wiped::<[u8; KEYFOB_TYPED_BYTES]>::new();
    // SAFETY: as the caller says.
    let typed = unsafe { copied_text(room.zeros(), typed, length) };
    let settings = Settings::read(context);
    request(store, settings, authentication, |engine, now| {
        Ok(engine.authenticate_typed(&Id(id), typed?, now))
    })
}

/// Starts a new token for an active registration: `keyfob_propose_replace`, carried out.
///
/// # Safety
/// The functions of `store` and `entropy` are as those say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keyfob_replace(
    store: Option<&Cell<keyfob_store_t>>,
    id: *const c_void,
    proof: Option<&Cell<keyfob_proof_t>>,
    params: Option<&Cell<keyfob_params_t>>,
    context: Option<&Cell<keyfob_context_t>>,
    entropy: Option<&Cell<keyfob_entropy_t>>,
    enrollment: Option<&mut MaybeUninit<keyfob_enrollment_t>>,
) -> keyfob_status_t {
    let settings = Settings::read(context);
    request(store, settings, enrollment, |engine, now| {
        let new = lent(params, keyfob_params_t::read_new)?;
        let mut source = Source::of(entropy)?;
        let proof = lent(proof, keyfob_proof_t::read)?;
        Ok(engine.replace(&Id(id), proof, &new, now, &mut source))
    })
}

/// Takes over a token that another system registered: `keyfob_propose_migrate`, carried out.
///
/// # Safety
/// What `migration` says of its recovery codes is so, and the functions of `store` and `entropy` are
/// as those say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keyfob_migrate(
    store: Option<&Cell<keyfob_store_t>>,
    id: *const c_void,
    migration: Option<&Cell<keyfob_migration_t>>,
    context: Option<&Cell<keyfob_context_t>>,
    entropy: Option<&Cell<keyfob_entropy_t>>,
    mut migrated: Option<&mut MaybeUninit<keyfob_migrated_t>>,
) -> keyfob_status_t {
    let work = |migration: Result<Migration<'_>>| {
        request(
            store,
            Settings::read(context),
            migrated.take(),
            |engine, now| {
                let mut source = Source::of(entropy)?;
                Ok(engine.migrate(&Id(id), migration?, now, &mut source))
            },
        )
    };
    // SAFETY: as the caller says.
    unsafe { keyfob_migration_t::with(migration, work) }
}

/// Accepts a recovery code as it was typed, once: `keyfob_propose_recover`, carried out. Needs the
/// feature `sha2`.
///
/// # Safety
/// `length` bytes can be read at `typed`, and the functions of `store` are as it says.
#[cfg(feature = "sha2")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keyfob_recover(
    store: Option<&Cell<keyfob_store_t>>,
    id: *const c_void,
    typed: *const c_char,
    length: usize,
    context: Option<&Cell<keyfob_context_t>>,
    recovery: Option<&mut MaybeUninit<keyfob_recovery_t>>,
) -> keyfob_status_t {
    let mut room = Wiped::<[u8; KEYFOB_TYPED_BYTES]>::new();
    // SAFETY: as the caller says.
    let typed = unsafe { copied_text(room.zeros(), typed, length) };
    let settings = Settings::read(context);
    request(store, settings, recovery, |engine, now| {
        Ok(engine.recover(&Id(id), typed?, now))
    })
}

/// Makes new recovery codes, to be shown once: `keyfob_propose_recovery_codes`, carried out. Needs
/// the feature `sha2`.
///
/// # Safety
/// The functions of `store` and `entropy` are as those say.
#[cfg(feature = "sha2")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keyfob_rotate_recovery_codes(
    store: Option<&Cell<keyfob_store_t>>,
    id: *const c_void,
    context: Option<&Cell<keyfob_context_t>>,
    entropy: Option<&Cell<keyfob_entropy_t>>,
    codes: Option<&mut MaybeUninit<keyfob_recovery_codes_t>>,
) -> keyfob_status_t {
    let settings = Settings::read(context);
    request(store, settings, codes, |engine, now| {
        let mut source = Source::of(entropy)?;
        Ok(engine.rotate_recovery_codes(&Id(id), now, &mut source))
    })
}

/// Finds a token whose clock or counter went astray: `keyfob_propose_resync`, carried out.
///
/// # Safety
/// So many bytes can be read at `first` and `second`, and the functions of `store` are as it says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keyfob_resync(
    store: Option<&Cell<keyfob_store_t>>,
    id: *const c_void,
    first: *const c_char,
    first_length: usize,
    second: *const c_char,
    second_length: usize,
    context: Option<&Cell<keyfob_context_t>>,
    resync: Option<&mut MaybeUninit<keyfob_resync_t>>,
) -> keyfob_status_t {
    // SAFETY: as the caller says.
    let codes = unsafe {
        (
            read_code(first, first_length),
            read_code(second, second_length),
        )
    };
    let settings = Settings::read(context);
    request(store, settings, resync, |engine, now| {
        let (first, second) = (codes.0?, codes.1?);
        Ok(engine.resync(&Id(id), &first, &second, now))
    })
}

/// Tells what can be told of a registration. Nothing is written.
///
/// # Safety
/// The functions of `store` are as it says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keyfob_registration_status(
    store: Option<&Cell<keyfob_store_t>>,
    id: *const c_void,
    context: Option<&Cell<keyfob_context_t>>,
    registration: Option<&mut MaybeUninit<keyfob_registration_t>>,
) -> keyfob_status_t {
    let settings = Settings::read(context);
    request(store, settings, registration, |engine, now| {
        Ok(engine.status(&Id(id), now))
    })
}

/// Hands a token out, for another system to take over: `keyfob_record_export` from a store.
///
/// # Safety
/// The functions of `store` are as it says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keyfob_export(
    store: Option<&Cell<keyfob_store_t>>,
    id: *const c_void,
    now: u64,
    migration: Option<&mut MaybeUninit<keyfob_migration_t>>,
) -> keyfob_status_t {
    request(store, Ok(Settings::at(now)), migration, |engine, now| {
        Ok(engine.export(&Id(id), now))
    })
}

/// Forgets all failures: `keyfob_propose_unlock`, carried out.
///
/// # Safety
/// The functions of `store` are as it says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keyfob_unlock(
    store: Option<&Cell<keyfob_store_t>>,
    id: *const c_void,
) -> keyfob_status_t {
    change(store, Ok(Settings::at(0)), |engine, _| {
        engine.unlock(&Id(id))
    })
}

/// Sets how many steps the token's clock is ahead of ours: `keyfob_propose_drift`, carried out.
///
/// # Safety
/// The functions of `store` are as it says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keyfob_set_drift(
    store: Option<&Cell<keyfob_store_t>>,
    id: *const c_void,
    steps: i16,
) -> keyfob_status_t {
    change(store, Ok(Settings::at(0)), |engine, _| {
        engine.set_drift(&Id(id), steps)
    })
}

/// Refuses every code up to now: `keyfob_propose_fence`, carried out.
///
/// # Safety
/// The functions of `store` are as it says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keyfob_fence(
    store: Option<&Cell<keyfob_store_t>>,
    id: *const c_void,
    context: Option<&Cell<keyfob_context_t>>,
) -> keyfob_status_t {
    change(store, Settings::read(context), |engine, now| {
        engine.fence(&Id(id), now)
    })
}

/// Forgets that steps of the future are burned: `keyfob_propose_forget_future_steps`, carried out.
///
/// # Safety
/// The functions of `store` are as it says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keyfob_forget_future_steps(
    store: Option<&Cell<keyfob_store_t>>,
    id: *const c_void,
    context: Option<&Cell<keyfob_context_t>>,
) -> keyfob_status_t {
    change(store, Settings::read(context), |engine, now| {
        engine.forget_future_steps(&Id(id), now)
    })
}

/// Deletes a registration, a damaged one included: `keyfob_propose_delete`, carried out.
///
/// # Safety
/// The functions of `store` are as it says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keyfob_delete(
    store: Option<&Cell<keyfob_store_t>>,
    id: *const c_void,
) -> keyfob_status_t {
    change(store, Ok(Settings::at(0)), |engine, _| {
        engine.delete(&Id(id))
    })
}
