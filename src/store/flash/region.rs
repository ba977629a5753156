//! The sectors of a region, and how they are read and written.

use core::ops::Range;

use embedded_storage::nor_flash::NorFlash;

use super::FlashError;
use super::header::{Header, Place, Row};
use super::item::{Buffer, OVERHEAD_BYTES, Title};
use super::sizes::{MOST_WORD_BYTES, Sizes};

pub(super) type Outcome<T, F> =
    Result<T, FlashError<<F as embedded_storage::nor_flash::ErrorType>::Error>>;

/// Sectors of a flash, numbered from 0.
pub(super) struct Region<F> {
    pub(super) flash: F,
    start: u32,
    count: u16,
}

impl<F: NorFlash> Region<F> {
    /// `None` for a region that can't be used.
    pub(super) fn new(flash: F, region: &Range<u32>) -> Option<Self> {
        Some(Self {
            count: Sizes::<F>::sectors(region, flash.capacity())?,
            start: region.start,
            flash,
        })
    }

    pub(super) const fn count(&self) -> u16 {
        self.count
    }

    pub(super) fn range(&self) -> Range<u32> {
        let last = self.count.saturating_sub(1);
        self.start..self.addresses(last).end
    }

    pub(super) const fn all(&self) -> Range<u16> {
        0..self.count
    }

    pub(super) const fn after(&self, sector: u16) -> u16 {
        let next = sector.saturating_add(1);
        if next < self.count { next } else { 0 }
    }

    pub(super) const fn before(&self, sector: u16) -> u16 {
        let next = if sector > 0 { sector } else { self.count };
        next.saturating_sub(1)
    }

    /// All sectors, from the one after this.
    pub(super) fn all_after(&self, sector: u16) -> impl Iterator<Item = u16> + use<F> {
        let first = sector.saturating_add(1).min(self.count);
        (first..self.count).chain(0..first)
    }

    pub(super) fn row(&self, row: Row) -> impl Iterator<Item = u16> + use<F> {
        let rest = (row.first.min(self.count)..self.count).chain(0..row.first.min(self.count));
        rest.take(row.count.into())
    }

    /// The addresses of a sector.
    pub(super) fn addresses(&self, sector: u16) -> Range<u32> {
        let offset = u32::from(sector).saturating_mul(Sizes::<F>::SECTOR);
        let start = self.start.saturating_add(offset);
        start..start.saturating_add(Sizes::<F>::SECTOR)
    }

    /// The addresses of a sector's items.
    pub(super) fn items(&self, sector: u16) -> Range<u32> {
        let Range { start, end } = self.addresses(sector);
        beyond(start, Sizes::<F>::HEADERS)..end
    }

    /// Where the sector ends that such an address lies in.
    pub(super) fn end_of(&self, address: u32) -> u32 {
        let offset = address.saturating_sub(self.start).saturating_add(1);
        let end = offset.checked_next_multiple_of(Sizes::<F>::SECTOR);
        self.start.saturating_add(end.unwrap_or(u32::MAX))
    }

    /// What the headers of a sector say of it.
    pub(super) const fn place(&self, sector: u16) -> Place {
        Place {
            shape: Sizes::<F>::SHAPE,
            sectors: self.count,
            sector,
        }
    }

    /// The region of which a sector with such a header is a part, as far as addresses go.
    pub(super) fn of_place(&self, sector: u16, place: Place) -> Range<u32> {
        let bytes = place.shape & !0x1f;
        let before = bytes.saturating_mul(place.sector.into());
        let start = self.addresses(sector).start.saturating_sub(before);
        start..start.saturating_add(bytes.saturating_mul(place.sectors.into()))
    }

    /// Whether all bytes are right, each told with its place.
    fn every(
        &mut self,
        addresses: Range<u32>,
        is_right: &mut dyn FnMut(usize, u8) -> bool,
    ) -> Result<bool, F::Error> {
        let mut place: usize = 0;
        for address in addresses.clone().step_by(MOST_WORD_BYTES) {
            let mut bytes = [0; MOST_WORD_BYTES];
            let length = usize::try_from(addresses.end.saturating_sub(address));
            let length = length.unwrap_or(MOST_WORD_BYTES).min(MOST_WORD_BYTES);
            let (bytes, _) = bytes.split_at_mut(length);
            self.flash.read(address, bytes)?;
            for byte in bytes {
                if !is_right(place, *byte) {
                    return Ok(false);
                }
                place = place.saturating_add(1);
            }
        }
        Ok(true)
    }

    /// Whether all of it is as an erase leaves it.
    pub(super) fn is_blank(&mut self, addresses: Range<u32>) -> Result<bool, F::Error> {
        self.every(addresses, &mut |_, byte| byte == 0xff)
    }

    /// Whether a word is zeros, though a bit of it may have decayed.
    fn is_set(&mut self, address: u32) -> Result<bool, F::Error> {
        Ok(self.zeros(address)? > Sizes::<F>::WORD.saturating_mul(4))
    }

    /// Whether all bits of a word are zeros.
    pub(super) fn is_wholly_set(&mut self, address: u32) -> bool {
        let bits = Sizes::<F>::WORD.saturating_mul(8);
        self.zeros(address).is_ok_and(|zeros| zeros == bits)
    }

    /// How many bits of a word are zeros.
    pub(super) fn zeros(&mut self, address: u32) -> Result<usize, F::Error> {
        let mut zeros: u32 = 0;
        let word = address..beyond(address, Sizes::<F>::WORD);
        self.every(word, &mut |_, byte| {
            zeros = zeros.saturating_add(byte.count_zeros());
            true
        })?;
        Ok(usize::try_from(zeros).unwrap_or(usize::MAX))
    }

    /// Erases a sector, and looks whether it is blank.
    pub(super) fn erase(&mut self, sector: u16) -> Outcome<(), F> {
        let addresses = self.addresses(sector);
        self.flash.erase(addresses.start, addresses.end)?;
        self.require_blank(sector)
    }

    pub(super) fn require_blank(&mut self, sector: u16) -> Outcome<(), F> {
        if self.is_blank(self.addresses(sector))? {
            Ok(())
        } else {
            Err(FlashError::NotKept)
        }
    }

    /// Writes whole words, and reads them back.
    fn write(&mut self, address: u32, bytes: &[u8]) -> Outcome<(), F> {
        self.flash.write(address, bytes)?;
        let written = address..beyond(address, bytes.len());
        if self.every(written, &mut |place, byte| bytes.get(place) == Some(&byte))? {
            Ok(())
        } else {
            Err(FlashError::NotKept)
        }
    }

    // ---- Headers

    /// The header of a sector, from either place.
    pub(super) fn header(&mut self, sector: u16) -> Result<Option<Header>, F::Error> {
        let first = self.addresses(sector).start;
        let found = self.header_at(first);
        if matches!(found, Ok(Some(_))) {
            return found;
        }
        match self.header_at(beyond(first, Sizes::<F>::HEADER)) {
            Ok(None) => found,
            second => second,
        }
    }

    pub(super) fn has_both_headers(&mut self, sector: u16) -> bool {
        let first = self.addresses(sector).start;
        let second = beyond(first, Sizes::<F>::HEADER);
        [first, second]
            .into_iter()
            .all(|address| matches!(self.header_at(address), Ok(Some(_))))
    }

    fn header_at(&mut self, address: u32) -> Result<Option<Header>, F::Error> {
        let mut words = [0; Header::BYTES.next_multiple_of(MOST_WORD_BYTES)];
        let (room, _) = words.split_at_mut(Sizes::<F>::HEADER.min(MOST_WORD_BYTES));
        self.flash.read(address, room)?;
        Ok(words
            .first_chunk()
            .and_then(|bytes| Header::from_bytes(*bytes)))
    }

    /// Writes a header in both places. One is enough to be found by; then the other may fail.
    pub(super) fn write_header(&mut self, header: Header) -> Outcome<(), F> {
        let mut words = [0; Header::BYTES.next_multiple_of(MOST_WORD_BYTES)];
        words
            .iter_mut()
            .zip(header.to_bytes())
            .for_each(|(room, byte)| *room = byte);
        let (words, _) = words.split_at(Sizes::<F>::HEADER.min(MOST_WORD_BYTES));
        let first = self.addresses(header.place.sector).start;
        self.write(first, words)?;
        self.write(beyond(first, Sizes::<F>::HEADER), words)
    }

    /// Whether a sector is blank, but for what a power cut can have left of its first header if that
    /// was the first of the region.
    pub(super) fn is_begun_at_most(&mut self, sector: u16, first: Header) -> bool {
        let bytes = first.to_bytes();
        let Range { start, end } = self.addresses(sector);
        let header = start..beyond(start, Sizes::<F>::HEADER);
        let rest = header.end..end;
        let is_torn = self.every(header, &mut |place, byte| {
            let whole = bytes.get(place).copied().unwrap_or(0);
            byte & whole == whole
        });
        !matches!(is_torn, Ok(false)) && matches!(self.is_blank(rest), Ok(true))
    }

    // ---- Items

    /// Reads the item at `address`, of a sector that ends at `end`. `None` if there is none, or none
    /// that was stored.
    pub(super) fn item(
        &mut self,
        address: u32,
        end: u32,
        buffer: &mut Buffer,
    ) -> Outcome<Option<Title>, F> {
        let start = beyond(address, Sizes::<F>::WORD);
        if beyond(start, Self::BEGINNING) > end {
            return Ok(None);
        }
        let is_set = self.is_set(address);
        if matches!(is_set, Ok(false)) {
            return Ok(None);
        }
        self.read_item(start, end, buffer)?;
        match (buffer.title(), is_set) {
            (Some(title), _) => Ok(Some(title)),
            (None, Err(error)) => Err(FlashError::Flash(error)),
            (None, Ok(_)) => Err(FlashError::Damaged),
        }
    }

    /// So much of an item has to be read to know its length.
    const BEGINNING: usize = OVERHEAD_BYTES.next_multiple_of(Sizes::<F>::WORD);

    fn read_item(&mut self, start: u32, end: u32, buffer: &mut Buffer) -> Outcome<(), F> {
        self.read_to(start, buffer, 0, Self::BEGINNING)?;
        let words = buffer.item_bytes().next_multiple_of(Sizes::<F>::WORD);
        if beyond(start, words) > end {
            return Err(FlashError::Damaged);
        }
        self.read_to(start, buffer, Self::BEGINNING, words)
    }

    /// Reads a part of what begins at an address into the same part of a buffer.
    pub(super) fn read_to(
        &mut self,
        address: u32,
        buffer: &mut Buffer,
        from: usize,
        to: usize,
    ) -> Outcome<(), F> {
        let Some(room) = buffer.get_mut(from, to) else {
            return Err(FlashError::Damaged);
        };
        if !room.is_empty() {
            self.flash.read(beyond(address, from), room)?;
        }
        Ok(())
    }

    /// Writes an item: first all but its first word, and when that was read back, the first word.
    pub(super) fn write_item(&mut self, address: u32, item: &Buffer) -> Outcome<(), F> {
        let words = item.item_bytes().next_multiple_of(Sizes::<F>::WORD);
        self.write(beyond(address, Sizes::<F>::WORD), item.get(0, words))?;
        let zeros = Zeros([0; MOST_WORD_BYTES]);
        let (word, _) = zeros.0.split_at(Sizes::<F>::WORD.min(MOST_WORD_BYTES));
        self.write(address, word)
    }
}

#[repr(align(8))] // some controllers take words of memory only
struct Zeros([u8; MOST_WORD_BYTES]);

/// The address so many bytes on, or beyond all others.
pub(super) fn beyond(address: u32, bytes: usize) -> u32 {
    address.saturating_add(u32::try_from(bytes).unwrap_or(u32::MAX))
}
