//! A code of the token: confirm a registration, log in, or let a replacement take over.

use super::{Context, conclude, with_registration};
use crate::registration::proposal::Proposal;
use crate::registration::record::Record;
use crate::registration::throttle::Failures;
use crate::registration::{
    Failure, Lineage, Registration, RegistrationId, Rejection, State, Token,
};
use crate::{Code, CodeError, Match, OtpKey, Params, Step, UnixTime, VerifyError};

/// A code was accepted and its step is burned in the store. Only the engine makes this value.
///
/// It is the proof that [`replace`](super::replace) asks for, for five minutes.
#[derive(Debug, PartialEq, Eq)]
pub struct Authenticated {
    pub(super) lineage: Lineage,
    pub(super) at: UnixTime,
    found: Match,
    activated: bool,
    replaced: bool,
}

impl Authenticated {
    /// The registration's own name.
    #[must_use]
    pub fn registration_id(&self) -> RegistrationId {
        self.lineage.registration_id()
    }

    /// Whether this was the first code, which confirmed the registration.
    #[must_use]
    pub const fn activated(&self) -> bool {
        self.activated
    }

    /// Whether this was the first code of a replacement token, which took over with it.
    #[must_use]
    pub const fn replaced(&self) -> bool {
        self.replaced
    }

    /// The step whose code was accepted; it and all before it are burned.
    #[must_use]
    pub const fn step(&self) -> Step {
        self.found.step()
    }

    /// How many steps after the expected one, the remembered drift included; negative for a token
    /// that lags.
    #[must_use]
    pub const fn offset(&self) -> i8 {
        self.found.offset()
    }
}

/// Decides about a code of the token: at most one answer per step is [`Authenticated`].
///
/// A pending registration is confirmed by its first code. A wrong code is counted; a replayed one,
/// one of another format and any code while locked are refused without a write.
///
/// # Errors
/// A [`Failure`] if the record can't be read.
#[inline]
pub fn authenticate(
    record: Option<&Record>,
    code: &Code,
    context: &Context<'_>,
) -> Result<Proposal<Authenticated>, Failure> {
    with_registration(record, |record, registration| {
        let outcome = registration.attempt(code, context);
        Ok(conclude(record, registration, outcome, context))
    })
}

/// Decides about a code as it was typed: [`authenticate`] for what [`Code::parse`] reads, and for the
/// rest the reason why it is none, or [`Rejection::RecoveryCodeAsCode`]. What is no code isn't
/// counted.
///
/// # Errors
/// A [`Failure`] if the record can't be read.
pub fn authenticate_typed(
    record: Option<&Record>,
    typed: &str,
    context: &Context<'_>,
) -> Result<Proposal<Authenticated>, Failure> {
    match Code::parse(typed) {
        Ok(code) => authenticate(record, &code, context),
        Err(error) => with_registration(record, |_, registration| {
            Ok(Proposal::rejected(registration.misread(typed, error)))
        }),
    }
}

impl Registration {
    /// What to tell a person whose text is no code.
    fn misread(&self, typed: &str, error: CodeError) -> Rejection {
        if self.can_be_recovery_code(typed) {
            return Rejection::RecoveryCodeAsCode;
        }
        Rejection::NoCode(error)
    }

    /// Whether the text is as long as this registration's recovery codes are, and of their symbols.
    #[cfg(feature = "sha2")]
    fn can_be_recovery_code(&self, typed: &str) -> bool {
        self.recovery
            .as_ref()
            .is_some_and(|set| set.shape.symbols > 0 && set.admit(typed).is_some())
    }

    /// Recovery codes come with `sha2`.
    #[cfg(not(feature = "sha2"))]
    #[allow(clippy::unused_self)]
    const fn can_be_recovery_code(&self, _: &str) -> bool {
        false
    }

    fn attempt(&mut self, code: &Code, context: &Context<'_>) -> Result<Authenticated, Rejection> {
        self.failures.admit(context.now, context.policy.throttle)?;
        if self.lapsed(context.now) {
            return Err(Rejection::Expired);
        }
        let (found, replaced) = self.verify(code, context)?;
        self.token.follow_drift(found.offset(), context.policy);
        let activated = self.activate(context.now);
        self.failures = Failures::default();
        self.last_use = Some(context.now);
        Ok(Authenticated {
            lineage: self.lineage,
            at: context.now,
            found,
            activated,
            replaced,
        })
    }

    /// Verifies against a waiting replacement, which takes over if the code is its own, and against
    /// the token. The second value tells whether it took over.
    fn verify(&mut self, code: &Code, context: &Context<'_>) -> Result<(Match, bool), Rejection> {
        let Context { now, .. } = *context;
        let mut refused = None;
        if self.replacement_at(now).is_none() {
            self.replacement = None;
        }
        if let Some(replacement) = &mut self.replacement {
            match replacement.token.verify(code, &self.lineage, context) {
                Err(error) => refused = Some(error),
                Ok(found) => {
                    self.take_over();
                    return Ok((found, true));
                }
            }
        }
        match self.token.verify(code, &self.lineage, context) {
            Ok(found) => Ok((found, false)),
            Err(error) => Err(self.rejection(code, error, refused)),
        }
    }

    fn take_over(&mut self) {
        if let Some(replacement) = self.replacement.take() {
            self.token = replacement.token;
        }
    }

    /// What the refusals of the token and of its replacement come to.
    fn rejection(
        &self,
        code: &Code,
        error: VerifyError,
        of_replacement: Option<VerifyError>,
    ) -> Rejection {
        match (error, of_replacement) {
            (VerifyError::Replayed, _) | (_, Some(VerifyError::Replayed)) => Rejection::Replayed,
            (VerifyError::Mismatch, _) | (_, Some(VerifyError::Mismatch)) => Rejection::Mismatch,
            _ if self.is_shaped_like_recovery_code(code) => Rejection::RecoveryCodeAsCode,
            _ => Rejection::Format {
                expected: self.token.format(),
            },
        }
    }

    fn is_shaped_like_recovery_code(&self, code: &Code) -> bool {
        self.recovery.as_ref().is_some_and(|set| {
            set.shape.digits_only && usize::from(set.shape.symbols) == code.format().symbols()
        })
    }

    /// Confirms a pending registration; tells whether it was pending.
    fn activate(&mut self, now: UnixTime) -> bool {
        let pending = matches!(self.state, State::Pending { .. });
        if pending {
            self.state = State::Active { since: now };
        }
        pending
    }
}

impl Token {
    /// Verifies a code; `burned` rises with a match.
    fn verify(
        &mut self,
        code: &Code,
        lineage: &Lineage,
        context: &Context<'_>,
    ) -> Result<Match, VerifyError> {
        let Context { now, policy, .. } = *context;
        let window = match self.params {
            Params::Totp(_) => policy.window,
            Params::Hotp(_) => policy.look_ahead,
        };
        let expected = self.expected_step(now);
        let mut burned = self.burned;
        let found = self.key(lineage, context).verify(
            code,
            self.format(),
            expected,
            window,
            &mut burned,
        )?;
        self.burned = burned;
        Ok(found)
    }

    /// The secret made ready, or found so.
    fn key(&self, lineage: &Lineage, context: &Context<'_>) -> OtpKey {
        let algorithm = self.params.algorithm();
        match context.keys {
            None => OtpKey::new(algorithm, &self.secret),
            Some(keys) => keys.key(lineage.tag(), algorithm, &self.secret),
        }
    }
}
