//! The query of a URI, taken apart.

use super::parameter::{Parameter, Spelling, hides_a_parameter};
use super::{KeyUri, UriError};

/// A character to split a text at.
///
/// Given as a set of one, it is searched character by character. The search for a single one slices,
/// and not every optimiser sees that it can't panic.
pub(super) const fn separator(letter: char) -> [char; 1] {
    [letter]
}

/// A query in which no parameter stands twice.
#[derive(Clone, Copy)]
pub(in crate::provisioning) struct Query<'a>(&'a str);

impl<'a> Query<'a> {
    pub(in crate::provisioning) fn new(query: &'a str) -> Result<Self, UriError> {
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

    #[cfg(feature = "migration-uri")]
    pub(in crate::provisioning) fn parameter(self, wanted: &str) -> Option<&'a str> {
        self.pairs()
            .find_map(|(name, value)| name.eq_ignore_ascii_case(wanted).then_some(value))
    }
}

/// The parameters of a key URI, by the names that a manner of reading takes for theirs.
#[derive(Clone, Copy)]
pub(super) struct Parameters<'a> {
    query: Query<'a>,
    strict: bool,
}

impl<'a> Parameters<'a> {
    /// Those of a URI that wasn't read.
    pub(super) const NONE: Self = Self {
        query: Query(""),
        strict: true,
    };

    pub(super) fn new(query: &'a str, strict: bool) -> Result<Self, UriError> {
        let query = Query::new(query)?;
        let read = Self { query, strict };
        if strict {
            query.pairs().try_for_each(|(name, _)| refuse(name))?;
        }
        if query.pairs().any(|(_, value)| hides_a_parameter(value)) {
            return Err(UriError::Separator);
        }
        let repeats = |parameter: &Parameter| read.values(*parameter).nth(1).is_some();
        if Parameter::ALL.iter().any(repeats) {
            return Err(UriError::Repeated);
        }
        Ok(read)
    }

    pub(super) fn value(self, wanted: Parameter) -> Option<&'a str> {
        self.values(wanted).next()
    }

    fn values(self, wanted: Parameter) -> impl Iterator<Item = &'a str> {
        let pairs = self.query.pairs();
        pairs.filter_map(move |(name, value)| (self.meaning(name) == Some(wanted)).then_some(value))
    }

    /// The parameter that a name is taken for.
    fn meaning(self, name: &str) -> Option<Parameter> {
        if self.strict {
            return Parameter::named(name);
        }
        match Spelling::of(name) {
            Spelling::Right(parameter) | Spelling::Alias(parameter) => Some(parameter),
            Spelling::HtmlEscaped(parameter) => parameter,
            Spelling::Misspelt(_) | Spelling::Other => None,
        }
    }

    /// Fails if a parameter isn't there, and one that could be it is: its default would be a guess.
    pub(super) fn refuse_misspelt(self, is_counter_based: bool) -> Result<(), UriError> {
        self.query
            .pairs()
            .try_for_each(|(name, _)| match Spelling::of(name) {
                Spelling::Misspelt(parameter)
                    if parameter.decides_codes(is_counter_based)
                        && self.value(parameter).is_none() =>
                {
                    Err(parameter.misspelt())
                }
                _ => Ok(()),
            })
    }

    /// The names that stand for nothing.
    pub(super) fn ignored(self, is_counter_based: bool) -> impl Iterator<Item = &'a str> {
        self.query.pairs().filter_map(move |(name, _)| {
            let meaning = self.meaning(name);
            let is_read = meaning.is_some_and(|parameter| parameter.concerns(is_counter_based));
            (!is_read).then_some(name)
        })
    }

    /// The names that are taken for another, and that one.
    pub(super) fn corrected(
        self,
        is_counter_based: bool,
    ) -> impl Iterator<Item = (&'a str, Parameter)> {
        self.query.pairs().filter_map(move |(name, _)| {
            let parameter = self.meaning(name)?;
            let is_corrected = Parameter::named(name).is_none();
            (is_corrected && parameter.concerns(is_counter_based)).then_some((name, parameter))
        })
    }
}

/// Fails if a name is a parameter's and spelt in another way, or looks so.
fn refuse(name: &str) -> Result<(), UriError> {
    match Spelling::of(name) {
        Spelling::HtmlEscaped(_) => Err(UriError::HtmlEscaped),
        Spelling::Alias(parameter) | Spelling::Misspelt(parameter) => Err(parameter.misspelt()),
        Spelling::Right(_) | Spelling::Other => Ok(()),
    }
}
