//! A part of the region, to be read only.

use embedded_storage::nor_flash::{ErrorType, NorFlash};
use embedded_storage_async::nor_flash as waiting;

use super::sectors::sector_of;
use super::sizes::Sizes;

/// Which sectors of the region a view shows.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shown {
    All,
    Only(u32),
    AllBut(u32),
}

impl Shown {
    /// Whether what lies at `address` is shown.
    fn shows<F: NorFlash>(self, address: u32) -> bool {
        match self {
            Self::All => true,
            Self::Only(sector) => sector_of::<F>(sector).contains(&address),
            Self::AllBut(sector) => !sector_of::<F>(sector).contains(&address),
        }
    }
}

/// Flash on which sectors that aren't shown seem erased, and which nothing changes: whatever the map
/// thinks that it must repair stays as it is.
pub(super) struct View<'a, F> {
    flash: &'a mut F,
    shown: Shown,
}

impl<'a, F> View<'a, F> {
    pub(super) const fn new(flash: &'a mut F, shown: Shown) -> Self {
        Self { flash, shown }
    }
}

impl<F: ErrorType> ErrorType for View<'_, F> {
    type Error = F::Error;
}

impl<F: NorFlash> waiting::ReadNorFlash for View<'_, F> {
    /// Whole words, so that a mark is seen whichever part of it was written when the power went.
    const READ_SIZE: usize = Sizes::<F>::WORD;

    /// No read of the map goes beyond the sector in which it begins.
    async fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), F::Error> {
        if self.shown.shows::<F>(offset) {
            return self.flash.read(offset, bytes);
        }
        bytes.fill(0xff);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.flash.capacity()
    }
}

impl<F: NorFlash> waiting::NorFlash for View<'_, F> {
    const WRITE_SIZE: usize = F::WRITE_SIZE;
    const ERASE_SIZE: usize = F::ERASE_SIZE;

    async fn erase(&mut self, _: u32, _: u32) -> Result<(), F::Error> {
        Ok(())
    }

    async fn write(&mut self, _: u32, _: &[u8]) -> Result<(), F::Error> {
        Ok(())
    }
}
