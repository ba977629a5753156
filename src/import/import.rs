//! What came of reading a file.

use std::string::String;
use std::vec::Vec;

use super::{Format, ImportError, Imported, LeftOut, Options, Place, Reason};

/// What was read out of a file, and what was not.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Import {
    /// The format that the file was read as.
    pub format: Format,
    /// The tokens, in the file's order.
    pub tokens: Vec<Imported>,
    /// What was left out, each with its reason.
    pub left_out: Vec<LeftOut>,
}

/// A reading under way: what it was asked for, and what it has found so far.
pub(super) struct Reading<'a> {
    pub(super) options: &'a Options<'a>,
    found: Import,
}

impl<'a> Reading<'a> {
    pub(super) const fn new(format: Format, options: &'a Options<'a>) -> Self {
        Self {
            options,
            found: Import {
                format,
                tokens: Vec::new(),
                left_out: Vec::new(),
            },
        }
    }

    pub(super) fn finish(self) -> Import {
        self.found
    }

    /// The format that the file is read as.
    pub(super) const fn format(&self) -> Format {
        self.found.format
    }

    /// Keeps what was made of the entry at `place`: a token, or under the name that `name` gives
    /// the reason why it is left out.
    pub(super) fn keep(
        &mut self,
        place: Place,
        entry: Result<Imported, Reason>,
        name: impl FnOnce() -> String,
    ) -> Result<(), ImportError> {
        match entry {
            Ok(token) => self.keep_token(Imported { place, ..token }),
            Err(reason) => self.leave_out(place, name(), reason),
        }
    }

    pub(super) fn keep_token(&mut self, token: Imported) -> Result<(), ImportError> {
        self.count()?;
        self.found.tokens.push(token);
        Ok(())
    }

    pub(super) fn leave_out(
        &mut self,
        place: Place,
        name: String,
        reason: Reason,
    ) -> Result<(), ImportError> {
        self.count()?;
        self.found.left_out.push(LeftOut {
            place,
            name,
            reason,
        });
        Ok(())
    }

    /// Fails if there is no room for one more.
    fn count(&self) -> Result<(), ImportError> {
        let entries = self
            .found
            .tokens
            .len()
            .saturating_add(self.found.left_out.len());
        let most = self.options.limits.entries;
        (entries < most)
            .then_some(())
            .ok_or(ImportError::TooManyEntries { most })
    }

    /// The file can't be read on from `line`.
    pub(super) const fn malformed(&self, line: usize) -> ImportError {
        ImportError::Malformed {
            format: self.found.format,
            line,
        }
    }
}
