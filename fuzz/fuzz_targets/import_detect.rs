//! Files of an unknown format: none panics, and what is detected is what they are read as. See
//! `support` for the seeds.

#![no_main]

mod support;

use keyfob::import::{self, Format, ImportError, Options};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let file = input.get(1..).unwrap_or_default();
    let format = import::detect(file);
    assert_detected(format, file);
    if let Some(format) = format {
        support::check(format, input);
    }
});

/// With nothing to open it, so that whatever it is takes no time.
fn assert_detected(format: Option<Format>, file: &[u8]) {
    match import::read(file, &Options::default()) {
        Ok(import) => assert_eq!(Some(import.format), format),
        Err(
            ImportError::Malformed { format: named, .. } | ImportError::Locked { format: named },
        ) => {
            assert_eq!(Some(named), format);
        }
        Err(error) => assert_eq!(format.is_none(), error == ImportError::Unrecognised),
    }
}
