//! `FreeOTP+`: a list of tokens, their secrets as lists of signed bytes.

use core::fmt;
use std::vec::Vec;

use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};
use zeroize::Zeroizing;

use super::described::{Described, Number};
use super::import::Reading;
use super::json::{self, Text};
use super::{ImportError, Reason};
use crate::{Secret, SecretError};

pub(super) fn read(text: &str, reading: &mut Reading<'_>) -> Result<(), ImportError> {
    json::read_list::<Token<'_>>(text, &["tokens"], reading)
}

#[derive(Deserialize)]
struct Token<'a> {
    #[serde(borrow)]
    r#type: Option<Text<'a>>,
    secret: Option<SignedBytes>,
    /// The issuer of the label, which is shown before that of the parameter.
    #[serde(rename = "issuerExt", borrow)]
    issuer_of_label: Option<Text<'a>>,
    #[serde(rename = "issuerInt", borrow)]
    issuer_parameter: Option<Text<'a>>,
    #[serde(rename = "issuerAlt", borrow)]
    renamed_issuer: Option<Text<'a>>,
    #[serde(borrow)]
    label: Option<Text<'a>>,
    #[serde(rename = "labelAlt", borrow)]
    renamed_label: Option<Text<'a>>,
    #[serde(borrow)]
    algo: Option<Text<'a>>,
    #[serde(default)]
    digits: Number,
    #[serde(default)]
    period: Number,
    #[serde(default)]
    counter: Counter,
}

impl<'a> json::Entry<'a> for Token<'a> {
    fn names(&self) -> (&str, &str) {
        (
            json::first_of([
                &self.renamed_issuer,
                &self.issuer_of_label,
                &self.issuer_parameter,
            ]),
            json::first_of([&self.renamed_label, &self.label]),
        )
    }

    fn secret(&self) -> Result<Secret, Reason> {
        let SignedBytes(bytes) = self.secret.as_ref().ok_or(Reason::NoSecret)?;
        let bytes = bytes.as_ref().map_err(|reason| *reason)?;
        Ok(Secret::from_legacy_bytes(bytes)?)
    }

    fn described(&self) -> Result<Described<'_>, Reason> {
        Ok(Described {
            algorithm: json::optional(&self.algo),
            digits: self.digits,
            period: self.period,
            counter: self.counter.0,
            ..Described::new(json::kind(&self.r#type)?)
        })
    }
}

/// The counter of the next code, which is -1 for a token that was never used: `FreeOTP+` counts up
/// after it has shown a code, and takes one off when it scans a key URI.
#[derive(Default)]
struct Counter(Number);

impl<'de> Deserialize<'de> for Counter {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        Ok(Self(match Option::<i64>::deserialize(value)? {
            None => Number::Absent,
            Some(-1) => Number::Whole(0),
            Some(counter) => u64::try_from(counter).map_or(Number::Wrong, Number::Whole),
        }))
    }
}

/// A secret as bytes from -128 to 127, or why it is none.
struct SignedBytes(Result<Zeroizing<Vec<u8>>, Reason>);

impl<'de> Deserialize<'de> for SignedBytes {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        value.deserialize_seq(SignedBytesVisitor)
    }
}

struct SignedBytesVisitor;

impl<'de> Visitor<'de> for SignedBytesVisitor {
    type Value = SignedBytes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of bytes")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<SignedBytes, A::Error> {
        // Never longer than this, so that no copy is left behind where it was.
        let mut bytes = Zeroizing::new(Vec::with_capacity(Secret::MAX_BYTES));
        let mut wrong = None;
        while let Some(number) = list.next_element::<i64>()? {
            match i8::try_from(number) {
                Err(_) => wrong = Some(Reason::SecretEncoding),
                Ok(_) if bytes.len() == Secret::MAX_BYTES => {
                    wrong = Some(SecretError::TooLong.into());
                }
                Ok(byte) => bytes.push(byte.cast_unsigned()),
            }
        }
        Ok(SignedBytes(wrong.map_or(Ok(bytes), Err)))
    }
}
