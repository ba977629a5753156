//! Raivo: a list in which every value is a text. It comes in an archive with a password; unpack
//! that first.

use serde::Deserialize;

use super::described::{Described, Number};
use super::import::Reading;
use super::json::{self, Text};
use super::{ImportError, Reason};
use crate::Secret;

pub(super) fn read(text: &str, reading: &mut Reading<'_>) -> Result<(), ImportError> {
    json::read_list::<Entry<'_>>(text, &[], reading)
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    kind: Option<Text<'a>>,
    #[serde(borrow)]
    issuer: Option<Text<'a>>,
    #[serde(borrow)]
    account: Option<Text<'a>>,
    #[serde(borrow)]
    secret: Option<Text<'a>>,
    #[serde(borrow)]
    algorithm: Option<Text<'a>>,
    #[serde(default)]
    digits: Number,
    /// The period.
    #[serde(default)]
    timer: Number,
    #[serde(default)]
    counter: Number,
}

impl<'a> json::Entry<'a> for Entry<'a> {
    fn names(&self) -> (&str, &str) {
        (json::text(&self.issuer), json::text(&self.account))
    }

    fn secret(&self) -> Result<Secret, Reason> {
        json::secret(&self.secret)
    }

    fn described(&self) -> Result<Described<'_>, Reason> {
        let numbers = [self.digits, self.timer, self.counter];
        let kind = json::kind(&self.kind)?;
        Ok(Described::in_app(
            kind,
            json::optional(&self.algorithm),
            numbers,
        ))
    }
}
