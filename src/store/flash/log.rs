//! The log: where the next item goes, and what has to be moved before.

use core::ops::Range;

use embedded_storage::nor_flash::NorFlash;

use super::first_form;
use super::header::{Header, Row};
use super::index::{Entry, Index};
use super::item::{Buffer, Title};
use super::region::{Outcome, Region, beyond};
use super::sizes::Sizes;
use super::{FlashError, recovery};

/// Which sectors are in use, and how far the newest is filled.
#[derive(Clone, Copy)]
pub(super) struct Head {
    /// The newest sector. It counts for nothing while `number` is 0.
    pub(super) sector: u16,
    pub(super) number: u32,
    pub(super) used: u16,
    pub(super) first_form: Row,
    /// Where the next item goes, if it fits in.
    pub(super) end: u32,
}

impl Head {
    /// That of a region in which nothing was stored, or in the first form.
    pub(super) const fn before<F: NorFlash>(region: &Region<F>, first_form: Row) -> Self {
        Self {
            sector: region.count().saturating_sub(1),
            number: 0,
            used: 0,
            first_form,
            end: u32::MAX,
        }
    }

    pub(super) const fn of(header: Header) -> Self {
        Self {
            sector: header.place.sector,
            number: header.number,
            used: header.used,
            first_form: header.first_form,
            end: u32::MAX,
        }
    }

    /// That of the sector which is filled next.
    pub(super) fn next<F: NorFlash>(&self, region: &Region<F>, sector: u16) -> Self {
        Self {
            sector,
            number: self.number.saturating_add(1),
            used: self.used.saturating_add(1),
            first_form: self.first_form,
            end: region.items(sector).start,
        }
    }

    pub(super) fn header<F: NorFlash>(&self, region: &Region<F>) -> Header {
        Header {
            place: region.place(self.sector),
            number: self.number,
            used: self.used,
            first_form: self.first_form,
        }
    }

    /// Whether the region is known to be ours.
    const fn is_marked(&self) -> bool {
        self.number > 0 || self.first_form.count > 0
    }

    /// The header number of the oldest sector in use, those of the first form apart.
    pub(super) fn oldest(&self) -> u32 {
        let newer = u32::from(self.used.saturating_sub(1));
        self.number.saturating_sub(newer)
    }

    const fn sectors(&self) -> u16 {
        self.used.saturating_add(self.first_form.count)
    }

    /// The header numbers of all sectors in use, oldest first, those of the first form apart.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u32> + use<> {
        (self.oldest()..=self.number).take(self.used.into())
    }

    /// Whether the sector with that header number is in use.
    pub(super) fn uses(&self, number: u32) -> bool {
        self.used > 0 && (self.oldest()..=self.number).contains(&number)
    }

    /// Gives the oldest sector free.
    fn release<F: NorFlash>(&mut self, region: &Region<F>) {
        let old = &mut self.first_form;
        if old.count > 0 {
            old.first = region.after(old.first);
            old.count = old.count.saturating_sub(1);
        } else {
            self.used = self.used.saturating_sub(1);
        }
    }
}

/// A region, and what is known of it.
pub(super) struct Log<F, const N: usize> {
    pub(super) region: Region<F>,
    pub(super) head: Head,
    pub(super) index: Index<N>,
}

impl<F: NorFlash, const N: usize> Log<F, N> {
    pub(super) fn new(region: Region<F>) -> Self {
        Self {
            head: Head::before(&region, Row::NONE),
            index: Index::new(),
            region,
        }
    }

    /// Looks at the flash.
    pub(super) fn recover(&mut self) -> Outcome<(), F> {
        (self.head, self.index) = recovery::recover(&mut self.region, false)?;
        Ok(())
    }

    /// Reads the latest item of a registration, in the present form.
    pub(super) fn read(&mut self, entry: Entry, buffer: &mut Buffer) -> Outcome<(), F> {
        let end = self.region.end_of(entry.address);
        let found = if self.is_first_form(entry.address) {
            first_form::item(&mut self.region, entry.address, end, buffer)?
        } else {
            self.region.item(entry.address, end, buffer)?
        };
        if found == Some(entry.title()) {
            Ok(())
        } else {
            Err(FlashError::Damaged)
        }
    }

    fn is_first_form(&self, address: u32) -> bool {
        let mut sectors = self.region.row(self.head.first_form);
        sectors.any(|sector| self.region.addresses(sector).contains(&address))
    }

    /// Erases everything, oldest first, so that nothing outdated seems to be the latest if the power
    /// goes. What can't be erased may have a header; the first one that counts comes after it.
    pub(super) fn erase_all(&mut self) -> Outcome<(), F> {
        let newest = recovery::newest(&mut self.region).ok().flatten();
        let last = newest.map_or(self.head.sector, |header| header.place.sector);
        for sector in self.region.all_after(last) {
            let _ = self.region.erase(sector);
        }
        self.index = Index::new();
        self.head = Head::before(&self.region, Row::NONE);
        let left = recovery::newest(&mut self.region)?;
        self.head.number = left.map_or(0, |header| header.number);
        self.advance(None)
    }

    /// Moves all that is live, and erases every other sector that isn't blank.
    pub(super) fn erase_deleted(&mut self) -> Outcome<(), F> {
        if !self.head.is_marked() {
            return Ok(());
        }
        let newest = self.head.number;
        while self.head.first_form.count > 0 || self.head.oldest() <= newest {
            self.advance(Some(newest))?;
        }
        for sector in self.region.all_after(self.head.sector) {
            let addresses = self.region.addresses(sector);
            if !self.is_used(sector) && !matches!(self.region.is_blank(addresses), Ok(true)) {
                self.region.erase(sector)?;
            }
        }
        Ok(())
    }

    /// What all live items take up.
    pub(super) fn live_bytes(&self) -> usize {
        Sizes::<F>::items(self.index.entries().map(|entry| entry.title()))
    }

    /// Appends an item. What can't be written in one sector is written in the next.
    pub(super) fn append(&mut self, title: &Title, record: &[u8]) -> Outcome<(), F> {
        let bytes = Sizes::<F>::item(title.bytes());
        let mut failure = FlashError::Full;
        for _ in 0..u32::from(self.region.count()).saturating_mul(2) {
            let address = self.head.end;
            if beyond(address, bytes) > self.region.addresses(self.head.sector).end {
                self.advance(None)?;
                continue;
            }
            match self.write(address, title, record) {
                Ok(()) => {
                    self.head.end = beyond(address, bytes);
                    let noted = self.index.note(title, address);
                    return noted.map_err(|_| FlashError::NoPlace);
                }
                Err(error) => (failure, self.head.end) = (error, u32::MAX),
            }
        }
        Err(failure)
    }

    fn write(&mut self, address: u32, title: &Title, record: &[u8]) -> Outcome<(), F> {
        self.region
            .write_item(address, &Buffer::holding(title, record))
    }

    /// Goes on in the next free sector, and moves there what is live in the oldest, unless enough
    /// sectors are free. `until` tells up to which header number they are to be emptied at any rate.
    pub(super) fn advance(&mut self, until: Option<u32>) -> Outcome<(), F> {
        recovery::require_all(&mut self.region, &self.head)?;
        let mut failure = FlashError::Full;
        // The first sector of a region is used as it is, if it's blank: until its header stands there,
        // nothing would tell what a cut leaves of an erase from what isn't ours.
        let erases: &[bool] = if self.head.is_marked() {
            &[true]
        } else {
            &[false, true]
        };
        for erases in erases {
            for sector in self.region.all_after(self.head.sector) {
                if self.is_used(sector) {
                    continue;
                }
                match self.open(sector, *erases, until) {
                    Ok(()) => return Ok(()),
                    Err(error) => failure = error,
                }
                self.recover()?;
            }
        }
        Err(failure)
    }

    fn is_used(&mut self, sector: u16) -> bool {
        let mut first_form = self.region.row(self.head.first_form);
        let header = self.region.header(sector).ok().flatten();
        first_form.any(|used| used == sector)
            || header.is_some_and(|header| self.head.uses(header.number))
    }

    fn open(&mut self, sector: u16, erases: bool, until: Option<u32>) -> Outcome<(), F> {
        if erases {
            self.region.erase(sector)?;
        } else {
            self.region.require_blank(sector)?;
        }
        let mut next = self.head.next(&self.region, sector);
        let most = self.region.count();
        let most = most.saturating_sub(Sizes::<F>::spare(most, self.live_bytes()));
        let is_old = |next: &Head| {
            until.is_some_and(|until| next.first_form.count > 0 || next.oldest() <= until)
        };
        while (next.sectors() > most || is_old(&next)) && self.empty_oldest(&mut next)? {}
        if next.sectors() >= self.region.count() {
            return Err(FlashError::Full);
        }
        self.region.write_header(next.header(&self.region))?;
        self.head = next;
        Ok(())
    }

    /// Moves what is live in the oldest sector to the newest, unless it doesn't fit in there.
    fn empty_oldest(&mut self, next: &mut Head) -> Outcome<bool, F> {
        let oldest = match next.first_form.count {
            0 => recovery::find(&mut self.region, next.oldest(), self.head.sector),
            _ => Some(next.first_form.first),
        };
        let addresses = self.region.addresses(oldest.ok_or(FlashError::Damaged)?);
        let entries = self.index.entries_in(addresses.clone());
        let bytes = Sizes::<F>::items(entries.map(|entry| entry.title()));
        if beyond(next.end, bytes) > self.region.addresses(next.sector).end {
            return Ok(false);
        }
        while let Some(entry) = self.first_in(addresses.clone()) {
            self.copy(entry, next)?;
        }
        next.release(&self.region);
        Ok(true)
    }

    fn first_in(&self, addresses: Range<u32>) -> Option<Entry> {
        self.index.entries_in(addresses).next()
    }

    fn copy(&mut self, entry: Entry, next: &mut Head) -> Outcome<(), F> {
        let mut buffer = Buffer::new();
        self.read(entry, &mut buffer)?;
        self.region.write_item(next.end, &buffer)?;
        self.index.note_move(entry.id, next.end);
        next.end = beyond(next.end, Sizes::<F>::item(entry.title().bytes()));
        Ok(())
    }
}
