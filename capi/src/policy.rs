//! The embedder's choices, and what a decision depends on besides.

use core::cell::Cell;

#[cfg(feature = "sha2")]
use keyfob::Pepper;
use keyfob::{
    DriftCap, Engine, LegacySecrets, PendingLifetime, Policy, RecoveryCount, RecoveryFormat,
    RecoveryPolicy, RegistrationStore, ResyncReach, Throttle, UnixTime, transition::Context,
};
#[cfg(feature = "pbkdf2")]
use keyfob::{Pbkdf2Iterations, SlowHash};

use crate::keyfob_status_t::*;
use crate::lent::{Result, lent};
use crate::params::keyfob_window_t;

/// Bytes of a pepper.
pub const KEYFOB_PEPPER_BYTES: usize = 32;

/// How new recovery codes look.
#[repr(u32)]
#[derive(Clone, Copy)]
pub enum keyfob_recovery_format_t {
    /// 120 bits, six groups of four symbols.
    KEYFOB_STANDARD_CODES = 1,
    /// 60 bits, three groups of four: they need a slow hash.
    KEYFOB_SHORT_CODES = 2,
}

/// What is accepted, how guessing is slowed, and what is given out. Begin with
/// `keyfob_policy_default` and change what you need.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct keyfob_policy_t {
    /// The steps accepted around the expected one, for time-based tokens.
    pub window: keyfob_window_t,
    /// The counters accepted from the next one on, for counter-based tokens.
    pub look_ahead: keyfob_window_t,
    /// Failures in a row that make nobody wait; fewer than `disabled_at`.
    pub free_failures: u8,
    /// Failures in a row at which a registration is disabled, at most 100.
    pub disabled_at: u8,
    /// How long a new token waits for its first code, 5 to 1,440 minutes.
    pub pending_minutes: u16,
    /// The wait after the first failure that isn't free; it doubles with each further one.
    pub first_wait_seconds: u32,
    /// The longest wait, at most 86,400 seconds.
    pub longest_wait_seconds: u32,
    /// How far a resynchronisation searches, at most 1,500 steps.
    pub resync_steps: u16,
    /// How many steps a token's clock may drift away and still be followed, at most 100.
    pub drift_steps: u8,
    /// How many recovery codes a registration gets, at most 16; builds without `sha2` have none.
    pub recovery_codes: u8,
    /// A `keyfob_recovery_format_t`.
    pub recovery_format: u32,
    /// Iterations of PBKDF2 for short recovery codes and those of other systems, at most 10,000,000; 0 refuses such
    /// codes. Needs the feature `pbkdf2`.
    pub pbkdf2_iterations: u32,
    /// Other than 0 if secrets of 80 to 127 bits may be migrated.
    pub legacy_secrets: u32,
}

// It is given out by value, so it has no padding to bring anything along in.
const _: () = assert!(size_of::<keyfob_policy_t>() == 32);

/// What a decision depends on besides the record and the input.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct keyfob_context_t {
    /// The moment of the decision, in seconds of Unix time.
    pub now: u64,
    /// The embedder's choices.
    pub policy: keyfob_policy_t,
    /// Other than 0 if recovery codes are hashed under `pepper`.
    pub has_pepper: u32,
    /// A random key that is kept where the store isn't.
    pub pepper: [u8; KEYFOB_PEPPER_BYTES],
}

/// A context as keyfob's, kept while a decision is made.
pub(crate) struct Settings {
    pub(crate) now: UnixTime,
    policy: Policy,
    #[cfg(feature = "sha2")]
    pepper: Option<Pepper>,
}

impl Settings {
    pub(crate) fn read(context: Option<&Cell<keyfob_context_t>>) -> Result<Self> {
        lent(context, Self::of)
    }

    fn of(context: &keyfob_context_t) -> Result<Self> {
        Ok(Self {
            now: UnixTime::from_seconds(context.now),
            policy: context.policy.read()?,
            #[cfg(feature = "sha2")]
            pepper: (context.has_pepper != 0).then(|| Pepper::new(context.pepper)),
        })
    }

    /// For requests that depend on the time alone, or on nothing.
    pub(crate) const fn at(now: u64) -> Self {
        Self {
            now: UnixTime::from_seconds(now),
            policy: Policy::DEFAULT,
            #[cfg(feature = "sha2")]
            pepper: None,
        }
    }

    pub(crate) fn engine<S: RegistrationStore>(self, store: S) -> Engine<S> {
        let engine = Engine::new(store, self.policy);
        #[cfg(feature = "sha2")]
        if let Some(pepper) = self.pepper {
            return engine.with_pepper(pepper);
        }
        engine
    }

    #[cfg(feature = "sha2")]
    pub(crate) const fn pepper(&self) -> Option<&Pepper> {
        self.pepper.as_ref()
    }

    pub(crate) fn context(&self) -> Context<'_> {
        Context {
            #[cfg(feature = "sha2")]
            pepper: self.pepper.as_ref(),
            ..Context::new(self.now, &self.policy)
        }
    }
}

impl keyfob_policy_t {
    pub(crate) fn read(&self) -> Result<Policy> {
        Ok(Policy {
            window: self.window.read()?,
            look_ahead: self.look_ahead.read()?,
            recovery: self.read_recovery()?,
            legacy_secrets: match self.legacy_secrets {
                0 => LegacySecrets::Refuse,
                _ => LegacySecrets::Accept,
            },
            ..self.read_bounded().ok_or(KEYFOB_INVALID_ARGUMENT)?
        })
    }

    /// What is a number within bounds.
    fn read_bounded(&self) -> Option<Policy> {
        Some(Policy {
            throttle: Throttle::new(
                self.free_failures,
                self.first_wait_seconds,
                self.longest_wait_seconds,
                self.disabled_at,
            )?,
            pending_lifetime: PendingLifetime::from_minutes(self.pending_minutes)?,
            drift: DriftCap::from_steps(self.drift_steps)?,
            resync: ResyncReach::from_steps(self.resync_steps)?,
            ..Policy::DEFAULT
        })
    }

    fn read_recovery(&self) -> Result<RecoveryPolicy> {
        use keyfob_recovery_format_t::{KEYFOB_SHORT_CODES, KEYFOB_STANDARD_CODES};
        Ok(RecoveryPolicy {
            count: RecoveryCount::new(self.recovery_codes).ok_or(KEYFOB_INVALID_ARGUMENT)?,
            format: match self.recovery_format {
                format if format == KEYFOB_STANDARD_CODES as u32 => RecoveryFormat::Standard,
                format if format == KEYFOB_SHORT_CODES as u32 => RecoveryFormat::Short,
                _ => return Err(KEYFOB_INVALID_ARGUMENT),
            },
            slow_hash: match self.pbkdf2_iterations {
                0 => None,
                iterations => Some(slow_hash(iterations)?),
            },
            ..RecoveryPolicy::DEFAULT
        })
    }

    /// The policy with another window and another cap on drift.
    const fn with(mut self, steps_to_each_side: u8, drift_steps: u8) -> Self {
        self.window = keyfob_window_t {
            past: steps_to_each_side,
            future: steps_to_each_side,
        };
        self.drift_steps = drift_steps;
        self
    }
}

#[cfg(feature = "pbkdf2")]
fn slow_hash(iterations: u32) -> Result<SlowHash> {
    let iterations = Pbkdf2Iterations::new(iterations).ok_or(KEYFOB_INVALID_ARGUMENT)?;
    Ok(SlowHash::Pbkdf2 { iterations })
}

#[cfg(not(feature = "pbkdf2"))]
const fn slow_hash(_iterations: u32) -> Result<keyfob::SlowHash> {
    Err(KEYFOB_FEATURE_OFF)
}

/// One step to each side, ten counters of look-ahead, five free failures, an hour to confirm, ten
/// recovery codes; no drift followed, no legacy secrets.
#[unsafe(no_mangle)]
pub extern "C" fn keyfob_policy_default() -> keyfob_policy_t {
    keyfob_policy_t {
        window: Policy::DEFAULT.window.into(),
        look_ahead: Policy::DEFAULT.look_ahead.into(),
        free_failures: 5,
        disabled_at: Throttle::MAX_FAILURES,
        pending_minutes: 60,
        first_wait_seconds: 120,
        longest_wait_seconds: 3_600,
        resync_steps: ResyncReach::DEFAULT.as_steps(),
        drift_steps: DriftCap::OFF.as_steps(),
        recovery_codes: Policy::DEFAULT.recovery.count.get(),
        recovery_format: keyfob_recovery_format_t::KEYFOB_STANDARD_CODES as u32,
        pbkdf2_iterations: if cfg!(feature = "pbkdf2") { 600_000 } else { 0 },
        legacy_secrets: 0,
    }
}

/// No window: a code counts for its own 30 seconds only (OWASP ASVS 5.0, 6.5.5). Clocks must go
/// right.
#[unsafe(no_mangle)]
pub extern "C" fn keyfob_policy_strict() -> keyfob_policy_t {
    keyfob_policy_default().with(0, 0)
}

/// For tokens whose crystal drifts: two steps to each side, and up to 20 steps of drift followed,
/// one a log-in (RFC 6238 section 6).
#[unsafe(no_mangle)]
pub extern "C" fn keyfob_policy_for_hardware_tokens() -> keyfob_policy_t {
    keyfob_policy_default().with(2, 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_are_those_of_the_library() {
        let read = |policy: keyfob_policy_t| policy.read();
        assert_eq!(read(keyfob_policy_default()), Ok(Policy::DEFAULT));
        assert_eq!(read(keyfob_policy_strict()), Ok(Policy::strict()));
        assert_eq!(
            read(keyfob_policy_for_hardware_tokens()),
            Ok(Policy::lenient_for_hardware_tokens())
        );
    }
}
