//! Secrets: generated, read from text, written as text.

mod support;

use keyfob::{Algorithm, Base32Buffer, Entropy, EntropyError, Secret, SecretError};
use proptest::prelude::*;
use support::rows;

fn outcome(secret: Result<Secret, SecretError>) -> String {
    match secret {
        Ok(secret) => secret
            .as_bytes()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect(),
        Err(SecretError::Symbol { position }) => format!("Symbol {position}"),
        Err(SecretError::TooShort { bytes, fewest }) => format!("TooShort {bytes} {fewest}"),
        Err(error) => format!("{error:?}"),
    }
}

#[test]
fn base32() {
    for (line, row) in rows(include_str!("vectors/base32.tsv")) {
        assert_eq!(
            outcome(Secret::from_base32(row[0])),
            row[1],
            "line {line}, strict"
        );
        assert_eq!(
            outcome(Secret::from_legacy_base32(row[0])),
            row[2],
            "line {line}, lenient"
        );
    }
}

#[test]
fn pasted_base32_is_lenient_about_form_and_not_about_strength() {
    assert!(Secret::from_pasted_base32("gezd gnbv gy3t qojq gezd gnbv gy").is_ok());
    let by_phone = "gezd\u{a0}gnbv\u{2013}gy3t\u{ad}qojq\u{200b}gezd\u{2011}gnbv\u{202f}gy";
    assert!(Secret::from_pasted_base32(by_phone).is_ok());
    let short = SecretError::TooShort {
        bytes: 10,
        fewest: 16,
    };
    assert_eq!(
        outcome(Secret::from_pasted_base32("GEZDGNBVGY3TQOJQ")),
        outcome(Err(short))
    );
}

#[test]
fn weak_secrets_come_in_by_name_only() {
    assert!(Secret::from_bytes(&[7; 15]).is_err());
    assert!(!Secret::from_bytes(&[7; 16]).unwrap().is_legacy());
    assert!(Secret::from_legacy_bytes(&[7; 9]).is_err());
    assert!(Secret::from_legacy_bytes(&[7; 10]).unwrap().is_legacy());
    assert!(Secret::from_bytes(&[7; 128]).is_ok());
    assert_eq!(outcome(Secret::from_bytes(&[7; 129])), "TooLong");
    assert_eq!(
        outcome(Secret::from_pasted_base32(&"A".repeat(207))),
        "TooLong"
    );
    assert!(Secret::from_pasted_base32(&"A".repeat(206)).is_ok());
    assert_eq!(outcome(Secret::from_base32(&"A".repeat(208))), "TooLong");
}

/// A source that counts, and fails after so many bytes.
struct Counting {
    left: usize,
}

impl Entropy for Counting {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        for byte in bytes {
            self.left = self.left.checked_sub(1).ok_or(EntropyError)?;
            *byte = self.left.to_le_bytes()[0];
        }
        Ok(())
    }
}

#[test]
fn a_generated_secret_is_as_long_as_the_output_of_its_algorithm() {
    let generate = |algorithm| Secret::generate(algorithm, &mut Counting { left: 64 }).unwrap();
    assert_eq!(generate(Algorithm::Sha1).as_bytes().len(), 20);
    #[cfg(feature = "sha2")]
    {
        assert_eq!(generate(Algorithm::Sha256).as_bytes().len(), 32);
        assert_eq!(generate(Algorithm::Sha512).as_bytes().len(), 64);
    }
}

#[test]
fn a_secret_is_filled_whole_or_not_made() {
    let secret = Secret::generate(Algorithm::Sha1, &mut Counting { left: 19 });
    assert_eq!(secret.err(), Some(EntropyError));
}

#[cfg(feature = "getrandom")]
#[test]
fn the_operating_system_gives_another_secret_each_time() {
    let generate = || Secret::generate(Algorithm::Sha1, &mut keyfob::SystemEntropy).unwrap();
    assert_ne!(generate().as_bytes(), generate().as_bytes());
}

proptest! {
    #[test]
    fn base32_round_trips(bytes in prop::collection::vec(any::<u8>(), 16..=128)) {
        let mut buffer = Base32Buffer::new();
        let secret = Secret::from_bytes(&bytes).unwrap();
        let text = secret.to_base32(&mut buffer);
        let strict = Secret::from_base32(text).unwrap();
        prop_assert_eq!(strict.as_bytes(), &bytes[..]);
        let pasted = Secret::from_pasted_base32(&text.to_lowercase()).unwrap();
        prop_assert_eq!(pasted.as_bytes(), &bytes[..]);
    }

    #[test]
    fn any_text_is_read_without_panic(text in "\\PC{0,220}") {
        let _ = Secret::from_base32(&text);
        let _ = Secret::from_legacy_base32(&text);
    }

    #[test]
    fn strict_reading_takes_one_text_a_secret(text in "[A-Z2-7]{26,60}") {
        if let Ok(secret) = Secret::from_base32(&text) {
            let mut buffer = Base32Buffer::new();
            prop_assert_eq!(secret.to_base32(&mut buffer), text);
        }
    }
}
