//! Answers: taken out of a proposal once its write is stored, and told to C.

use core::mem::MaybeUninit;

#[cfg(feature = "sha2")]
use keyfob::Recovered;
use keyfob::Rejection;
#[cfg(feature = "sha2")]
use keyfob::transition::Recovery;

use crate::given::{Told, give};
use crate::keyfob_status_t::{self, *};
use crate::lent::Result;
use crate::proposal::{Decided, keyfob_proposal_t};
use crate::registration::{
    keyfob_authentication_t, keyfob_enrollment_t, keyfob_migrated_t, keyfob_resync_t,
};
#[cfg(feature = "sha2")]
use crate::registration::{keyfob_recovery_codes_t, keyfob_recovery_t};
use crate::store::read_swap;

/// Settles a proposal; its answer goes to C's place if the write was stored.
fn settle<T: Decided, C: Told<T>>(
    proposal: Option<&mut keyfob_proposal_t>,
    swap: u32,
    place: Option<&mut MaybeUninit<C>>,
) -> keyfob_status_t {
    let (Some(proposal), Some(place)) = (proposal, place) else {
        return KEYFOB_NULL_POINTER;
    };
    give(Some(place), || take_answer(proposal, swap))
}

fn take_answer<T: Decided>(
    proposal: &mut keyfob_proposal_t,
    swap: u32,
) -> Result<core::result::Result<T, Rejection>> {
    let proposal = proposal.take::<T>()?;
    let swap = read_swap(swap)?;
    proposal.settle(Some(swap)).map_err(|_| KEYFOB_CONFLICT)
}

/// The answer about a recovery code; of one that is only counted, the proposal keeps the code.
#[cfg(feature = "sha2")]
fn take_recovery(
    proposal: &mut keyfob_proposal_t,
    swap: u32,
) -> Result<core::result::Result<Recovered, Rejection>> {
    match take_answer::<Recovered>(proposal, swap) {
        Err(KEYFOB_OTHER_PROPOSAL) => {}
        finished => return finished,
    }
    match take_answer::<Recovery>(proposal, swap)? {
        Ok(Recovery::Recovered(recovered)) => Ok(Ok(recovered)),
        Ok(Recovery::Counted(counted)) => {
            proposal.keep_counted(counted);
            Err(KEYFOB_COUNTED)
        }
        Err(rejection) => Ok(Err(rejection)),
    }
}

/// Gives the answer of `keyfob_propose_create` or `keyfob_propose_replace`, and wipes the proposal.
///
/// `swap` is a `keyfob_swap_t`: what became of the write, or `KEYFOB_SWAP_STORED` where there was
/// none. On anything but `KEYFOB_SWAP_STORED` the answer that hung on the write is lost.
#[unsafe(no_mangle)]
pub extern "C" fn keyfob_settle_enrollment(
    proposal: Option<&mut keyfob_proposal_t>,
    swap: u32,
    enrollment: Option<&mut MaybeUninit<keyfob_enrollment_t>>,
) -> keyfob_status_t {
    settle(proposal, swap, enrollment)
}

/// Gives the answer of `keyfob_propose_authenticate`, as `keyfob_settle_enrollment` does.
#[unsafe(no_mangle)]
pub extern "C" fn keyfob_settle_authentication(
    proposal: Option<&mut keyfob_proposal_t>,
    swap: u32,
    authentication: Option<&mut MaybeUninit<keyfob_authentication_t>>,
) -> keyfob_status_t {
    settle(proposal, swap, authentication)
}

/// Gives the answer of `keyfob_propose_migrate`, as `keyfob_settle_enrollment` does.
#[unsafe(no_mangle)]
pub extern "C" fn keyfob_settle_migration(
    proposal: Option<&mut keyfob_proposal_t>,
    swap: u32,
    migrated: Option<&mut MaybeUninit<keyfob_migrated_t>>,
) -> keyfob_status_t {
    settle(proposal, swap, migrated)
}

/// Gives the answer of `keyfob_propose_recover` or `keyfob_propose_finish_recovery`, as
/// `keyfob_settle_enrollment` does. On `KEYFOB_COUNTED` the proposal has the code still: give it to
/// `keyfob_propose_finish_recovery`.
#[cfg(feature = "sha2")]
#[unsafe(no_mangle)]
pub extern "C" fn keyfob_settle_recovery(
    proposal: Option<&mut keyfob_proposal_t>,
    swap: u32,
    recovery: Option<&mut MaybeUninit<keyfob_recovery_t>>,
) -> keyfob_status_t {
    let (Some(proposal), Some(recovery)) = (proposal, recovery) else {
        return KEYFOB_NULL_POINTER;
    };
    give(Some(recovery), || take_recovery(proposal, swap))
}

/// Gives the answer of `keyfob_propose_recovery_codes`, as `keyfob_settle_enrollment` does.
#[cfg(feature = "sha2")]
#[unsafe(no_mangle)]
pub extern "C" fn keyfob_settle_recovery_codes(
    proposal: Option<&mut keyfob_proposal_t>,
    swap: u32,
    codes: Option<&mut MaybeUninit<keyfob_recovery_codes_t>>,
) -> keyfob_status_t {
    settle(proposal, swap, codes)
}

/// Gives the answer of `keyfob_propose_resync`, as `keyfob_settle_enrollment` does.
#[unsafe(no_mangle)]
pub extern "C" fn keyfob_settle_resync(
    proposal: Option<&mut keyfob_proposal_t>,
    swap: u32,
    resync: Option<&mut MaybeUninit<keyfob_resync_t>>,
) -> keyfob_status_t {
    settle(proposal, swap, resync)
}

/// Gives the answer of a proposal to unlock, fence, delete or set the drift, as
/// `keyfob_settle_enrollment` does: there is nothing but a status.
#[unsafe(no_mangle)]
pub extern "C" fn keyfob_settle_change(
    proposal: Option<&mut keyfob_proposal_t>,
    swap: u32,
) -> keyfob_status_t {
    settle::<(), ()>(proposal, swap, Some(&mut MaybeUninit::uninit()))
}
