//! A token that another system registered, taken over with its recovery codes.

use super::Context;
use super::create::revision_over_pending;
use crate::registration::proposal::Proposal;
use crate::registration::record::Record;
#[cfg(feature = "sha2")]
use crate::registration::recovery::{RecoveryCodes, RecoverySet};
use crate::registration::{Failure, LegacySecrets, Lineage, Registration, Rejection, State, Token};
use crate::{Burned, Entropy, Params, Secret};

/// A token as another system knew it.
#[derive(Clone, Debug)]
pub struct Migration<'a> {
    /// Its secret.
    pub secret: Secret,
    /// What it and its verifier agree on.
    pub params: Params,
    /// The steps that the other system burned. For a counter-based token this is its counter
    /// ([`Burned::before`]); without it the counter is taken to be 0. For a time-based token
    /// without it all that could be accepted now is burned, so a code that the other system
    /// accepted is not accepted again.
    pub burned: Option<Burned>,
    /// Its recovery codes, at most 16 of up to 64 characters each; none means that new ones are
    /// minted.
    pub recovery_codes: &'a [&'a str],
}

impl Migration<'_> {
    /// A token of which nothing but its secret and parameters is known.
    #[must_use]
    pub const fn new(secret: Secret, params: Params) -> Self {
        Self {
            secret,
            params,
            burned: None,
            recovery_codes: &[],
        }
    }
}

/// A token was taken over and is active.
#[derive(Debug)]
pub struct Migrated {
    #[cfg(feature = "sha2")]
    recovery_codes: RecoveryCodes,
}

impl Migrated {
    /// The newly minted recovery codes, to be shown once; empty if existing ones were taken over.
    #[cfg(feature = "sha2")]
    #[must_use]
    pub const fn recovery_codes(&self) -> &RecoveryCodes {
        &self.recovery_codes
    }
}

/// Decides about taking a token over. It is active at once; over an active registration it is
/// [`Rejection::AlreadyRegistered`].
///
/// # Errors
/// A [`Failure`] if the stored record can't be read or randomness fails.
pub fn migrate(
    record: Option<&Record>,
    migration: &Migration<'_>,
    context: &Context<'_>,
    entropy: &mut (impl Entropy + ?Sized),
) -> Result<Proposal<Migrated>, Failure> {
    if migration.secret.is_legacy() && context.policy.legacy_secrets == LegacySecrets::Refuse {
        return Ok(Proposal::rejected(Rejection::LegacySecret));
    }
    let Some(revision) = revision_over_pending(record, entropy)? else {
        return Ok(Proposal::rejected(Rejection::AlreadyRegistered));
    };
    let (registration, migrated) = match take_over(migration, context, entropy)? {
        Ok(taken) => taken,
        Err(rejection) => return Ok(Proposal::rejected(rejection)),
    };
    let next = registration.to_record(revision);
    Ok(Proposal::new(
        record.map(Record::revision),
        Some(next),
        Ok(migrated),
    ))
}

fn take_over(
    migration: &Migration<'_>,
    context: &Context<'_>,
    entropy: &mut (impl Entropy + ?Sized),
) -> Result<Result<(Registration, Migrated), Rejection>, Failure> {
    let lineage = Lineage::draw(entropy)?;
    let state = State::Active { since: context.now };
    #[allow(unused_mut)] // recovery codes come with `sha2`
    let mut registration = Registration::new(lineage, state, taken_token(migration, context));
    #[cfg(feature = "sha2")]
    {
        Ok(
            recovery_codes(migration, &lineage, context, entropy)?.map(|(recovery_codes, set)| {
                registration.recovery = set;
                (registration, Migrated { recovery_codes })
            }),
        )
    }
    #[cfg(not(feature = "sha2"))]
    {
        if !migration.recovery_codes.is_empty() {
            return Ok(Err(Rejection::RecoveryCodes));
        }
        Ok(Ok((registration, Migrated {})))
    }
}

fn taken_token(migration: &Migration<'_>, context: &Context<'_>) -> Token {
    let mut token = Token::new(migration.secret.clone(), migration.params);
    match (migration.burned, migration.params) {
        (Some(burned), _) => token.burned = burned,
        (None, Params::Totp(_)) => token.burn_window(context.now, context.policy),
        (None, Params::Hotp(_)) => {}
    }
    token
}

/// The minted codes, if any, and what is kept of the codes.
#[cfg(feature = "sha2")]
fn recovery_codes(
    migration: &Migration<'_>,
    lineage: &Lineage,
    context: &Context<'_>,
    entropy: &mut (impl Entropy + ?Sized),
) -> Result<Result<(RecoveryCodes, Option<RecoverySet>), Rejection>, Failure> {
    if migration.recovery_codes.is_empty() {
        return super::create::mint(lineage, context, entropy);
    }
    let existing = migration.recovery_codes.iter().copied();
    let policy = context.policy.recovery;
    let set = RecoverySet::of_foreign(existing, policy, lineage, context.pepper)?;
    Ok(set.map(|set| (RecoveryCodes::default(), Some(set))))
}
