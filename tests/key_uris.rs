//! Key URIs: the table of what is read and refused, and the round trip.

mod support;

use std::fmt::Write as _;

use keyfob::{
    Base32Buffer, CodeFormat, HotpParams, KeyUri, Params, Period, Secret, Step, TotpParams,
    UnixTime, UriError,
};
use proptest::prelude::*;
use support::{rows, unescape};

fn outcome(uri: Result<KeyUri<'_>, UriError>) -> String {
    match uri {
        Ok(uri) => summary(&uri),
        Err(UriError::Secret(_)) => "Secret".into(),
        Err(UriError::Algorithm(_)) => "Algorithm".into(),
        Err(UriError::Misspelt { meant }) => format!("Misspelt {meant}"),
        Err(error) => format!("{error:?}"),
    }
}

/// The row's form: `type;issuer;account;algorithm;format;factor;secret;overridden issuer`, then what
/// was corrected and what was ignored, if anything.
fn summary(uri: &KeyUri<'_>) -> String {
    let (kind, factor) = match uri.params() {
        Params::Totp(params) => ("totp", u64::from(params.period.as_seconds())),
        Params::Hotp(_) => ("hotp", uri.counter().unwrap().number()),
    };
    let mut summary = format!(
        "{kind};{};{};{};{};{factor};{};{}",
        uri.issuer(),
        uri.account(),
        uri.params().algorithm().name(),
        uri.params().format(),
        uri.secret().to_base32(&mut Base32Buffer::new()),
        uri.overridden_issuer()
            .map_or(String::new(), |issuer| issuer.to_string()),
    );
    for (name, meant) in uri.corrected() {
        write!(summary, ";{name} is {meant}").unwrap();
    }
    for name in uri.ignored() {
        write!(summary, ";{name} ignored").unwrap();
    }
    summary
}

#[cfg(feature = "sha2")]
#[test]
fn the_table() {
    for (line, row) in rows(include_str!("vectors/key_uris.tsv")) {
        let uri = unescape(row[0]);
        assert_eq!(
            outcome(KeyUri::parse(&uri)),
            unescape(row[1]),
            "line {line}, strict"
        );
        let lenient = KeyUri::parse_lenient(&uri);
        assert_eq!(outcome(lenient), unescape(row[2]), "line {line}, lenient");
    }
}

/// Whatever the table reads is written so that it reads the same again.
#[cfg(feature = "sha2")]
#[test]
fn the_table_round_trips() {
    for (line, row) in rows(include_str!("vectors/key_uris.tsv")) {
        if let Ok(uri) = KeyUri::parse_lenient(&unescape(row[0])) {
            let written = uri.to_string();
            let read = KeyUri::parse_lenient(&written).unwrap();
            assert_eq!(read.overridden_issuer(), None, "line {line}");
            assert_eq!(read.to_string(), written, "line {line}");
            assert_eq!(
                (read.issuer(), read.account()),
                (uri.issuer(), uri.account()),
                "line {line}"
            );
        }
    }
}

fn secret() -> Secret {
    Secret::from_bytes(b"12345678901234567890").unwrap()
}

#[test]
fn what_the_format_cannot_say_is_not_written() {
    let totp = |params, issuer, account| KeyUri::totp(&secret(), params, issuer, account).err();
    let default = TotpParams::DEFAULT;
    assert_eq!(totp(default, "A:B", "alice"), Some(UriError::Issuer));
    assert_eq!(totp(default, "ACME", "alice:bob"), Some(UriError::Account));
    assert_eq!(totp(default, "ACME", " "), Some(UriError::Account));
    assert_eq!(totp(default, "ACME", "al\nice"), Some(UriError::Account));
    assert_eq!(totp(default, "AC\tME", "alice"), Some(UriError::Issuer));
    let long = "é".repeat(700);
    assert_eq!(totp(default, "ACME", &long), Some(UriError::TooLong));
    let later = TotpParams {
        epoch: UnixTime::from_seconds(1),
        ..default
    };
    assert_eq!(totp(later, "ACME", "alice"), Some(UriError::Epoch));
    let steam = HotpParams {
        format: CodeFormat::Steam,
        ..HotpParams::DEFAULT
    };
    let hotp = KeyUri::hotp(&secret(), steam, Step::new(0), "Steam", "alice");
    assert_eq!(hotp.err(), Some(UriError::Type));
}

#[test]
fn bounds() {
    let long = format!("otpauth://totp/{}?secret=A", "a".repeat(KeyUri::MAX_BYTES));
    assert_eq!(outcome(KeyUri::parse_lenient(&long)), "TooLong");
    let parameters: String = (0..33).map(|n| format!("&p{n}=1")).collect();
    let many = format!("otpauth://totp/alice?{parameters}");
    assert_eq!(outcome(KeyUri::parse_lenient(&many)), "TooLong");
}

#[test]
fn the_secret_is_not_debugged() {
    let uri = KeyUri::totp(&secret(), TotpParams::DEFAULT, "ACME", "al\u{202e}ice").unwrap();
    let debugged = format!("{uri:?}");
    assert!(
        !debugged.contains("GEZDGNBV") && !debugged.contains("1234567890"),
        "{debugged}"
    );
    assert!(debugged.contains(r#"issuer: "ACME""#), "{debugged}");
}

fn names() -> impl Strategy<Value = String> {
    "[^:\\p{Cc}]{1,20}".prop_filter("spaces at the ends go", |name| {
        name.trim() == name && !name.is_empty()
    })
}

#[test]
fn counters_are_written_without_leading_zeros() {
    for counter in [0, 9, 10, u64::from(u32::MAX), u64::MAX] {
        let uri = KeyUri::hotp(&secret(), HotpParams::DEFAULT, Step::new(counter), "", "a");
        let written = uri.unwrap().to_string();
        assert!(written.ends_with(&format!("&counter={counter}")));
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_strictly(
        issuer in prop_oneof![Just(String::new()), names()], account in names(),
        seconds in 1..=86_400_u32, digits in 6..=8_u8,
        bytes in prop::collection::vec(any::<u8>(), 16..=128),
    ) {
        let params = TotpParams {
            period: Period::from_seconds(seconds).unwrap(),
            format: CodeFormat::from_digits(digits).unwrap(),
            ..TotpParams::DEFAULT
        };
        let secret = Secret::from_bytes(&bytes).unwrap();
        let written = KeyUri::totp(&secret, params, &issuer, &account).unwrap().to_string();
        let read = KeyUri::parse(&written).unwrap();
        prop_assert_eq!(read.issuer(), issuer.as_str());
        prop_assert_eq!(read.account(), account.as_str());
        prop_assert_eq!(read.params(), &Params::Totp(params));
        prop_assert_eq!(read.secret().as_bytes(), &bytes[..]);
        prop_assert_eq!(KeyUri::parse_lenient(&written).unwrap().to_string(), written);
    }

    /// Escaped for HTML, however often, and with every letter's case changed in the names.
    #[test]
    fn what_was_escaped_for_html_is_refused_strictly_and_read_the_same(
        issuer in names(), account in names(), seconds in 31..=86_400_u32, digits in 7..=8_u8,
        ampersand in prop::sample::select(vec!["&amp;", "&AMP;", "&amp;amp;", "&#38;", "&#x26;"]),
    ) {
        let params = TotpParams {
            period: Period::from_seconds(seconds).unwrap(),
            format: CodeFormat::from_digits(digits).unwrap(),
            ..TotpParams::DEFAULT
        };
        let written = KeyUri::totp(&secret(), params, &issuer, &account).unwrap().to_string();
        let escaped = written.replace('&', ampersand);
        prop_assert_eq!(KeyUri::parse(&escaped).err(), Some(UriError::HtmlEscaped));
        let read = KeyUri::parse_lenient(&escaped).unwrap();
        prop_assert_eq!(read.to_string(), written);
        prop_assert_eq!((read.corrected().count(), read.ignored().count()), (3, 0));
    }

    /// A name one slip away from a parameter's never leaves that parameter's default in place.
    #[test]
    fn a_slip_is_never_passed_over(
        name in prop::sample::select(vec!["algorithm", "digits", "period", "encoder"]),
        place in any::<prop::sample::Index>(), letter in "[a-z]", slip in 0..4_usize,
    ) {
        let place = place.index(name.len());
        let mut typed = name.to_owned();
        match slip {
            0 => drop(typed.remove(place)),
            1 => typed.insert_str(place, &letter),
            2 => typed.replace_range(place..=place, &letter),
            _ => {
                let moved = typed.remove(place);
                typed.insert((place + 1) % name.len(), moved);
            }
        }
        // The one that goes round from the end isn't a slip of two neighbours.
        prop_assume!(typed != name && !(slip == 3 && place + 1 == name.len()));
        let uri = format!("otpauth://totp/a?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&{typed}=8");
        let strict = KeyUri::parse(&uri).err();
        prop_assert!(matches!(strict, Some(UriError::Misspelt { .. })), "{:?}", strict);
        if typed != "digit" {
            prop_assert_eq!(KeyUri::parse_lenient(&uri).err(), strict);
        }
    }

    #[test]
    fn a_counter_round_trips(counter: u64, account in names()) {
        let counter = Step::new(counter);
        let uri = KeyUri::hotp(&secret(), HotpParams::DEFAULT, counter, "", &account).unwrap();
        let written = uri.to_string();
        let ending = format!("&counter={}", counter.number());
        prop_assert!(written.ends_with(&ending));
        prop_assert_eq!(KeyUri::parse(&written).unwrap().counter(), Some(counter));
    }

    #[test]
    fn any_text_is_read_without_panic(text in "\\PC{0,120}", query in "[a-z%&=+0-9:]{0,80}") {
        let _ = KeyUri::parse_lenient(&text);
        let _ = KeyUri::parse_lenient(&format!("otpauth://totp/{text}?secret=GEZDGNBVGY3TQOJQ&{query}"));
    }
}
