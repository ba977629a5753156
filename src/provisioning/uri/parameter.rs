//! The parameters of a key URI, and what a name that is none of theirs probably means.

use super::UriError;
use super::query::separator;
use crate::provisioning::text::{Coding, UriText};

/// A parameter that the format knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parameter {
    Secret,
    Issuer,
    Algorithm,
    Digits,
    Period,
    Counter,
    Encoder,
}

impl Parameter {
    pub(super) const ALL: [Self; 7] = [
        Self::Secret,
        Self::Issuer,
        Self::Algorithm,
        Self::Digits,
        Self::Period,
        Self::Counter,
        Self::Encoder,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Secret => "secret",
            Self::Issuer => "issuer",
            Self::Algorithm => "algorithm",
            Self::Digits => "digits",
            Self::Period => "period",
            Self::Counter => "counter",
            Self::Encoder => "encoder",
        }
    }

    /// The parameter of this name, in either case.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|known| known.name().eq_ignore_ascii_case(name))
    }

    /// Whether it says anything of a token of this kind.
    pub(super) const fn concerns(self, is_counter_based: bool) -> bool {
        match self {
            Self::Counter => is_counter_based,
            Self::Period => !is_counter_based,
            _ => true,
        }
    }

    /// Whether the codes of a token of this kind are others without it.
    pub(super) const fn decides_codes(self, is_counter_based: bool) -> bool {
        !matches!(self, Self::Issuer) && self.concerns(is_counter_based)
    }

    pub(super) const fn misspelt(self) -> UriError {
        UriError::Misspelt { meant: self.name() }
    }
}

/// How a name is spelt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spelling {
    /// As the format has it.
    Right(Parameter),
    /// The HTML form of `&` stands before it; with the parameter that the rest names, if any.
    HtmlEscaped(Option<Parameter>),
    /// Percent-encoded, or a name that some writers use, and that means one thing only.
    Alias(Parameter),
    /// Nearly a parameter's name, or one that could mean it.
    Misspelt(Parameter),
    /// Nothing like a parameter's.
    Other,
}

/// Names for a parameter that can mean nothing else.
const ALIASES: [(&str, Parameter); 5] = [
    ("alg", Parameter::Algorithm),
    ("algo", Parameter::Algorithm),
    ("digit", Parameter::Digits),
    ("interval", Parameter::Period),
    ("step", Parameter::Period),
];

/// Names that could mean a parameter. Too little is known of their values to read them.
const DUBIOUS: [(&str, Parameter); 14] = [
    ("count", Parameter::Counter),
    ("digest", Parameter::Algorithm),
    ("hash", Parameter::Algorithm),
    ("hashalgo", Parameter::Algorithm),
    ("hmac", Parameter::Algorithm),
    ("length", Parameter::Digits),
    ("movingfactor", Parameter::Counter),
    ("seconds", Parameter::Period),
    ("stepsize", Parameter::Period),
    ("time", Parameter::Period),
    ("time-step", Parameter::Period),
    ("time_step", Parameter::Period),
    ("timeperiod", Parameter::Period),
    ("timestep", Parameter::Period),
];

impl Spelling {
    /// The spelling of a name as it stands in the URI.
    pub(super) fn of(name: &str) -> Self {
        if let Some(parameter) = Parameter::named(name) {
            return Self::Right(parameter);
        }
        let mut room = heapless::Vec::new();
        let is_whole = decode(name, &mut room);
        let start = core::str::from_utf8(&room).unwrap_or_default();
        Self::of_decoded(start, is_whole)
    }

    /// Of a name that has more than `start`, only that can be told whether it was escaped.
    fn of_decoded(start: &str, is_whole: bool) -> Self {
        let bare = without_ampersands(start);
        let parameter = Parameter::named(bare)
            .or(listed(&ALIASES, bare))
            .filter(|_| is_whole);
        // A semicolon ends other entities of HTML, too.
        let is_escaped = bare.len() != start.len() || start.contains(separator(';'));
        match parameter {
            parameter if is_escaped => Self::HtmlEscaped(parameter),
            Some(parameter) => Self::Alias(parameter),
            None if is_whole => Self::of_unknown(bare),
            None => Self::Other,
        }
    }

    fn of_unknown(name: &str) -> Self {
        let mut all = Parameter::ALL.into_iter();
        listed(&DUBIOUS, name)
            .or_else(|| all.find(|known| is_one_slip_from(known.name(), name)))
            .map_or(Self::Other, Self::Misspelt)
    }
}

/// Room for a name; longer ones are like none of the format's.
type Room = heapless::Vec<u8, 48>;

/// Writes the name into `room`, without percent escapes and in lower case, up to where there is no
/// more room, or a letter that none of the format's names has. Answers whether that is all of it.
fn decode(name: &str, room: &mut Room) -> bool {
    let text = UriText::decode(name, Coding::Percent).unwrap_or(UriText::plain(name));
    text.chars().all(|letter| {
        let letter = u8::try_from(letter).ok().filter(u8::is_ascii);
        letter.is_some_and(|letter| room.push(letter.to_ascii_lowercase()).is_ok())
    })
}

/// The name without the HTML forms of `&` before it, which may be escaped more than once:
/// `amp;amp;digits`.
fn without_ampersands(mut name: &str) -> &str {
    const FORMS: [&str; 6] = ["&", "amp;", "#38;", "#038;", "#x26;", "#x0026;"];
    while let Some(rest) = FORMS.iter().find_map(|form| name.strip_prefix(form)) {
        name = rest;
    }
    name
}

fn listed(list: &[(&str, Parameter)], name: &str) -> Option<Parameter> {
    let mut list = list.iter();
    list.find_map(|(listed, parameter)| (*listed == name).then_some(*parameter))
}

/// Whether one letter too many, one too few, another one or two changed about make the one name of
/// the other.
fn is_one_slip_from(known: &str, name: &str) -> bool {
    match differing(known.as_bytes(), name.as_bytes()) {
        ([] | [_], [] | [_]) => true,
        ([one, two], [other, another]) => one == another && two == other,
        _ => false,
    }
}

/// What is left of both without their common beginning and end.
fn differing<'a>(mut one: &'a [u8], mut other: &'a [u8]) -> (&'a [u8], &'a [u8]) {
    while let ([first, rest @ ..], [other_first, other_rest @ ..]) = (one, other)
        && first == other_first
    {
        (one, other) = (rest, other_rest);
    }
    while let ([rest @ .., last], [other_rest @ .., other_last]) = (one, other)
        && last == other_last
    {
        (one, other) = (rest, other_rest);
    }
    (one, other)
}

/// Whether a value has a parameter in it that a wrong separator hides: `ACME;digits=8`, or
/// `ACME%26amp%3Bdigits=8`. A writer that encodes `=` can't make one.
pub(super) fn hides_a_parameter(value: &str) -> bool {
    let mut rest = value;
    while let Some((before, after)) = rest.split_once(separator('=')) {
        if ends_in_a_parameter(before) {
            return true;
        }
        rest = after;
    }
    false
}

/// Whether a text ends in a separator and a parameter's name.
fn ends_in_a_parameter(text: &str) -> bool {
    Parameter::ALL.iter().any(|parameter| {
        let name = parameter.name();
        let split = text
            .len()
            .checked_sub(name.len())
            .and_then(|start| text.split_at_checked(start));
        split.is_some_and(|(before, end)| {
            end.eq_ignore_ascii_case(name) && ends_in_a_separator(before)
        })
    })
}

fn ends_in_a_separator(text: &str) -> bool {
    const SEPARATORS: [&str; 9] = ["&", ";", "?", "%26", "%3B", "%3b", "%3F", "%3f", "%0A"];
    SEPARATORS.iter().any(|end| text.ends_with(end))
}
