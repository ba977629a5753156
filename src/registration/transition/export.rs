//! The way out: a token handed to another system.

use super::{Context, Migration, OtherSystem, with_registration};
use crate::registration::Failure;
use crate::registration::proposal::Proposal;
use crate::registration::record::Record;

/// Decides about handing a token out: its secret, its parameters, what it has used up, its drift and
/// how far ahead the policy's window looks, as [`migrate`](super::migrate) takes them. Nothing is
/// written.
///
/// Recovery codes can't be handed out, as only digests of them are kept; a replacement that waits
/// for its first code isn't.
///
/// The answer carries the secret. Give it to nobody but the system that takes the token over, and
/// delete the registration here once it did: two verifiers that don't know of each other accept a
/// code once each. What is accepted here after this call isn't in the answer. For a time-based token
/// `migrate` burns all that it can have been, unless the token's clock leaps meanwhile; that costs a
/// person a few steps' wait at the most. For a counter-based token, see to it that nobody logs in
/// meanwhile.
///
/// # Errors
/// A [`Failure`] if the stored record can't be read.
pub fn export(
    record: Option<&Record>,
    context: &Context<'_>,
) -> Result<Proposal<Migration<'static>>, Failure> {
    with_registration(record, |_, registration| {
        Ok(match registration.require_active(context.now) {
            Err(rejection) => Proposal::rejected(rejection),
            Ok(()) => Proposal::unwritten(Migration {
                burned: Some(registration.token.burned),
                other_system: OtherSystem::LooksAhead {
                    steps: context.policy.window.future(),
                },
                drift_steps: registration.token.drift,
                ..Migration::new(registration.token.secret.clone(), registration.token.params)
            }),
        })
    })
}
