//! The region as a ring of sectors.
//!
//! The map writes a mark into the first word of a sector before anything else, and one into the
//! last when nothing more fits in. It fills sectors in turn. The one after the sector that is being
//! filled is kept empty, so the one after that is the oldest.

use core::ops::Range;

use embedded_storage::nor_flash::NorFlash;

use super::sizes::{MOST_WORD_BYTES, Sizes};

/// So many bits that are zero make a mark, as the map sees it.
const MARK_BITS: u32 = 4;

/// How far a sector is filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Without a mark at its start, nothing in it counts.
    Unused,
    Partial,
    Full,
}

/// The sectors of a region. Each is named by its first address.
pub(super) struct Sectors<'a, F> {
    flash: &'a mut F,
    region: Range<u32>,
}

impl<'a, F: NorFlash> Sectors<'a, F> {
    pub(super) const fn new(flash: &'a mut F, region: Range<u32>) -> Self {
        Self { flash, region }
    }

    pub(super) fn all(&self) -> impl Iterator<Item = u32> + use<F> {
        self.region.clone().step_by(F::ERASE_SIZE)
    }

    pub(super) fn state(&mut self, sector: u32) -> Result<State, F::Error> {
        let end = sector.saturating_add(Sizes::<F>::SECTOR);
        let last = end.saturating_sub(Sizes::<F>::MARK);
        Ok(match (self.is_marked(sector)?, self.is_marked(last)?) {
            (false, _) => State::Unused,
            (true, false) => State::Partial,
            (true, true) => State::Full,
        })
    }

    fn is_marked(&mut self, address: u32) -> Result<bool, F::Error> {
        let mut word = [0xff; MOST_WORD_BYTES];
        let (mark, _) = word.split_at_mut(Sizes::<F>::WORD.min(MOST_WORD_BYTES));
        self.flash.read(address, mark)?;
        Ok(mark.iter().map(|byte| byte.count_zeros()).sum::<u32>() >= MARK_BITS)
    }

    /// Whether all of it is as an erase leaves it.
    pub(super) fn is_blank(&mut self, sector: u32) -> Result<bool, F::Error> {
        for address in sector_of::<F>(sector).step_by(MOST_WORD_BYTES) {
            let mut bytes = [0; MOST_WORD_BYTES];
            self.flash.read(address, &mut bytes)?;
            if bytes != [0xff; MOST_WORD_BYTES] {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub(super) fn erase(&mut self, sector: u32) -> Result<(), F::Error> {
        let Range { start, end } = sector_of::<F>(sector);
        self.flash.erase(start, end)
    }

    /// The sector that the map was about to empty, or was emptying, when the power went: the one
    /// after the sector that is being filled, if it isn't empty.
    ///
    /// A half-erased one can look as if it were being filled itself.
    pub(super) fn unfinished(&mut self) -> Result<Option<u32>, F::Error> {
        for sector in self.all() {
            let is_filled = self.state(sector)? == State::Partial
                && self.state(self.before(sector))? != State::Partial;
            let next = self.after(sector);
            if is_filled && self.state(next)? != State::Unused {
                return Ok(Some(next));
            }
        }
        Ok(None)
    }

    fn after(&self, sector: u32) -> u32 {
        let next = sector.saturating_add(Sizes::<F>::SECTOR);
        if next < self.region.end {
            next
        } else {
            self.region.start
        }
    }

    fn before(&self, sector: u32) -> u32 {
        let end = if sector > self.region.start {
            sector
        } else {
            self.region.end
        };
        end.saturating_sub(Sizes::<F>::SECTOR)
    }
}

/// The addresses of a sector.
pub(super) const fn sector_of<F: NorFlash>(sector: u32) -> Range<u32> {
    sector..sector.saturating_add(Sizes::<F>::SECTOR)
}
