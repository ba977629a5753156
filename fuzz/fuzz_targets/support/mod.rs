//! What the targets of the importers check, whatever the format.
//!
//! A seed's first byte says what opens the file, which is all that follows: `0` nothing, `1` the
//! password `test`, `2` the key 12345678901234567890123456789012 in hexadecimal. The seeds' names
//! are invented, and their encrypted files made by `fuzz/seeds/seal.py`.

use keyfob::export::{self, Protection};
use keyfob::import::{self, Format, Import, ImportError, Imported, Limits, Options, Place, Unlock};
use keyfob::{Entropy, EntropyError, KeyUri, Migration, Params, Secret, UriError};

/// The pre-shared key.
const KEY: [u8; 16] = [
    0x12, 0x34, 0x56, 0x78, 0x90, 0x12, 0x34, 0x56, 0x78, 0x90, 0x12, 0x34, 0x56, 0x78, 0x90, 0x12,
];

/// So low that no input takes long. 2FAS has no choice but 10,000 iterations.
const LIMITS: Limits = Limits {
    file_bytes: 64 << 10,
    entries: 1_000,
    pbkdf2_iterations: 10_000,
    scrypt_bytes: 1 << 20,
    scrypt_work: 1 << 12,
};

/// Reads the input as a file of `format`: it is read twice alike, all that is read is valid, and
/// what a key URI can express survives as one.
pub fn check(format: Format, input: &[u8]) {
    let Some((first, file)) = input.split_first() else {
        return;
    };
    let options = Options {
        unlock: unlock(*first),
        limits: limits(format),
    };
    let outcome = import::read_as(format, file, &options);
    assert_same_outcome(&outcome, &import::read_as(format, file, &options));
    match outcome {
        Ok(import) => {
            assert_eq!(import.format, format);
            check_import(&import);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

fn unlock(first: u8) -> Unlock<'static> {
    match first % 3 {
        0 => Unlock::Nothing,
        1 => Unlock::Password("test"),
        _ => Unlock::Key(&KEY),
    }
}

fn limits(format: Format) -> Limits {
    match format {
        Format::TwoFas => LIMITS,
        _ => Limits {
            pbkdf2_iterations: 1_000,
            ..LIMITS
        },
    }
}

fn assert_same_outcome(left: &Result<Import, ImportError>, right: &Result<Import, ImportError>) {
    let (left, right) = match (left, right) {
        (Ok(left), Ok(right)) => (left, right),
        _ => return assert_eq!(left.as_ref().err(), right.as_ref().err()),
    };
    assert_eq!(left.left_out, right.left_out);
    assert_eq!(left.tokens.len(), right.tokens.len());
    for (left, right) in left.tokens.iter().zip(&right.tokens) {
        assert_eq!(left.secret.as_bytes(), right.secret.as_bytes());
        assert!(left.recovery_codes.iter().eq(right.recovery_codes.iter()));
        // All the rest.
        assert_eq!(format!("{left:?}"), format!("{right:?}"));
    }
}

fn check_import(import: &Import) {
    assert!(import.tokens.len() + import.left_out.len() <= LIMITS.entries);
    import.tokens.iter().for_each(check_token);
    for left_out in &import.left_out {
        assert!(!left_out.reason.to_string().is_empty());
    }
    assert_in_order(import.tokens.iter().map(|token| token.place));
    if import.format != Format::GoogleAuthenticatorPam {
        let places = import.left_out.iter().map(|left_out| left_out.place);
        assert_in_order(places);
    }
    survive_as_key_uris(&import.tokens);
    survive_as_pskc(&import.tokens);
}

/// What can't be seen from the types.
fn check_token(token: &Imported) {
    let secret_bytes = token.secret.as_bytes().len();
    assert!((Secret::MIN_LEGACY_BYTES..=Secret::MAX_BYTES).contains(&secret_bytes));
    match token.params {
        Params::Totp(params) => assert!((1..=86_400).contains(&params.period.as_seconds())),
        Params::Hotp(_) => {
            assert!(token.burned.is_some(), "a counter is never made up");
            assert_eq!(token.drift_steps, 0, "a counter has no clock");
        }
    }
    for code in token.recovery_codes.iter() {
        assert!(!code.contains(['\r', '\n']));
    }
    let migration = Migration::from(token);
    assert_eq!(migration.secret.as_bytes(), token.secret.as_bytes());
    assert_eq!(migration.params, token.params);
}

/// Places never go back, but for what belongs to no one place.
fn assert_in_order(places: impl Iterator<Item = Place>) {
    let places: Vec<_> = places.filter_map(position).collect();
    assert!(places.is_sorted(), "{places:?}");
}

fn position(place: Place) -> Option<(u64, u64)> {
    match place {
        Place::Line(number) | Place::Entry(number) => Some((number, 0)),
        Place::Token { line, token } => Some((line, token)),
        _ => None,
    }
}

/// A list of the tokens' key URIs gives the same tokens.
fn survive_as_key_uris(tokens: &[Imported]) {
    let (tokens, uris): (Vec<_>, Vec<_>) = tokens
        .iter()
        .filter_map(|token| Some((token, key_uri(token)?)))
        .unzip();
    let list = uris.join("\n");
    let again = import::read_as(Format::UriList, list.as_bytes(), &Options::default())
        .expect("what was printed can be read");
    assert_eq!(again.left_out, []);
    assert_eq!(again.tokens.len(), tokens.len());
    for (again, token) in again.tokens.iter().zip(tokens) {
        assert_same_but_for_outer_spaces(again, token);
    }
}

/// The token's key URI; `None` if none can express its names or its counter.
fn key_uri(token: &Imported) -> Option<String> {
    let (issuer, account) = (&token.issuer, &token.account);
    let uri = match token.params {
        Params::Totp(params) => KeyUri::totp(&token.secret, params, issuer, account),
        Params::Hotp(params) => {
            KeyUri::hotp(&token.secret, params, token.counter()?, issuer, account)
        }
    };
    match uri {
        Ok(uri) => Some(uri.to_string()),
        Err(UriError::Account | UriError::Issuer | UriError::TooLong) => None,
        Err(error) => panic!("an importer made what no key URI expresses: {error:?}"),
    }
}

/// Spaces around a name aren't part of it in a key URI.
fn assert_same_but_for_outer_spaces(left: &Imported, right: &Imported) {
    assert_eq!(left.secret.as_bytes(), right.secret.as_bytes());
    assert_eq!(left.params, right.params);
    assert_eq!(left.counter(), right.counter());
    assert_eq!(left.issuer, right.issuer.trim());
    assert_eq!(left.account, right.account.trim());
    assert_eq!(left.remarks, []);
}

/// A PSKC file of the tokens gives the same tokens, but for those that it says it hasn't.
fn survive_as_pskc(tokens: &[Imported]) {
    let key = [0x5a; 32];
    let written = export::pskc(tokens, Protection::Key(&key), &mut Counting(0)).unwrap();
    let omitted = |index| {
        let mut omitted = written.omitted.iter();
        omitted.any(|omitted| omitted.index == index && omitted.what.is_token())
    };
    let options = Options {
        unlock: Unlock::Key(&key),
        ..Options::default()
    };
    let again = import::read_as(Format::Pskc, written.text.as_bytes(), &options)
        .expect("what was written can be read");
    assert_eq!(again.left_out, []);
    let tokens = tokens.iter().enumerate();
    let tokens: Vec<_> = tokens.filter(|(index, _)| !omitted(*index)).collect();
    assert_eq!(again.tokens.len(), tokens.len());
    for (again, (_, token)) in again.tokens.iter().zip(tokens) {
        assert_same_but_for_outer_spaces(again, token);
        assert_eq!(again.drift_steps, token.drift_steps);
    }
}

/// Nothing needs to be kept secret here.
struct Counting(u8);

impl Entropy for Counting {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        for byte in bytes {
            self.0 = self.0.wrapping_add(1);
            *byte = self.0;
        }
        Ok(())
    }
}
