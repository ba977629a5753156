//! OATH CSV: `serial, hexkey, hotp|totp, digits, counter|period`. Always SHA-1.
//!
//! A file that starts with `# version: 2` has a user, a resolver and a realm before that.

use super::csv::{self, Row};
use super::described::{Described, Kind, Number};
use super::import::Reading;
use super::{ImportError, Imported, Reason, encoding};

pub(super) fn read(text: &str, reading: &mut Reading<'_>) -> Result<(), ImportError> {
    reading.expect_lines(text);
    let layout = Layout::of(text);
    csv::read_rows(text, reading, |place, row, reading| {
        let serial = row.cell(layout.serial);
        reading.keep(place, layout.token(row), || serial.into())
    })
}

/// Which column is what, counted from 0.
struct Layout {
    account: Option<usize>,
    serial: usize,
}

impl Layout {
    fn of(text: &str) -> Self {
        if text.starts_with("# version: 2") {
            return Self {
                account: Some(0),
                serial: 3,
            };
        }
        Self {
            account: None,
            serial: 0,
        }
    }

    fn token(&self, row: &Row<'_>) -> Result<Imported, Reason> {
        let cell = |column: usize| row.cell(self.serial.saturating_add(column));
        let secret = encoding::secret_from_hex(cell(1));
        Ok(Imported {
            serial: cell(0).into(),
            account: self.account.map_or("", |column| row.cell(column)).into(),
            ..described(cell(2), cell(3), cell(4))?.token(secret)?
        })
    }
}

fn described<'a>(kind: &str, digits: &str, factor: &str) -> Result<Described<'a>, Reason> {
    let (kind, factor) = match kind {
        "" => (Kind::Hotp, Number::parse(factor)),
        kind => (Kind::from_name(kind)?, Number::parse(factor)),
    };
    let described = Described {
        digits: Number::parse(digits),
        ..Described::new(kind)
    };
    Ok(match kind {
        Kind::Steam => return Err(Reason::Kind),
        Kind::Totp => Described {
            period: factor,
            ..described
        },
        Kind::Hotp => Described {
            counter: factor.or(0),
            ..described
        },
    })
}
