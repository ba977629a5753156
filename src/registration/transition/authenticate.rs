//! A code of the token: confirm a registration, log in, or let a replacement take over.

use super::{Context, attempt, with_registration};
use crate::registration::proposal::Proposal;
use crate::registration::record::Record;
use crate::registration::throttle::Failures;
use crate::registration::{
    Failure, Lineage, Registration, RegistrationId, Rejection, State, Token, Wait,
};
use crate::{Code, CodeError, Match, OtpKey, Step, UnixTime};

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
        attempt(record, registration, |registration| {
            Ok(registration.authenticate(code, context))
        })
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

    fn authenticate(
        &mut self,
        code: &Code,
        context: &Context<'_>,
    ) -> Result<Authenticated, Rejection> {
        let Context { now, policy, .. } = *context;
        let cost = self.cost(code.format(), now, policy);
        self.failures.lock(now, policy.throttle, cost).admit()?;
        if self.lapsed(now, policy) {
            return Err(Rejection::Expired);
        }
        match self.verify(code, context) {
            Ok((found, replaced)) => Ok(self.log_in(found, replaced, now)),
            Err(Refusal::Mismatch) => {
                let lock = self.failures.count(now, policy.throttle, cost);
                Err(Rejection::Mismatch { lock })
            }
            Err(Refusal::Replayed) => Err(Rejection::Replayed),
            Err(Refusal::TooEarly(until)) => Err(Rejection::TooEarly(Wait::between(now, until))),
            Err(Refusal::Format) => Err(self.misformatted(code)),
        }
    }

    fn log_in(&mut self, found: Match, replaced: bool, now: UnixTime) -> Authenticated {
        let activated = self.activate(now);
        self.failures = Failures::default();
        self.last_use = Some(now);
        Authenticated {
            lineage: self.lineage,
            at: now,
            found,
            activated,
            replaced,
        }
    }

    /// Verifies against a waiting replacement, which takes over if the code is its own, and against
    /// the token. The second value tells whether it took over.
    fn verify(&mut self, code: &Code, context: &Context<'_>) -> Result<(Match, bool), Refusal> {
        let mut refused = Refusal::Format;
        if self.replacement_at(context.now, context.policy).is_none() {
            self.replacement = None;
        }
        if let Some(replacement) = &mut self.replacement {
            match replacement.token.verify(code, &self.lineage, context) {
                Err(refusal) => refused = refusal,
                Ok(found) => {
                    self.take_over();
                    return Ok((found, true));
                }
            }
        }
        match self.token.verify(code, &self.lineage, context) {
            Ok(found) => Ok((found, false)),
            Err(refusal) => Err(refusal.max(refused)),
        }
    }

    fn take_over(&mut self) {
        if let Some(replacement) = self.replacement.take() {
            self.token = replacement.token;
        }
    }

    /// What to tell of a code that no token here writes so.
    fn misformatted(&self, code: &Code) -> Rejection {
        if self.is_shaped_like_recovery_code(code) {
            return Rejection::RecoveryCodeAsCode;
        }
        Rejection::Format {
            expected: self.token.format(),
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

/// Why a token doesn't accept a code. Of two, the greater one is told.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Refusal {
    Format,
    Mismatch,
    /// Its step is burned, and so is all that can be accepted before then.
    TooEarly(UnixTime),
    Replayed,
}

impl Token {
    /// Verifies a code. What it accepts is burned, and the token's clock is followed.
    fn verify(
        &mut self,
        code: &Code,
        lineage: &Lineage,
        context: &Context<'_>,
    ) -> Result<Match, Refusal> {
        let Context { now, policy, .. } = *context;
        let (found, drift) = self.find(code, lineage, context)?;
        if self.burned.contains(found.step()) {
            let until = self.refused_until(drift, now, policy);
            return Err(until.map_or(Refusal::Replayed, Refusal::TooEarly));
        }
        self.burned.burn(found.step());
        self.fenced = 0;
        self.drift = drift;
        self.follow_drift(found.offset(), policy);
        Ok(found)
    }

    /// The step whose code this is, and the drift it was found at: the one that is remembered, or
    /// none, as the token's clock may have been put right.
    fn find(
        &self,
        code: &Code,
        lineage: &Lineage,
        context: &Context<'_>,
    ) -> Result<(Match, i16), Refusal> {
        if code.format() != self.format() {
            return Err(Refusal::Format);
        }
        let key = self.key(lineage, context);
        let find_at = |drift| {
            let expected = self.step_at(context.now, drift);
            let found = key.find(code, expected, self.window(context.policy))?;
            Some((found, drift))
        };
        let mut found = find_at(self.drift);
        if self.drift != 0 {
            found = later(found, find_at(0));
        }
        found.ok_or(Refusal::Mismatch)
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

/// The match of the higher step, so that all that the code could be is burned.
fn later(one: Option<(Match, i16)>, other: Option<(Match, i16)>) -> Option<(Match, i16)> {
    match (one, other) {
        (Some(one), Some(other)) if other.0.step() > one.0.step() => Some(other),
        _ => one.or(other),
    }
}
