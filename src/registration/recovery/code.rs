//! Recovery codes as text: minted, shown, and read back from what a person typed.

use core::fmt;

use zeroize::{Zeroize, Zeroizing};

use super::set::{Shape, Spelling};
use crate::entropy::fill_checked;
use crate::otp::{encode_base32_in, is_hyphen, is_space, narrow};
use crate::{Entropy, EntropyError, RecoveryCount, RecoveryFormat};

/// Crockford's base32, without letters that are taken for digits.
const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// RFC 4648's base32 in lower case.
const LOWER_CASE: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// One recovery code, as it is shown to the person, once. Wiped on drop, hidden in `Debug`.
pub struct RecoveryCode(heapless::Vec<u8, { RecoveryCode::MAX_BYTES }, u8>);

impl RecoveryCode {
    /// Most bytes of a code that is minted: 24 symbols and five hyphens.
    const MAX_BYTES: usize = 29;
    /// Symbols between two hyphens.
    const GROUP: usize = 4;

    /// The code, in groups parted by hyphens.
    #[must_use]
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Draws a new code where it stays, as one that is moved leaves a copy behind.
    fn mint(
        &mut self,
        format: RecoveryFormat,
        entropy: &mut (impl Entropy + ?Sized),
    ) -> Result<(), EntropyError> {
        let (alphabet, symbols) = match format {
            RecoveryFormat::Standard => (CROCKFORD, 24),
            RecoveryFormat::Short => (LOWER_CASE, 12),
        };
        let mut bytes = Zeroizing::new([0; 15]);
        fill_checked(entropy, &mut *bytes)?;
        let mut text = Zeroizing::new([0; 24]);
        encode_base32_in(alphabet, &*bytes, &mut *text);
        self.push_groups(text.iter().take(symbols));
        Ok(())
    }

    fn push_groups<'a>(&mut self, symbols: impl Iterator<Item = &'a u8>) {
        for (index, symbol) in symbols.enumerate() {
            // The longest code fills the text exactly.
            if index > 0 && index.is_multiple_of(Self::GROUP) {
                let _ = self.0.push(b'-');
            }
            let _ = self.0.push(*symbol);
        }
    }
}

impl Drop for RecoveryCode {
    fn drop(&mut self) {
        // A code never shrinks, so this covers all that was ever written.
        self.0.as_mut_slice().zeroize();
    }
}

/// Shows the type's name and nothing of the code.
impl fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecoveryCode").finish_non_exhaustive()
    }
}

/// A set of new recovery codes, to be shown once. Only digests of them are kept.
#[derive(Debug, Default)]
pub struct RecoveryCodes(heapless::Vec<RecoveryCode, { RecoveryCount::MAX }, u8>);

impl RecoveryCodes {
    /// Draws `count` codes, in place of those that were there.
    pub(in crate::registration) fn draw(
        &mut self,
        count: RecoveryCount,
        format: RecoveryFormat,
        entropy: &mut (impl Entropy + ?Sized),
    ) -> Result<(), EntropyError> {
        self.0.clear();
        for _ in 0..count.get() {
            let empty = RecoveryCode(heapless::Vec::new());
            self.0.push(empty).map_err(|_| EntropyError)?;
        }
        self.0
            .iter_mut()
            .try_for_each(|code| code.mint(format, entropy))
    }

    /// How many codes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the policy gives out none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The codes, in the order to show them in.
    pub fn iter(&self) -> core::slice::Iter<'_, RecoveryCode> {
        self.0.iter()
    }
}

impl Drop for RecoveryCodes {
    fn drop(&mut self) {
        // The codes wipe themselves. The room for more came along with each move, and with it what
        // lay there on the stack. Cleared first, so that the optimiser sees that this can't panic.
        self.0.clear();
        self.0.spare_capacity_mut().zeroize();
    }
}

impl<'a> IntoIterator for &'a RecoveryCodes {
    type Item = &'a RecoveryCode;
    type IntoIter = core::slice::Iter<'a, RecoveryCode>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// What a recovery code comes down to however it was typed: see [`Spelling`].
///
/// Wiped on drop.
pub(in crate::registration) struct NormalForm(heapless::Vec<u8, { NormalForm::MAX_BYTES }>);

impl NormalForm {
    /// Most characters of a code that is taken over or typed.
    const MAX_CHARACTERS: usize = 64;
    const MAX_BYTES: usize = 4 * Self::MAX_CHARACTERS;

    /// Reads what was typed; `None` if nothing is left of it, or too much.
    pub(super) fn of(typed: &str, spelling: Spelling) -> Option<Self> {
        let mut form = Self(heapless::Vec::new());
        let symbols = typed.chars().filter(|letter| !spelling.drops(*letter));
        for letter in symbols {
            let mut bytes = [0; 4];
            let letter = spelling.normalise(letter)?;
            form.0
                .extend_from_slice(letter.encode_utf8(&mut bytes).as_bytes())
                .ok()?;
        }
        (1..=Self::MAX_CHARACTERS)
            .contains(&form.symbols())
            .then_some(form)
    }

    /// How many characters are left.
    fn symbols(&self) -> usize {
        let starts_character = |byte: &&u8| !matches!(byte, 0x80..=0xbf);
        self.0.iter().filter(starts_character).count()
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// What can be seen of the code without knowing it.
    pub(super) fn shape(&self) -> Shape {
        Shape::new(self.symbols(), self.0.iter().all(u8::is_ascii_digit))
    }
}

impl Drop for NormalForm {
    fn drop(&mut self) {
        self.0.as_mut_slice().zeroize();
    }
}

impl Spelling {
    /// Whether `letter` only parts symbols.
    fn drops(self, letter: char) -> bool {
        match self {
            Self::AsGiven => letter.is_whitespace() || letter == '-',
            Self::Crockford | Self::Short | Self::Foreign => is_space(letter) || is_hyphen(letter),
        }
    }

    /// The letter that `letter` counts as; `None` if no code has it.
    fn normalise(self, letter: char) -> Option<char> {
        match self {
            Self::AsGiven => Some(letter.to_ascii_lowercase()),
            Self::Foreign => Some(narrow(letter).to_ascii_lowercase()),
            Self::Crockford => crockford_symbol(narrow(letter).to_ascii_uppercase()),
            Self::Short => lower_case_symbol(narrow(letter).to_ascii_lowercase()),
        }
    }
}

/// The symbol of Crockford's base32 that `upper` is read as.
const fn crockford_symbol(upper: char) -> Option<char> {
    match upper {
        'I' | 'L' => Some('1'),
        'O' => Some('0'),
        'U' => None,
        _ if upper.is_ascii_alphanumeric() => Some(upper),
        _ => None,
    }
}

/// The symbol of RFC 4648's base32 that `lower` is read as. Three digits that it doesn't have look
/// like letters that it has.
const fn lower_case_symbol(lower: char) -> Option<char> {
    match lower {
        '0' => Some('o'),
        '1' => Some('l'),
        '8' => Some('b'),
        'a'..='z' | '2'..='7' => Some(lower),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normal(typed: &str, spelling: Spelling) -> Option<heapless::Vec<u8, 256>> {
        NormalForm::of(typed, spelling).map(|form| form.0.clone())
    }

    #[test]
    fn alphabets_are_those_of_the_base32_crate() {
        let bytes: [u8; 20] = core::array::from_fn(|index| u8::try_from(index * 11).unwrap());
        let encodings = [
            (CROCKFORD, base32::CROCKFORD),
            (LOWER_CASE, base32::RFC4648_LOWER_NOPAD),
        ];
        for (alphabet, encoding) in encodings {
            let (mut ours, mut theirs) = ([0; 32], [0; 32]);
            encode_base32_in(alphabet, &bytes, &mut ours);
            encoding.encode_buf(&bytes, &mut theirs).unwrap();
            assert_eq!(ours, theirs);
            for (index, symbol) in (0_u8..).zip(alphabet) {
                encode_base32_in(alphabet, &[index << 3], &mut ours);
                assert_eq!(ours[0], *symbol);
                encoding.encode_buf(&[index << 3], &mut theirs).unwrap();
                assert_eq!(theirs[0], *symbol);
            }
        }
    }

    #[test]
    fn crockford_is_read_leniently() {
        let form = normal("7kzq-OoIi-lL19 abcd", Spelling::Crockford).unwrap();
        assert_eq!(form, b"7KZQ00111119ABCD");
        assert_eq!(normal("7kzu", Spelling::Crockford), None);
    }

    #[test]
    fn short_codes_are_read_leniently() {
        let form = normal("CKSS-0181-eb0w", Spelling::Short).unwrap();
        assert_eq!(form, b"ckssolblebow");
        for no_symbol in ["ckss9", "ckss_", "ckss\u{e4}", "ckss\u{661}"] {
            assert_eq!(normal(no_symbol, Spelling::Short), None, "{no_symbol}");
        }
    }

    #[test]
    fn foreign_codes_lose_case_and_separators_only() {
        for spelling in [Spelling::AsGiven, Spelling::Foreign] {
            assert_eq!(normal(" Ab-O1 \n", spelling).unwrap(), b"abo1");
            assert_eq!(normal(" - ", spelling), None);
            let times = |times| -> heapless::String<260> {
                core::iter::repeat_n('\u{1f511}', times).collect()
            };
            assert!(normal(&times(64), spelling).is_some());
            assert_eq!(normal(&times(65), spelling), None);
        }
    }

    /// Separators that phones type are none in codes that were hashed before they counted as such.
    #[test]
    fn separators_of_phones() {
        let typed = "a\u{2013}b\u{2011}c\u{ad}d\u{a0}e\u{202f}f\u{2012}g\u{2212}h\u{200b}\u{ff12}";
        assert_eq!(normal(typed, Spelling::Foreign).unwrap(), b"abcdefgh2");
        assert_eq!(normal(typed, Spelling::Short).unwrap(), b"abcdefgh2");
        assert_eq!(normal(typed, Spelling::Crockford).unwrap(), b"ABCDEFGH2");
        let kept = normal("a\u{2013}b", Spelling::AsGiven).unwrap();
        assert_eq!(kept, "a\u{2013}b".as_bytes());
    }
}
