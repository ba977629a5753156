//! The flash as the map sees it: all of it, to be changed, or a part, to be read only.
//!
//! One type for all of that, since the map is compiled anew for each type of flash, and takes up
//! much of a microcontroller's.

use core::future::Future;
use core::hint;
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use embedded_storage::nor_flash::{ErrorType, NorFlash};
use embedded_storage_async::nor_flash as waiting;

use super::sectors::sector_of;
use super::sizes::Sizes;

/// What the map may do.
#[derive(Clone, Copy, Debug)]
pub(super) enum Access {
    /// Read and change everything.
    Change,
    /// Read what is shown, and change nothing: whatever it thinks that it must repair stays as it
    /// is.
    Read(Shown),
}

/// Which sectors of the region a view shows. Others seem erased.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shown {
    All,
    Only(u32),
    AllBut(u32),
}

impl Access {
    /// Whether what lies at `address` is shown.
    fn shows<F: NorFlash>(self, address: u32) -> bool {
        match self {
            Self::Change | Self::Read(Shown::All) => true,
            Self::Read(Shown::Only(sector)) => sector_of::<F>(sector).contains(&address),
            Self::Read(Shown::AllBut(sector)) => !sector_of::<F>(sector).contains(&address),
        }
    }

    const fn changes(self) -> bool {
        matches!(self, Self::Change)
    }
}

/// Flash whose futures are ready when they are first polled, as every call blocks.
pub(super) struct View<'a, F> {
    flash: &'a mut F,
    access: Access,
    last_erased: Option<u32>,
}

impl<'a, F> View<'a, F> {
    pub(super) const fn new(flash: &'a mut F, access: Access) -> Self {
        Self {
            flash,
            access,
            last_erased: None,
        }
    }

    /// Where the map erased last.
    pub(super) const fn last_erased(&self) -> Option<u32> {
        self.last_erased
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
        if self.access.shows::<F>(offset) {
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

    async fn erase(&mut self, from: u32, to: u32) -> Result<(), F::Error> {
        if self.access.changes() {
            self.flash.erase(from, to)?;
            self.last_erased = Some(from);
        }
        Ok(())
    }

    async fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), F::Error> {
        if self.access.changes() {
            return self.flash.write(offset, bytes);
        }
        Ok(())
    }
}

/// What a future over such flash comes to. It never waits, so the first poll is the last.
pub(super) fn finish<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(outcome) = future.as_mut().poll(&mut context) {
            return outcome;
        }
        hint::spin_loop();
    }
}
