//! The users file of liboath: `HOTP/T30/6 user pin hexsecret [moving factor] [last code] [time]`.
//! Always SHA-1.
//!
//! Of a time-based token the file keeps the last code, and not its step: it is known only to be one
//! that liboath could accept then, so as far ahead as it looks.

use std::string::String;

use super::described::{Described, Kind, Number};
use super::import::Reading;
use super::{ImportError, Imported, Place, Reason, Remark, encoding};
use crate::OtherSystem;

/// The widest window that the manual of `pam_oath` calls typical; the file doesn't have it.
const WINDOW: u16 = 20;

pub(super) fn read(text: &str, reading: &mut Reading<'_>) -> Result<(), ImportError> {
    reading.expect_lines(text);
    for (line, text) in (1..).zip(text.lines()) {
        let mut fields = text.split_ascii_whitespace().peekable();
        if fields.peek().is_none_or(|first| first.starts_with('#')) {
            continue;
        }
        let mut field = || fields.next().unwrap_or_default();
        let user = User {
            kind: field(),
            name: field(),
            pin: field(),
            secret: field(),
            moving_factor: field(),
            last_code: field(),
        };
        reading.keep(Place::Line(line), user.token(), || String::from(user.name))?;
    }
    Ok(())
}

/// A line's fields; those that aren't there are empty.
struct User<'a> {
    kind: &'a str,
    name: &'a str,
    /// `-` for none, `+` for one that is asked for elsewhere.
    pin: &'a str,
    secret: &'a str,
    moving_factor: &'a str,
    last_code: &'a str,
}

impl User<'_> {
    fn token(&self) -> Result<Imported, Reason> {
        let described = self.described()?;
        let remarks = match self.pin {
            "" => return Err(Reason::Malformed),
            "-" => None,
            _ => Some(Remark::Pin),
        };
        Ok(Imported {
            account: self.name.into(),
            remarks: remarks.into_iter().collect(),
            other_system: self.other_system(),
            ..described.token(encoding::secret_from_hex(self.secret))?
        })
    }

    /// By the first field: `HOTP`, `HOTP/E/8`, `HOTP/T30`, `HOTP/T60/7`.
    fn described(&self) -> Result<Described<'static>, Reason> {
        let mut parts = self.kind.split('/');
        if parts.next() != Some("HOTP") {
            return Err(Reason::Kind);
        }
        let described = match parts.next() {
            None | Some("E") => Described {
                counter: self.counter(),
                ..Described::new(Kind::Hotp)
            },
            Some(period) => Described {
                period: Number::parse(period.strip_prefix('T').ok_or(Reason::Kind)?),
                ..Described::new(Kind::Totp)
            },
        };
        let digits = Number::parse(parts.next().unwrap_or_default());
        Ok(Described {
            digits,
            ..described
        })
    }

    /// The next counter: once a code was accepted, the file has that code's.
    fn counter(&self) -> Number {
        let counter = Number::parse(self.moving_factor).or(0);
        if self.was_used() {
            return counter.last_shown();
        }
        counter
    }

    /// Whether the file has a last code.
    fn was_used(&self) -> bool {
        !matches!(self.last_code, "" | "-")
    }

    fn other_system(&self) -> OtherSystem {
        if self.was_used() {
            return OtherSystem::LooksAhead { steps: WINDOW };
        }
        OtherSystem::Unknown
    }
}
