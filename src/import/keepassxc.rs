//! `KeePassXC`: a table of logins, with a key URI in the column `TOTP`.

use super::import::Reading;
use super::login::Login;
use super::{ImportError, csv};

pub(super) fn read(text: &str, reading: &mut Reading<'_>) -> Result<(), ImportError> {
    csv::read_table(text, reading, |place, header, row, reading| {
        let cell = |name| header.cell(row, name);
        let login = Login {
            title: cell("Title").unwrap_or_default(),
            username: cell("Username").unwrap_or_default(),
            // The second name is that of the attribute in the database.
            totp: cell("TOTP").or(cell("otpauth")).unwrap_or_default(),
        };
        reading.keep(place, login.token(), || login.name())
    })
}
