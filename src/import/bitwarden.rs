//! Bitwarden: a vault without encryption, in JSON or CSV.

use std::string::String;

use serde::Deserialize;

use super::import::Reading;
use super::json::{self, Text};
use super::login::Login;
use super::{ImportError, Reason, csv};

pub(super) fn read_json(text: &str, reading: &mut Reading<'_>) -> Result<(), ImportError> {
    let vault: Vault = json::read(text, reading)?;
    if vault.encrypted {
        let format = reading.format();
        return Err(ImportError::Encryption { format });
    }
    json::visit_list(
        text,
        &["items"],
        reading,
        |place, item, reading| match serde_json::from_str::<Item<'_>>(item.get()) {
            Ok(item) => {
                let login = item.as_login();
                reading.keep(place, login.token(), || login.name())
            }
            Err(_) => reading.leave_out(place, String::new(), Reason::Malformed),
        },
    )
}

pub(super) fn read_csv(text: &str, reading: &mut Reading<'_>) -> Result<(), ImportError> {
    csv::read_table(text, reading, |place, header, row, reading| {
        let cell = |name| header.cell(row, name).unwrap_or_default();
        let login = Login {
            title: cell("name"),
            username: cell("login_username"),
            totp: cell("login_totp"),
        };
        reading.keep(place, login.token(), || login.name())
    })
}

#[derive(Deserialize)]
struct Vault {
    #[serde(default)]
    encrypted: bool,
}

#[derive(Deserialize)]
struct Item<'a> {
    #[serde(borrow)]
    name: Option<Text<'a>>,
    /// Notes, cards and identities have none.
    #[serde(borrow)]
    login: Option<ItemLogin<'a>>,
}

#[derive(Deserialize)]
struct ItemLogin<'a> {
    #[serde(borrow)]
    username: Option<Text<'a>>,
    #[serde(borrow)]
    totp: Option<Text<'a>>,
}

impl Item<'_> {
    fn as_login(&self) -> Login<'_> {
        let login = self.login.as_ref();
        Login {
            title: json::text(&self.name),
            username: login.map_or("", |login| json::text(&login.username)),
            totp: login.map_or("", |login| json::text(&login.totp)),
        }
    }
}
