//! Verification: the whole window in constant time, and never the same step twice.

use core::fmt;

use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

use super::code::Code;
use super::key::OtpKey;
use super::params::{CodeFormat, Window};
use crate::Step;

/// The steps that must not be accepted again: every one up to the last that was.
///
/// RFC 6238 (§5.2) wants each code accepted at most once. Keep this value with the secret, and
/// store it before you let anyone in: a verifier that restarts without it accepts the last code
/// again.
///
/// ```
/// use keyfob::{Burned, Step};
///
/// let mut burned = Burned::NOTHING;
/// burned.burn(Step::new(41));
/// assert!(burned.contains(Step::new(7)));
/// assert!(!burned.contains(Step::new(42)));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Burned(Option<Step>);

impl Burned {
    /// No step is burned yet.
    pub const NOTHING: Self = Self(None);

    /// Every step up to `last`, itself included.
    #[must_use]
    pub const fn up_to(last: Step) -> Self {
        Self(Some(last))
    }

    /// Every step before `next`: how a counter that stands at `next` is taken over.
    #[must_use]
    pub const fn before(next: Step) -> Self {
        Self(next.checked_add(-1))
    }

    /// The last burned step.
    #[must_use]
    pub const fn last(self) -> Option<Step> {
        self.0
    }

    /// The first step that isn't burned, or `None` when none is left.
    #[must_use]
    pub const fn next(self) -> Option<Step> {
        match self.0 {
            None => Some(Step::new(0)),
            Some(last) => last.checked_add(1),
        }
    }

    /// Whether `step` is burned.
    #[must_use]
    pub fn contains(self, step: Step) -> bool {
        self.0.is_some_and(|last| step <= last)
    }

    /// Burns every step up to `step`. What is burned stays so: an earlier step changes nothing.
    pub fn burn(&mut self, step: Step) {
        self.0 = self.0.max(Some(step));
    }
}

/// A code that was right, once: the step that it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Match {
    step: Step,
    offset: i8,
}

impl Match {
    /// The step whose code this is; the highest, where two steps of the window share the digits.
    #[must_use]
    pub const fn step(&self) -> Step {
        self.step
    }

    /// How many steps after the expected one; negative for a token that lags. Within the window.
    #[must_use]
    pub const fn offset(&self) -> i8 {
        self.offset
    }
}

/// Why a code isn't accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VerifyError {
    /// It is the code of no step in the window: a wrong guess. Count it.
    Mismatch,
    /// It was right, but its step is burned. It tells a guesser nothing new, so it needn't count.
    Replayed,
    /// It is written in another way than this token's codes, so no attempt was made.
    Format {
        /// How this token's codes are written.
        expected: CodeFormat,
    },
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mismatch => f.write_str(
                "the code is wrong: check that it is for this account and that the token's clock is right",
            ),
            Self::Replayed => {
                f.write_str("the code was already used: wait for the next one and enter that")
            }
            Self::Format { expected } => write!(f, "codes of this token have {expected}"),
        }
    }
}

impl core::error::Error for VerifyError {}

impl OtpKey {
    /// Verifies `code` around the `expected` step and burns what it accepts.
    pub(crate) fn verify(
        &self,
        code: &Code,
        format: CodeFormat,
        expected: Step,
        window: Window,
        burned: &mut Burned,
    ) -> Result<Match, VerifyError> {
        if code.format() != format {
            return Err(VerifyError::Format { expected: format });
        }
        let found = self
            .find(code, expected, window)
            .ok_or(VerifyError::Mismatch)?;
        if burned.contains(found.step) {
            return Err(VerifyError::Replayed);
        }
        burned.burn(found.step);
        Ok(found)
    }

    /// The highest step of the window whose code this is, burned or not.
    ///
    /// Every step is computed and compared, and the choice among them is by mask, so that the time
    /// tells neither whether a code matched nor where. Steps that don't exist (before 0, past
    /// [`u64::MAX`]) are left out: which ones these are is no secret.
    pub(crate) fn find(&self, code: &Code, expected: Step, window: Window) -> Option<Match> {
        let mut found = Choice::from(0);
        let mut highest = 0_i8;
        for offset in window.offsets() {
            if let Some(step) = expected.checked_add(i64::from(offset)) {
                let same = self.value(step, code.format()).ct_eq(&code.value());
                highest.conditional_assign(&offset, same);
                found |= same;
            }
        }
        if !bool::from(found) {
            return None;
        }
        Some(Match {
            step: expected.checked_add(i64::from(highest))?,
            offset: highest,
        })
    }

    /// The step of the second of two consecutive codes, the highest there is among the `steps`
    /// steps after `start`. All of them are computed, in constant time.
    pub(crate) fn find_consecutive(
        &self,
        first: &Code,
        second: &Code,
        start: Step,
        steps: u32,
    ) -> Option<Step> {
        let mut found = Choice::from(0);
        let mut highest = 0_u32;
        let mut after_first = Choice::from(0);
        for distance in 0..=steps {
            let Some(step) = start.checked_add(i64::from(distance)) else {
                break;
            };
            let value = self.value(step, first.format());
            let same = after_first & value.ct_eq(&second.value());
            highest.conditional_assign(&distance, same);
            found |= same;
            after_first = value.ct_eq(&first.value());
        }
        if !bool::from(found) {
            return None;
        }
        start.checked_add(i64::from(highest))
    }
}
