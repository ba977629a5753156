//! One-time codes: computed, shown, and read from what a person typed.

use core::fmt;
use core::hint::black_box;

use subtle::{ConditionallySelectable, ConstantTimeEq};
use zeroize::{Zeroize as _, Zeroizing};

use super::params::CodeFormat;
use super::truncate::Divisor;
use super::typed::{is_hyphen, is_space, narrow};

const STEAM_ALPHABET: &[u8; 26] = b"23456789BCDFGHJKMNPQRTVWXY";

/// A one-time code. `Debug` hides it; [`Display`](fmt::Display) and [`Code::to_text`] show it. Wiped
/// on drop.
///
/// Two codes compare in constant time. But comparing is not verifying: it accepts the same code
/// again and again. Use [`Totp::verify`](crate::Totp::verify), which burns what it accepts.
#[derive(Clone)]
pub struct Code {
    value: u32,
    format: CodeFormat,
}

impl Code {
    /// Reads what a person typed or pasted: 6, 7 or 8 digits, or five Steam symbols in either
    /// case.
    ///
    /// Spaces anywhere and single hyphens between symbols are dropped, as in `123 456` and
    /// `123-456`. So is what phones and word processors make of them: no-break and narrow spaces,
    /// characters without a width, soft hyphens, dashes and minus signs. Full-width digits (U+FF10
    /// to U+FF19) count as digits. Nothing else does: no sign, no underscore, no digits of other
    /// scripts.
    ///
    /// ```
    /// use keyfob::{Code, CodeError, CodeFormat};
    ///
    /// let code = Code::parse(" 123 456\n")?;
    /// assert_eq!(code.format(), CodeFormat::SixDigits);
    /// assert_eq!(code.to_text().as_str(), "123456");
    /// assert_eq!(Code::parse("123\u{2013}456"), Ok(code)); // with a dash
    /// assert_eq!(Code::parse("12345"), Err(CodeError::Length));
    /// # Ok::<(), CodeError>(())
    /// ```
    ///
    /// # Errors
    /// A [`CodeError`] that tells the person what to change. No attempt was made with the code,
    /// so none should be counted.
    pub fn parse(typed: &str) -> Result<Self, CodeError> {
        let Symbols(symbols) = &Symbols::read(typed)?;
        if symbols.iter().all(u8::is_ascii_digit) {
            return Self::from_digits(symbols);
        }
        Self::from_steam_symbols(symbols).ok_or(CodeError::Symbol)
    }

    pub(super) const fn from_value(value: u32, format: CodeFormat) -> Self {
        Self { value, format }
    }

    fn from_digits(digits: &[u8]) -> Result<Self, CodeError> {
        let format = match digits.len() {
            0 => return Err(CodeError::Empty),
            6 => CodeFormat::SixDigits,
            7 => CodeFormat::SevenDigits,
            8 => CodeFormat::EightDigits,
            _ => return Self::from_steam_symbols(digits).ok_or(CodeError::Length),
        };
        let value = digits.iter().fold(0_u32, |value, digit| {
            value.wrapping_mul(10).wrapping_add(u32::from(digit & 15))
        });
        Ok(Self::from_value(value, format))
    }

    fn from_steam_symbols(symbols: &[u8]) -> Option<Self> {
        if symbols.len() != CodeFormat::Steam.symbols() {
            return None;
        }
        let mut value = 0_u32;
        for symbol in symbols.iter().rev() {
            let digit = STEAM_ALPHABET.iter().position(|known| known == symbol)?;
            value = value
                .wrapping_mul(26)
                .wrapping_add(u32::try_from(digit).ok()?);
        }
        Some(Self::from_value(value, CodeFormat::Steam))
    }

    /// How the code is written.
    #[must_use]
    pub const fn format(&self) -> CodeFormat {
        self.format
    }

    /// The number that the code's symbols stand for.
    pub(super) const fn value(&self) -> u32 {
        self.value
    }

    /// The code's symbols, leading zeros included.
    #[must_use]
    pub fn to_text(&self) -> CodeText {
        let Self { mut value, format } = *self;
        let mut room = Zeroizing::new([0; 8]);
        let symbols = room.get_mut(..format.symbols()).unwrap_or_default();
        let base = format.base();
        for symbol in symbols.iter_mut() {
            *symbol = format.symbol(base.remainder(value));
            value = base.quotient(value);
        }
        // Steam begins with the lowest symbol.
        if format != CodeFormat::Steam {
            symbols.reverse();
        }
        CodeText::of_symbols(symbols)
    }
}

impl CodeFormat {
    /// How many symbols there are to choose from.
    const fn base(self) -> Divisor {
        match self {
            Self::Steam => const { Divisor::new(26) },
            _ => const { Divisor::new(10) },
        }
    }

    /// The symbol that stands for `digit`.
    fn symbol(self, digit: u32) -> u8 {
        match self {
            Self::Steam => steam_symbol(digit),
            _ => b'0' | digit.to_le_bytes()[0],
        }
    }
}

/// The typed symbols in upper case, at most nine of them: one more than the longest code has. Wiped
/// on drop.
struct Symbols(heapless::Vec<u8, 9>);

impl Symbols {
    fn read(typed: &str) -> Result<Self, CodeError> {
        let mut symbols = Self(heapless::Vec::new());
        let mut after_hyphen = false;
        for letter in typed.chars().filter(|letter| !is_space(*letter)) {
            let hyphen = is_hyphen(letter);
            if hyphen && (symbols.0.is_empty() || after_hyphen) {
                return Err(CodeError::Symbol);
            }
            if !hyphen {
                symbols.push(narrow(letter))?;
            }
            after_hyphen = hyphen;
        }
        if after_hyphen {
            return Err(CodeError::Symbol);
        }
        Ok(symbols)
    }

    fn push(&mut self, letter: char) -> Result<(), CodeError> {
        if !letter.is_ascii_alphanumeric() {
            return Err(CodeError::Symbol);
        }
        let symbol = u8::try_from(letter.to_ascii_uppercase()).map_err(|_| CodeError::Symbol)?;
        self.0.push(symbol).map_err(|_| CodeError::Length)
    }
}

impl Drop for Symbols {
    fn drop(&mut self) {
        self.0.as_mut_slice().zeroize();
    }
}

impl Drop for Code {
    fn drop(&mut self) {
        self.value.zeroize();
    }
}

/// Constant time over the digits.
impl PartialEq for Code {
    fn eq(&self, other: &Self) -> bool {
        self.format == other.format && bool::from(self.value.ct_eq(&other.value))
    }
}

impl Eq for Code {}

/// Shows the code as [`Code::to_text`] does.
impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.to_text().as_str())
    }
}

/// Shows the type's name and nothing of the code.
impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Code").finish_non_exhaustive()
    }
}

/// A [`Code`] as text, kept inline. Wiped on drop.
#[derive(Clone)]
pub struct CodeText(heapless::String<8>);

impl CodeText {
    /// The symbols.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn of_symbols(symbols: &[u8]) -> Self {
        let mut text = heapless::String::new();
        for symbol in symbols {
            // No code is longer than the eight symbols that fit, and all are ASCII, which the mask
            // tells the compiler.
            let _ = text.push(char::from(*symbol & 0x7f));
        }
        Self(text)
    }
}

impl Drop for CodeText {
    fn drop(&mut self) {
        // Written over, as a string lends nobody its bytes to be wiped.
        self.0.clear();
        while self.0.push('0').is_ok() {}
        black_box(&self.0);
    }
}

/// The alphabet's symbol at `index`, selected by mask so that no address depends on the code.
fn steam_symbol(index: u32) -> u8 {
    let mut symbol = 0;
    for (at, known) in (0_u32..).zip(STEAM_ALPHABET) {
        symbol.conditional_assign(known, at.ct_eq(&index));
    }
    symbol
}

impl AsRef<str> for CodeText {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for CodeText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Shows the type's name and nothing of the code.
impl fmt::Debug for CodeText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CodeText").finish_non_exhaustive()
    }
}

/// Why what was typed is no code. The text is fit to be shown to the person who typed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CodeError {
    /// Nothing was typed.
    Empty,
    /// Too few or too many digits.
    Length,
    /// Something other than digits, spaces and hyphens between them, and no Steam code either.
    Symbol,
}

impl fmt::Display for CodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "no code was entered: type the digits that your authenticator shows",
            Self::Length => "a code has 6, 7 or 8 digits: type all that your authenticator shows",
            Self::Symbol => "a code has digits only: type those that your authenticator shows, with nothing else but spaces or hyphens between them",
        })
    }
}

impl core::error::Error for CodeError {}
