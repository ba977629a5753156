//! Sealed records: hostile bytes never open, and what was sealed opens as it was, there alone.
//!
//! A seed holds the cipher (one byte, odd for AES-256-GCM), the revision (eight bytes,
//! little-endian), two ids (four bytes each), where and how a sealed record is altered (two bytes
//! and one), and then the stored bytes: sealed ones of `tests/vectors/sealed_v1.tsv`, or a record.

#![no_main]

use arbitrary::Arbitrary;
use keyfob::{
    Entropy, EntropyError, Keyring, MemoryStore, Record, RegistrationStore, Revision, SealedError,
    SealedStore, SealingCipher, SealingKey, Swap,
};
use libfuzzer_sys::fuzz_target;

type Store = SealedStore<MemoryStore<u32, 1>, Counting>;

#[derive(Debug, Arbitrary)]
struct Input<'a> {
    is_aes: bool,
    revision: u64,
    id: u32,
    other_id: u32,
    place: u16,
    difference: u8,
    bytes: &'a [u8],
}

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

fuzz_target!(|input: Input<'_>| {
    let Ok(record) = Record::from_stored(Revision::from_u64(input.revision), input.bytes) else {
        return;
    };
    assert_not_opened(&input, &record);
    assert_opened_as_sealed(&input, &record);
});

/// A store with the key that the fuzzer doesn't know, and `record` inside it as it is.
fn store_with(input: &Input<'_>, id: u32, record: &Record) -> Store {
    let cipher = match input.is_aes {
        true => SealingCipher::Aes256Gcm,
        false => SealingCipher::XChaCha20Poly1305,
    };
    let key = SealingKey::new(1, cipher, *b"a key that no input has to guess").unwrap();
    let mut store = Store::new(MemoryStore::new(), Keyring::new(key), Counting(0));
    let swap = store.inner_mut().compare_and_swap(&id, None, Some(record));
    assert_eq!(swap, Ok(Swap::Stored));
    store
}

/// Bytes that weren't sealed don't open, and plain ones only where they are accepted.
fn assert_not_opened(input: &Input<'_>, record: &Record) {
    let mut store = store_with(input, input.id, record);
    assert!(store.load(&input.id).is_err());
    let outcome = store.accepting_plain().load(&input.id);
    let is_plain = input.bytes.first().is_some_and(|first| *first < 0x80);
    assert_eq!(outcome.is_ok(), is_plain);
}

fn assert_opened_as_sealed(input: &Input<'_>, record: &Record) {
    let mut store = store_with(input, input.id, record);
    let expected = Some(record.revision());
    let swap = store.compare_and_swap(&input.id, expected, Some(record));
    if input.bytes.len() > Record::MAX_PLAIN_BYTES {
        return assert_eq!(swap, Err(SealedError::TooLong));
    }
    assert_eq!(swap, Ok(Swap::Stored));
    let opened = store.load(&input.id).unwrap().unwrap();
    assert_eq!(opened.as_bytes(), input.bytes);
    assert_eq!(opened.revision(), record.revision());

    let sealed = store.inner_mut().load(&input.id).unwrap().unwrap();
    assert_refused_elsewhere(input, &sealed);
}

/// Altered, cut off, under another id or another revision, it doesn't open.
fn assert_refused_elsewhere(input: &Input<'_>, sealed: &Record) {
    let place = usize::from(input.place) % sealed.as_bytes().len();
    let cut = &sealed.as_bytes()[..place];
    assert_refused(input, input.id, &with_bytes(sealed.revision(), cut));
    if input.difference != 0 {
        let mut altered = sealed.as_bytes().to_vec();
        altered[place] ^= input.difference;
        assert_refused(input, input.id, &with_bytes(sealed.revision(), &altered));
        let revision = Revision::from_u64(input.revision ^ u64::from(input.difference));
        assert_refused(input, input.id, &with_bytes(revision, sealed.as_bytes()));
    }
    if input.other_id != input.id {
        assert_refused(input, input.other_id, sealed);
    }
}

fn assert_refused(input: &Input<'_>, id: u32, record: &Record) {
    assert!(store_with(input, id, record).load(&id).is_err());
}

fn with_bytes(revision: Revision, bytes: &[u8]) -> Record {
    Record::from_stored(revision, bytes).unwrap()
}
