//! The way out: a token handed to another system.

use super::{Context, Migration, OtherSystem, with_registration};
use crate::registration::proposal::Proposal;
use crate::registration::record::Record;
use crate::registration::{Failure, Policy, Token};

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
/// `migrate` burns all that it can have been; that costs a person a wait of as many steps as the
/// policy's window looks ahead, and a token that lags behind our clock as many more. For a
/// counter-based token, see to it that nobody logs in meanwhile.
///
/// # Errors
/// A [`Failure`] if the stored record can't be read.
pub fn export(
    record: Option<&Record>,
    context: &Context<'_>,
) -> Result<Proposal<Migration<'static>>, Failure> {
    with_registration(record, |_, registration| {
        if let Err(rejection) = registration.require_active(context.now, context.policy) {
            return Ok(Proposal::rejected(rejection));
        }
        let token = &registration.token;
        Ok(Proposal::unwritten(Migration {
            burned: Some(token.burned),
            other_system: OtherSystem::LooksAhead {
                steps: token.steps_ahead(context.policy),
            },
            drift_steps: token.drift,
            ..Migration::new(token.secret.clone(), token.params)
        }))
    })
}

impl Token {
    /// How many steps after the expected one can be accepted: those of the window, around our own
    /// clock too, in case that the token's is put right.
    fn steps_ahead(&self, policy: &Policy) -> u16 {
        let lag = self.drift.min(0).unsigned_abs();
        lag.saturating_add(policy.window.future().into())
    }
}
