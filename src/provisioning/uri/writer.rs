//! A key URI, written.

use core::fmt::{self, Write as _};

use super::KeyUri;
use crate::{Algorithm, CodeFormat, Params, Period};

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
    /// How long the URI is as it is written.
    pub(crate) fn length_bytes(&self) -> usize {
        let mut length = Length(0);
        // Counting never fails.
        let _ = write!(length, "{self}");
        length.0
    }

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

/// Counts the bytes that are written to it.
struct Length(usize);

impl fmt::Write for Length {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 = self.0.saturating_add(text.len());
        Ok(())
    }
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
