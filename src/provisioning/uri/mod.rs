//! The key URI: `otpauth://` as authenticator apps read and write it.
//!
//! The format has no standard; it is described in the Google Authenticator wiki, "Key Uri Format",
//! and every app deviates. What keyfob does about each deviation stands in
//! `tests/vectors/key_uris.tsv`.

mod error;
mod parameter;
mod query;
mod reader;
mod writer;

use core::fmt;

pub use error::UriError;
use query::Parameters;
#[cfg(feature = "migration-uri")]
pub(super) use query::Query;
use reader::Reader;
#[cfg(feature = "migration-uri")]
pub(super) use reader::split_label;
#[cfg(any(feature = "import", feature = "migration-uri"))]
pub(crate) use reader::strip_scheme;

use super::text::{Coding, UriText};
use crate::{CodeFormat, HotpParams, Params, Secret, Step, TotpParams};

/// A key URI, read without copying its text, and written by [`Display`](fmt::Display).
///
/// Reading comes in two manners. [`parse`](Self::parse) is for URIs that your own system made: it
/// refuses whatever readers disagree about. [`parse_lenient`](Self::parse_lenient) is for URIs
/// that people bring from elsewhere: it reads what can be understood in one way only, and says
/// what it overrode, corrected and ignored.
///
/// The URI carries the secret, and so does its `Display`: show it to the person who enrols, and
/// keep it out of logs. `Debug` hides the secret.
///
/// ```
/// use keyfob::{KeyUri, Secret, TotpParams};
///
/// let secret = Secret::from_bytes(b"12345678901234567890")?;
/// let uri = KeyUri::totp(&secret, TotpParams::DEFAULT, "ACME Co", "john@example.com")?;
/// let text = uri.to_string();
/// assert_eq!(
///     text,
///     "otpauth://totp/ACME%20Co:john%40example.com\
///      ?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=ACME%20Co"
/// );
///
/// let uri = KeyUri::parse(&text)?;
/// assert_eq!(uri.account(), "john@example.com");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct KeyUri<'a> {
    secret: Secret,
    params: Params,
    counter: Step,
    issuer: UriText<'a>,
    account: UriText<'a>,
    overridden_issuer: Option<UriText<'a>>,
    parameters: Parameters<'a>,
}

impl<'a> KeyUri<'a> {
    /// Longest URI that is read, in bytes: more than the largest QR code holds.
    pub const MAX_BYTES: usize = 4096;

    /// Most parameters of a URI that is read; the format knows seven.
    pub const MAX_PARAMETERS: usize = 32;

    /// The URI of a time-based token. An empty issuer is left out.
    ///
    /// # Errors
    /// [`UriError::Account`] or [`UriError::Issuer`] if a name contains a colon or control character
    /// or the account is empty; [`UriError::TooLong`] if the names are; [`UriError::Epoch`] if the epoch isn't 0, for which the format has no word.
    pub fn totp(
        secret: &Secret,
        params: TotpParams,
        issuer: &'a str,
        account: &'a str,
    ) -> Result<Self, UriError> {
        if params.epoch.as_seconds() != 0 {
            return Err(UriError::Epoch);
        }
        Self::named(secret, Params::Totp(params), Step::new(0), issuer, account)
    }

    /// The URI of a counter-based token whose next code is that of `counter`. An empty issuer is
    /// left out.
    ///
    /// # Errors
    /// [`UriError::Account`] or [`UriError::Issuer`] if a name contains a colon or control character
    /// or the account is empty; [`UriError::TooLong`] if the names are; [`UriError::Type`] for Steam's format, whose tokens go by time.
    pub fn hotp(
        secret: &Secret,
        params: HotpParams,
        counter: Step,
        issuer: &'a str,
        account: &'a str,
    ) -> Result<Self, UriError> {
        if params.format == CodeFormat::Steam {
            return Err(UriError::Type);
        }
        Self::named(secret, Params::Hotp(params), counter, issuer, account)
    }

    /// The URI of a new token of either kind; a counter starts at 0.
    ///
    /// # Errors
    /// Those of [`totp`](Self::totp) and [`hotp`](Self::hotp).
    pub fn new(
        secret: &Secret,
        params: Params,
        issuer: &'a str,
        account: &'a str,
    ) -> Result<Self, UriError> {
        match params {
            Params::Totp(params) => Self::totp(secret, params, issuer, account),
            Params::Hotp(params) => Self::hotp(secret, params, Step::new(0), issuer, account),
        }
    }

    fn named(
        secret: &Secret,
        params: Params,
        counter: Step,
        issuer: &'a str,
        account: &'a str,
    ) -> Result<Self, UriError> {
        let issuer = UriText::plain(issuer.trim());
        let account = UriText::plain(account.trim());
        refuse_dubious_names(issuer, account, issuer)?;
        let uri = Self {
            secret: secret.clone(),
            params,
            counter,
            issuer,
            account,
            overridden_issuer: None,
            parameters: Parameters::NONE,
        };
        if uri.length_bytes() > Self::MAX_BYTES {
            return Err(UriError::TooLong);
        }
        Ok(uri)
    }

    /// A URI of parts that were read elsewhere.
    #[cfg(feature = "migration-uri")]
    pub(crate) const fn from_parts(
        secret: Secret,
        params: Params,
        counter: Step,
        issuer: UriText<'a>,
        account: UriText<'a>,
    ) -> Self {
        Self {
            secret,
            params,
            counter,
            issuer,
            account,
            overridden_issuer: None,
            parameters: Parameters::NONE,
        }
    }

    /// Reads a URI that a careful system wrote, and refuses whatever readers disagree about: an
    /// issuer that differs from the label's, base32 in another than the canonical form, a missing
    /// account, characters that should be encoded.
    ///
    /// A parameter that looks like a misspelt one (`digit`, `algoritm`) is refused, and so is a URI
    /// that was escaped for HTML (`&amp;digits=8`). Others that the format doesn't know (`image`,
    /// `color`) are [`ignored`](Self::ignored).
    ///
    /// # Errors
    /// A [`UriError`] that tells what to change.
    pub fn parse(uri: &'a str) -> Result<Self, UriError> {
        Reader { strict: true }.read(uri)
    }

    /// Reads a URI that people bring from elsewhere: `+` for a space in the query, base32 as
    /// pasted, secrets from 80 bits up ([`Secret::is_legacy`] tells them), other spellings of the
    /// algorithm, `steam://`. Where issuer and label disagree, the issuer parameter wins and
    /// [`overridden_issuer`](Self::overridden_issuer) says so.
    ///
    /// `&amp;` and the like between parameters are read as `&`, and `alg`, `algo`, `digit`, `step`
    /// and `interval` as the parameters that they must mean, whose values are then held to the same
    /// rules; [`corrected`](Self::corrected) tells where. Of other misspelt ones (`algoritm`, `hash`)
    /// nothing is guessed: without the parameter that they may mean they are refused, else
    /// [`ignored`](Self::ignored), as all that the format doesn't know.
    ///
    /// # Errors
    /// A [`UriError`]: a value that can't be understood is never replaced by a default.
    pub fn parse_lenient(uri: &'a str) -> Result<Self, UriError> {
        Reader { strict: false }.read(uri)
    }

    /// The secret.
    #[must_use]
    pub const fn secret(&self) -> &Secret {
        &self.secret
    }

    /// The parameters.
    #[must_use]
    pub const fn params(&self) -> &Params {
        &self.params
    }

    /// The counter of the token's next code; `None` for a time-based token.
    #[must_use]
    pub const fn counter(&self) -> Option<Step> {
        match self.params {
            Params::Hotp(_) => Some(self.counter),
            Params::Totp(_) => None,
        }
    }

    /// Who issued the token; empty if the URI doesn't say.
    #[must_use]
    pub const fn issuer(&self) -> UriText<'a> {
        self.issuer
    }

    /// Whose token it is.
    #[must_use]
    pub const fn account(&self) -> UriText<'a> {
        self.account
    }

    /// The issuer that the label names, where the issuer parameter named another one and won.
    #[must_use]
    pub const fn overridden_issuer(&self) -> Option<UriText<'a>> {
        self.overridden_issuer
    }

    /// The names of the parameters that weren't read: unknown ones, and those that say nothing of a
    /// token of this kind, such as a period beside a counter.
    ///
    /// ```
    /// use keyfob::KeyUri;
    ///
    /// let uri = "otpauth://totp/alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&color=red";
    /// let uri = KeyUri::parse(uri)?;
    /// assert!(uri.ignored().eq(["color"]));
    /// # Ok::<(), keyfob::UriError>(())
    /// ```
    pub fn ignored(&self) -> impl Iterator<Item = UriText<'a>> {
        let names = self.parameters.ignored(self.counter().is_some());
        names.map(name_text)
    }

    /// The names that lenient reading took for a parameter's, and what they were taken for.
    ///
    /// ```
    /// use keyfob::KeyUri;
    ///
    /// let uri = "otpauth://totp/alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&amp;digit=8";
    /// let uri = KeyUri::parse_lenient(uri)?;
    /// for (name, meant) in uri.corrected() {
    ///     assert_eq!((name.to_string().as_str(), meant), ("amp;digit", "digits"));
    /// }
    /// # Ok::<(), keyfob::UriError>(())
    /// ```
    pub fn corrected(&self) -> impl Iterator<Item = (UriText<'a>, &'static str)> {
        let names = self.parameters.corrected(self.counter().is_some());
        names.map(|(name, meant)| (name_text(name), meant.name()))
    }
}

/// Hides the secret.
impl fmt::Debug for KeyUri<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyUri")
            .field("issuer", &self.issuer)
            .field("account", &self.account)
            .field("params", &self.params)
            .field("counter", &self.counter())
            .finish_non_exhaustive()
    }
}

/// A parameter's name, decoded if it can be.
fn name_text(name: &str) -> UriText<'_> {
    UriText::decode(name, Coding::Percent).unwrap_or(UriText::plain(name))
}

fn refuse_dubious_names(
    prefix: UriText<'_>,
    account: UriText<'_>,
    issuer: UriText<'_>,
) -> Result<(), UriError> {
    let dubious = |letter: char| letter == ':' || letter.is_control();
    if account.is_empty() || account.chars().any(dubious) {
        return Err(UriError::Account);
    }
    if prefix.chars().chain(issuer.chars()).any(dubious) {
        return Err(UriError::Issuer);
    }
    if !prefix.is_empty() && !issuer.is_empty() && prefix != issuer {
        return Err(UriError::IssuersDiffer);
    }
    Ok(())
}
