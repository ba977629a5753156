//! Key URIs: no text panics, a URI that was read and printed reads the same and prints the same, and
//! one that is escaped for HTML is refused strictly and read the same leniently.

#![no_main]

use keyfob::{KeyUri, UriError};
use libfuzzer_sys::fuzz_target;

type Reader = for<'a> fn(&'a str) -> Result<KeyUri<'a>, UriError>;

const STRICT: Reader = |uri| KeyUri::parse(uri);
const LENIENT: Reader = |uri| KeyUri::parse_lenient(uri);

fuzz_target!(|text: &str| {
    let strict = STRICT(text);
    let lenient = LENIENT(text);
    if strict.is_ok() {
        assert_eq!(
            lenient.as_ref().err(),
            None,
            "what strict reads, lenient reads"
        );
    }
    if let Ok(uri) = &strict {
        assert_eq!(
            uri.corrected().count(),
            0,
            "strict reading corrects nothing"
        );
        survives_escaping(text, uri);
    }
    for (uri, reader) in [(strict, STRICT), (lenient, LENIENT)] {
        if let Ok(uri) = uri {
            survives_printing(&uri, reader);
        }
    }
});

/// Each `&` of the query, as HTML has it.
fn survives_escaping(text: &str, uri: &KeyUri<'_>) {
    let (path, query) = text.split_once('?').expect("it was read");
    let parameters: Vec<_> = query.split('&').filter(|it| !it.is_empty()).collect();
    let escaped = format!("{path}?{}", parameters.join("&amp;"));
    if parameters.len() < 2 || escaped.trim_ascii().len() > KeyUri::MAX_BYTES {
        return;
    }
    assert_eq!(STRICT(&escaped).err(), Some(UriError::HtmlEscaped));
    assert_same(&LENIENT(&escaped).expect("it is read leniently"), uri);
}

fn survives_printing(uri: &KeyUri<'_>, reader: Reader) {
    let printed = uri.to_string();
    let again = reader(&printed);
    // Percent-encoding makes text longer, and what is too long is not read.
    if printed.len() > KeyUri::MAX_BYTES {
        assert_eq!(again.err(), Some(UriError::TooLong));
        return;
    }
    let again = again.expect("what was printed can be read");
    assert_same(&again, uri);
    assert_eq!(again.to_string(), printed);
}

fn assert_same(left: &KeyUri<'_>, right: &KeyUri<'_>) {
    assert_eq!(left.secret().as_bytes(), right.secret().as_bytes());
    assert_eq!(left.params(), right.params());
    assert_eq!(left.counter(), right.counter());
    assert_eq!(left.issuer(), right.issuer());
    assert_eq!(left.account(), right.account());
}
