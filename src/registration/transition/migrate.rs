//! A token that another system registered, taken over with its recovery codes.

use core::fmt;

use super::Context;
use super::create::previous_revision;
use crate::registration::proposal::Proposal;
use crate::registration::record::Record;
#[cfg(feature = "sha2")]
use crate::registration::recovery::{RecoveryCodes, RecoverySet, SkippedRecoveryCodes};
use crate::registration::{
    Failure, LegacySecrets, Lineage, Policy, Registration, RegistrationId, Rejection, State, Token,
};
use crate::{Burned, Entropy, Params, Secret, Step};

/// A token as another system knew it.
#[derive(Clone, Debug)]
pub struct Migration<'a> {
    /// Its secret.
    pub secret: Secret,
    /// What it and its verifier agree on.
    pub params: Params,
    /// The steps that the other system burned, as far as is known. For a counter-based token this
    /// is its counter ([`Burned::before`]); without it the counter is taken to be 0. For a
    /// time-based token, what the other system may have accepted by now is burned as well.
    pub burned: Option<Burned>,
    /// What the other system may have accepted that `burned` doesn't have.
    pub other_system: OtherSystem,
    /// How many steps its clock is ahead of ours, as far as that is known; 0 for a counter.
    pub drift_steps: i16,
    /// Its recovery codes. The first 16 that are different and have 1 to 64 characters are taken
    /// over, and [`Migrated`] tells what was skipped; if there are none of them, new ones are
    /// minted. Codes that differ only in case, spaces and hyphens are one code, as they are when they
    /// are typed.
    ///
    /// All are stored under the policy's slow hash, one hash a code, because a strong code that
    /// another system made can't be told from a weak one.
    pub recovery_codes: ExistingRecoveryCodes<'a>,
}

impl Migration<'_> {
    /// A token of which nothing but its secret and parameters is known.
    #[must_use]
    pub const fn new(secret: Secret, params: Params) -> Self {
        Self {
            secret,
            params,
            burned: None,
            other_system: OtherSystem::Unknown,
            drift_steps: 0,
            recovery_codes: ExistingRecoveryCodes::NONE,
        }
    }
}

/// What the system that a time-based token comes from may have accepted of it by now.
///
/// What is known to be burned was true when it was read. A code that the other system accepted since
/// then must not be accepted again, so every step is burned that it could have accepted. That costs
/// a person who logs in just now a wait for the next code, or the one after; how many are burned
/// depends on how far ahead the other system looked. Nothing of this concerns a counter: let the
/// other system stop before you read its counter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OtherSystem {
    /// Nothing is known of it. It is taken to look a step ahead, as RFC 6238 (§5.2) recommends, or
    /// as far as the policy's window if that is further.
    #[default]
    Unknown,
    /// It accepts codes of so many steps after the expected one.
    LooksAhead {
        /// How many. The expected step is that of our clock and the token's drift.
        steps: u16,
    },
    /// It accepted no code after [`Migration::burned`] was read, and accepts none any more; or no
    /// system ever accepted codes of this token, which is new. Only what is burned is then burned. If
    /// that isn't known, it is as for [`Unknown`](Self::Unknown).
    ///
    /// # Duties of the embedder
    /// Say so only where you stopped the other system before you read what it burned: else a code
    /// is accepted twice.
    Stopped,
}

impl OtherSystem {
    /// How many steps after the expected one it may have accepted since `burned` was read.
    fn steps_ahead(self, burned: Option<Burned>, policy: &Policy) -> Option<u16> {
        match self {
            Self::Stopped if burned.is_some() => None,
            Self::LooksAhead { steps } => Some(steps),
            Self::Unknown | Self::Stopped => Some(policy.window.future().max(1).into()),
        }
    }
}

impl<'a> From<&Migration<'a>> for Migration<'a> {
    fn from(migration: &Migration<'a>) -> Self {
        migration.clone()
    }
}

/// Recovery codes that a person has already, borrowed from where the embedder keeps them.
///
/// ```
/// use keyfob::ExistingRecoveryCodes;
///
/// let codes = ExistingRecoveryCodes::from(&["8f3e-91ac", "77b0-d2e1"]);
/// assert_eq!(codes.iter().count(), 2);
/// let same = ExistingRecoveryCodes::from_lines("8f3e-91ac\n77b0-d2e1\n");
/// assert!(codes.iter().eq(same.iter()));
/// ```
#[derive(Clone, Copy)]
pub struct ExistingRecoveryCodes<'a> {
    listed: &'a [&'a str],
    lines: &'a str,
}

impl<'a> ExistingRecoveryCodes<'a> {
    /// No recovery codes.
    pub const NONE: Self = Self {
        listed: &[],
        lines: "",
    };

    /// The codes of a text that has one a line; empty lines don't count.
    #[must_use]
    pub const fn from_lines(lines: &'a str) -> Self {
        Self {
            lines,
            ..Self::NONE
        }
    }

    /// The codes, in their order.
    pub fn iter(&self) -> impl Iterator<Item = &'a str> + Clone + use<'a> {
        // Not `lines`, in which not every optimiser sees that it can't panic.
        let lines = self.lines.split(['\r', '\n']);
        let lines = lines.filter(|line| !line.trim_ascii().is_empty());
        self.listed.iter().copied().chain(lines)
    }

    /// Whether there are none. Told without parting lines, which firmware that has no recovery codes
    /// needn't be able to.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.listed.is_empty() && self.lines.trim_ascii().is_empty()
    }
}

impl<'a> From<&'a [&'a str]> for ExistingRecoveryCodes<'a> {
    fn from(listed: &'a [&'a str]) -> Self {
        Self {
            listed,
            ..Self::NONE
        }
    }
}

impl<'a, const COUNT: usize> From<&'a [&'a str; COUNT]> for ExistingRecoveryCodes<'a> {
    fn from(listed: &'a [&'a str; COUNT]) -> Self {
        Self::from(listed.as_slice())
    }
}

/// Shows how many there are and nothing of the codes.
impl fmt::Debug for ExistingRecoveryCodes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExistingRecoveryCodes")
            .field("count", &self.iter().count())
            .finish_non_exhaustive()
    }
}

/// A token was taken over and is active.
#[derive(Debug)]
pub struct Migrated {
    lineage: Lineage,
    #[cfg(feature = "sha2")]
    recovery_codes: RecoveryCodes,
    #[cfg(feature = "sha2")]
    skipped: SkippedRecoveryCodes,
}

impl Migrated {
    fn new(lineage: Lineage) -> Self {
        Self {
            lineage,
            #[cfg(feature = "sha2")]
            recovery_codes: RecoveryCodes::default(),
            #[cfg(feature = "sha2")]
            skipped: SkippedRecoveryCodes::default(),
        }
    }

    /// The registration's own name.
    #[must_use]
    pub fn registration_id(&self) -> RegistrationId {
        self.lineage.registration_id()
    }

    /// The newly minted recovery codes, to be shown once; empty if existing ones were taken over.
    #[cfg(feature = "sha2")]
    #[must_use]
    pub const fn recovery_codes(&self) -> &RecoveryCodes {
        &self.recovery_codes
    }

    /// Which of the existing recovery codes were not taken over. They never work: tell the person,
    /// who may have them written down.
    #[cfg(feature = "sha2")]
    #[must_use]
    pub const fn skipped_recovery_codes(&self) -> SkippedRecoveryCodes {
        self.skipped
    }
}

/// Decides about taking a token over. It is active at once; over an active registration it is
/// [`Rejection::AlreadyRegistered`].
///
/// # Errors
/// A [`Failure`] if the stored record can't be read or randomness fails.
#[inline(never)] // its stack is needed only once the record was loaded
pub fn migrate(
    record: Option<&Record>,
    migration: &Migration<'_>,
    context: &Context<'_>,
    entropy: &mut (impl Entropy + ?Sized),
) -> Result<Proposal<Migrated>, Failure> {
    if migration.secret.is_legacy() && context.policy.legacy_secrets == LegacySecrets::Refuse {
        return Ok(Proposal::rejected(Rejection::LegacySecret));
    }
    let Some(previous) = previous_revision(record)? else {
        return Ok(Proposal::rejected(Rejection::AlreadyRegistered));
    };
    let lineage = Lineage::draw(entropy)?;
    #[allow(unused_mut)] // recovery codes come with `sha2`
    let mut migrated = Migrated::new(lineage);
    let state = State::Active { since: context.now };
    let token = Token::new(migration.secret.clone(), migration.params);
    let mut registration = Registration::new(lineage, state, token);
    registration.token.take_over(migration, context);
    #[cfg(feature = "sha2")]
    let taken_over = recovery_codes(
        &mut migrated,
        &mut registration,
        migration,
        context,
        entropy,
    )?;
    #[cfg(not(feature = "sha2"))]
    let taken_over = no_recovery_codes(migration);
    if let Err(rejection) = taken_over {
        return Ok(Proposal::rejected(rejection));
    }
    let next = registration.to_record(previous);
    Ok(Proposal::new(
        record.map(Record::revision),
        Some(next),
        Ok(migrated),
    ))
}

impl Token {
    /// Continues where the other system stopped.
    fn take_over(&mut self, migration: &Migration<'_>, context: &Context<'_>) {
        let Migration { burned, .. } = *migration;
        self.burned = burned.unwrap_or_default();
        if matches!(self.params, Params::Hotp(_)) {
            return;
        }
        self.drift = migration.drift_steps;
        let ahead = migration.other_system.steps_ahead(burned, context.policy);
        if let Some(ahead) = ahead {
            let last = self.expected_step(context.now).number();
            let last = last.saturating_add(ahead.into());
            self.burned.burn(Step::new(last));
        }
    }
}

/// Keeps the recovery codes, or newly drawn ones if none could be taken over.
#[cfg(feature = "sha2")]
fn recovery_codes(
    migrated: &mut Migrated,
    registration: &mut Registration,
    migration: &Migration<'_>,
    context: &Context<'_>,
    entropy: &mut (impl Entropy + ?Sized),
) -> Result<Result<(), Rejection>, Failure> {
    if !migration.recovery_codes.is_empty() {
        let taken_over = RecoverySet::of_foreign(
            migration.recovery_codes.iter(),
            context.policy.recovery,
            &registration.lineage,
            context.pepper,
            &mut migrated.skipped,
        )?;
        match taken_over {
            Err(rejection) => return Ok(Err(rejection)),
            Ok(set) => registration.recovery = set,
        }
        if registration.recovery.is_some() {
            return Ok(Ok(()));
        }
    }
    super::create::mint(&mut migrated.recovery_codes, registration, context, entropy)
}

#[cfg(not(feature = "sha2"))]
fn no_recovery_codes(migration: &Migration<'_>) -> Result<(), Rejection> {
    if migration.recovery_codes.is_empty() {
        return Ok(());
    }
    Err(Rejection::RecoveryCodes)
}
