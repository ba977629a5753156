//! A heap that looks at what it gets back.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ptr;

#[global_allocator]
static HEAP: Heap = Heap;

/// The system's heap, and what this thread wants to know of its blocks.
struct Heap;

thread_local! {
    /// What must not be in a block that is freed, and how many blocks had it.
    static NEEDLES: Cell<&'static [&'static [u8]]> = const { Cell::new(&[]) };
    static FOUND: Cell<usize> = const { Cell::new(0) };
    /// The largest block that was asked for.
    static LARGEST: Cell<Block> = const { Cell::new(Block { start: ptr::null(), bytes: 0 }) };
}

/// A block of the heap.
#[derive(Clone, Copy)]
pub(crate) struct Block {
    start: *const u8,
    bytes: usize,
}

impl Block {
    /// What is in it. It must not have been freed.
    pub(crate) fn read(self) -> Vec<u8> {
        (0..self.bytes).map(|at| self.byte(at)).collect()
    }

    fn byte(self, at: usize) -> u8 {
        // SAFETY: the block has so many bytes, and belongs to this process until it is freed.
        unsafe { ptr::read_volatile(self.start.add(at)) }
    }

    /// Whether any part of one of the needles is in it. Nothing is allocated for that.
    fn has_any(self, needles: &[&[u8]]) -> bool {
        let mut parts = needles
            .iter()
            .flat_map(|needle| needle.windows(needle.len().min(8)));
        parts.any(|part| {
            let places = self.bytes.saturating_sub(part.len() - 1);
            (0..places).any(|start| (0..part.len()).all(|at| self.byte(start + at) == part[at]))
        })
    }
}

fn note_freed(block: Block) {
    if block.has_any(NEEDLES.get()) {
        FOUND.set(FOUND.get() + 1);
    }
}

// SAFETY: what is asked of it is asked of the system's allocator, unchanged; blocks are read before
// they are given back.
unsafe impl GlobalAlloc for Heap {
    /// Zeros, as what others left in a block isn't the next one's fault.
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the contract, which is the same.
        let start = unsafe { System.alloc_zeroed(layout) };
        let bytes = layout.size();
        if bytes > LARGEST.get().bytes {
            LARGEST.set(Block { start, bytes });
        }
        start
    }

    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        let bytes = layout.size();
        note_freed(Block { start, bytes });
        // SAFETY: the block comes from `alloc` with this layout, so from the system's.
        unsafe { System.dealloc(start, layout) }
    }

    /// Always to another place, as where it stays is the system's to choose.
    unsafe fn realloc(&self, start: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        let larger = Layout::from_size_align(bytes, layout.align());
        let Ok(larger) = larger else {
            return ptr::null_mut();
        };
        // SAFETY: the new block has room for all of the old one that is kept, and the old one comes
        // from `alloc` with this layout.
        unsafe {
            let moved = self.alloc(larger);
            if !moved.is_null() {
                ptr::copy_nonoverlapping(start, moved, layout.size().min(bytes));
                self.dealloc(start, layout);
            }
            moved
        }
    }
}

/// How many blocks `act` frees with a part of one of these still in them.
pub(crate) fn freed_with(needles: &[&[u8]], act: impl FnOnce()) -> usize {
    // SAFETY: they are forgotten below, before they end.
    let lent = unsafe { std::mem::transmute::<&[&[u8]], &'static [&'static [u8]]>(needles) };
    FOUND.set(0);
    NEEDLES.set(lent);
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(act));
    NEEDLES.set(&[]);
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
    FOUND.get()
}

/// What `make` gives, and the largest block that it asked for.
pub(crate) fn largest_block<T>(make: impl FnOnce() -> T) -> (T, Block) {
    LARGEST.set(Block {
        start: ptr::null(),
        bytes: 0,
    });
    let value = make();
    (value, LARGEST.get())
}
