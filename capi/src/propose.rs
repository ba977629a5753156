//! Decisions about a record: what to write and what to answer, for a loop of your own over a store.
//!
//! Load the record, propose, carry out the write, settle; after a conflict begin again.

use core::cell::Cell;
use core::ffi::c_char;
use core::mem::MaybeUninit;

use keyfob::Migration;
use keyfob::transition;

use crate::entropy::{Source, keyfob_entropy_t};
use crate::given::give;
use crate::keyfob_status_t::{self, *};
use crate::lent::{KEYFOB_TYPED_BYTES, Result, copied_text, lent};
use crate::otp::read_code;
use crate::params::keyfob_params_t;
use crate::policy::{Settings, keyfob_context_t};
use crate::proposal::{keyfob_proposal_t, propose};
use crate::record::{keyfob_record_t, stored};
use crate::registration::{keyfob_migration_t, keyfob_proof_t, keyfob_registration_t};
use crate::wiped::Wiped;

/// Decides about a new registration, pending until its first code. Over one that is pending it
/// starts again; over an active one it is `KEYFOB_ALREADY_REGISTERED`.
///
/// # Safety
/// The function of `entropy` is as that says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keyfob_propose_create(
    proposal: Option<&mut keyfob_proposal_t>,
    record: Option<&Cell<keyfob_record_t>>,
    params: Option<&Cell<keyfob_params_t>>,
    context: Option<&Cell<keyfob_context_t>>,
    entropy: Option<&Cell<keyfob_entropy_t>>,
) -> keyfob_status_t {
    propose(proposal, || {
        let (record, settings) = (stored(record)?, Settings::read(context)?);
        let new = lent(params, keyfob_params_t::read_new)?;
        let mut source = Source::of(entropy)?;
        let context = settings.context();
        Ok(transition::create(
            record.as_ref(),
            &new,
            &context,
            &mut source,
        )?)
    })
}

/// Decides about a code of the token as it was typed: confirms a pending registration, logs in, or
/// lets a replacement take over, at most once a step. A wrong one is counted.
///
/// # Safety
/// `length` bytes can be read at `typed`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keyfob_propose_authenticate(
    proposal: Option<&mut keyfob_proposal_t>,
    record: Option<&Cell<keyfob_record_t>>,
    typed: *const c_char,
    length: usize,
    context: Option<&Cell<keyfob_context_t>>,
) -> keyfob_status_t {
    let mut room = Wiped::<[u8; KEYFOB_TYPED_BYTES]>::new();
    // SAFETY: as the caller says.
    let typed = unsafe { copied_text(room.zeros(), typed, length) };
    propose(proposal, || {
        let (record, settings) = (stored(record)?, Settings::read(context)?);
        Ok(transition::authenticate_typed(
            record.as_ref(),
            typed?,
            &settings.context(),
        )?)
    })
}

/// Decides about a new token for an active registration, for a person with a proof of the last five
/// minutes. The old token works until the new one's first code.
///
/// # Safety
/// The function of `entropy` is as that says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keyfob_propose_replace(
    proposal: Option<&mut keyfob_proposal_t>,
    record: Option<&Cell<keyfob_record_t>>,
    proof: Option<&Cell<keyfob_proof_t>>,
    params: Option<&Cell<keyfob_params_t>>,
    context: Option<&Cell<keyfob_context_t>>,
    entropy: Option<&Cell<keyfob_entropy_t>>,
) -> keyfob_status_t {
    propose(proposal, || {
        let (record, settings) = (stored(record)?, Settings::read(context)?);
        let new = lent(params, keyfob_params_t::read_new)?;
        let mut source = Source::of(entropy)?;
        let proof = lent(proof, keyfob_proof_t::read)?;
        let context = settings.context();
        Ok(transition::replace(
            record.as_ref(),
            &proof,
            &new,
            &context,
            &mut source,
        )?)
    })
}

/// Decides about a token that another system registered: it is active at once, with its recovery
/// codes or new ones.
///
/// # Safety
/// What `migration` says of its recovery codes is so, and the function of `entropy` is as that says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keyfob_propose_migrate(
    mut proposal: Option<&mut keyfob_proposal_t>,
    record: Option<&Cell<keyfob_record_t>>,
    migration: Option<&Cell<keyfob_migration_t>>,
    context: Option<&Cell<keyfob_context_t>>,
    entropy: Option<&Cell<keyfob_entropy_t>>,
) -> keyfob_status_t {
    let work = |migration: Result<Migration<'_>>| {
        propose(proposal.as_deref_mut(), || {
            let (record, settings) = (stored(record)?, Settings::read(context)?);
            let (context, mut source) = (settings.context(), Source::of(entropy)?);
            Ok(transition::migrate(
                record.as_ref(),
                &migration?,
                &context,
                &mut source,
            )?)
        })
    };
    // SAFETY: as the caller says.
    unsafe { keyfob_migration_t::with(migration, work) }
}

/// Decides about a recovery code as it was typed, in any case, with or without spaces and hyphens.
/// Wrong ones have a throttle of their own. Needs the feature `sha2`.
///
/// # Safety
/// `length` bytes can be read at `typed`.
#[cfg(feature = "sha2")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keyfob_propose_recover(
    proposal: Option<&mut keyfob_proposal_t>,
    record: Option<&Cell<keyfob_record_t>>,
    typed: *const c_char,
    length: usize,
    context: Option<&Cell<keyfob_context_t>>,
) -> keyfob_status_t {
    let mut room = Wiped::<[u8; KEYFOB_TYPED_BYTES]>::new();
    // SAFETY: as the caller says.
    let typed = unsafe { copied_text(room.zeros(), typed, length) };
    propose(proposal, || {
        let (record, settings) = (stored(record)?, Settings::read(context)?);
        Ok(transition::recover(
            record.as_ref(),
            typed?,
            &settings.context(),
        )?)
    })
}

/// Decides about a recovery code whose attempt is counted: `keyfob_settle_recovery` said
/// `KEYFOB_COUNTED` of this proposal, which has the code. Load the record anew for it. Here the slow
/// hash is computed. After a conflict begin again with `keyfob_propose_recover`. Needs the feature
/// `sha2`.
#[cfg(feature = "sha2")]
#[unsafe(no_mangle)]
pub extern "C" fn keyfob_propose_finish_recovery(
    proposal: Option<&mut keyfob_proposal_t>,
    record: Option<&Cell<keyfob_record_t>>,
    context: Option<&Cell<keyfob_context_t>>,
) -> keyfob_status_t {
    let Some(proposal) = proposal else {
        return KEYFOB_NULL_POINTER;
    };
    let counted = proposal.take_counted();
    propose(Some(proposal), || {
        let (record, settings) = (stored(record)?, Settings::read(context)?);
        let hashed = counted?.hash(settings.pepper())?;
        Ok(transition::finish_recovery(
            record.as_ref(),
            &hashed,
            &settings.context(),
        )?)
    })
}

/// Decides about new recovery codes, for a person who has just logged in: the old ones stop working
/// when they are stored. Needs the feature `sha2`.
///
/// # Safety
/// The function of `entropy` is as that says.
#[cfg(feature = "sha2")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keyfob_propose_recovery_codes(
    proposal: Option<&mut keyfob_proposal_t>,
    record: Option<&Cell<keyfob_record_t>>,
    context: Option<&Cell<keyfob_context_t>>,
    entropy: Option<&Cell<keyfob_entropy_t>>,
) -> keyfob_status_t {
    propose(proposal, || {
        let (record, settings) = (stored(record)?, Settings::read(context)?);
        let (context, mut source) = (settings.context(), Source::of(entropy)?);
        Ok(transition::rotate_recovery_codes(
            record.as_ref(),
            &context,
            &mut source,
        )?)
    })
}

/// Decides about two consecutive codes of a token whose clock or counter went astray, and burns
/// both. It is no log-in: let the person log in with the next code.
///
/// # Safety
/// So many bytes can be read at `first` and `second`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keyfob_propose_resync(
    proposal: Option<&mut keyfob_proposal_t>,
    record: Option<&Cell<keyfob_record_t>>,
    first: *const c_char,
    first_length: usize,
    second: *const c_char,
    second_length: usize,
    context: Option<&Cell<keyfob_context_t>>,
) -> keyfob_status_t {
    // SAFETY: as the caller says.
    let codes = unsafe {
        (
            read_code(first, first_length),
            read_code(second, second_length),
        )
    };
    propose(proposal, || {
        let (record, settings) = (stored(record)?, Settings::read(context)?);
        let (first, second) = (codes.0?, codes.1?);
        Ok(transition::resync(
            record.as_ref(),
            &first,
            &second,
            &settings.context(),
        )?)
    })
}

/// Decides about forgetting all failures, so that a locked or disabled registration takes codes
/// again.
#[unsafe(no_mangle)]
pub extern "C" fn keyfob_propose_unlock(
    proposal: Option<&mut keyfob_proposal_t>,
    record: Option<&Cell<keyfob_record_t>>,
) -> keyfob_status_t {
    propose(proposal, || {
        Ok(transition::unlock(stored(record)?.as_ref())?)
    })
}

/// Decides about setting how many steps the token's clock is ahead of ours.
#[unsafe(no_mangle)]
pub extern "C" fn keyfob_propose_drift(
    proposal: Option<&mut keyfob_proposal_t>,
    record: Option<&Cell<keyfob_record_t>>,
    steps: i16,
) -> keyfob_status_t {
    propose(proposal, || {
        Ok(transition::set_drift(stored(record)?.as_ref(), steps)?)
    })
}

/// Decides about refusing every code up to now, for each registration after a restore from a backup
/// or a failover that may have lost writes. Used recovery codes are good again then: make new ones.
#[unsafe(no_mangle)]
pub extern "C" fn keyfob_propose_fence(
    proposal: Option<&mut keyfob_proposal_t>,
    record: Option<&Cell<keyfob_record_t>>,
    context: Option<&Cell<keyfob_context_t>>,
) -> keyfob_status_t {
    propose(proposal, || {
        let (record, settings) = (stored(record)?, Settings::read(context)?);
        Ok(transition::fence(record.as_ref(), &settings.context())?)
    })
}

/// Decides about forgetting that steps of the future are burned: for a time-based token that was used
/// while a clock was ahead, so that its right codes are `KEYFOB_TOO_EARLY` now. A code that was accepted
/// then is accepted once more when its time comes: call it only for somebody who has shown otherwise
/// who they are.
#[unsafe(no_mangle)]
pub extern "C" fn keyfob_propose_forget_future_steps(
    proposal: Option<&mut keyfob_proposal_t>,
    record: Option<&Cell<keyfob_record_t>>,
    context: Option<&Cell<keyfob_context_t>>,
) -> keyfob_status_t {
    propose(proposal, || {
        let (record, settings) = (stored(record)?, Settings::read(context)?);
        Ok(transition::forget_future_steps(
            record.as_ref(),
            &settings.context(),
        )?)
    })
}

/// Decides about deleting a registration, a damaged one included. The person then logs in without
/// this factor: ask for a fresh log-in or an operator.
#[unsafe(no_mangle)]
pub extern "C" fn keyfob_propose_delete(
    proposal: Option<&mut keyfob_proposal_t>,
    record: Option<&Cell<keyfob_record_t>>,
) -> keyfob_status_t {
    propose(proposal, || {
        Ok(transition::delete(stored(record)?.as_ref())?)
    })
}

/// Tells what can be told of a record's registration. Nothing is written.
#[unsafe(no_mangle)]
pub extern "C" fn keyfob_record_status(
    record: Option<&Cell<keyfob_record_t>>,
    context: Option<&Cell<keyfob_context_t>>,
    registration: Option<&mut MaybeUninit<keyfob_registration_t>>,
) -> keyfob_status_t {
    give(registration, || {
        let (record, settings) = (stored(record)?, Settings::read(context)?);
        let proposal = transition::status(record.as_ref(), &settings.context())?;
        proposal.settle(None).map_err(|_| KEYFOB_CONFLICT)
    })
}

/// Hands a token out, with its secret and what it has used up, for another system to take over.
/// Delete the registration once it did. Nothing is written.
#[unsafe(no_mangle)]
pub extern "C" fn keyfob_record_export(
    record: Option<&Cell<keyfob_record_t>>,
    now: u64,
    migration: Option<&mut MaybeUninit<keyfob_migration_t>>,
) -> keyfob_status_t {
    give(migration, || {
        let record = stored(record)?;
        let proposal = transition::export(record.as_ref(), &Settings::at(now).context())?;
        proposal.settle(None).map_err(|_| KEYFOB_CONFLICT)
    })
}
