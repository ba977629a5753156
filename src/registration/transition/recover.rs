//! Recovery codes, used once each.

use core::fmt;

use zeroize::Zeroize;

use super::{Context, attempt, with_registration};
use crate::registration::proposal::Proposal;
use crate::registration::record::Record;
use crate::registration::recovery::{Digest, NormalForm, Recipe, RecoverySet, Rejected};
use crate::registration::throttle::Failures;
use crate::registration::{
    Failure, Lineage, LockState, Pepper, Registration, RegistrationId, Rejection,
};
use crate::{Code, UnixTime};

/// A recovery code was accepted and is used up in the store. Only the engine makes this value.
///
/// It is the proof that [`replace`](super::replace) asks for, for five minutes.
#[derive(Debug, PartialEq, Eq)]
pub struct Recovered {
    pub(super) lineage: Lineage,
    pub(super) at: UnixTime,
    remaining: usize,
}

impl Recovered {
    /// The registration's own name.
    #[must_use]
    pub fn registration_id(&self) -> RegistrationId {
        self.lineage.registration_id()
    }

    /// How many recovery codes are left.
    #[must_use]
    pub const fn remaining(&self) -> usize {
        self.remaining
    }
}

/// What came of a recovery code that was typed.
#[derive(Debug)]
#[allow(clippy::large_enum_variant)] // there is no heap to put the larger one on
#[must_use = "a code that was counted must be hashed, and finished"]
pub enum Recovery {
    /// It was accepted.
    Recovered(Recovered),
    /// These codes need a slow hash, so the attempt was counted as a failure before that is computed:
    /// [`hash`](CountedRecoveryCode::hash) it, then call [`finish_recovery`].
    Counted(CountedRecoveryCode),
}

/// A recovery code whose attempt is counted, and which is still to be hashed. Wiped on drop.
///
/// Without the features `pbkdf2` and `argon2` nothing is hashed slowly, and there is no such value.
pub struct CountedRecoveryCode {
    #[cfg(any(feature = "argon2", feature = "pbkdf2"))]
    form: NormalForm,
    #[cfg(any(feature = "argon2", feature = "pbkdf2"))]
    recipe: Recipe,
    #[cfg(not(any(feature = "argon2", feature = "pbkdf2")))]
    never: core::convert::Infallible, // so that firmware has no room and no code for it
}

impl CountedRecoveryCode {
    /// Computes the slow hash. It needs neither the record nor the store, so it can be done where
    /// nothing else waits for it.
    ///
    /// # Errors
    /// [`Failure::PepperMissing`], or [`Failure::Corrupt`] without the feature that the hash needs.
    #[cfg(any(feature = "argon2", feature = "pbkdf2"))]
    pub fn hash(&self, pepper: Option<&Pepper>) -> Result<HashedRecoveryCode, Failure> {
        HashedRecoveryCode::of(&self.form, self.recipe, pepper)
    }

    /// There is none to be hashed.
    ///
    /// # Errors
    /// None.
    #[cfg(not(any(feature = "argon2", feature = "pbkdf2")))]
    pub fn hash(&self, _: Option<&Pepper>) -> Result<HashedRecoveryCode, Failure> {
        match self.never {}
    }
}

/// Hides the code.
impl fmt::Debug for CountedRecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CountedRecoveryCode")
            .finish_non_exhaustive()
    }
}

/// The digest of a recovery code whose attempt is counted. Wiped on drop.
pub struct HashedRecoveryCode {
    digest: Digest,
    recipe: Recipe,
}

impl HashedRecoveryCode {
    fn of(form: &NormalForm, recipe: Recipe, pepper: Option<&Pepper>) -> Result<Self, Failure> {
        let digest = recipe.digest(form, pepper)?;
        Ok(Self { digest, recipe })
    }
}

impl Drop for HashedRecoveryCode {
    fn drop(&mut self) {
        self.digest.zeroize();
    }
}

/// Hides the digest.
impl fmt::Debug for HashedRecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HashedRecoveryCode").finish_non_exhaustive()
    }
}

/// Decides about a recovery code as it was typed, in any case, with or without spaces and hyphens,
/// those that phones type for them included. In codes that keyfob made, digits and letters that look
/// alike are read as the one that there is: see [`RecoveryFormat`](crate::RecoveryFormat).
///
/// A wrong one counts in a counter of its own. What can't be a recovery code of this registration,
/// and one that is used already, is refused without a write. A success also ends the wait that
/// wrong codes of the token brought about.
///
/// Where the codes need a slow hash, the attempt is counted first, and the answer is
/// [`Recovery::Counted`]. So a registration costs no more slow hashes than its throttle lets through,
/// however many requests come at once.
///
/// # Errors
/// A [`Failure`] if the record can't be read, or its codes were hashed under a pepper that isn't
/// there or with more iterations than the policy allows.
pub fn recover(
    record: Option<&Record>,
    typed: &str,
    context: &Context<'_>,
) -> Result<Proposal<Recovery>, Failure> {
    with_registration(record, |record, registration| {
        attempt(record, registration, |registration| {
            registration.recover(typed, context)
        })
    })
}

/// Decides about a recovery code that was counted and hashed. A wrong one is counted already, so
/// nothing is written for it, and one that is used already stays counted too.
///
/// # Errors
/// A [`Failure`] if the record can't be read.
pub fn finish_recovery(
    record: Option<&Record>,
    hashed: &HashedRecoveryCode,
    context: &Context<'_>,
) -> Result<Proposal<Recovered>, Failure> {
    with_registration(record, |record, registration| {
        attempt(record, registration, |registration| {
            Ok(registration.finish_recovery(hashed, context))
        })
    })
}

impl Registration {
    fn recover(
        &mut self,
        typed: &str,
        context: &Context<'_>,
    ) -> Result<Result<Recovery, Rejection>, Failure> {
        let (form, recipe) = match self.admit_recovery(typed, context) {
            Ok(admitted) => admitted,
            Err(rejection) => return Ok(Err(rejection)),
        };
        recipe.require_pepper(context.pepper)?;
        recipe.require_affordable(context.policy.recovery)?;
        #[cfg(any(feature = "argon2", feature = "pbkdf2"))]
        if recipe.hashing.is_slow() {
            self.count_recovery(context);
            let counted = CountedRecoveryCode { form, recipe };
            return Ok(Ok(Recovery::Counted(counted)));
        }
        let hashed = HashedRecoveryCode::of(&form, recipe, context.pepper)?;
        let recovered = self.burn_recovery_code(&hashed, context, Self::count_recovery);
        Ok(recovered.map(Recovery::Recovered))
    }

    fn finish_recovery(
        &mut self,
        hashed: &HashedRecoveryCode,
        context: &Context<'_>,
    ) -> Result<Recovered, Rejection> {
        self.require_active(context.now, context.policy)?;
        self.burn_recovery_code(hashed, context, Self::recovery_lock)
    }

    /// Fails unless an attempt can be made with what was typed.
    fn admit_recovery(
        &mut self,
        typed: &str,
        context: &Context<'_>,
    ) -> Result<(NormalForm, Recipe), Rejection> {
        self.require_active(context.now, context.policy)?;
        self.recovery_lock(context).admit()?;
        let set = self.recovery.as_ref().ok_or(Rejection::NoRecoveryCodes)?;
        let form = set.admit(typed).ok_or_else(|| self.malformed(typed))?;
        Ok((form, set.recipe(self.lineage)))
    }

    /// Uses a code up. `lock` tells what holds after a wrong one.
    fn burn_recovery_code(
        &mut self,
        hashed: &HashedRecoveryCode,
        context: &Context<'_>,
        lock: fn(&mut Self, &Context<'_>) -> LockState,
    ) -> Result<Recovered, Rejection> {
        let lineage = self.lineage;
        let set = self.recovery.as_mut();
        let set = set.filter(|set| set.recipe(lineage) == hashed.recipe);
        match set.map(|set| set.burn(&hashed.digest)) {
            Some(Ok(())) => Ok(self.recovered(context.now)),
            Some(Err(Rejected::Used)) => Err(Rejection::Replayed),
            _ if self.remaining() == 0 => Err(Rejection::NoRecoveryCodes),
            _ => Err(Rejection::Mismatch {
                lock: lock(self, context),
            }),
        }
    }

    fn count_recovery(&mut self, context: &Context<'_>) -> LockState {
        let throttle = context.policy.throttle;
        self.recovery_failures.count(context.now, throttle, 1)
    }

    fn recovery_lock(&mut self, context: &Context<'_>) -> LockState {
        let throttle = context.policy.throttle;
        self.recovery_failures.lock(context.now, throttle, 1)
    }

    fn remaining(&self) -> usize {
        self.recovery.as_ref().map_or(0, RecoverySet::remaining)
    }

    fn recovered(&mut self, now: UnixTime) -> Recovered {
        self.failures = Failures::default();
        self.recovery_failures = Failures::default();
        self.last_use = Some(now);
        Recovered {
            lineage: self.lineage,
            at: now,
            remaining: self.remaining(),
        }
    }

    /// What to tell of what can't be a recovery code of this registration.
    fn malformed(&self, typed: &str) -> Rejection {
        match Code::parse(typed) {
            Ok(code) if code.format() == self.token.format() => Rejection::CodeAsRecoveryCode,
            _ => Rejection::RecoveryCodeFormat,
        }
    }
}
