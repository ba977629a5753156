//! The way out: a token handed to another system.

use super::{Context, Migration, with_registration};
use crate::registration::Failure;
use crate::registration::proposal::Proposal;
use crate::registration::record::Record;

/// Decides about handing a token out: its secret, its parameters, what it has used up and its
/// drift, as [`migrate`](super::migrate) takes them. Nothing is written.
///
/// Recovery codes can't be handed out, as only digests of them are kept; a replacement that waits
/// for its first code isn't.
///
/// The answer carries the secret. Give it to nobody but the system that takes the token over, and
/// delete the registration here once it did: two verifiers that don't know of each other accept a
/// code once each.
///
/// # Errors
/// A [`Failure`] if the stored record can't be read.
pub fn export(
    record: Option<&Record>,
    context: &Context<'_>,
) -> Result<Proposal<Migration<'static>>, Failure> {
    with_registration(record, |_, registration| {
        Ok(
            match registration.require_active(context.now, context.policy) {
                Err(rejection) => Proposal::rejected(rejection),
                Ok(()) => Proposal::unwritten(Migration {
                    burned: Some(registration.token.burned),
                    drift_steps: registration.token.drift,
                    ..Migration::new(registration.token.secret.clone(), registration.token.params)
                }),
            },
        )
    })
}
