//! Key URIs, one a line.

use core::fmt::{self, Write};
use std::string::String;
use std::vec::Vec;

use zeroize::Zeroizing;

use super::{Omission, Omitted};
use crate::import::Imported;
use crate::{KeyUri, Params, Step, UnixTime, UriText};

/// Writes tokens as key URIs, one a line: what every authenticator app reads.
///
/// **The secrets stand in it in the clear.** Write it to where only the reader gets at it, and wipe
/// what it is written to.
///
/// A URI has an account, for which the serial number stands where there is none, but no drift, no
/// recovery codes, no epoch, and of a time-based token no last used step. What isn't written is among
/// the answer. An app needs none of it. For another server write [`pskc`](fn@super::pskc), which has
/// drift and step. White space around a name isn't part of it.
///
/// ```
/// use keyfob::export;
/// use keyfob::import::Imported;
/// use keyfob::{Params, Secret};
///
/// let secret = Secret::from_base32("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")?;
/// let mut token = Imported::new(secret, Params::default());
/// token.account = "alice".into();
///
/// let mut list = String::new();
/// let omitted = export::uri_list(&[token], &mut list)?;
/// assert_eq!(list, "otpauth://totp/alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\n");
/// assert!(omitted.is_empty());
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
///
/// # Errors
/// [`fmt::Error`] if `to` takes no more; what it took then stays.
pub fn uri_list(
    tokens: &[Imported],
    to: &mut (impl Write + ?Sized),
) -> Result<Vec<Omitted>, fmt::Error> {
    let mut omitted = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        let mut omit = |what| omitted.push(Omitted { index, what });
        match line(token) {
            Ok(line) => {
                to.write_str(&line)?;
                parts_omitted(token).for_each(omit);
            }
            Err(what) => omit(what),
        }
    }
    Ok(omitted)
}

/// What of a token that is written has no place in a URI.
fn parts_omitted(token: &Imported) -> impl Iterator<Item = Omission> {
    let serial = !token.serial.trim().is_empty() && !token.account.trim().is_empty();
    let is_used = token.burned.is_some_and(|burned| burned.last().is_some());
    let last_step = is_used && matches!(token.params, Params::Totp(_));
    [
        (serial, Omission::SerialNumber),
        (token.drift_steps != 0, Omission::Drift),
        (last_step, Omission::LastStep),
        (!token.recovery_codes.is_empty(), Omission::RecoveryCodes),
    ]
    .into_iter()
    .filter_map(|(omitted, what)| omitted.then_some(what))
}

fn line(token: &Imported) -> Result<Zeroizing<String>, Omission> {
    let uri = key_uri(token)?;
    // All of the room at once, so that no copy is left behind when it grows.
    let mut line = Zeroizing::new(String::with_capacity(KeyUri::MAX_BYTES));
    if uri.length_bytes() > KeyUri::MAX_BYTES || writeln!(line, "{uri}").is_err() {
        return Err(Omission::TooLong);
    }
    Ok(line)
}

fn key_uri(token: &Imported) -> Result<KeyUri<'_>, Omission> {
    let counter = match token.params {
        Params::Hotp(_) => token.counter().ok_or(Omission::Counter)?,
        Params::Totp(params) if params.epoch != UnixTime::EPOCH => return Err(Omission::Epoch),
        Params::Totp(_) => Step::default(),
    };
    let account = match token.account.trim() {
        "" => token.serial.trim(),
        account => account,
    };
    Ok(KeyUri::from_parts(
        token.secret.clone(),
        token.params,
        counter,
        UriText::plain(token.issuer.trim()),
        UriText::plain(account),
    ))
}
