//! Flash that blocks, for a map that waits.

use core::future::Future;
use core::hint;
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use embedded_storage::nor_flash::{ErrorType, NorFlash};
use embedded_storage_async::nor_flash as waiting;

use super::sizes::Sizes;

/// Flash whose futures are ready when they are first polled, as every call blocks.
pub(super) struct AlwaysReady<F> {
    flash: F,
    last_erased: Option<u32>,
}

impl<F> AlwaysReady<F> {
    pub(super) const fn new(flash: F) -> Self {
        Self {
            flash,
            last_erased: None,
        }
    }

    pub(super) fn into_inner(self) -> F {
        self.flash
    }

    pub(super) const fn inner_mut(&mut self) -> &mut F {
        &mut self.flash
    }

    /// Where the map erased last.
    pub(super) const fn last_erased(&self) -> Option<u32> {
        self.last_erased
    }

    pub(super) const fn forget_last_erased(&mut self) {
        self.last_erased = None;
    }
}

impl<F: ErrorType> ErrorType for AlwaysReady<F> {
    type Error = F::Error;
}

impl<F: NorFlash> waiting::ReadNorFlash for AlwaysReady<F> {
    /// Whole words, so that a mark is seen whichever part of it was written when the power went.
    const READ_SIZE: usize = Sizes::<F>::WORD;

    async fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), F::Error> {
        self.flash.read(offset, bytes)
    }

    fn capacity(&self) -> usize {
        self.flash.capacity()
    }
}

impl<F: NorFlash> waiting::NorFlash for AlwaysReady<F> {
    const WRITE_SIZE: usize = F::WRITE_SIZE;
    const ERASE_SIZE: usize = F::ERASE_SIZE;

    async fn erase(&mut self, from: u32, to: u32) -> Result<(), F::Error> {
        self.flash.erase(from, to)?;
        self.last_erased = Some(from);
        Ok(())
    }

    async fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), F::Error> {
        self.flash.write(offset, bytes)
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
