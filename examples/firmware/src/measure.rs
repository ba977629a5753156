//! What something takes: stack, by painting it first, and instructions, by the board's timer.

use core::hint::black_box;

use crate::board;

/// What unused stack is painted with.
const PAINT: u32 = 0xa5a5_a5a5;

/// So much under the current frame isn't painted: the painter itself stands there.
const MARGIN_BYTES: usize = 64;

/// So often is something done whose instructions are counted: a tick is many instructions.
const RUNS: u32 = 100;

/// Shows how many bytes of stack `work` needs.
#[inline(never)]
pub fn stack(name: &str, work: &mut dyn FnMut()) {
    let top = current_depth();
    paint(top);
    work();
    let deepest = high_water(top);
    if deepest >= u32::try_from(top - lowest() as usize).unwrap_or(u32::MAX) {
        board::show("the stack overflowed\n");
        board::finish(false);
    }
    report(name, ", stack: ", deepest);
}

/// Shows how many ticks of the board's timer a hundred runs of `work` take.
#[inline(never)]
pub fn ticks(name: &str, work: &mut dyn FnMut()) {
    let taken = board::ticks(|| {
        for _ in 0..RUNS {
            work();
        }
    });
    report(name, ", ticks of 100: ", taken);
}

/// Shows how many ticks of the board's timer `work` takes.
#[inline(never)]
pub fn ticks_once(name: &str, work: &mut dyn FnMut()) {
    report(name, ", ticks of 1: ", board::ticks(work));
}

fn report(name: &str, unit: &str, figure: u32) {
    board::show(name);
    board::show(unit);
    board::show_number(figure);
    board::show("\n");
}

unsafe extern "C" {
    /// Where the memory that the stack can grow into ends, by the linker script.
    static mut __sheap: u32;
}

fn lowest() -> *mut u32 {
    &raw mut __sheap
}

/// The address of a frame, about.
#[inline(never)]
fn current_depth() -> usize {
    let here = black_box(0_u32);
    &raw const here as usize
}

#[inline(never)]
fn paint(top: usize) {
    let mut place = lowest();
    while (place as usize) < top - MARGIN_BYTES {
        // SAFETY: between the program's data and the stack nothing lives.
        unsafe { place.write_volatile(PAINT) };
        place = place.wrapping_add(1);
    }
}

/// How far under `top` the paint is gone.
#[inline(never)]
fn high_water(top: usize) -> u32 {
    let mut place = lowest();
    // SAFETY: as above; the search ends at this frame at the latest, which isn't paint.
    while unsafe { place.read_volatile() } == PAINT {
        place = place.wrapping_add(1);
    }
    u32::try_from(top - place as usize).unwrap_or(u32::MAX)
}
