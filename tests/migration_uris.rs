//! `otpauth-migration` URIs: the table of what is read and refused.
#![cfg(all(feature = "migration-uri", feature = "sha2", feature = "std"))]

mod support;

use keyfob::{Base32Buffer, KeyUri, MigrationUri, MigrationUriError, Params, Secret, UriError};
use proptest::prelude::*;
use support::rows;

#[test]
fn the_table() {
    for (line, row) in rows(include_str!("vectors/migration_uris.tsv")) {
        let mut buffer = vec![0; row[0].len()];
        let outcome = match MigrationUri::parse(row[0], &mut buffer) {
            Ok(export) => summary(&export),
            Err(error) => vec![format!("{error:?}")],
        };
        assert_eq!(outcome, row[1..], "line {line}");
    }
}

fn summary(export: &MigrationUri<'_>) -> Vec<String> {
    let batch = export.batch();
    let place = format!("{}/{} of {}", batch.number, batch.size, batch.id);
    let tokens = export.tokens().map(|token| match token {
        Ok(token) => token_summary(&token),
        Err(UriError::Secret(_)) => "Secret".into(),
        Err(UriError::Algorithm(_)) => "Algorithm".into(),
        Err(error) => format!("{error:?}"),
    });
    std::iter::once(place).chain(tokens).collect()
}

fn token_summary(token: &KeyUri<'_>) -> String {
    let (kind, factor) = match token.params() {
        Params::Totp(params) => ("totp", u64::from(params.period.as_seconds())),
        Params::Hotp(_) => ("hotp", token.counter().unwrap().number()),
    };
    format!(
        "{kind};{};{};{};{};{factor};{};",
        token.issuer(),
        token.account(),
        token.params().algorithm().name(),
        token.params().format(),
        token.secret().to_base32(&mut Base32Buffer::new()),
    )
}

const URI: &str = "otpauth-migration://offline?data=CjUKEPqlBekzoNEukL7qlsjBCDYSDnBpQHJhc3BiZXJyeXBpGgtyYXNwYmVycnlwaSABKAEwAhABGAEgACjr4JKK%2B%2F%2F%2F%2F%2F8B";

#[test]
fn a_buffer_that_is_too_small_is_told_and_wiped() {
    let mut buffer = [0xaa; 60];
    let outcome = MigrationUri::parse(URI, &mut buffer).map(drop);
    assert_eq!(outcome, Err(MigrationUriError::BufferTooSmall));
    assert_eq!(buffer, [0; 60]);
}

#[test]
fn the_buffer_is_wiped_and_nothing_is_debugged() {
    let mut buffer = [0xaa; MigrationUri::QR_CODE_BYTES];
    let export = MigrationUri::parse(URI, &mut buffer).unwrap();
    assert_eq!(
        format!("{export:?}"),
        "MigrationUri { batch: Batch { id: -1320898453, number: 1, size: 1 }, .. }"
    );
    drop(export);
    assert!(buffer.iter().all(|byte| *byte == 0));
}

proptest! {
    /// What was cut off or changed is an error or another token, never a panic.
    #[test]
    fn damage_is_never_a_panic(cut in 0..URI.len(), place in 33..URI.len(), letter in "[A-Za-z0-9%+/]") {
        let mut buffer = [0; MigrationUri::QR_CODE_BYTES];
        if let Ok(export) = MigrationUri::parse(&URI[..cut], &mut buffer) {
            export.tokens().for_each(drop);
        }
        let mut damaged = URI.to_owned();
        damaged.replace_range(place..=place, &letter);
        if let Ok(export) = MigrationUri::parse(&damaged, &mut buffer) {
            let fits = |token: &KeyUri<'_>| token.secret().as_bytes().len() >= Secret::MIN_LEGACY_BYTES;
            prop_assert!(export.tokens().flatten().all(|token| fits(&token)));
        }
    }
}
