//! Typed codes: no text panics, and what is read is what was typed.

#![no_main]

use keyfob::Code;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|typed: &str| {
    let Ok(code) = Code::parse(typed) else { return };
    let shown = code.to_text();
    assert_eq!(shown.as_str(), symbols(typed));
    assert_eq!(Code::parse(shown.as_str()), Ok(code));
});

/// What is left of a typed code without all that may stand between its symbols.
fn symbols(typed: &str) -> String {
    let parts = ['\u{30fc}', '\u{ff70}']; // letters to Unicode, and typed for hyphens
    let letters = typed
        .chars()
        .filter(|letter| letter.is_alphanumeric() && !parts.contains(letter));
    letters.map(narrow).flat_map(char::to_uppercase).collect()
}

/// The digit that a full-width one stands for.
fn narrow(letter: char) -> char {
    let wide = u32::from(letter).wrapping_sub(0xff10);
    char::from_digit(wide, 10).unwrap_or(letter)
}
