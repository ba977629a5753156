//! A decision that isn't valid yet, kept in memory of C's.

use core::mem::{MaybeUninit, align_of, size_of};

use keyfob::{Authenticated, Enrollment, Migrated, Proposal, Resynced, Write};
#[cfg(feature = "sha2")]
use keyfob::{
    Recovered, RecoveryCodes,
    transition::{CountedRecoveryCode, Recovery},
};
use zeroize::Zeroize as _;

use crate::given::{self, status};
use crate::keyfob_status_t::{self, *};
use crate::lent::Result;
use crate::record::keyfob_write_t;

/// Eight-byte words of a proposal.
pub const KEYFOB_PROPOSAL_WORDS: usize = 200;

/// A decision that isn't valid yet: what is to be written, and an answer that can be had only by
/// telling what became of that write. Its bytes are nobody's business: they hold secrets.
///
/// A `keyfob_propose_...` function fills it, whatever was in it; one that fails leaves it all zero.
/// `keyfob_proposal_write` tells what to write, and the `keyfob_settle_...` function of the same name
/// takes the answer out and wipes it. Give those a proposal that a `keyfob_propose_...` function was
/// given, or that is all zero, and none that you changed or copied: of a copy the answer would come
/// out twice.
#[repr(C)]
pub struct keyfob_proposal_t {
    /// Opaque, and private: whoever can fill it at will can make a decision of any bytes.
    opaque: [MaybeUninit<u64>; KEYFOB_PROPOSAL_WORDS],
}

/// What every proposal begins with, and nothing else is likely to.
const PROPOSED: u64 = 0x6b65_7966_6f62_2e70; // "keyfob.p"

/// What is in a proposal of C's.
#[repr(C)]
struct Held {
    mark: u64,
    decision: Decision,
}

const _: () = assert!(size_of::<Held>() <= size_of::<keyfob_proposal_t>());
const _: () = assert!(align_of::<Held>() <= align_of::<keyfob_proposal_t>());

/// A decision of any kind.
pub(crate) enum Decision {
    Enrollment(Proposal<Enrollment>),
    Authentication(Proposal<Authenticated>),
    Migration(Proposal<Migrated>),
    #[cfg(feature = "sha2")]
    Recovery(Proposal<Recovery>),
    /// No decision yet: a code whose attempt is counted.
    #[cfg(feature = "sha2")]
    CountedRecovery(CountedRecoveryCode),
    #[cfg(feature = "sha2")]
    FinishedRecovery(Proposal<Recovered>),
    #[cfg(feature = "sha2")]
    RecoveryCodes(Proposal<RecoveryCodes>),
    Resync(Proposal<Resynced>),
    Change(Proposal<()>),
}

impl Decision {
    fn write(&self) -> Option<&Write> {
        match self {
            Self::Enrollment(proposal) => proposal.write(),
            Self::Authentication(proposal) => proposal.write(),
            Self::Migration(proposal) => proposal.write(),
            #[cfg(feature = "sha2")]
            Self::Recovery(proposal) => proposal.write(),
            #[cfg(feature = "sha2")]
            Self::CountedRecovery(_) => None,
            #[cfg(feature = "sha2")]
            Self::FinishedRecovery(proposal) => proposal.write(),
            #[cfg(feature = "sha2")]
            Self::RecoveryCodes(proposal) => proposal.write(),
            Self::Resync(proposal) => proposal.write(),
            Self::Change(proposal) => proposal.write(),
        }
    }
}

/// An answer that a decision of one kind has.
#[allow(clippy::result_large_err)] // a decision of another kind is given back, to stay where it was
pub(crate) trait Decided: Sized {
    fn hold(proposal: Proposal<Self>) -> Decision;

    /// The proposal, or the decision of another kind.
    fn release(decision: Decision) -> core::result::Result<Proposal<Self>, Decision>;
}

macro_rules! decided {
    ($answer:ty, $kind:ident) => {
        #[allow(clippy::result_large_err)]
        impl Decided for $answer {
            fn hold(proposal: Proposal<Self>) -> Decision {
                Decision::$kind(proposal)
            }

            fn release(decision: Decision) -> core::result::Result<Proposal<Self>, Decision> {
                match decision {
                    Decision::$kind(proposal) => Ok(proposal),
                    other => Err(other),
                }
            }
        }
    };
}

decided!(Enrollment, Enrollment);
decided!(Authenticated, Authentication);
decided!(Migrated, Migration);
#[cfg(feature = "sha2")]
decided!(Recovery, Recovery);
#[cfg(feature = "sha2")]
decided!(Recovered, FinishedRecovery);
#[cfg(feature = "sha2")]
decided!(RecoveryCodes, RecoveryCodes);
decided!(Resynced, Resync);
decided!((), Change);

/// Fills C's proposal with what is decided.
pub(crate) fn propose<T: Decided>(
    place: Option<&mut keyfob_proposal_t>,
    decide: impl FnOnce() -> Result<Proposal<T>>,
) -> keyfob_status_t {
    let Some(place) = place else {
        return KEYFOB_NULL_POINTER;
    };
    let proposal = decide();
    place.wipe(); // whoever settles what failed must not find the decision before it
    status(proposal.map(|proposal| place.hold(T::hold(proposal))))
}

impl keyfob_proposal_t {
    fn hold(&mut self, decision: Decision) {
        let held = Held {
            mark: PROPOSED,
            decision,
        };
        // SAFETY: the place is large enough and aligned, as asserted above. What is in it isn't
        // dropped: it may never have been filled.
        unsafe { core::ptr::from_mut(self).cast::<Held>().write(held) };
    }

    fn held(&self) -> Result<*const Held> {
        let [mark, ..] = &self.opaque;
        // SAFETY: only C makes proposals. It gives those that `propose` was given, which wipes them,
        // or that are zero: the bytes are initialised, and any eight are a number.
        match unsafe { mark.assume_init_read() } {
            PROPOSED => Ok(core::ptr::from_ref(self).cast()),
            _ => Err(KEYFOB_OTHER_PROPOSAL),
        }
    }

    fn decision(&self) -> Result<&Decision> {
        let held = self.held()?;
        // SAFETY: of bytes that C hasn't changed, the mark says that `hold` wrote them.
        Ok(unsafe { &(*held).decision })
    }

    /// Takes the proposal out and wipes the place; one of another kind stays.
    pub(crate) fn take<T: Decided>(&mut self) -> Result<Proposal<T>> {
        T::release(self.take_decision()?).map_err(|other| {
            self.hold(other);
            KEYFOB_OTHER_PROPOSAL
        })
    }

    #[cfg(feature = "sha2")]
    pub(crate) fn keep_counted(&mut self, code: CountedRecoveryCode) {
        self.hold(Decision::CountedRecovery(code));
    }

    /// Takes a code out whose attempt is counted, and wipes the place; what else is in it stays.
    #[cfg(feature = "sha2")]
    pub(crate) fn take_counted(&mut self) -> Result<CountedRecoveryCode> {
        match self.take_decision()? {
            Decision::CountedRecovery(code) => Ok(code),
            other => {
                self.hold(other);
                Err(KEYFOB_OTHER_PROPOSAL)
            }
        }
    }

    fn take_decision(&mut self) -> Result<Decision> {
        // SAFETY: as in `decision`, and wiping forgets the mark.
        let held = unsafe { self.held()?.read() };
        self.wipe();
        Ok(held.decision)
    }

    fn wipe(&mut self) {
        self.opaque.zeroize();
    }
}

/// Tells what a proposal wants written: a compare-and-swap for your store. Wipe `write` with
/// `keyfob_wipe` once it is carried out.
#[unsafe(no_mangle)]
pub extern "C" fn keyfob_proposal_write(
    proposal: Option<&keyfob_proposal_t>,
    write: Option<&mut MaybeUninit<keyfob_write_t>>,
) -> keyfob_status_t {
    given::write(write, |write| {
        let proposal = proposal.ok_or(KEYFOB_NULL_POINTER)?;
        write.copy_proposed(proposal.decision()?.write());
        Ok(())
    })
}

/// Wipes a proposal that won't be settled. NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn keyfob_proposal_wipe(proposal: Option<&mut keyfob_proposal_t>) {
    if let Some(proposal) = proposal {
        proposal.wipe();
    }
}
