//! `.google_authenticator` of google-authenticator-libpam: a secret, options, and scratch codes,
//! which are recovery codes. Always SHA-1 and six digits.
//!
//! The format is published with the module, in `FILEFORMAT`; what the options do is in its source.
//!
//! `RESETTING_TIME_SKEW` has codes that were typed and not accepted: nothing is burned by it.

use std::string::String;

use super::described::{Described, Kind, Number};
use super::import::Reading;
use super::{ImportError, Imported, Place, Reason, RecoveryCodeTexts};
use crate::{Burned, OtherSystem, Secret, Step};

/// What a line with an option starts with.
pub(super) const OPTION: &str = "\" ";

pub(super) fn read(text: &str, reading: &mut Reading<'_>) -> Result<(), ImportError> {
    let mut lines = (1..).zip(text.lines());
    let (line, secret) = lines.next().unwrap_or((1, ""));
    let mut options = Options::default();
    for (line, text) in lines {
        if let Err(reason) = options.read_line(text.trim_end()) {
            reading.leave_out(Place::Line(line), String::new(), reason)?;
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
    /// How many codes are tried.
    window: Number,
    drift_steps: i16,
    last_step: Option<Step>,
    scratch_codes: RecoveryCodeTexts,
}

impl Options {
    /// Reads an option or a scratch code, or tells why it is neither.
    fn read_line(&mut self, line: &str) -> Result<(), Reason> {
        if let Some(option) = line.strip_prefix(OPTION) {
            return self.read(option);
        }
        if is_scratch_code(line) {
            self.scratch_codes.push(line);
        } else if !line.is_empty() {
            return Err(Reason::RecoveryCode);
        }
        Ok(())
    }

    /// Reads an option. Those that say how the module slows guessing are keyfob's own affair.
    fn read(&mut self, option: &str) -> Result<(), Reason> {
        let (name, value) = option.split_once(' ').unwrap_or((option, ""));
        let value = value.trim();
        match name {
            "HOTP_COUNTER" => self.counter = Number::parse(value),
            "STEP_SIZE" => self.period = Number::parse(value),
            "WINDOW_SIZE" => self.window = Number::parse(value),
            "TIME_SKEW" => self.drift_steps = value.parse().map_err(|_| Reason::Malformed)?,
            "DISALLOW_REUSE" => return self.read_used_steps(value),
            _ => {}
        }
        Ok(())
    }

    /// Keeps the last of the steps whose codes were used.
    fn read_used_steps(&mut self, steps: &str) -> Result<(), Reason> {
        for step in steps.split_ascii_whitespace() {
            let step = step.parse().map_err(|_| Reason::Malformed)?;
            self.last_step = self.last_step.max(Some(Step::new(step)));
        }
        Ok(())
    }

    /// How far ahead the module looks: half of its window, which has three codes unless it is set. At
    /// least a step, because the code that sets a skew anew may be one after what is then kept.
    fn other_system(&self) -> OtherSystem {
        let codes = match self.window {
            Number::Absent => 3,
            Number::Whole(codes @ 1..=100) => codes,
            // It lets nobody in.
            Number::Whole(_) | Number::Wrong => return OtherSystem::Unknown,
        };
        let steps = u16::try_from(codes / 2).unwrap_or(u16::MAX).max(1);
        OtherSystem::LooksAhead { steps }
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
            other_system: self.other_system(),
            drift_steps: match described.kind {
                Kind::Hotp => 0, // it has no clock
                _ => self.drift_steps,
            },
            recovery_codes: self.scratch_codes,
            ..token
        })
    }
}
