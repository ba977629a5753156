//! What became of recovery codes that can't be taken over.

use core::fmt;

/// How many recovery codes of another system were not taken over, by the reason.
///
/// The token itself is taken over all the same; see [`Migration`](crate::Migration).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SkippedRecoveryCodes {
    /// Those that an earlier one equals but for case, spaces and hyphens: a code works once.
    pub duplicate: usize,
    /// Those after the first [`RecoveryCount::MAX`](crate::RecoveryCount::MAX) that can be used.
    pub too_many: usize,
    /// Those of more than 64 characters, and those without any but spaces and hyphens.
    pub unusable: usize,
}

impl SkippedRecoveryCodes {
    /// How many there are in all.
    #[must_use]
    pub const fn total(&self) -> usize {
        self.duplicate
            .saturating_add(self.too_many)
            .saturating_add(self.unusable)
    }

    pub(super) const fn count(&mut self, reason: &Skipped) {
        let count = match reason {
            Skipped::Duplicate => &mut self.duplicate,
            Skipped::TooMany => &mut self.too_many,
            Skipped::Unusable => &mut self.unusable,
        };
        *count = count.saturating_add(1);
    }
}

/// Tells how many, and why: `3 recovery codes not taken over (1 duplicate, 2 too many)`.
impl fmt::Display for SkippedRecoveryCodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.total() == 1 { "" } else { "s" };
        write!(f, "{} recovery code{plural} not taken over", self.total())?;
        let reasons = [
            (self.duplicate, "duplicate"),
            (self.too_many, "too many"),
            (self.unusable, "empty or too long"),
        ];
        let mut before = " (";
        for (count, reason) in reasons.into_iter().filter(|(count, _)| *count > 0) {
            write!(f, "{before}{count} {reason}")?;
            before = ", ";
        }
        f.write_str(if self.total() == 0 { "" } else { ")" })
    }
}

/// Why a recovery code isn't taken over.
pub(super) enum Skipped {
    Duplicate,
    TooMany,
    Unusable,
}
