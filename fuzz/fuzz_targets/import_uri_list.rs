//! Lists of key URIs: no file panics, and what is read survives as key URIs. See `support` for the seeds.

#![no_main]

mod support;

use keyfob::import::Format;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| support::check(Format::UriList, input));
