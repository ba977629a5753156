//! What a decision wants written, and its answer, which waits for that write.

use core::fmt;

use super::record::{Record, Revision};
use super::rejection::Rejection;

/// What became of a compare-and-swap that was carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Swap {
    /// The revision was the expected one, and the new record is stored durably.
    Stored,
    /// The revision was another one, and nothing was written.
    Conflict,
}

/// A compare-and-swap to be carried out: what must be stored now, and what should be instead.
#[derive(Clone, Debug)]
pub struct Write {
    expected: Option<Revision>,
    next: Option<Record>,
}

impl Write {
    /// The revision that must be stored now; `None` if nothing may be.
    #[must_use]
    pub const fn expected(&self) -> Option<Revision> {
        self.expected
    }

    /// The record to store; `None` to delete it.
    #[must_use]
    pub const fn next(&self) -> Option<&Record> {
        self.next.as_ref()
    }
}

/// A decision that isn't valid yet: its answer can be had only by telling what became of its write.
///
/// [`Engine`](crate::Engine) does that; use proposals where you write a loop of your own.
#[derive(Debug)]
#[must_use = "carry out the write, then settle"]
pub struct Proposal<T> {
    write: Option<Write>,
    answer: Result<T, Rejection>,
}

impl<T> Proposal<T> {
    pub(super) const fn rejected(rejection: Rejection) -> Self {
        Self {
            write: None,
            answer: Err(rejection),
        }
    }

    pub(super) const fn unwritten(answer: T) -> Self {
        Self {
            write: None,
            answer: Ok(answer),
        }
    }

    #[inline]
    pub(super) const fn new(
        expected: Option<Revision>,
        next: Option<Record>,
        answer: Result<T, Rejection>,
    ) -> Self {
        Self {
            write: Some(Write { expected, next }),
            answer,
        }
    }

    /// The write to carry out, if there is one.
    #[must_use]
    pub const fn write(&self) -> Option<&Write> {
        self.write.as_ref()
    }

    /// The answer, once the write is stored. Where [`write`](Self::write) gave none, pass `None`.
    ///
    /// # Errors
    /// [`Conflict`] unless the write was stored: load again and decide anew.
    #[inline]
    pub fn settle(self, swap: Option<Swap>) -> Result<Result<T, Rejection>, Conflict> {
        if self.write.is_none() || swap == Some(Swap::Stored) {
            return Ok(self.answer);
        }
        Err(Conflict)
    }
}

/// Somebody else wrote in between: load again and decide anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conflict;

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the record was written by somebody else in between: load it and decide again")
    }
}

impl core::error::Error for Conflict {}
