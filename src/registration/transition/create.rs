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
use crate::{Entropy, EntropyError, Params, Secret, UnixTime};

/// What a new token should be like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NewRegistration {
    /// What the token and its verifier agree on. The default is what every app understands.
    pub params: Params,
    /// How long it waits for its first code: by default what the policy says, and at most that.
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
#[inline(never)] // its stack is needed only once the record was loaded
pub fn create(
    record: Option<&Record>,
    new: &NewRegistration,
    context: &Context<'_>,
    entropy: &mut (impl Entropy + ?Sized),
) -> Result<Proposal<Enrollment>, Failure> {
    let Some(previous) = previous_revision(record)? else {
        return Ok(Proposal::rejected(Rejection::AlreadyRegistered));
    };
    let lineage = Lineage::draw(entropy)?;
    let until = new.pending_until(context);
    let token = draw_token(new, entropy)?;
    #[allow(unused_mut)] // recovery codes come with `sha2`
    let mut enrollment = Enrollment::of(&token, lineage, until);
    #[allow(unused_mut)]
    let mut registration = Registration::new(lineage, State::Pending { until }, token);
    #[cfg(feature = "sha2")]
    if let Err(rejection) = mint(
        &mut enrollment.recovery_codes,
        &mut registration,
        context,
        entropy,
    )? {
        return Ok(Proposal::rejected(rejection));
    }
    let next = registration.to_record(previous);
    Ok(Proposal::new(
        record.map(Record::revision),
        Some(next),
        Ok(enrollment),
    ))
}

/// What a new registration is written over; `None` over an active one.
pub(super) fn previous_revision(record: Option<&Record>) -> Result<Option<Revision>, Failure> {
    let Some(record) = record else {
        return Ok(Some(Revision::NONE));
    };
    match Registration::read(record) {
        Ok(ref registration) => {
            let pending = matches!(registration.state, State::Pending { .. });
            Ok(pending.then_some(record.revision()))
        }
        Err(error) => Err(Failure::Corrupt(error)),
    }
}

/// A new token.
pub(super) fn draw_token(
    new: &NewRegistration,
    entropy: &mut (impl Entropy + ?Sized),
) -> Result<Token, EntropyError> {
    let secret = Secret::generate(new.params.algorithm(), entropy)?;
    Ok(Token::new(secret, new.params))
}

impl NewRegistration {
    /// When the new token lapses.
    pub(super) fn pending_until(&self, context: &Context<'_>) -> UnixTime {
        let longest = context.policy.pending_lifetime.as_seconds();
        let lifetime = self.lifetime.map_or(longest, PendingLifetime::as_seconds);
        context.now.saturating_add(lifetime.min(longest))
    }
}

impl Enrollment {
    /// What the person is told of a new token, without recovery codes.
    pub(super) fn of(token: &Token, lineage: Lineage, pending_until: UnixTime) -> Self {
        Self {
            lineage,
            secret: token.secret.clone(),
            params: token.params,
            pending_until,
            #[cfg(feature = "sha2")]
            recovery_codes: RecoveryCodes::default(),
        }
    }
}

/// Draws new recovery codes, and what the registration keeps of them, where they are to stay: they are
/// too large to be moved for nothing.
#[cfg(feature = "sha2")]
pub(super) fn mint(
    codes: &mut RecoveryCodes,
    registration: &mut Registration,
    context: &Context<'_>,
    entropy: &mut (impl Entropy + ?Sized),
) -> Result<Result<(), Rejection>, Failure> {
    let policy = context.policy.recovery;
    let Registration {
        recovery, lineage, ..
    } = registration;
    codes.draw(policy.count, policy.format, entropy)?;
    if codes.is_empty() {
        *recovery = None;
        return Ok(Ok(()));
    }
    RecoverySet::put_minted(recovery, codes, policy, lineage, context.pepper)
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
