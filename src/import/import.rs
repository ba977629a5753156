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

/// Bytes of a short line that has a token: the hexadecimal of 160 bits, and a number.
const SHORT_LINE_BYTES: usize = 48;

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

    /// Makes room at once for the tokens of a text that has one a line at most, so that those read
    /// first aren't moved, and left behind, when the room grows.
    pub(super) fn expect_lines(&mut self, text: &str) {
        let lines = text.bytes().filter(|byte| *byte == b'\n').count();
        // Where lines are shorter, or there isn't that much room, it grows as it is needed.
        let tokens = lines.min(text.len() / SHORT_LINE_BYTES).saturating_add(1);
        let tokens = tokens.min(self.options.limits.entries);
        let _ = self.found.tokens.try_reserve_exact(tokens);
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
    #[inline]
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

    #[inline]
    pub(super) fn keep_token(&mut self, token: Imported) -> Result<(), ImportError> {
        self.count()?;
        self.make_room();
        self.found.tokens.push(token);
        Ok(())
    }

    /// Makes room for one more token, and leaves no secret where those before were.
    fn make_room(&mut self) {
        let tokens = &mut self.found.tokens;
        if tokens.len() < tokens.capacity() {
            return;
        }
        let places = tokens.len().saturating_mul(2).max(4);
        let mut larger = Vec::with_capacity(places);
        larger.extend(tokens.iter_mut().map(Imported::take));
        *tokens = larger;
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
