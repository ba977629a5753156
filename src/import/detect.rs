//! Which format a file has, by its first bytes, keys or rows.

use core::fmt;

use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

use super::json::Text;
use super::{Format, google_authenticator_pam, stratum, text, uri_list, yubico_csv};
use crate::Secret;

/// Tells a file's format by what it looks like; `None` if it looks like none.
///
/// Only a little of the file is read, however long it is. andOTP's oldest encrypted form has no
/// mark at all: name it.
#[must_use]
pub fn detect(file: &[u8]) -> Option<Format> {
    if stratum::ENCRYPTED
        .iter()
        .any(|start| file.starts_with(start))
    {
        return Some(Format::Stratum);
    }
    if is_encrypted_by_and_otp(file) {
        return Some(Format::AndOtp);
    }
    let text = text(file).ok()?.trim_ascii_start();
    match text.as_bytes().first()? {
        b'<' => is_pskc(text).then_some(Format::Pskc),
        b'{' | b'[' => detect_json(text),
        _ => detect_lines(text),
    }
}

/// Whether it starts with iterations of PBKDF2, a number that no text starts with.
fn is_encrypted_by_and_otp(file: &[u8]) -> bool {
    file.first_chunk()
        .is_some_and(|start| (1_000..=10_000_000).contains(&u32::from_be_bytes(*start)))
}

/// Whether the root element, which comments may precede, is that of PSKC or of its first drafts.
fn is_pskc(text: &str) -> bool {
    ["KeyContainer", "SecretContainer"]
        .iter()
        .any(|root| text.contains(root))
}

/// By the keys of the object, or of the list's first entry.
fn detect_json(text: &str) -> Option<Format> {
    let mut found = None;
    let keys = Keys {
        format_of: format_of_key,
        found: &mut found,
    };
    // It stops with an error once it has found what it looks for.
    let _ = keys.deserialize(&mut serde_json::Deserializer::from_str(text));
    found
}

fn format_of_key(key: &str) -> Option<Format> {
    Some(match key {
        "header" | "db" => Format::Aegis,
        "services" | "servicesEncrypted" => Format::TwoFas,
        "tokens" | "tokenOrder" => Format::FreeOtpPlus,
        "Authenticators" => Format::Stratum,
        "encrypted" | "items" => Format::BitwardenJson,
        // Ente Auth's encrypted list.
        "kdfParams" | "encryptedData" => Format::UriList,
        _ => return None,
    })
}

fn format_of_key_in_list(key: &str) -> Option<Format> {
    Some(match key {
        "kind" | "timer" | "account" | "pinned" => Format::Raivo,
        "type" | "label" | "thumbnail" | "tags" => Format::AndOtp,
        _ => return None,
    })
}

/// Reads an object's keys until one tells the format.
struct Keys<'f> {
    format_of: fn(&str) -> Option<Format>,
    found: &'f mut Option<Format>,
}

impl<'de> DeserializeSeed<'de> for Keys<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<(), D::Error> {
        value.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Keys<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an export")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Text<'_>>()? {
            *self.found = (self.format_of)(key.as_str());
            if self.found.is_some() {
                return Err(A::Error::custom("found"));
            }
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        list.next_element_seed(Keys {
            format_of: format_of_key_in_list,
            ..self
        })?;
        Err(A::Error::custom("only the first entry is looked at"))
    }
}

/// By the first line that has anything in it.
fn detect_lines(text: &str) -> Option<Format> {
    let mut lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let first = lines.next()?;
    if uri_list::is_line(first) {
        return Some(Format::UriList);
    }
    if first.starts_with("HOTP/") || first.split_ascii_whitespace().next() == Some("HOTP") {
        return Some(Format::OathUsers);
    }
    if first.contains(',') {
        return detect_row(first);
    }
    is_google_authenticator_pam(first, lines.next()).then_some(Format::GoogleAuthenticatorPam)
}

/// By the names of the columns, or by what the first row has in them.
fn detect_row(row: &str) -> Option<Format> {
    let cells = || row.split(',').map(|cell| cell.trim().trim_matches('"'));
    let has = |name: &str| cells().any(|cell| cell.eq_ignore_ascii_case(name));
    let cell = |column| cells().nth(column).unwrap_or_default();
    Some(match () {
        () if has("login_totp") => Format::BitwardenCsv,
        () if has("Title") && (has("TOTP") || has("otpauth")) => Format::KeePassXcCsv,
        () if yubico_csv::is_event(cell(0)) => Format::YubicoCsv,
        () if has("hotp") || has("totp") || is_hex_key(cell(1)) => Format::OathCsv,
        () if is_hex_key(cell(3)) => Format::YubicoCsv,
        () => return None,
    })
}

/// Whether a cell has the hexadecimal of 80 bits or more.
fn is_hex_key(cell: &str) -> bool {
    cell.len() >= 2 * Secret::MIN_LEGACY_BYTES && cell.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A secret alone in its line, then nothing, an option or a scratch code. The module writes secrets
/// without spaces; words with spaces are somebody's prose, most of which is base32.
fn is_google_authenticator_pam(first: &str, second: Option<&str>) -> bool {
    !first.contains(' ')
        && Secret::from_legacy_base32(first).is_ok()
        && second.is_none_or(|line| {
            line.starts_with(google_authenticator_pam::OPTION)
                || google_authenticator_pam::is_scratch_code(line)
        })
}
