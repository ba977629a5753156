//! What the suite finds.

use alloc::format;
use alloc::string::{String, ToString as _};
use core::fmt;

use crate::Record;

/// A duty that the store doesn't keep.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// The duty.
    pub duty: Duty,
    /// What a store that keeps it does.
    pub expected: String,
    /// What this one did.
    pub seen: String,
}

/// What a store owes to the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Duty {
    /// `load` gives what the last swap stored: the same revision, the same bytes, or nothing.
    Exactness,
    /// A swap that expects what is stored is `Stored`.
    Progress,
    /// A swap that expects anything else is a `Conflict`.
    Refusal,
    /// A `Conflict` changes nothing.
    Restraint,
    /// A swap changes the registration that it names, and no other.
    Separation,
    /// `load` sees every swap that returned before it began, whichever handle it went through.
    Visibility,
    /// What was stored is there when the store is opened again.
    Durability,
    /// Of all swaps that expect the same revision at the same time, one is `Stored`.
    Atomicity,
    /// Of all log-ins with the same code at the same time, one is accepted.
    SingleUse,
    /// What isn't known is an error: no `Conflict`, no `Stored`, no absent record.
    Honesty,
    /// The store works while nothing is wrong, however many use it.
    Availability,
}

impl Violation {
    pub(super) fn new(duty: Duty, expected: impl fmt::Display, seen: impl fmt::Display) -> Self {
        Self {
            duty,
            expected: expected.to_string(),
            seen: seen.to_string(),
        }
    }

    /// The store failed where nothing was wrong.
    pub(super) fn failed(error: impl fmt::Display) -> Self {
        Self::new(
            Duty::Availability,
            "no error",
            format!("the error: {error}"),
        )
    }

    /// Another record was loaded than the right one.
    pub(super) fn loaded(duty: Duty, right: Option<&Record>, seen: Option<&Record>) -> Self {
        let difference = match (right, seen) {
            (Some(right), Some(seen)) => first_difference(right.as_bytes(), seen.as_bytes()),
            _ => String::new(),
        };
        let seen = format!("{}{difference}", Shown(seen));
        Self::new(duty, Shown(right), seen)
    }
}

fn first_difference(right: &[u8], seen: &[u8]) -> String {
    let index = right
        .iter()
        .zip(seen)
        .position(|(right, seen)| right != seen);
    index.map_or_else(String::new, |index| {
        format!(", which differs first in the byte at {index}")
    })
}

/// A record of the suite's, in words. It holds no secret.
pub(super) struct Shown<'a>(pub(super) Option<&'a Record>);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_str("nothing"),
            Some(record) => write!(
                f,
                "revision {} with {} bytes",
                record.revision().as_u64(),
                record.as_bytes().len()
            ),
        }
    }
}

impl fmt::Display for Duty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Exactness => "`load` gives what the last swap stored, to the bit",
            Self::Progress => "a swap that expects what is stored is Stored",
            Self::Refusal => "a swap that expects anything but what is stored is a Conflict",
            Self::Restraint => "a Conflict changes nothing",
            Self::Separation => "a swap changes the registration that it names, and no other",
            Self::Visibility => {
                "`load` sees every swap that returned before it began, through every handle"
            }
            Self::Durability => "what was stored is there when the store is opened again",
            Self::Atomicity => {
                "of all swaps that expect the same revision at the same time, one is Stored"
            }
            Self::SingleUse => {
                "of all log-ins with the same code at the same time, one is accepted"
            }
            Self::Honesty => {
                "what isn't known is an error: no Conflict, no Stored, no absent record"
            }
            Self::Availability => "the store works while nothing is wrong, however many use it",
        })
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            duty,
            expected,
            seen,
        } = self;
        write!(f, "{duty}: expected {expected}, saw {seen}")
    }
}

impl core::error::Error for Violation {}
