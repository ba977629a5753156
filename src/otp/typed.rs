//! What keyboards and phones put into a code besides its own symbols.
//!
//! They type no-break and narrow spaces, soft hyphens and dashes on their own account, and some
//! input methods type full-width digits. Digits of other scripts stay what they are.

/// Whether nothing is seen of `letter`: white space of any width, and characters without a width,
/// the soft hyphen and marks of direction included.
pub(crate) const fn is_space(letter: char) -> bool {
    matches!(
        letter,
        '\t'..='\r' | ' ' | '\u{85}' | '\u{a0}' | '\u{ad}' | '\u{1680}' | '\u{180e}'
            | '\u{2000}'..='\u{200f}' | '\u{2028}'..='\u{202f}' | '\u{205f}'..='\u{206f}'
            | '\u{3000}' | '\u{feff}'
    )
}

/// Whether `letter` is a hyphen, a dash or a minus sign, or the long-vowel mark that a Japanese
/// keyboard types in their place.
pub(crate) const fn is_hyphen(letter: char) -> bool {
    matches!(
        letter,
        '-' | '\u{2010}'
            ..='\u{2015}'
                | '\u{2212}'
                | '\u{30fc}'
                | '\u{fe58}'
                | '\u{fe63}'
                | '\u{ff0d}'
                | '\u{ff70}'
    )
}

/// The digit that a full-width one stands for, and every other letter as it is.
pub(crate) fn narrow(letter: char) -> char {
    match letter {
        '\u{ff10}'..='\u{ff19}' => char::from(b'0' | (u32::from(letter).to_le_bytes()[0] & 15)),
        _ => letter,
    }
}
