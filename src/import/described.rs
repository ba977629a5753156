//! A token's parameters as files describe them, brought into keyfob's own.

use super::{Imported, Reason};
use crate::{Algorithm, Burned, CodeFormat, HotpParams, Params, Period, Secret, Step, TotpParams};

/// The kinds of token that can be taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Totp,
    Hotp,
    Steam,
}

impl Kind {
    /// The kind by the name that most files give it.
    pub(super) fn from_name(name: &str) -> Result<Self, Reason> {
        [
            ("totp", Self::Totp),
            ("hotp", Self::Hotp),
            ("steam", Self::Steam),
        ]
        .into_iter()
        .find_map(|(known, kind)| known.eq_ignore_ascii_case(name).then_some(kind))
        .ok_or(Reason::Kind)
    }
}

/// A number in a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Number {
    /// It isn't there.
    #[default]
    Absent,
    /// A whole number.
    Whole(u64),
    /// Something else: negative, broken, no number at all.
    Wrong,
}

impl Number {
    /// Reads decimal digits; nothing is no number.
    pub(super) fn parse(text: &str) -> Self {
        match text.trim() {
            "" => Self::Absent,
            digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse().map_or(Self::Wrong, Self::Whole)
            }
            _ => Self::Wrong,
        }
    }

    /// The next counter, where an app keeps the one whose code it showed last. That code may have
    /// been accepted already, so it isn't taken for the next one.
    pub(super) fn last_shown(self) -> Self {
        match self {
            Self::Whole(shown) => shown.checked_add(1).map_or(Self::Wrong, Self::Whole),
            other => other,
        }
    }

    /// The number, or a default where there is none.
    pub(super) const fn or(self, default: u64) -> Self {
        match self {
            Self::Absent => Self::Whole(default),
            other => other,
        }
    }

    /// The number, if there is one.
    fn read<T: TryFrom<u64>>(self, otherwise: Reason) -> Result<Option<T>, Reason> {
        match self {
            Self::Absent => Ok(None),
            Self::Whole(number) => T::try_from(number).map(Some).map_err(|_| otherwise),
            Self::Wrong => Err(otherwise),
        }
    }
}

/// What a file says of a token's parameters. What isn't said has the usual default, but for a
/// counter, which has none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Described<'a> {
    pub(super) kind: Kind,
    pub(super) algorithm: Option<&'a str>,
    pub(super) digits: Number,
    /// In seconds.
    pub(super) period: Number,
    /// The next one.
    pub(super) counter: Number,
}

impl<'a> Described<'a> {
    /// A token as the backup of an app has it, which keeps the counter that it showed last.
    pub(super) fn in_app(
        kind: Kind,
        algorithm: Option<&'a str>,
        [digits, period, counter]: [Number; 3],
    ) -> Self {
        Self {
            kind,
            algorithm,
            digits,
            period,
            counter: counter.last_shown(),
        }
    }

    /// A token of which nothing but its kind is said.
    pub(super) const fn new(kind: Kind) -> Self {
        Self {
            kind,
            algorithm: None,
            digits: Number::Absent,
            period: Number::Absent,
            counter: Number::Absent,
        }
    }

    /// The token with this secret.
    #[inline]
    pub(super) fn token(&self, secret: Result<Secret, Reason>) -> Result<Imported, Reason> {
        let params = self.params()?;
        let burned = match self.kind {
            Kind::Hotp => Some(self.burned()?),
            Kind::Totp | Kind::Steam => None,
        };
        Ok(Imported {
            burned,
            ..Imported::new(secret?, params)
        })
    }

    fn params(&self) -> Result<Params, Reason> {
        let (algorithm, format) = (self.algorithm()?, self.format()?);
        if self.kind == Kind::Hotp {
            return Ok(Params::Hotp(HotpParams { algorithm, format }));
        }
        Ok(Params::Totp(TotpParams {
            algorithm,
            format,
            period: self.period()?,
            ..TotpParams::DEFAULT
        }))
    }

    fn algorithm(&self) -> Result<Algorithm, Reason> {
        match self.algorithm {
            None => Ok(Algorithm::Sha1),
            Some(name) => Ok(name.parse()?),
        }
    }

    fn format(&self) -> Result<CodeFormat, Reason> {
        let digits = self.digits.read::<u8>(Reason::Digits)?;
        match (self.kind, digits) {
            (Kind::Steam, None | Some(5)) => Ok(CodeFormat::Steam),
            (Kind::Steam, _) => Err(Reason::Digits),
            (_, None) => Ok(CodeFormat::SixDigits),
            (_, Some(digits)) => CodeFormat::from_digits(digits).ok_or(Reason::Digits),
        }
    }

    fn period(&self) -> Result<Period, Reason> {
        match self.period.read(Reason::Period)? {
            None => Ok(Period::THIRTY_SECONDS),
            Some(seconds) => Period::from_seconds(seconds).ok_or(Reason::Period),
        }
    }

    fn burned(&self) -> Result<Burned, Reason> {
        let next = self.counter.read(Reason::Counter)?.ok_or(Reason::Counter)?;
        Ok(Burned::before(Step::new(next)))
    }
}
