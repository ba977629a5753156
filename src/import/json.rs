//! JSON read as a stream: the entries of a list one after the other, the rest passed over.
//!
//! No tree is built, and what isn't looked at is skipped without recursion, so neither depth nor
//! length of a file makes the reader use more than a few bytes of memory.

use core::fmt;
use std::borrow::Cow;
use std::string::String;

use serde::Deserialize;
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::value::RawValue;
use zeroize::Zeroize as _;

use super::described::{Described, Kind, Number};
use super::import::Reading;
use super::{ImportError, Imported, Place, Reason, full_name};
use crate::Secret;

/// Reads the list that the keys of `path` lead to. Each entry is made a token by `E`; one that
/// hasn't the format's form is left out.
pub(super) fn read_list<'a, E: Entry<'a>>(
    text: &'a str,
    path: &[&str],
    reading: &mut Reading<'_>,
) -> Result<(), ImportError> {
    visit_list(
        text,
        path,
        reading,
        |place, entry, reading| match serde_json::from_str::<E>(entry.get()) {
            Ok(entry) => {
                let (issuer, account) = entry.names();
                reading.keep(place, entry.token(), || full_name(issuer, account))
            }
            Err(_) => reading.leave_out(place, String::new(), Reason::Malformed),
        },
    )
}

/// An entry of a file's list.
pub(super) trait Entry<'a>: Deserialize<'a> {
    /// Issuer and account; empty where the file doesn't say.
    fn names(&self) -> (&str, &str);

    fn secret(&self) -> Result<Secret, Reason>;

    fn described(&self) -> Result<Described<'_>, Reason>;

    fn token(&self) -> Result<Imported, Reason> {
        let token = self.described()?.token(self.secret())?;
        let (issuer, account) = self.names();
        Ok(Imported {
            issuer: issuer.into(),
            account: account.into(),
            ..token
        })
    }
}

/// Calls `each` with every entry of the list that the keys of `path` lead to.
pub(super) fn visit_list<'a>(
    text: &'a str,
    path: &[&str],
    reading: &mut Reading<'_>,
    mut each: impl FnMut(Place, &'a RawValue, &mut Reading<'_>) -> Result<(), ImportError>,
) -> Result<(), ImportError> {
    let mut stopped = None;
    let mut visit =
        |place, entry| each(place, entry, reading).map_err(|error| stopped = Some(error));
    let mut json = serde_json::Deserializer::from_str(text);
    let walk = Walk {
        path,
        each: &mut visit,
    };
    let outcome = walk.deserialize(&mut json).and_then(|()| json.end());
    match (stopped, outcome) {
        (Some(error), _) => Err(error),
        (None, Err(error)) => Err(reading.malformed(error.line())),
        (None, Ok(())) => Ok(()),
    }
}

/// Reads a whole value of the file's form.
pub(super) fn read<'a, T: Deserialize<'a>>(
    text: &'a str,
    reading: &Reading<'_>,
) -> Result<T, ImportError> {
    serde_json::from_str(text).map_err(|error| reading.malformed(error.line()))
}

/// The way to a list, and what to do with its entries.
struct Walk<'w, F> {
    path: &'w [&'w str],
    each: &'w mut F,
}

impl<'de, F: FnMut(Place, &'de RawValue) -> Result<(), ()>> DeserializeSeed<'de> for Walk<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<(), D::Error> {
        if self.path.is_empty() {
            value.deserialize_seq(self)
        } else {
            value.deserialize_map(self)
        }
    }
}

impl<'de, F: FnMut(Place, &'de RawValue) -> Result<(), ()>> Visitor<'de> for Walk<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the list of an export")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Some((wanted, path)) = self.path.split_first() else {
            return Err(A::Error::custom("no list"));
        };
        let mut found = false;
        while let Some(key) = map.next_key::<Text<'_>>()? {
            if key.as_str() != *wanted {
                map.next_value::<IgnoredAny>()?;
            } else if core::mem::replace(&mut found, true) {
                return Err(A::Error::custom("a key twice"));
            } else {
                let each = &mut *self.each;
                map.next_value_seed(Walk { path, each })?;
            }
        }
        found
            .then_some(())
            .ok_or_else(|| A::Error::custom("no list"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let mut number = 0_u64;
        while let Some(entry) = list.next_element()? {
            number = number.saturating_add(1);
            (self.each)(Place::Entry(number), entry).map_err(|()| A::Error::custom("stopped"))?;
        }
        Ok(())
    }
}

/// Text, borrowed unless it has escapes; then the copy is wiped on drop.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

impl Text<'_> {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// The secret that the text is in base32, weak ones included.
    pub(super) fn secret(&self) -> Result<Secret, Reason> {
        Ok(Secret::from_legacy_base32(&self.0)?)
    }
}

/// The text, or nothing.
#[allow(clippy::ref_option)] // as the fields of entries are
pub(super) fn text<'t>(text: &'t Option<Text<'_>>) -> &'t str {
    text.as_ref().map_or("", Text::as_str)
}

/// The text, if there is one.
#[allow(clippy::ref_option)]
pub(super) fn optional<'t>(text: &'t Option<Text<'_>>) -> Option<&'t str> {
    text.as_ref().map(Text::as_str)
}

/// The first text that isn't empty.
pub(super) fn first_of<'t, const COUNT: usize>(texts: [&'t Option<Text<'_>>; COUNT]) -> &'t str {
    let mut texts = texts.into_iter().map(text);
    texts.find(|text| !text.is_empty()).unwrap_or_default()
}

/// The kind by its name; TOTP where a file doesn't say.
#[allow(clippy::ref_option)]
pub(super) fn kind(name: &Option<Text<'_>>) -> Result<Kind, Reason> {
    name.as_ref()
        .map_or(Ok(Kind::Totp), |name| Kind::from_name(name.as_str()))
}

/// The secret in base32, if there is one.
#[allow(clippy::ref_option)]
pub(super) fn secret(secret: &Option<Text<'_>>) -> Result<Secret, Reason> {
    secret.as_ref().ok_or(Reason::NoSecret)?.secret()
}

impl Drop for Text<'_> {
    fn drop(&mut self) {
        if let Cow::Owned(text) = &mut self.0 {
            text.zeroize();
        }
    }
}

/// Numbers are read where an app writes them as text, too.
impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        value.deserialize_any(NumberVisitor)
    }
}

struct NumberVisitor;

impl Visitor<'_> for NumberVisitor {
    type Value = Number;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number")
    }

    fn visit_u64<E>(self, number: u64) -> Result<Number, E> {
        Ok(Number::Whole(number))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Number, E> {
        Ok(Number::Wrong)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Number, E> {
        Ok(Number::Wrong)
    }

    fn visit_str<E>(self, text: &str) -> Result<Number, E> {
        Ok(Number::parse(text))
    }

    fn visit_unit<E>(self) -> Result<Number, E> {
        Ok(Number::Absent)
    }
}
