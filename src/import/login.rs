//! What a password manager keeps beside a login: a key URI, or a bare secret.

use std::string::String;

use super::described::{Described, Kind};
use super::uri_list::{is_key_uri, read_uri};
use super::{Imported, Reason, full_name};
use crate::Secret;

/// A login of a password manager.
pub(super) struct Login<'a> {
    pub(super) title: &'a str,
    pub(super) username: &'a str,
    /// What codes are made from; empty if there is nothing.
    pub(super) totp: &'a str,
}

impl Login<'_> {
    /// What to call it where it is left out.
    pub(super) fn name(&self) -> String {
        full_name(self.title, self.username)
    }

    /// The token. What the key URI doesn't name is taken from the login.
    pub(super) fn token(&self) -> Result<Imported, Reason> {
        let mut token = match self.totp.trim() {
            "" => return Err(Reason::NoOneTimePassword),
            uri if is_key_uri(uri) => read_uri(uri)?,
            secret => bare_secret(secret)?,
        };
        if token.issuer.is_empty() {
            token.issuer = self.title.into();
        }
        if token.account.is_empty() {
            let named = [self.username, self.title].into_iter();
            let other = named.filter(|name| *name != token.issuer);
            token.account = other
                .into_iter()
                .find(|name| !name.is_empty())
                .unwrap_or_default()
                .into();
        }
        Ok(token)
    }
}

/// Password managers take one for SHA-1, six digits and 30 seconds.
fn bare_secret(text: &str) -> Result<Imported, Reason> {
    let secret = Secret::from_legacy_base32(text).map_err(Reason::from);
    Described::new(Kind::Totp).token(secret)
}
