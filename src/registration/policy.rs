//! The embedder's choices. Every value is valid by its type, and every choice has a default.

use crate::Window;

/// What is accepted, how guessing is slowed, and what is given out.
///
/// A plain value: keep it in a constant and change what you need.
///
/// ```
/// use keyfob::{PendingLifetime, Policy};
///
/// const POLICY: Policy = Policy {
///     pending_lifetime: PendingLifetime::from_minutes(15).unwrap(),
///     ..Policy::DEFAULT
/// };
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The steps accepted around the expected one, for time-based tokens.
    pub window: Window,
    /// The counters accepted from the next one on, for counter-based tokens.
    pub look_ahead: Window,
    /// How guessing is slowed and stopped.
    pub throttle: Throttle,
    /// How long a registration waits for its first code.
    pub pending_lifetime: PendingLifetime,
    /// How far a token's clock is followed.
    pub drift: DriftCap,
    /// How far a resynchronisation searches the counters of a counter-based token.
    pub resync: ResyncReach,
    /// What recovery codes are made, and how weak ones are hashed.
    pub recovery: RecoveryPolicy,
    /// Whether secrets below 128 bits may be migrated.
    pub legacy_secrets: LegacySecrets,
}

impl Policy {
    /// One step to each side, ten counters of look-ahead, five free failures, an hour to confirm,
    /// ten recovery codes; no drift followed, no legacy secrets.
    pub const DEFAULT: Self = Self {
        window: Window::ONE_STEP,
        look_ahead: Window::LOOK_AHEAD,
        throttle: Throttle::DEFAULT,
        pending_lifetime: PendingLifetime::ONE_HOUR,
        drift: DriftCap::OFF,
        resync: ResyncReach::DEFAULT,
        recovery: RecoveryPolicy::DEFAULT,
        legacy_secrets: LegacySecrets::Refuse,
    };

    /// No window: a code counts for its own 30 seconds only (OWASP ASVS 5.0, 6.5.5). Clocks must
    /// go right.
    #[must_use]
    pub const fn strict() -> Self {
        Self {
            window: Window::EXACT,
            ..Self::DEFAULT
        }
    }

    /// For tokens whose crystal drifts: two steps to each side, and up to 20 steps of drift
    /// followed (RFC 6238 §6), one a log-in.
    #[must_use]
    pub const fn lenient_for_hardware_tokens() -> Self {
        Self {
            window: Window::TWO_STEPS,
            drift: DriftCap(20),
            ..Self::DEFAULT
        }
    }
}

impl Default for Policy {
    /// [`Policy::DEFAULT`].
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// How guessing is slowed and stopped: some failures are free, each further one makes the next
/// attempt wait twice as long, and after so many in a row the registration is disabled.
///
/// NIST SP 800-63B-4 (§3.2.2) allows at most 100 failures in a row and waits of 30 seconds up to an
/// hour. A success starts the count anew; a replayed code doesn't count.
///
/// # What a guesser can reach
/// The chance to guess a six-digit code from the last success on, under [`Throttle::DEFAULT`]:
///
/// | policy | in 24 hours | ever |
/// |---|---:|---:|
/// | [`Policy::strict`] | 0.0033 % | 0.01 % |
/// | [`Policy::DEFAULT`] | 0.0099 % | 0.03 % |
/// | [`Policy::lenient_for_hardware_tokens`] | 0.0165 % | 0.05 % |
/// | any of these, counter-based token | 0.0363 % | 0.11 % |
///
/// With eight digits it is a hundredth of that. Each success of the owner gives a guesser the free
/// failures again.
///
/// The bound holds while a replacement token waits for its first code, and for a token whose clock has
/// drifted: a code is then tried in two windows or more. A wrong one counts as one failure for each
/// window, and the waits add up. So people have half as many free failures while a replacement waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Throttle {
    free_failures: u8,
    first_wait_seconds: u32,
    longest_wait_seconds: u32,
    disabled_at: u8,
}

impl Throttle {
    /// Most failures in a row that any throttle allows.
    pub const MAX_FAILURES: u8 = 100;

    /// Five free failures, then waits of two minutes doubling up to an hour; disabled at 100.
    pub const DEFAULT: Self = Self {
        free_failures: 5,
        first_wait_seconds: 120,
        longest_wait_seconds: 3_600,
        disabled_at: Self::MAX_FAILURES,
    };

    /// A throttle of your own: `free_failures` without a wait, then `first_wait_seconds` doubling
    /// up to `longest_wait_seconds`, disabled at `disabled_at` failures in a row.
    ///
    /// `None` unless `free_failures < disabled_at <= 100` and
    /// `1 <= first_wait_seconds <= longest_wait_seconds <= 86,400`.
    #[must_use]
    pub const fn new(
        free_failures: u8,
        first_wait_seconds: u32,
        longest_wait_seconds: u32,
        disabled_at: u8,
    ) -> Option<Self> {
        let counts = free_failures < disabled_at && disabled_at <= Self::MAX_FAILURES;
        let waits = 1 <= first_wait_seconds
            && first_wait_seconds <= longest_wait_seconds
            && longest_wait_seconds <= 86_400;
        if !(counts && waits) {
            return None;
        }
        Some(Self {
            free_failures,
            first_wait_seconds,
            longest_wait_seconds,
            disabled_at,
        })
    }

    /// Failures in a row at which a registration is disabled, 1 to 100.
    #[must_use]
    pub const fn disabled_at(self) -> u8 {
        self.disabled_at
    }

    /// The longest wait after a failure, 1 to 86,400 seconds.
    ///
    /// No registration stays locked for longer, counted from now: a wait that is longer was counted
    /// while a clock was ahead, and is shortened by the next attempt. Where a code is tried in several
    /// windows, the wait before it is at most that many times as long.
    #[must_use]
    pub const fn longest_wait_seconds(self) -> u64 {
        self.longest_wait_seconds as u64
    }

    /// How long the next attempt must wait after so many failures in a row; 0 while they are free.
    #[must_use]
    pub const fn wait_seconds(self, failures: u8) -> u64 {
        let Some(doublings) = failures.saturating_sub(self.free_failures).checked_sub(1) else {
            return 0;
        };
        let wait = (self.first_wait_seconds as u64).saturating_mul(1 << min(doublings, 31));
        min_u64(wait, self.longest_wait_seconds as u64)
    }
}

impl Throttle {
    /// How much longer an attempt that costs so many failures must wait than one that costs one.
    pub(super) fn waits_before(self, failures: u8, cost: u8) -> u64 {
        (1..cost)
            .map(|more| self.wait_seconds(failures.saturating_add(more)))
            .fold(0, u64::saturating_add)
    }
}

const fn min(one: u8, other: u8) -> u8 {
    if one < other { one } else { other }
}

const fn min_u64(one: u64, other: u64) -> u64 {
    if one < other { one } else { other }
}

impl Default for Throttle {
    /// [`Throttle::DEFAULT`].
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// How long a registration, or a replacement token, waits for its first code: 5 to 1,440 minutes.
///
/// One that would wait longer than the policy's lifetime, by more than 30 seconds, counts as expired:
/// it was made while a clock was ahead. Shorten the policy's lifetime only when none is waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PendingLifetime(u16);

impl PendingLifetime {
    /// 60 minutes, the default.
    pub const ONE_HOUR: Self = Self(60);

    /// A lifetime of 5 to 1,440 minutes; `None` outside that range.
    #[must_use]
    pub const fn from_minutes(minutes: u16) -> Option<Self> {
        match minutes {
            5..=1_440 => Some(Self(minutes)),
            _ => None,
        }
    }

    /// The lifetime in seconds.
    #[must_use]
    pub const fn as_seconds(self) -> u64 {
        (self.0 as u64).saturating_mul(60)
    }
}

impl Default for PendingLifetime {
    /// [`PendingLifetime::ONE_HOUR`].
    fn default() -> Self {
        Self::ONE_HOUR
    }
}

/// How many steps a token's clock may drift away and still be followed (RFC 6238 §6), 0 to 100.
///
/// The remembered drift moves one step a log-in at most, so that an attacker who has a few codes
/// can't drag it along, and never past the cap. A resynchronisation searches as far, and may move it
/// all the way at once. A drift beyond the cap (set by an operator, or imported) only moves back. A
/// token whose clock was put right is found again without drift.
///
/// A large cap has two prices: codes that are that old and were never used can resynchronise a token,
/// and after a [fence](crate::transition::fence) codes are refused for that long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DriftCap(u8);

impl DriftCap {
    /// No drift is followed: the default, right for tokens that set their clock by a network.
    pub const OFF: Self = Self(0);

    /// A cap of 0 to 100 steps; `None` beyond.
    #[must_use]
    pub const fn from_steps(steps: u8) -> Option<Self> {
        match steps {
            0..=100 => Some(Self(steps)),
            _ => None,
        }
    }

    /// The cap in steps.
    #[must_use]
    pub const fn as_steps(self) -> u8 {
        self.0
    }
}

/// How far a resynchronisation searches a counter-based token for two consecutive codes (RFC 4226
/// §7.4): 0 to 1,500 counters ahead. For time-based tokens [`DriftCap`] says how far.
///
/// It costs a code a counter, some 0.2 ms at the most on a server, and each failure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResyncReach(u16);

impl ResyncReach {
    /// 500 counters.
    pub const DEFAULT: Self = Self(500);

    /// A reach of 0 to 1,500 counters; `None` beyond.
    #[must_use]
    pub const fn from_steps(steps: u16) -> Option<Self> {
        match steps {
            0..=1_500 => Some(Self(steps)),
            _ => None,
        }
    }

    /// The reach in counters.
    #[must_use]
    pub const fn as_steps(self) -> u16 {
        self.0
    }
}

impl Default for ResyncReach {
    /// [`ResyncReach::DEFAULT`].
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// What recovery codes are made, and how weak ones are hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecoveryPolicy {
    /// How many codes a registration gets.
    pub count: RecoveryCount,
    /// How they look.
    pub format: RecoveryFormat,
    /// How weak codes are hashed: short ones, and all that come from elsewhere, since how they were
    /// made can't be seen from them.
    pub slow_hash: Option<SlowHash>,
    /// Most iterations of PBKDF2 that a try with a recovery code may take. A stored record says how
    /// many it needs, up to ten million, which is seconds of work; one that asks for more than this
    /// is [`Failure::CostlyRecoveryCodes`](crate::Failure::CostlyRecoveryCodes). What `slow_hash`
    /// itself asks for is always allowed.
    pub max_pbkdf2_iterations: u32,
}

impl RecoveryPolicy {
    /// Ten codes of 120 bits; weak ones by PBKDF2 if the feature is there, and at most two million
    /// iterations of it.
    pub const DEFAULT: Self = Self {
        count: RecoveryCount(10),
        format: RecoveryFormat::Standard,
        slow_hash: SlowHash::DEFAULT,
        max_pbkdf2_iterations: 2_000_000,
    };

    /// Most iterations that a try with a recovery code may take, those of `slow_hash` included.
    #[cfg(feature = "sha2")]
    pub(super) const fn most_pbkdf2_iterations(self) -> u32 {
        match self.slow_hash {
            #[cfg(feature = "pbkdf2")]
            Some(SlowHash::Pbkdf2 { iterations }) if iterations.0 > self.max_pbkdf2_iterations => {
                iterations.0
            }
            _ => self.max_pbkdf2_iterations,
        }
    }
}

impl Default for RecoveryPolicy {
    /// [`RecoveryPolicy::DEFAULT`].
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// How many recovery codes a registration gets, 0 to 16.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecoveryCount(u8);

impl RecoveryCount {
    /// Most recovery codes of one registration, imported ones included.
    pub const MAX: usize = 16;

    /// So many codes, 0 to 16; `None` beyond.
    #[must_use]
    pub const fn new(count: u8) -> Option<Self> {
        if count as usize > Self::MAX {
            return None;
        }
        Some(Self(count))
    }

    /// The count.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

/// How new recovery codes look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecoveryFormat {
    /// 24 symbols of Crockford's base32 in groups of four, 120 bits: `7KZQ-…`. Typed I and L are
    /// read as 1, and O as 0. Stored under a fast hash, which is enough above 112 bits (NIST SP
    /// 800-63B-4 §3.1.2).
    #[default]
    Standard,
    /// 12 lower-case symbols in groups of four, 60 bits: `ckss-2skx-ebow`, as some services show
    /// them. Needs a [`SlowHash`]. The alphabet is that of base32, without 0, 1, 8 and 9: typed
    /// instead of a letter, 0 is read as O, 1 as L and 8 as B.
    Short,
}

/// How codes are hashed of which nobody knows that they have 112 bits of chance (NIST SP 800-63B-4
/// §3.1.2 wants a password hash).
///
/// Without the features `pbkdf2` and `argon2` there is none, and weak codes are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SlowHash {
    /// PBKDF2-HMAC-SHA-256.
    #[cfg(feature = "pbkdf2")]
    Pbkdf2 {
        /// How many iterations, 1 to 10 million.
        iterations: Pbkdf2Iterations,
    },
    /// Argon2id with the parameters that RFC 9106 (§4) recommends second: 64 MiB, three passes,
    /// four lanes.
    #[cfg(feature = "argon2")]
    Argon2id,
}

impl SlowHash {
    /// PBKDF2 if it is there, else Argon2id if that is there.
    pub const DEFAULT: Option<Self> = {
        #[cfg(feature = "pbkdf2")]
        {
            Some(Self::Pbkdf2 {
                iterations: Pbkdf2Iterations::DEFAULT,
            })
        }
        #[cfg(all(feature = "argon2", not(feature = "pbkdf2")))]
        {
            Some(Self::Argon2id)
        }
        #[cfg(not(any(feature = "argon2", feature = "pbkdf2")))]
        {
            None
        }
    };
}

/// Iterations of PBKDF2, 1 to 10,000,000.
#[cfg(feature = "pbkdf2")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pbkdf2Iterations(u32);

#[cfg(feature = "pbkdf2")]
impl Pbkdf2Iterations {
    /// 600,000, as OWASP's Password Storage Cheat Sheet asks for HMAC-SHA-256.
    pub const DEFAULT: Self = Self(600_000);

    /// So many iterations; `None` outside 1 to 10,000,000.
    #[must_use]
    pub const fn new(iterations: u32) -> Option<Self> {
        match iterations {
            1..=10_000_000 => Some(Self(iterations)),
            _ => None,
        }
    }

    /// The number of iterations.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// Whether secrets of 80 to 127 bits may be migrated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LegacySecrets {
    /// No: RFC 4226 (§4, R6) asks for 128 bits.
    #[default]
    Refuse,
    /// Yes, for moving in from a system that made such secrets. Replace the tokens when you can.
    Accept,
}
