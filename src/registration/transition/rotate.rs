//! New recovery codes in place of the old ones.

use super::create::mint;
use super::{Context, update, with_registration};
use crate::Entropy;
use crate::registration::Failure;
use crate::registration::proposal::Proposal;
use crate::registration::record::Record;
use crate::registration::recovery::RecoveryCodes;
use crate::registration::throttle::Failures;

/// Decides about new recovery codes: the old ones stop working when they are stored.
///
/// # Duties of the embedder
/// Call it for a person who has just logged in with this factor, and show the codes once.
///
/// # Errors
/// A [`Failure`] if the record can't be read or randomness fails.
pub fn rotate_recovery_codes(
    record: Option<&Record>,
    context: &Context<'_>,
    entropy: &mut (impl Entropy + ?Sized),
) -> Result<Proposal<RecoveryCodes>, Failure> {
    with_registration(record, |record, registration| {
        if let Err(rejection) = registration.require_active(context.now, context.policy) {
            return Ok(Proposal::rejected(rejection));
        }
        let mut codes = RecoveryCodes::default();
        if let Err(rejection) = mint(&mut codes, registration, context, entropy)? {
            return Ok(Proposal::rejected(rejection));
        }
        registration.recovery_failures = Failures::default();
        Ok(update(record, registration, Ok(codes)))
    })
}
