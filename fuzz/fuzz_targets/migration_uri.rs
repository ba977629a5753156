//! Google Authenticator's QR codes: no text and no message panics, a message reads the same
//! however it is written in a URI, and the list reader finds the same tokens.
//!
//! A seed is a URI, or what a URI's data encodes.

#![no_main]

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL_NOPAD};
use keyfob::import::{self, Format, Imported, Options, Reason};
use keyfob::{Burned, KeyUri, MigrationUri, MigrationUriError, UriError};
use libfuzzer_sys::fuzz_target;

const START: &str = "otpauth-migration://offline?data=";

fuzz_target!(|input: &[u8]| {
    match str::from_utf8(input) {
        // No message starts so: there is no such type of field.
        Ok(uri) if uri.starts_with(['o', 'O']) => drop(check_text(uri.trim())),
        _ => check_message(input),
    }
});

/// A message in a URI, in each of the ways that are met.
fn check_message(message: &[u8]) {
    let standard = BASE64.encode(message);
    let escaped = standard
        .replace('+', "%2B")
        .replace('/', "%2F")
        .replace('=', "%3d");
    let ways = [
        standard,
        escaped,
        BASE64_NOPAD.encode(message),
        BASE64URL_NOPAD.encode(message),
    ];
    let read = ways.map(|data| check_text(&[START, &data].concat()));
    assert!(read.iter().all(|other| *other == read[0]), "{read:?}");
}

/// Reads a URI, and tells what was read.
fn check_text(uri: &str) -> Result<String, MigrationUriError> {
    let mut buffer = vec![0xaa; uri.len()];
    let read = MigrationUri::parse(uri, &mut buffer).map(|export| check_export(&export, uri));
    assert!(buffer.iter().all(|byte| *byte == 0), "the buffer is wiped");
    if let Err(error) = read {
        assert_left_out(uri, error);
    }
    assert_too_small_a_buffer_is_wiped(uri);
    read
}

fn check_export(export: &MigrationUri<'_>, uri: &str) -> String {
    let batch = export.batch();
    assert!((1..=batch.size).contains(&batch.number), "{batch:?}");
    let tokens: Vec<_> = export.tokens().collect();
    tokens.iter().flatten().for_each(survives_printing);
    assert_in_list(&tokens, uri);
    format!("{batch:?} {tokens:?}")
}

/// What can't be printed is skipped: the export has names that a key URI hasn't.
fn survives_printing(token: &KeyUri<'_>) {
    let (issuer, account) = (token.issuer().to_string(), token.account().to_string());
    if KeyUri::new(token.secret(), *token.params(), &issuer, &account).is_err() {
        return;
    }
    let printed = token.to_string();
    if printed.len() > KeyUri::MAX_BYTES {
        return;
    }
    let again = KeyUri::parse_lenient(&printed).expect("what was printed can be read");
    assert_eq!(again.secret().as_bytes(), token.secret().as_bytes());
    assert_eq!(again.params(), token.params());
    assert_eq!(again.counter(), token.counter());
    assert_eq!(again.issuer(), token.issuer());
    assert_eq!(again.account(), token.account());
}

/// The reader of lists, which says of each token what became of it.
fn assert_in_list(tokens: &[Result<KeyUri<'_>, UriError>], uri: &str) {
    if uri.lines().count() != 1 {
        return;
    }
    let import = import::read_as(Format::UriList, uri.as_bytes(), &Options::default()).unwrap();
    let read = tokens.iter().flatten();
    assert_eq!(import.tokens.len(), read.clone().count());
    for (imported, token) in import.tokens.iter().zip(read) {
        assert_same(imported, token);
    }
    let refused = tokens.iter().filter_map(|token| token.as_ref().err());
    let left_out = import.left_out.iter().map(|left_out| left_out.reason);
    let left_out = left_out.filter(|reason| !matches!(reason, Reason::MissingQrCode { .. }));
    assert!(left_out.eq(refused.map(|error| Reason::Uri(*error))));
}

fn assert_same(imported: &Imported, token: &KeyUri<'_>) {
    assert_eq!(imported.secret.as_bytes(), token.secret().as_bytes());
    assert_eq!(imported.params, *token.params());
    assert_eq!(imported.burned, token.counter().map(Burned::up_to));
    assert_eq!(token.issuer(), imported.issuer.as_str());
    assert_eq!(token.account(), imported.account.as_str());
}

/// A line that can't be read is left out, unless it is no line of this kind.
fn assert_left_out(uri: &str, error: MigrationUriError) {
    if uri.lines().count() != 1 || error == MigrationUriError::Scheme {
        return;
    }
    let list = import::read_as(Format::UriList, uri.as_bytes(), &Options::default());
    let left_out = list.unwrap().left_out.into_iter();
    assert!(
        left_out
            .map(|left_out| left_out.reason)
            .eq([Reason::MigrationUri(error)])
    );
}

fn assert_too_small_a_buffer_is_wiped(uri: &str) {
    let mut buffer = [0xaa; 16];
    let _ = MigrationUri::parse(uri, &mut buffer);
    assert_eq!(buffer, [0; 16]);
}
