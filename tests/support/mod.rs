//! Vectors as data: one row a line, columns parted by tabs, `#` starts a comment.

/// The rows of a vector file, each with its line number for the failure message.
pub(crate) fn rows(file: &'static str) -> impl Iterator<Item = (usize, Vec<&'static str>)> {
    file.lines()
        .enumerate()
        .filter(|(_, line)| !line.starts_with('#'))
        .map(|(index, line)| (index + 1, line.split('\t').collect()))
}

/// Undoes Rust's string escapes: `\n`, `\r`, `\t` and `\u{…}`.
#[allow(dead_code)] // not every test that reads vectors has escapes in them
pub(crate) fn unescape(text: &str) -> String {
    let mut letters = text.chars();
    let mut unescaped = String::new();
    while let Some(letter) = letters.next() {
        unescaped.push(match letter {
            '\\' => escaped_letter(&mut letters),
            plain => plain,
        });
    }
    unescaped
}

fn escaped_letter(letters: &mut std::str::Chars<'_>) -> char {
    match letters.next() {
        Some('n') => '\n',
        Some('r') => '\r',
        Some('t') => '\t',
        Some('u') => {
            let digits: String = letters.by_ref().skip(1).take_while(|c| *c != '}').collect();
            char::from_u32(u32::from_str_radix(&digits, 16).unwrap()).unwrap()
        }
        other => panic!("unknown escape {other:?}"),
    }
}

/// The bytes that pairs of hexadecimal digits stand for.
#[allow(dead_code)] // not every test that reads vectors has hexadecimal in them
pub(crate) fn unhex(text: &str) -> Vec<u8> {
    text.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}
