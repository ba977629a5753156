//! A new registration, pending until its first code.

use core::fmt;

use super::Context;
use crate::registration::proposal::Proposal;
use crate::registration::record::{Record, Revision};
#[cfg(feature = "sha2")]
use crate::registration::recovery::{RecoveryCodes, RecoverySet};
use crate::registration::throttle::Failures;
use crate::registration::{
    Failure, Lineage, PendingLifetime, Registration, RegistrationId, Rejection, State, Token,
};
use crate::{Entropy, Params, Secret, UnixTime};

/// What a new token should be like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NewRegistration {
    /// What the token and its verifier agree on. The default is what every app understands.
    pub params: Params,
    /// How long it waits for its first code; by default what the policy says.
    pub lifetime: Option<PendingLifetime>,
}

/// A new token's secret and recovery codes, to be shown to the person once: only the record keeps
/// the secret, and nothing keeps the codes.
pub struct Enrollment {
    lineage: Lineage,
    secret: Secret,
    params: Params,
    pending_until: UnixTime,
    #[cfg(feature = "sha2")]
    recovery_codes: RecoveryCodes,
}

impl Enrollment {
    /// The registration's own name.
    #[must_use]
    pub fn registration_id(&self) -> RegistrationId {
        self.lineage.registration_id()
    }

    /// The secret, for the token: see [`KeyUri`](crate::KeyUri).
    #[must_use]
    pub const fn secret(&self) -> &Secret {
        &self.secret
    }

    /// What the token and its verifier agree on.
    #[must_use]
    pub const fn params(&self) -> &Params {
        &self.params
    }

    /// The new token lapses at this moment unless its first code came.
    #[must_use]
    pub const fn pending_until(&self) -> UnixTime {
        self.pending_until
    }

    /// The new recovery codes; empty for a replacement, which leaves the codes as they are.
    #[cfg(feature = "sha2")]
    #[must_use]
    pub const fn recovery_codes(&self) -> &RecoveryCodes {
        &self.recovery_codes
    }
}

/// Hides secret and codes.
impl fmt::Debug for Enrollment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Enrollment")
            .field("params", &self.params)
            .field("pending_until", &self.pending_until)
            .finish_non_exhaustive()
    }
}

/// Decides about a new registration. Over one that is pending it starts again; over an active one
/// it is [`Rejection::AlreadyRegistered`].
///
/// # Errors
/// A [`Failure`] if the stored record can't be read or randomness fails.
pub fn create(
    record: Option<&Record>,
    new: &NewRegistration,
    context: &Context<'_>,
    entropy: &mut (impl Entropy + ?Sized),
) -> Result<Proposal<Enrollment>, Failure> {
    let Some(revision) = revision_over_pending(record, entropy)? else {
        return Ok(Proposal::rejected(Rejection::AlreadyRegistered));
    };
    let lineage = Lineage::draw(entropy)?;
    #[allow(unused_mut)] // recovery codes come with `sha2`
    let (mut enrollment, token) = enroll(new, lineage, context, entropy)?;
    #[allow(unused_mut)]
    let mut registration = Registration::new(
        lineage,
        State::Pending {
            until: enrollment.pending_until,
        },
        token,
    );
    #[cfg(feature = "sha2")]
    match mint(&lineage, context, entropy)? {
        Err(rejection) => return Ok(Proposal::rejected(rejection)),
        Ok((codes, set)) => {
            enrollment.recovery_codes = codes;
            registration.recovery = set;
        }
    }
    let next = registration.to_record(revision);
    Ok(Proposal::new(
        record.map(Record::revision),
        Some(next),
        Ok(enrollment),
    ))
}

/// The revision to write where nothing, or only a pending registration, is stored.
pub(super) fn revision_over_pending(
    record: Option<&Record>,
    entropy: &mut (impl Entropy + ?Sized),
) -> Result<Option<Revision>, Failure> {
    let Some(record) = record else {
        return Ok(Some(Revision::draw(entropy)?));
    };
    let pending = matches!(Registration::read(record)?.state, State::Pending { .. });
    Ok(pending.then_some(record.revision().next()))
}

/// A new token, and what the person is told of it.
pub(super) fn enroll(
    new: &NewRegistration,
    lineage: Lineage,
    context: &Context<'_>,
    entropy: &mut (impl Entropy + ?Sized),
) -> Result<(Enrollment, Token), Failure> {
    let lifetime = new.lifetime.unwrap_or(context.policy.pending_lifetime);
    let secret = Secret::generate(new.params.algorithm(), entropy)?;
    let token = Token::new(secret.clone(), new.params);
    let enrollment = Enrollment {
        lineage,
        secret,
        params: new.params,
        pending_until: context.now.saturating_add(lifetime.as_seconds()),
        #[cfg(feature = "sha2")]
        recovery_codes: RecoveryCodes::default(),
    };
    Ok((enrollment, token))
}

/// New recovery codes and what is kept of them.
#[cfg(feature = "sha2")]
pub(super) fn mint(
    lineage: &Lineage,
    context: &Context<'_>,
    entropy: &mut (impl Entropy + ?Sized),
) -> Result<Result<(RecoveryCodes, Option<RecoverySet>), Rejection>, Failure> {
    let policy = context.policy.recovery;
    let codes = RecoveryCodes::mint(policy.count, policy.format, entropy)?;
    if codes.is_empty() {
        return Ok(Ok((codes, None)));
    }
    let set = RecoverySet::of_minted(&codes, policy, lineage, context.pepper)?;
    Ok(set.map(|set| (codes, Some(set))))
}

impl Registration {
    pub(super) fn new(lineage: Lineage, state: State, token: Token) -> Self {
        Self {
            lineage,
            state,
            last_use: None,
            failures: Failures::default(),
            recovery_failures: Failures::default(),
            token,
            replacement: None,
            recovery: None,
        }
    }
}
