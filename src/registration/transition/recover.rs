//! Recovery codes: used once each, and made anew.

use super::{Context, update, with_registration};
use crate::registration::proposal::Proposal;
use crate::registration::record::Record;
use crate::registration::recovery::RecoveryCodes;
use crate::registration::throttle::Failures;
use crate::registration::{Failure, Lineage, Registration, RegistrationId, Rejection};
use crate::{Code, Entropy, UnixTime};

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

/// Decides about a recovery code as it was typed, in any case, with or without spaces and hyphens,
/// those that phones type for them included. In codes that keyfob made, digits and letters that look
/// alike are read as the one that there is: see [`RecoveryFormat`](crate::RecoveryFormat).
///
/// A wrong one counts in a counter of its own. What can't be a recovery code of this registration,
/// and one that is used already, is refused without a write. A success also ends the wait that
/// wrong codes of the token brought about.
///
/// # Errors
/// A [`Failure`] if the record can't be read, or its codes were hashed under a pepper that isn't
/// there or with more iterations than the policy allows.
pub fn recover(
    record: Option<&Record>,
    typed: &str,
    context: &Context<'_>,
) -> Result<Proposal<Recovered>, Failure> {
    with_registration(record, |record, registration| {
        Ok(match registration.burn_recovery_code(typed, context)? {
            Err(Rejection::Mismatch) => {
                registration
                    .recovery_failures
                    .count(context.now, context.policy.throttle);
                let rejection = registration.name_mismatch(typed);
                update(record, registration, Err(rejection))
            }
            Err(rejection) => Proposal::rejected(rejection),
            Ok(recovered) => update(record, registration, Ok(recovered)),
        })
    })
}

impl Registration {
    fn burn_recovery_code(
        &mut self,
        typed: &str,
        context: &Context<'_>,
    ) -> Result<Result<Recovered, Rejection>, Failure> {
        if let Err(rejection) = self.admit_recovery(context) {
            return Ok(Err(rejection));
        }
        let malformed = if self.is_code(typed) {
            Rejection::CodeAsRecoveryCode
        } else {
            Rejection::RecoveryCodeFormat
        };
        let Some(set) = self.recovery.as_mut() else {
            return Ok(Err(Rejection::NoRecoveryCodes));
        };
        let Some(form) = set.admit(typed) else {
            return Ok(Err(malformed));
        };
        set.require_affordable(context.policy.recovery)?;
        let burned = set.burn(&form, &self.lineage, context.pepper)?;
        let remaining = set.remaining();
        Ok(burned.map(|()| self.recovered(remaining, context.now)))
    }

    /// Whether an attempt with a recovery code may be made.
    fn admit_recovery(&self, context: &Context<'_>) -> Result<(), Rejection> {
        self.require_active(context.now)?;
        self.recovery_failures
            .admit(context.now, context.policy.throttle)?;
        match &self.recovery {
            Some(set) if set.remaining() > 0 => Ok(()),
            _ => Err(Rejection::NoRecoveryCodes),
        }
    }

    fn recovered(&mut self, remaining: usize, now: UnixTime) -> Recovered {
        self.failures = Failures::default();
        self.recovery_failures = Failures::default();
        self.last_use = Some(now);
        Recovered {
            lineage: self.lineage,
            at: now,
            remaining,
        }
    }

    /// Whether what was typed is written as this token's codes are.
    fn is_code(&self, typed: &str) -> bool {
        Code::parse(typed).is_ok_and(|code| code.format() == self.token.format())
    }

    fn name_mismatch(&self, typed: &str) -> Rejection {
        if self.is_code(typed) {
            return Rejection::CodeAsRecoveryCode;
        }
        Rejection::Mismatch
    }
}

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
        if let Err(rejection) = registration.require_active(context.now) {
            return Ok(Proposal::rejected(rejection));
        }
        let mut codes = RecoveryCodes::default();
        match super::create::mint(&mut codes, &registration.lineage, context, entropy)? {
            Err(rejection) => Ok(Proposal::rejected(rejection)),
            Ok(set) => {
                registration.recovery = set;
                registration.recovery_failures = Failures::default();
                Ok(update(record, registration, Ok(codes)))
            }
        }
    })
}
