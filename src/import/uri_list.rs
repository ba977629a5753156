//! Key URIs, one a line, and the QR codes that Google Authenticator exports among them.

use std::collections::{BTreeMap, BTreeSet};
use std::string::{String, ToString as _};
use std::vec;

use super::import::Reading;
use super::{ImportError, Imported, Place, Reason, Remark};
use crate::provisioning::strip_scheme;
use crate::{Batch, Burned, KeyUri, MigrationUri, UriError};

pub(super) fn read(text: &str, reading: &mut Reading<'_>) -> Result<(), ImportError> {
    // Ente Auth encrypts its list into an object of JSON.
    if text.trim_ascii_start().starts_with('{') {
        let format = reading.format();
        return Err(ImportError::Encryption { format });
    }
    reading.expect_lines(text);
    let mut exports = Exports::default();
    for (line, text) in (1..).zip(text.lines()) {
        match text.trim() {
            "" => {}
            comment if comment.starts_with('#') => {}
            uri if starts_with(uri, MigrationUri::SCHEME) => exports.read(line, uri, reading)?,
            uri => reading.keep(
                Place::Line(line),
                read_uri(uri).map_err(Into::into),
                String::new,
            )?,
        }
    }
    exports.report_missing(reading)
}

/// Whether a text starts as a key URI does.
pub(super) fn is_key_uri(text: &str) -> bool {
    ["otpauth://", "steam://"]
        .iter()
        .any(|scheme| starts_with(text, scheme))
}

/// Whether a text starts as a line of such a list does.
pub(super) fn is_line(text: &str) -> bool {
    is_key_uri(text) || starts_with(text, MigrationUri::SCHEME)
}

fn starts_with(text: &str, scheme: &str) -> bool {
    strip_scheme(text, scheme).is_some()
}

/// What Ente Auth adds to the key URIs that it exports.
const ENTE: &str = "codeDisplay";

/// The token of a key URI, read leniently. Ente's counter is that of the code it showed last.
pub(super) fn read_uri(uri: &str) -> Result<Imported, UriError> {
    let uri = KeyUri::parse_lenient(uri)?;
    if uri.ignored().any(|name| name == ENTE) {
        return Ok(exported(&uri));
    }
    Ok(Imported::from(&uri))
}

/// A token that its key URI describes.
impl From<&KeyUri<'_>> for Imported {
    fn from(uri: &KeyUri<'_>) -> Self {
        Self {
            burned: uri.counter().map(Burned::before),
            issuer: uri.issuer().to_string(),
            account: uri.account().to_string(),
            remarks: remarks(uri).collect(),
            ..Self::new(uri.secret().clone(), *uri.params())
        }
    }
}

/// What was overridden, corrected and ignored.
fn remarks(uri: &KeyUri<'_>) -> impl Iterator<Item = Remark> {
    let overridden = uri.overridden_issuer();
    let overridden = overridden.map(|label| Remark::IssuerOverridden {
        label: label.to_string(),
    });
    let corrected = uri
        .corrected()
        .map(|(name, meant)| Remark::ParameterCorrected {
            name: name.to_string(),
            meant,
        });
    let ignored = uri.ignored().map(|name| Remark::ParameterIgnored {
        name: name.to_string(),
    });
    overridden.into_iter().chain(corrected).chain(ignored)
}

/// The exports of Google Authenticator in a list: the numbers of the QR codes of each that were
/// there, and of how many.
#[derive(Default)]
struct Exports(BTreeMap<i32, BTreeSet<(u32, u32)>>);

impl Exports {
    fn read(&mut self, line: u64, uri: &str, reading: &mut Reading<'_>) -> Result<(), ImportError> {
        let mut buffer = vec![0; uri.len()];
        let export = match MigrationUri::parse(uri, &mut buffer) {
            Ok(export) => export,
            Err(error) => return reading.leave_out(Place::Line(line), String::new(), error.into()),
        };
        if !self.note(export.batch()) {
            return reading.leave_out(Place::Line(line), String::new(), Reason::RepeatedQrCode);
        }
        for (token, uri) in (1..).zip(export.tokens()) {
            let entry = uri
                .as_ref()
                .map(exported)
                .map_err(|error| Reason::from(*error));
            reading.keep(Place::Token { line, token }, entry, String::new)?;
        }
        Ok(())
    }

    /// Whether this QR code wasn't there before.
    fn note(&mut self, batch: Batch) -> bool {
        let seen = self.0.entry(batch.id).or_default();
        seen.insert((batch.number, batch.size))
    }

    fn report_missing(&self, reading: &mut Reading<'_>) -> Result<(), ImportError> {
        for seen in self.0.values() {
            let of = seen.iter().map(|(_, size)| *size).max();
            let of = of.unwrap_or_default();
            let is_missing =
                |number: &u32| seen.range((*number, 0)..=(*number, of)).next().is_none();
            for number in (1..=of).filter(is_missing) {
                let missing = Reason::MissingQrCode { number, of };
                reading.leave_out(Place::File, String::new(), missing)?;
            }
        }
        Ok(())
    }
}

/// A token of an app's export. Google Authenticator and Ente Auth count up before they show a code, so
/// their counter is that of the code they showed last.
fn exported(uri: &KeyUri<'_>) -> Imported {
    Imported {
        burned: uri.counter().map(Burned::up_to),
        ..Imported::from(uri)
    }
}
