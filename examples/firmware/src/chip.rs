//! A NOR flash chip, played by memory that a reset leaves alone.

use core::hint::black_box;
use core::mem::MaybeUninit;
use core::ops::Range;
use core::sync::atomic::{AtomicBool, Ordering};

use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash, check_erase, check_read,
    check_write,
};

const SECTOR_BYTES: u32 = 1024;
const BYTES: u32 = 5 * SECTOR_BYTES;

/// The whole chip, as a region for a store.
pub const REGION: Range<u32> = 0..BYTES;

/// Stands in memory once the chip was erased; after power-up memory holds anything.
const POWERED: u32 = 0x6b66_6f62;

#[repr(C)]
struct Cells {
    powered: u32,
    bytes: [u8; BYTES as usize],
}

/// Not initialized by the start-up code, so it outlasts a reset as flash does.
#[unsafe(link_section = ".uninit.chip")]
static mut CELLS: MaybeUninit<Cells> = MaybeUninit::uninit();

/// The board's flash.
pub struct Chip(&'static mut Cells);

impl Chip {
    /// The board's only chip, erased if it was without power; `None` if somebody has it already.
    pub fn take() -> Option<Self> {
        static TAKEN: AtomicBool = AtomicBool::new(false);
        if TAKEN.load(Ordering::Relaxed) {
            return None;
        }
        TAKEN.store(true, Ordering::Relaxed);
        let cells = black_box((&raw mut CELLS).cast::<Cells>());
        // SAFETY: nobody else comes past the flag, as there is one thread and no interrupt. What a
        // reset or power-up left is memory of the board's, which the compiler can't know; the cells
        // are written before a reference to them is made, unless an earlier start has done so.
        let cells = unsafe {
            if (&raw const (*cells).powered).read_volatile() != POWERED {
                cells.write_bytes(0xff, 1);
                (&raw mut (*cells).powered).write(POWERED);
            }
            cells.as_mut()?
        };
        Some(Self(cells))
    }

    fn cells(&mut self, from: u32, bytes: usize) -> Option<&mut [u8]> {
        let from = usize::try_from(from).ok()?;
        self.0.bytes.get_mut(from..)?.get_mut(..bytes)
    }
}

/// The chip was asked for what it hasn't got: a place beyond its end, or half a word.
#[derive(Clone, Copy, Debug)]
pub struct Misuse(NorFlashErrorKind);

impl NorFlashError for Misuse {
    fn kind(&self) -> NorFlashErrorKind {
        self.0
    }
}

impl From<NorFlashErrorKind> for Misuse {
    fn from(kind: NorFlashErrorKind) -> Self {
        Self(kind)
    }
}

impl ErrorType for Chip {
    type Error = Misuse;
}

impl ReadNorFlash for Chip {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Misuse> {
        check_read(self, offset, bytes.len())?;
        if let Some(cells) = self.cells(offset, bytes.len()) {
            bytes.copy_from_slice(cells);
        }
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.0.bytes.len()
    }
}

impl NorFlash for Chip {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = SECTOR_BYTES as usize;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), Misuse> {
        check_erase(self, from, to)?;
        if let Some(cells) = self.cells(from, (to - from) as usize) {
            cells.fill(0xff);
        }
        Ok(())
    }

    /// Turns ones into zeros, which is all that NOR flash can do without erasing.
    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Misuse> {
        check_write(self, offset, bytes.len())?;
        if let Some(cells) = self.cells(offset, bytes.len()) {
            for (cell, byte) in cells.iter_mut().zip(bytes) {
                *cell &= byte;
            }
        }
        Ok(())
    }
}
