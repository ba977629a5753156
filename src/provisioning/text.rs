//! Text inside a URI: decoded and encoded on the way, never copied.

use core::fmt::{self, Write as _};

/// Text borrowed from a URI, shown decoded.
///
/// [`Display`](fmt::Display) and [`chars`](Self::chars) give what a person should read. It can be
/// compared with a `&str`.
#[derive(Clone, Copy)]
pub struct UriText<'a> {
    /// UTF-8 once decoded; every constructor sees to that.
    raw: &'a [u8],
    coding: Coding,
}

#[derive(Clone, Copy)]
pub(super) enum Coding {
    /// As it stands.
    Plain,
    /// `%41` is `A`.
    Percent,
    /// `%41` is `A`, and `+` is a space.
    PercentAndPlus,
}

impl<'a> UriText<'a> {
    /// Text that isn't encoded.
    pub(crate) const fn plain(text: &'a str) -> Self {
        Self {
            raw: text.as_bytes(),
            coding: Coding::Plain,
        }
    }

    /// Encoded text; `None` if an escape is broken or what comes out is no UTF-8.
    pub(super) fn decode(raw: &'a str, coding: Coding) -> Option<Self> {
        let text = Self {
            raw: raw.as_bytes(),
            coding,
        };
        Chars(text).all(|letter| letter.is_some()).then_some(text)
    }

    /// The characters, decoded.
    pub fn chars(&self) -> impl Iterator<Item = char> + use<'a> {
        Chars(*self).flatten()
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.raw.is_empty()
    }

    /// Whether a character is in it.
    pub(super) fn contains(self, wanted: char) -> bool {
        self.chars().any(|letter| letter == wanted)
    }

    /// The text without the spaces before it.
    pub(super) fn trim_start(mut self) -> Self {
        while let Some((Some(b' '), rest)) = self.split_first() {
            self = rest;
        }
        self
    }

    /// For every colon, the text before it and the text after it.
    pub(super) fn splits_at_colons(self) -> impl Iterator<Item = (Self, Self)> + use<'a> {
        let mut rest = self;
        core::iter::from_fn(move || {
            loop {
                let length = self.raw.len().checked_sub(rest.raw.len())?;
                let (byte, after) = rest.split_first()?;
                rest = after;
                if byte == Some(b':') {
                    let raw = self.raw.get(..length)?;
                    return Some((Self { raw, ..self }, after));
                }
            }
        })
    }

    /// The text percent-encoded: all but the unreserved characters of RFC 3986 (§2.3).
    pub(super) fn encoded(self) -> Encoded<'a> {
        Encoded(self)
    }

    /// The first decoded byte, `None` for a broken escape, and what comes after it.
    fn split_first(self) -> Option<(Option<u8>, Self)> {
        let (byte, raw) = match (self.raw, self.coding) {
            ([b'%', rest @ ..], Coding::Percent | Coding::PercentAndPlus) => {
                let (digits, rest) = rest.split_at_checked(2).unwrap_or((rest, &[]));
                (unescape(digits), rest)
            }
            ([b'+', rest @ ..], Coding::PercentAndPlus) => (Some(b' '), rest),
            ([byte, rest @ ..], _) => (Some(*byte), rest),
            ([], _) => return None,
        };
        Some((byte, Self { raw, ..self }))
    }
}

/// The byte that two hexadecimal digits stand for.
fn unescape(digits: &[u8]) -> Option<u8> {
    let [high, low] = digits else { return None };
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    u8::try_from((digit(high)? << 4) | digit(low)?).ok()
}

/// The decoded characters; `None` where an escape is broken or bytes are no UTF-8.
struct Chars<'a>(UriText<'a>);

impl Iterator for Chars<'_> {
    type Item = Option<char>;

    fn next(&mut self) -> Option<Self::Item> {
        let (byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(match byte {
            Some(ascii @ ..0x80) => Some(char::from(ascii)),
            Some(first) => self.longer_character(first),
            None => None,
        })
    }
}

impl Chars<'_> {
    /// The character of several bytes that begins with `first`.
    fn longer_character(&mut self, first: u8) -> Option<char> {
        let mut bytes = heapless::Vec::<u8, 4>::from_array([first]);
        loop {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            bytes.push(byte?).ok()?;
            if let Ok(text) = core::str::from_utf8(&bytes) {
                return text.chars().next();
            }
        }
    }
}

/// Shows the text decoded.
impl fmt::Display for UriText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.chars().try_for_each(|letter| f.write_char(letter))
    }
}

/// Shows the text decoded, quoted and with control characters escaped.
impl fmt::Debug for UriText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for letter in self.chars() {
            write!(f, "{}", letter.escape_debug())?;
        }
        f.write_char('"')
    }
}

impl PartialEq for UriText<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.chars().eq(other.chars())
    }
}

impl Eq for UriText<'_> {}

impl PartialEq<str> for UriText<'_> {
    fn eq(&self, other: &str) -> bool {
        self.chars().eq(other.chars())
    }
}

impl PartialEq<&str> for UriText<'_> {
    fn eq(&self, other: &&str) -> bool {
        *self == **other
    }
}

/// Shows a text percent-encoded.
pub(super) struct Encoded<'a>(UriText<'a>);

impl fmt::Display for Encoded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while let Some((byte, after)) = rest.split_first() {
            rest = after;
            match byte {
                Some(byte) if is_unreserved(byte) => f.write_char(char::from(byte))?,
                Some(byte) => write!(f, "%{byte:02X}")?,
                None => {}
            }
        }
        Ok(())
    }
}

const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}
