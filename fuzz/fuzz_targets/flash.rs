//! A flash store against a map, through swaps, restarts and power cuts.
//!
//! A seed holds what power cuts leave behind, and then four bytes for each event: what happens, how long the
//! record is, and when the power goes (never, if the fourth is below 128).

#![no_main]

#[allow(dead_code)] // the tests use all of it
#[path = "../../tests/support/chip.rs"]
mod chip;
#[path = "../../tests/support/flash_model.rs"]
mod flash_model;

use flash_model::{Event, World};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((cut, events)) = input.split_first() else {
        return;
    };
    let (events, _) = events.as_chunks();
    let events: Vec<Event> = events.iter().copied().map(Event::from_bytes).collect();
    World::<1, 4, 1024>::new(5, *cut).live(&events);
});
