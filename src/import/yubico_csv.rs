//! What Yubico's tools write when they program tokens. Always SHA-1.
//!
//! The log of the personalisation tool has a row an event: `OATH-HOTP`, the time, the slot, the
//! public identity, the private one, the key in hexadecimal, and further on the digits and the
//! seed of the counter. The other form has a row a token: the serial number, the public identity,
//! the seed of the counter (for OATH), the key, and no digits: six are taken.

use super::csv::{self, Row};
use super::described::{Described, Kind, Number};
use super::import::Reading;
use super::{ImportError, Imported, Reason, encoding};

/// Events that are not about a token.
const LOGGING_START: &str = "LOGGING START";
const OATH_HOTP: &str = "OATH-HOTP";
const OTHER_EVENTS: [&str; 3] = ["Yubico OTP", "Static Password", "Challenge-Response"];

pub(super) fn read(text: &str, reading: &mut Reading<'_>) -> Result<(), ImportError> {
    reading.expect_lines(text);
    csv::read_rows(text, reading, |place, row, reading| match row.cell(0) {
        LOGGING_START => Ok(()),
        OATH_HOTP => reading.keep(place, logged_token(row), || row.cell(3).into()),
        event if OTHER_EVENTS.contains(&event) => {
            reading.leave_out(place, row.cell(3).into(), Reason::Kind)
        }
        serial => reading.keep(place, listed_token(row), || serial.into()),
    })
}

/// Whether the first cell of a row is that of an event.
pub(super) fn is_event(cell: &str) -> bool {
    [LOGGING_START, OATH_HOTP].contains(&cell) || OTHER_EVENTS.contains(&cell)
}

fn logged_token(row: &Row<'_>) -> Result<Imported, Reason> {
    let described = Described {
        digits: Number::parse(row.cell(11)),
        counter: Number::parse(row.cell(12)).or(0),
        ..Described::new(Kind::Hotp)
    };
    Ok(Imported {
        serial: row.cell(3).into(),
        ..described.token(encoding::secret_from_hex(row.cell(5)))?
    })
}

fn listed_token(row: &Row<'_>) -> Result<Imported, Reason> {
    let described = Described {
        counter: Number::parse(row.cell(2)),
        ..Described::new(Kind::Hotp)
    };
    // A static password has nothing there, a Yubico OTP the hexadecimal of six bytes.
    if !is_seed(row.cell(2)) {
        return Err(Reason::Kind);
    }
    Ok(Imported {
        serial: row.cell(0).into(),
        ..described.token(encoding::secret_from_hex(row.cell(3)))?
    })
}

/// The seed of a counter has 16 bits and four more.
fn is_seed(cell: &str) -> bool {
    matches!(Number::parse(cell), Number::Whole(0..=0xf_ffff))
}
