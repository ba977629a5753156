//! Secrets as base32: no text panics, and what is read is written so that it reads the same.

#![no_main]

use keyfob::{Base32Buffer, Secret};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let strict = Secret::from_base32(text).ok();
    let pasted = Secret::from_pasted_base32(text).ok();
    let legacy = Secret::from_legacy_base32(text).ok();

    if let Some(secret) = &strict {
        assert_eq!(written(secret), text, "strict reading takes one form only");
        assert_eq!(bytes(&pasted), bytes(&strict));
    }
    // The two lenient readers differ in nothing but the weak secrets.
    let strong = legacy.as_ref().filter(|secret| !secret.is_legacy());
    assert_eq!(bytes(&pasted), strong.map(Secret::as_bytes));

    if let Some(secret) = &legacy {
        let again = Secret::from_legacy_base32(&written(secret)).ok();
        assert_eq!(bytes(&again), bytes(&legacy));
    }
});

fn bytes(secret: &Option<Secret>) -> Option<&[u8]> {
    secret.as_ref().map(Secret::as_bytes)
}

fn written(secret: &Secret) -> String {
    secret.to_base32(&mut Base32Buffer::new()).to_owned()
}
