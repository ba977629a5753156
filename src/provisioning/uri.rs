//! The key URI: `otpauth://` as authenticator apps read and write it.
//!
//! The format has no standard; it is described in the Google Authenticator wiki, "Key Uri Format",
//! and every app deviates. What keyfob does about each deviation stands in
//! `tests/vectors/key_uris.tsv`.

use core::fmt::{self, Write as _};

use super::text::{Coding, UriText};
use crate::{
    Algorithm, CodeFormat, HotpParams, Params, Period, Secret, SecretError, Step, TotpParams,
    UnknownAlgorithm,
};

/// A key URI, read without copying its text, and written by [`Display`](fmt::Display).
///
/// Reading comes in two manners. [`parse`](Self::parse) is for URIs that your own system made: it
/// refuses whatever readers disagree about. [`parse_lenient`](Self::parse_lenient) is for URIs
/// that people bring from elsewhere: it reads what can be understood in one way only, and says
/// what it overrode.
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
        }
    }

    /// How long the URI is as it is written.
    pub(crate) fn length_bytes(&self) -> usize {
        let mut length = Length(0);
        // Counting never fails.
        let _ = write!(length, "{self}");
        length.0
    }

    /// Reads a URI that a careful system wrote, and refuses whatever readers disagree about: an
    /// issuer that differs from the label's, base32 in another than the canonical form, a missing
    /// account, characters that should be encoded.
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
}

/// Writes the URI with all that isn't the format's default, percent-encoded.
impl fmt::Display for KeyUri<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "otpauth://{}/", self.type_name())?;
        // A colon of the account's own would part it: an empty issuer before it prevents that.
        if !self.issuer.is_empty() || self.account.contains(':') {
            write!(f, "{}:", self.issuer.encoded())?;
        }
        let mut buffer = crate::Base32Buffer::new();
        let secret = self.secret.to_base32(&mut buffer);
        write!(f, "{}?secret={secret}", self.account.encoded())?;
        if !self.issuer.is_empty() {
            write!(f, "&issuer={}", self.issuer.encoded())?;
        }
        self.write_params(f)
    }
}

impl KeyUri<'_> {
    fn type_name(&self) -> &'static str {
        match self.params {
            Params::Hotp(_) => "hotp",
            Params::Totp(params) if params.format == CodeFormat::Steam => "steam",
            Params::Totp(_) => "totp",
        }
    }

    fn write_params(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (algorithm, format) = (self.params.algorithm(), self.params.format());
        if algorithm != Algorithm::Sha1 {
            write!(f, "&algorithm={}", algorithm.name())?;
        }
        if !matches!(format, CodeFormat::SixDigits | CodeFormat::Steam) {
            write!(f, "&digits={}", format.symbols())?;
        }
        match self.params {
            Params::Hotp(_) => write!(f, "&counter={}", Decimal(self.counter.number())),
            Params::Totp(params) if params.period != Period::THIRTY_SECONDS => {
                write!(f, "&period={}", params.period.as_seconds())
            }
            Params::Totp(_) => Ok(()),
        }
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

/// Counts the bytes that are written to it.
struct Length(usize);

impl fmt::Write for Length {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 = self.0.saturating_add(text.len());
        Ok(())
    }
}

/// The two manners of reading.
#[derive(Clone, Copy)]
struct Reader {
    strict: bool,
}

/// What the part before the label says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Type {
    Totp,
    Hotp,
    Steam,
}

impl Reader {
    fn read(self, uri: &str) -> Result<KeyUri<'_>, UriError> {
        let uri = uri.trim_ascii();
        if uri.len() > KeyUri::MAX_BYTES {
            return Err(UriError::TooLong);
        }
        if let Some(secret) = strip_scheme(uri, "steam://").filter(|_| !self.strict) {
            return Self::read_bare_steam(secret);
        }
        let rest = strip_scheme(uri, "otpauth://").ok_or(UriError::Scheme)?;
        if self.strict && !rest.bytes().all(is_uri_byte) {
            return Err(UriError::Encoding);
        }
        let (path, query) = rest.split_once(separator('?')).ok_or(UriError::NoSecret)?;
        let (kind, label) = path.split_once(separator('/')).unwrap_or((path, ""));
        self.read_parts(read_type(kind)?, label, Query::new(query)?)
    }

    /// `steam://SECRET`, as some password managers keep it.
    fn read_bare_steam<'a>(secret: &str) -> Result<KeyUri<'a>, UriError> {
        Ok(KeyUri {
            secret: Secret::from_legacy_base32(secret)?,
            params: Params::Totp(TotpParams {
                format: CodeFormat::Steam,
                ..TotpParams::DEFAULT
            }),
            counter: Step::new(0),
            issuer: UriText::plain("Steam"),
            account: UriText::plain(""),
            overridden_issuer: None,
        })
    }

    fn read_parts<'a>(
        self,
        kind: Type,
        label: &'a str,
        query: Query<'a>,
    ) -> Result<KeyUri<'a>, UriError> {
        let (issuer, account, overridden_issuer) = self.read_names(label, query)?;
        Ok(KeyUri {
            secret: self.read_secret(query)?,
            params: self.read_params(kind, query)?,
            counter: read_counter(kind, query)?,
            issuer,
            account,
            overridden_issuer,
        })
    }

    /// Issuer, account and the issuer that lost, if any.
    fn read_names<'a>(
        self,
        label: &'a str,
        query: Query<'a>,
    ) -> Result<(UriText<'a>, UriText<'a>, Option<UriText<'a>>), UriError> {
        let label = UriText::decode(label, Coding::Percent).ok_or(UriError::Encoding)?;
        let parameter = self.decode(query.parameter("issuer").unwrap_or_default())?;
        let (prefix, account) = split_label(label, parameter);
        let account = account.trim_start();
        if self.strict {
            refuse_dubious_names(prefix, account, parameter)?;
        }
        if parameter.is_empty() {
            return Ok((prefix, account, None));
        }
        let overridden = !prefix.is_empty() && prefix != parameter;
        Ok((parameter, account, overridden.then_some(prefix)))
    }

    fn read_secret(self, query: Query<'_>) -> Result<Secret, UriError> {
        let raw = query.parameter("secret").ok_or(UriError::NoSecret)?;
        Ok(if self.strict {
            Secret::from_base32(raw)?
        } else {
            Secret::from_legacy_base32_chars(self.decode(raw)?.chars())?
        })
    }

    fn read_params(self, kind: Type, query: Query<'_>) -> Result<Params, UriError> {
        let algorithm = self.read_algorithm(query)?;
        let format = read_format(kind, query)?;
        if kind == Type::Hotp {
            return Ok(Params::Hotp(HotpParams { algorithm, format }));
        }
        let period = match query.parameter("period") {
            Some(digits) => parse_number(digits)
                .and_then(Period::from_seconds)
                .ok_or(UriError::Period)?,
            None => Period::THIRTY_SECONDS,
        };
        Ok(Params::Totp(TotpParams {
            algorithm,
            format,
            period,
            ..TotpParams::DEFAULT
        }))
    }

    fn read_algorithm(self, query: Query<'_>) -> Result<Algorithm, UriError> {
        let Some(name) = query.parameter("algorithm") else {
            return Ok(Algorithm::Sha1);
        };
        let algorithm = name.parse::<Algorithm>()?;
        if self.strict && name != algorithm.name() {
            return Err(UnknownAlgorithm.into());
        }
        Ok(algorithm)
    }

    /// The text of a parameter. Readers disagree whether a bare `+` is a space.
    fn decode(self, value: &str) -> Result<UriText<'_>, UriError> {
        if self.strict && value.contains('+') {
            return Err(UriError::Encoding);
        }
        UriText::decode(value, Coding::PercentAndPlus).ok_or(UriError::Encoding)
    }
}

/// A character to split a text at.
///
/// Given as a set of one, it is searched character by character. The search for a single one slices,
/// and not every optimiser sees that it can't panic.
const fn separator(letter: char) -> [char; 1] {
    [letter]
}

/// Shows a number of 64 bits in decimal digits, which core's way does by indexing.
struct Decimal(u64);

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = *b"00000000000000000000";
        let mut rest = self.0;
        for digit in digits.iter_mut().rev() {
            *digit |= (rest % 10).to_le_bytes()[0];
            rest /= 10;
        }
        let [first @ .., last] = digits;
        let mut shown = first.into_iter().skip_while(|digit| *digit == b'0');
        shown.try_for_each(|digit| f.write_char(char::from(digit)))?;
        f.write_char(char::from(last))
    }
}

/// What follows the scheme, if `uri` has it in either case.
pub(crate) fn strip_scheme<'a>(uri: &'a str, scheme: &str) -> Option<&'a str> {
    let (start, rest) = uri.split_at_checked(scheme.len())?;
    start.eq_ignore_ascii_case(scheme).then_some(rest)
}

fn read_type(kind: &str) -> Result<Type, UriError> {
    [
        ("totp", Type::Totp),
        ("hotp", Type::Hotp),
        ("steam", Type::Steam),
    ]
    .into_iter()
    .find_map(|(name, found)| kind.eq_ignore_ascii_case(name).then_some(found))
    .ok_or(UriError::Type)
}

/// The label's issuer (empty if it names none) and account.
///
/// The first colon separates them, unless another one leaves the issuer of the parameter before
/// it: that issuer then has a colon itself.
pub(super) fn split_label<'a>(
    label: UriText<'a>,
    issuer: UriText<'a>,
) -> (UriText<'a>, UriText<'a>) {
    let mut splits = label.splits_at_colons();
    let first = splits.next();
    first
        .into_iter()
        .chain(splits)
        .find(|(prefix, _)| *prefix == issuer)
        .or(first)
        .unwrap_or((UriText::plain(""), label))
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

fn read_format(kind: Type, query: Query<'_>) -> Result<CodeFormat, UriError> {
    let digits = query.parameter("digits");
    let steam = match query.parameter("encoder") {
        Some(encoder) if encoder.eq_ignore_ascii_case("steam") => true,
        Some(_) => return Err(UriError::Encoder),
        None => kind == Type::Steam,
    };
    match (steam, digits) {
        (true, _) if kind == Type::Hotp => Err(UriError::Encoder),
        (true, None | Some("5")) => Ok(CodeFormat::Steam),
        (false, None) => Ok(CodeFormat::SixDigits),
        (false, Some(digits)) => parse_number(digits)
            .and_then(CodeFormat::from_digits)
            .ok_or(UriError::Digits),
        (true, Some(_)) => Err(UriError::Digits),
    }
}

fn read_counter(kind: Type, query: Query<'_>) -> Result<Step, UriError> {
    if kind != Type::Hotp {
        return Ok(Step::new(0));
    }
    query
        .parameter("counter")
        .and_then(parse_number)
        .map(Step::new)
        .ok_or(UriError::Counter)
}

/// A number in decimal digits alone: no sign, no space, no escape.
fn parse_number<T: core::str::FromStr>(digits: &str) -> Option<T> {
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| plain)
}

/// The characters that RFC 3986 has in a URI's path and query.
const fn is_uri_byte(byte: u8) -> bool {
    byte.is_ascii_graphic()
        && !matches!(
            byte,
            b'"' | b'#' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}'
        )
}

/// A query in which no parameter stands twice.
#[derive(Clone, Copy)]
pub(super) struct Query<'a>(&'a str);

impl<'a> Query<'a> {
    pub(super) fn new(query: &'a str) -> Result<Self, UriError> {
        let query = Self(query);
        if query.pairs().count() > KeyUri::MAX_PARAMETERS {
            return Err(UriError::TooLong);
        }
        let repeats = |(index, (name, _)): (usize, (&str, &str))| {
            let mut earlier = query.pairs().take(index);
            earlier.any(|(other, _)| other.eq_ignore_ascii_case(name))
        };
        if query.pairs().enumerate().any(repeats) {
            return Err(UriError::Repeated);
        }
        Ok(query)
    }

    fn pairs(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0
            .split(separator('&'))
            .filter(|pair| !pair.is_empty())
            .map(|pair| pair.split_once(separator('=')).unwrap_or((pair, "")))
    }

    pub(super) fn parameter(self, wanted: &str) -> Option<&'a str> {
        self.pairs()
            .find_map(|(name, value)| name.eq_ignore_ascii_case(wanted).then_some(value))
    }
}

/// Why a text is no key URI, or why none can be written. The text tells what to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UriError {
    /// It doesn't start with `otpauth://`.
    Scheme,
    /// The type is neither `totp` nor `hotp` nor `steam`.
    Type,
    /// Longer than [`KeyUri::MAX_BYTES`], or more parameters than [`KeyUri::MAX_PARAMETERS`].
    TooLong,
    /// A broken percent escape, bytes that are no UTF-8, or (read strictly) a bare character.
    Encoding,
    /// A parameter stands twice.
    Repeated,
    /// The account is missing or has a colon or control character.
    Account,
    /// The issuer has a colon or control character.
    Issuer,
    /// The label and the issuer parameter name different issuers.
    IssuersDiffer,
    /// No secret.
    NoSecret,
    /// A secret that can't be read.
    Secret(SecretError),
    /// An algorithm that isn't known, or (read strictly) another spelling of one.
    Algorithm(UnknownAlgorithm),
    /// Digits other than 6, 7 or 8, or than Steam's 5.
    Digits,
    /// A period outside 1 to 86,400 seconds.
    Period,
    /// A counter-based token without a counter, or with one that is no number.
    Counter,
    /// An encoder other than Steam's, or Steam's for a counter-based token.
    Encoder,
    /// An epoch other than 0, which a key URI can't express.
    Epoch,
}

impl From<SecretError> for UriError {
    fn from(error: SecretError) -> Self {
        Self::Secret(error)
    }
}

impl From<UnknownAlgorithm> for UriError {
    fn from(error: UnknownAlgorithm) -> Self {
        Self::Algorithm(error)
    }
}

impl fmt::Display for UriError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scheme => "this is no key URI: it must start with otpauth://",
            Self::Type => "the key URI's type must be totp, hotp or steam, as in otpauth://totp/…",
            Self::TooLong => "the key URI is longer than 4096 bytes or has more than 32 parameters: drop those that no token needs",
            Self::Encoding => "the key URI has a character that must be percent-encoded as UTF-8, or a broken % escape",
            Self::Repeated => "the key URI has a parameter twice: remove one of them",
            Self::Account => "the key URI needs an account name without colons or control characters",
            Self::Issuer => "the issuer's name must not contain colons or control characters",
            Self::IssuersDiffer => "the key URI's label and its issuer parameter name different issuers: make them equal",
            Self::NoSecret => "the key URI has no secret parameter: copy all of it",
            Self::Secret(error) => return error.fmt(f),
            Self::Algorithm(error) => return error.fmt(f),
            Self::Digits => "the key URI's digits must be 6, 7 or 8 (5 for Steam)",
            Self::Period => "the key URI's period must be a number of seconds from 1 to 86400",
            Self::Counter => "a counter-based key URI needs a counter parameter, a whole number",
            Self::Encoder => "the key URI's encoder isn't known: only steam is, for time-based tokens",
            Self::Epoch => "a key URI can't express an epoch other than 0: enrol this token by other means",
        })
    }
}

impl core::error::Error for UriError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Secret(error) => Some(error),
            Self::Algorithm(error) => Some(error),
            _ => None,
        }
    }
}
