//! The QR code as text: two modules in a character, one above the other.

use core::fmt::{self, Write as _};

use super::QrCode;

/// Black on white in colours that no theme changes: 16 and 231 of the 256.
const BLACK_ON_WHITE: &str = "\x1b[38;5;16;48;5;231m";
const RESET: &str = "\x1b[0m";

impl QrCode<'_> {
    /// The code for a terminal: black on white by escape sequences for 256 colours, so that it can
    /// be scanned whether the terminal is dark or light. The quiet zone is drawn.
    ///
    /// A line has [`modules`](Self::modules) and 8 characters, 49 for a URI of 100 bytes: where the
    /// terminal wraps it, it can't be scanned. The last has no line feed: print with `println!`.
    #[must_use]
    pub fn terminal(&self) -> impl fmt::Display {
        Lines {
            code: self,
            ink: true,
            before: BLACK_ON_WHITE,
            after: RESET,
        }
    }

    /// The code as [`terminal`](Self::terminal) has it, without escape sequences: for output that is
    /// no terminal, or one without colours. It can be scanned on the background that is named.
    #[must_use]
    pub fn plain(&self, background: QrBackground) -> impl fmt::Display {
        Lines {
            code: self,
            ink: background == QrBackground::Light,
            before: "",
            after: "",
        }
    }
}

/// What the characters of [`QrCode::plain`] are shown on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QrBackground {
    /// Something dark, as in most terminals: the light modules are drawn.
    Dark,
    /// Something light, as paper: the dark modules are drawn.
    Light,
}

/// Shows two rows of modules in a line; below the last of them, whose number is odd, a light one.
struct Lines<'a> {
    code: &'a QrCode<'a>,
    /// Whether it is the dark modules that are drawn.
    ink: bool,
    before: &'static str,
    after: &'static str,
}

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line_feed = "";
        for y in self.code.with_quiet_zone().step_by(2) {
            f.write_str(line_feed)?;
            self.write_line(f, y)?;
            line_feed = "\n";
        }
        Ok(())
    }
}

impl Lines<'_> {
    fn write_line(&self, f: &mut fmt::Formatter<'_>, y: i32) -> fmt::Result {
        f.write_str(self.before)?;
        for x in self.code.with_quiet_zone() {
            let upper = self.is_drawn(x, y);
            let lower = self.is_drawn(x, y.saturating_add(1));
            f.write_char(half_blocks(upper, lower))?;
        }
        f.write_str(self.after)
    }

    fn is_drawn(&self, x: i32, y: i32) -> bool {
        self.code.is_dark(x, y) == self.ink
    }
}

const fn half_blocks(upper: bool, lower: bool) -> char {
    match (upper, lower) {
        (true, true) => '█',
        (true, false) => '▀',
        (false, true) => '▄',
        (false, false) => ' ',
    }
}
