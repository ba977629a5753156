//! Nothing but what measures: the other programs' text is told net of this one's.
#![no_std]
#![no_main]

use core::hint::black_box;

use keyfob_firmware::{board, measure};

#[board::entry]
fn main() -> ! {
    measure::stack("nothing", &mut || black_box(()));
    measure::ticks("nothing", &mut || black_box(()));
    measure::ticks("the same", &mut || black_box(()));
    board::finish(true)
}
