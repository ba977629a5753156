//! `.google_authenticator` of google-authenticator-libpam: a secret, options, and scratch codes,
//! which are recovery codes. Always SHA-1 and six digits.
//!
//! The format is published with the module, in `FILEFORMAT`.

use std::string::String;

use super::described::{Described, Kind, Number};
use super::import::Reading;
use super::{ImportError, Imported, Place, Reason, RecoveryCodeTexts};
use crate::{Burned, Secret, Step};

/// What a line with an option starts with.
pub(super) const OPTION: &str = "\" ";

pub(super) fn read(text: &str, reading: &mut Reading<'_>) -> Result<(), ImportError> {
    let mut lines = (1..).zip(text.lines());
    let (line, secret) = lines.next().unwrap_or((1, ""));
    let mut options = Options::default();
    for (line, text) in lines {
        if !options.read_line(text.trim_end()) {
            reading.leave_out(Place::Line(line), String::new(), Reason::RecoveryCode)?;
        }
    }
    let secret = Secret::from_legacy_base32(secret.trim()).map_err(Reason::from);
    reading.keep(Place::Line(line), options.token(secret), String::new)
}

/// Eight digits.
pub(super) fn is_scratch_code(line: &str) -> bool {
    line.len() == 8 && line.bytes().all(|byte| byte.is_ascii_digit())
}

/// What the file says besides the secret.
#[derive(Default)]
struct Options {
    /// The next one; 0 for a time-based token.
    counter: Number,
    period: Number,
    drift_steps: i16,
    last_step: Option<Step>,
    scratch_codes: RecoveryCodeTexts,
}

impl Options {
    /// Reads an option or a scratch code; tells whether it was either, or nothing.
    fn read_line(&mut self, line: &str) -> bool {
        if let Some(option) = line.strip_prefix(OPTION) {
            self.read(option);
        } else if is_scratch_code(line) {
            self.scratch_codes.push(line);
        } else {
            return line.is_empty();
        }
        true
    }

    /// Reads an option. Those that say how the module slows guessing are keyfob's own affair.
    fn read(&mut self, option: &str) {
        let (name, value) = option.split_once(' ').unwrap_or((option, ""));
        match name {
            "HOTP_COUNTER" => self.counter = Number::parse(value),
            "STEP_SIZE" => self.period = Number::parse(value),
            "TIME_SKEW" => self.drift_steps = value.trim().parse().unwrap_or(0),
            "DISALLOW_REUSE" => self.last_step = last_step(value),
            _ => {}
        }
    }

    fn token(self, secret: Result<Secret, Reason>) -> Result<Imported, Reason> {
        let described = match self.counter {
            // The module takes less than 1 for no counter.
            Number::Absent | Number::Whole(0) => Described {
                period: self.period,
                ..Described::new(Kind::Totp)
            },
            counter => Described {
                counter,
                ..Described::new(Kind::Hotp)
            },
        };
        let token = described.token(secret)?;
        Ok(Imported {
            burned: token.burned.or(self.last_step.map(Burned::up_to)),
            drift_steps: match described.kind {
                Kind::Hotp => 0, // it has no clock
                _ => self.drift_steps,
            },
            recovery_codes: self.scratch_codes,
            ..token
        })
    }
}

/// The last of the steps whose codes were used.
fn last_step(steps: &str) -> Option<Step> {
    let steps = steps.split_ascii_whitespace();
    steps
        .filter_map(|step| step.parse().ok())
        .max()
        .map(Step::new)
}
