//! A key URI, read.

use super::parameter::{Parameter, hides_a_parameter};
use super::query::{Parameters, separator};
use super::{KeyUri, UriError, refuse_dubious_names};
use crate::provisioning::text::{Coding, UriText};
use crate::{
    Algorithm, CodeFormat, HotpParams, Params, Period, Secret, Step, TotpParams, UnknownAlgorithm,
};

/// The two manners of reading.
#[derive(Clone, Copy)]
pub(super) struct Reader {
    pub(super) strict: bool,
}

/// What the part before the label says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Type {
    Totp,
    Hotp,
    Steam,
}

impl Reader {
    pub(super) fn read(self, uri: &str) -> Result<KeyUri<'_>, UriError> {
        let uri = uri.trim_ascii();
        if uri.len() > KeyUri::MAX_BYTES {
            return Err(UriError::TooLong);
        }
        if let Some(secret) = strip_scheme(uri, "steam://").filter(|_| !self.strict) {
            return Self::read_bare_steam(secret);
        }
        let rest = strip_scheme(uri, "otpauth://").ok_or(UriError::Scheme)?;
        let (path, query) = rest.split_once(separator('?')).ok_or(UriError::NoSecret)?;
        let (kind, label) = path.split_once(separator('/')).unwrap_or((path, ""));
        let kind = read_type(kind)?;
        let parameters = Parameters::new(query, self.strict)?;
        if self.strict && !rest.bytes().all(is_uri_byte) {
            return Err(UriError::Encoding);
        }
        if hides_a_parameter(label) {
            return Err(UriError::Separator);
        }
        parameters.refuse_misspelt(kind == Type::Hotp)?;
        self.read_parts(kind, label, parameters)
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
            parameters: Parameters::NONE,
        })
    }

    fn read_parts<'a>(
        self,
        kind: Type,
        label: &'a str,
        parameters: Parameters<'a>,
    ) -> Result<KeyUri<'a>, UriError> {
        let (issuer, account, overridden_issuer) = self.read_names(label, parameters)?;
        Ok(KeyUri {
            secret: self.read_secret(parameters)?,
            params: self.read_params(kind, parameters)?,
            counter: read_counter(kind, parameters)?,
            issuer,
            account,
            overridden_issuer,
            parameters,
        })
    }

    /// Issuer, account and the issuer that lost, if any.
    fn read_names<'a>(
        self,
        label: &'a str,
        parameters: Parameters<'a>,
    ) -> Result<(UriText<'a>, UriText<'a>, Option<UriText<'a>>), UriError> {
        let label = UriText::decode(label, Coding::Percent).ok_or(UriError::Encoding)?;
        let parameter = self.decode(parameters.value(Parameter::Issuer).unwrap_or_default())?;
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

    fn read_secret(self, parameters: Parameters<'_>) -> Result<Secret, UriError> {
        let raw = parameters
            .value(Parameter::Secret)
            .ok_or(UriError::NoSecret)?;
        Ok(if self.strict {
            Secret::from_base32(raw)?
        } else {
            Secret::from_legacy_base32_chars(self.decode(raw)?.chars())?
        })
    }

    fn read_params(self, kind: Type, parameters: Parameters<'_>) -> Result<Params, UriError> {
        let algorithm = self.read_algorithm(parameters)?;
        let format = read_format(kind, parameters)?;
        if kind == Type::Hotp {
            return Ok(Params::Hotp(HotpParams { algorithm, format }));
        }
        let period = match parameters.value(Parameter::Period) {
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

    fn read_algorithm(self, parameters: Parameters<'_>) -> Result<Algorithm, UriError> {
        let Some(name) = parameters.value(Parameter::Algorithm) else {
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
pub(in crate::provisioning) fn split_label<'a>(
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

fn read_format(kind: Type, parameters: Parameters<'_>) -> Result<CodeFormat, UriError> {
    let digits = parameters.value(Parameter::Digits);
    let steam = match parameters.value(Parameter::Encoder) {
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

fn read_counter(kind: Type, parameters: Parameters<'_>) -> Result<Step, UriError> {
    if kind != Type::Hotp {
        return Ok(Step::new(0));
    }
    parameters
        .value(Parameter::Counter)
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
