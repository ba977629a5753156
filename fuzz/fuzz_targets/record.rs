//! Hostile stored bytes: every request answers, and what can be read is written the same again.
//!
//! A seed holds the time (eight bytes, little-endian), four requests (four bytes each name `Fence`),
//! and a golden record of `tests/vectors/record_v1.tsv`.

#![no_main]

use arbitrary::Arbitrary;
use keyfob::{
    Code, Engine, Entropy, EntropyError, MemoryStore, NewRegistration, Policy, Record,
    RegistrationStore, Revision, Status, Swap, UnixTime,
};
use libfuzzer_sys::fuzz_target;

type Desk = Engine<MemoryStore<u8, 1>>;

const ALICE: u8 = 1;

#[derive(Debug, Arbitrary)]
struct Input<'a> {
    now: u64,
    requests: [Request; 4],
    record: &'a [u8],
}

#[derive(Debug, Arbitrary)]
enum Request {
    Create,
    Submit { six_digits: u32 },
    Recover { code: [char; 24] },
    Resync { first: u32, second: u32 },
    Rotate,
    Fence,
    SetDrift { steps: i16 },
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
    let Ok(record) = Record::from_stored(Revision::from_u64(1), input.record) else {
        return;
    };
    let now = UnixTime::from_seconds(input.now);
    let mut desk = Desk::new(MemoryStore::new(), Policy::DEFAULT);
    let swap = desk.store().compare_and_swap(&ALICE, None, Some(&record));
    assert_eq!(swap, Ok(Swap::Stored));
    for request in &input.requests {
        perform(&mut desk, request, now);
        assert_written_as_read(&mut desk, now);
    }
});

fn perform(desk: &mut Desk, request: &Request, now: UnixTime) {
    let entropy = &mut Counting(0);
    match request {
        Request::Create => ignore(desk.create(&ALICE, &NewRegistration::default(), now, entropy)),
        Request::Submit { six_digits } => {
            ignore(desk.authenticate(&ALICE, &code(*six_digits), now))
        }
        Request::Recover { code } => {
            ignore(desk.recover(&ALICE, &code.iter().collect::<String>(), now));
        }
        Request::Resync { first, second } => {
            ignore(desk.resync(&ALICE, &code(*first), &code(*second), now));
        }
        Request::Rotate => ignore(desk.rotate_recovery_codes(&ALICE, now, entropy)),
        Request::Fence => ignore(desk.fence(&ALICE, now)),
        Request::SetDrift { steps } => ignore(desk.set_drift(&ALICE, *steps)),
    }
}

/// Whatever a request answers is right, as long as it answers.
fn ignore<T>(_answer: T) {}

fn code(value: u32) -> Code {
    Code::parse(&format!("{:06}", value % 1_000_000)).unwrap()
}

/// Unlocking writes the whole record anew, and changes nothing but the failures.
fn assert_written_as_read(desk: &mut Desk, now: UnixTime) {
    let Ok(status) = desk.status(&ALICE, now) else {
        return;
    };
    desk.unlock(&ALICE).unwrap();
    let unlocked = desk.status(&ALICE, now).unwrap();
    let Status {
        codes, recovery, ..
    } = unlocked;
    let expected = {
        let mut expected = status;
        (expected.codes, expected.recovery) = (codes, recovery);
        expected
    };
    assert_eq!(unlocked, expected);

    let once = stored(desk);
    desk.unlock(&ALICE).unwrap();
    assert_eq!(stored(desk), once);
}

fn stored(desk: &mut Desk) -> Vec<u8> {
    let record = desk.store().load(&ALICE).unwrap().unwrap();
    record.as_bytes().to_vec()
}
