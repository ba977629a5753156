//! Sectors in the form that came first, the map of sequential-storage 8, which are read but never
//! written. As sectors are filled anew, they pass to the present form.
//!
//! A sector's first and last word are marks, of which at least four bits are zeros: the first is set
//! when the sector is taken into use, the last when nothing more fits in. Items lie between them:
//!
//! | bytes | |
//! |---|---|
//! | 4 | a checksum of the item, not of what comes next |
//! | 2 | how long the item is, from the next word on |
//! | 2 | a checksum of its length |
//! | 1 | from the next word on: 1 for a registration, 2 for padding |
//! | 4 | its id |
//! | 8 | the record's revision; absent if the registration was deleted |
//! | rest | the record |
//!
//! Sectors were filled in turn. When one was full, what was live in the oldest was copied into an empty one, and
//! the oldest erased. A cut in an erase can have left anything, so one sector is left out: which one,
//! follows from what the others hold.

use embedded_storage::nor_flash::NorFlash;

use super::FlashError;
use super::checksum::advance;
use super::header::Row;
use super::item::{Buffer, OVERHEAD_BYTES, Title};
use super::recovery::Visit;
use super::region::{Outcome, Region, beyond};
use super::sizes::Sizes;
use crate::{Record, Revision};

const HEADER_BYTES: usize = 8;
const KEY_BYTES: usize = 5;
const REVISION_BYTES: usize = 8;
const MARK_BITS: usize = 4;
const REGISTRATION: u8 = 1;
const PADDING: u8 = 2;

/// How far a sector is filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Unused,
    Partial,
    Full,
}

/// What lies at an address.
enum Found {
    /// Nothing that was stored.
    Junk,
    /// So many bytes, without a meaning.
    Padding(usize),
    Item(Title),
}

/// Visits the items in those sectors, oldest first.
pub(super) fn visit<F: NorFlash>(
    region: &mut Region<F>,
    sectors: Row,
    buffer: &mut Buffer,
    visit: &mut Visit<'_, F>,
) -> Outcome<(), F> {
    for sector in region.row(sectors) {
        if state(region, sector) == State::Unused {
            continue;
        }
        let mut items = Items::of(region, sector);
        while let Some((address, title)) = items.next(region, buffer)? {
            visit(address, &title)?;
        }
    }
    Ok(())
}

/// Reads the item at `address`, and turns it into one of the present form.
pub(super) fn item<F: NorFlash>(
    region: &mut Region<F>,
    address: u32,
    end: u32,
    buffer: &mut Buffer,
) -> Outcome<Option<Title>, F> {
    match find_at(region, address, end, buffer)? {
        Found::Item(title) => Ok(Some(title)),
        Found::Junk | Found::Padding(_) => Ok(None),
    }
}

/// The items of a sector, one by one.
struct Items {
    address: u32,
    end: u32,
}

impl Items {
    fn of<F: NorFlash>(region: &Region<F>, sector: u16) -> Self {
        let addresses = region.addresses(sector);
        Self {
            address: beyond(addresses.start, Sizes::<F>::WORD),
            end: addresses.end.saturating_sub(word::<F>()),
        }
    }

    /// Looks at every word, since a length that was torn can lead astray.
    fn next<F: NorFlash>(
        &mut self,
        region: &mut Region<F>,
        buffer: &mut Buffer,
    ) -> Outcome<Option<(u32, Title)>, F> {
        while self.address < self.end {
            let address = self.address;
            let found = find_at(region, address, self.end, buffer)?;
            self.address = beyond(
                address,
                match &found {
                    Found::Junk => Sizes::<F>::WORD,
                    Found::Padding(bytes) => taken::<F>(*bytes),
                    Found::Item(title) => taken::<F>(item_bytes(title)),
                },
            );
            if let Found::Item(title) = found {
                return Ok(Some((address, title)));
            }
        }
        Ok(None)
    }
}

/// How long an item was in this form.
fn item_bytes(title: &Title) -> usize {
    let revision = title.revision.map_or(0, |_| REVISION_BYTES);
    usize::from(title.record_bytes)
        .saturating_add(KEY_BYTES)
        .saturating_add(revision)
}

/// What an item of so many bytes takes up.
const fn taken<F: NorFlash>(bytes: usize) -> usize {
    HEADER_BYTES
        .next_multiple_of(Sizes::<F>::WORD)
        .saturating_add(bytes.next_multiple_of(Sizes::<F>::WORD))
}

fn find_at<F: NorFlash>(
    region: &mut Region<F>,
    address: u32,
    end: u32,
    buffer: &mut Buffer,
) -> Outcome<Found, F> {
    let start = beyond(address, HEADER_BYTES.next_multiple_of(Sizes::<F>::WORD));
    let Some((sum, bytes)) = header(region, address, end, buffer) else {
        return Ok(Found::Junk);
    };
    let words = bytes.next_multiple_of(Sizes::<F>::WORD);
    let is_read = beyond(start, words) <= end && region.read_to(start, buffer, 0, words).is_ok();
    if !is_read || sum != data_checksum(buffer.get(0, bytes)) {
        return Ok(Found::Junk);
    }
    parse(buffer, bytes).ok_or(FlashError::Foreign)
}

/// An item's checksum and its length, if that is what lies at `address`.
fn header<F: NorFlash>(
    region: &mut Region<F>,
    address: u32,
    end: u32,
    buffer: &mut Buffer,
) -> Option<(u32, usize)> {
    let words = HEADER_BYTES.next_multiple_of(Sizes::<F>::WORD);
    let is_read =
        beyond(address, words) <= end && region.read_to(address, buffer, 0, words).is_ok();
    let length = buffer.number(4);
    let is_right = length_checksum(length) == u16::from_le_bytes(buffer.number(6));
    let bytes = u16::from_le_bytes(length).into();
    (is_read && is_right).then(|| (u32::from_le_bytes(buffer.number(0)), bytes))
}

/// What so many bytes say, if they are one of our items; that is then one of the present form.
fn parse(buffer: &mut Buffer, bytes: usize) -> Option<Found> {
    let [kind] = buffer.number(0);
    let (id, revision) = (buffer.number(1), buffer.number(KEY_BYTES));
    let is_deleted = bytes == KEY_BYTES;
    let start = if is_deleted {
        KEY_BYTES
    } else {
        KEY_BYTES + REVISION_BYTES
    };
    if kind == PADDING {
        return Some(Found::Padding(bytes));
    }
    let record_bytes = bytes.checked_sub(start)?;
    if kind != REGISTRATION || record_bytes > Record::MAX_BYTES {
        return None;
    }
    let revision = Revision::from_u64(u64::from_le_bytes(revision));
    let title = Title {
        id: u32::from_le_bytes(id),
        revision: (!is_deleted).then_some(revision),
        record_bytes: u16::try_from(record_bytes).ok()?,
    };
    buffer.shift(start, bytes, OVERHEAD_BYTES);
    buffer.set_title(&title);
    Some(Found::Item(title))
}

// ---- Which sectors are in use

/// The sectors in use, oldest first; an error if nothing is there that we wrote.
pub(super) fn find<F: NorFlash>(region: &mut Region<F>) -> Outcome<Row, F> {
    require_ours(region)?;
    let free = free_sector(region)?;
    let mut after = region.all_after(free);
    let first = after.find(|sector| state(region, *sector) != State::Unused);
    let first = first.unwrap_or(free);
    let count = match free.checked_sub(first) {
        Some(count) => count,
        None => free.saturating_add(region.count()).saturating_sub(first),
    };
    Ok(Row { first, count })
}

fn require_ours<F: NorFlash>(region: &mut Region<F>) -> Outcome<(), F> {
    let all = Row {
        first: 0,
        count: region.count(),
    };
    let mut is_ours = false;
    visit(region, all, &mut Buffer::new(), &mut |_, _| {
        is_ours = true;
        Ok(())
    })?;
    if is_ours {
        Ok(())
    } else {
        Err(FlashError::Foreign)
    }
}

/// A sector in which nothing is that isn't in others as well: the one after the newest, or the newest
/// itself, if the oldest was being copied into it.
fn free_sector<F: NorFlash>(region: &mut Region<F>) -> Outcome<u16, F> {
    let sectors = region.all();
    let newest = sectors.clone().find(|sector| {
        // A half-erased one can look as if it were being filled itself.
        let before = region.before(*sector);
        state(region, *sector) == State::Partial && state(region, before) != State::Partial
    });
    if let Some(newest) = newest {
        let next = region.after(newest);
        let is_free = state(region, next) == State::Unused || is_superseded(region, next)?;
        return Ok(if is_free { next } else { newest });
    }
    let mut unused = sectors.filter(|sector| state(region, *sector) == State::Unused);
    match unused.next() {
        Some(sector) => Ok(sector),
        None => only_copy(region),
    }
}

/// The only sector whose items were all copied from the next one: a cut left both its marks set while
/// it was erased, to copy them again.
fn only_copy<F: NorFlash>(region: &mut Region<F>) -> Outcome<u16, F> {
    let mut copy = None;
    for sector in region.all() {
        let next = Row {
            first: region.after(sector),
            count: 1,
        };
        let is_copy = every_item(region, sector, next, &mut |item, other| item == other)?;
        if is_copy && copy.replace(sector).is_some() {
            return Err(FlashError::Damaged);
        }
    }
    copy.ok_or(FlashError::Damaged)
}

/// Whether there are other items for all registrations that have any in `sector`, the oldest.
fn is_superseded<F: NorFlash>(region: &mut Region<F>, sector: u16) -> Outcome<bool, F> {
    let others = Row {
        first: region.after(sector),
        count: region.count().saturating_sub(1),
    };
    every_item(region, sector, others, &mut |item, other| {
        item.id == other.id
    })
}

/// Whether each item in `sector` has a like one in the others.
fn every_item<F: NorFlash>(
    region: &mut Region<F>,
    sector: u16,
    others: Row,
    is_like: &mut dyn FnMut(&Title, &Title) -> bool,
) -> Outcome<bool, F> {
    let mut buffer = Buffer::new();
    let mut items = Items::of(region, sector);
    while let Some((_, item)) = items.next(region, &mut buffer)? {
        let mut is_found = false;
        visit(region, others, &mut buffer, &mut |_, other| {
            is_found |= is_like(&item, other);
            Ok(())
        })?;
        if !is_found {
            return Ok(false);
        }
    }
    Ok(true)
}

fn state<F: NorFlash>(region: &mut Region<F>, sector: u16) -> State {
    let addresses = region.addresses(sector);
    let last = addresses.end.saturating_sub(word::<F>());
    match (is_marked(region, addresses.start), is_marked(region, last)) {
        (false, _) => State::Unused,
        (true, false) => State::Partial,
        (true, true) => State::Full,
    }
}

/// A mark that can't be read was torn when it was written.
fn is_marked<F: NorFlash>(region: &mut Region<F>, address: u32) -> bool {
    region
        .zeros(address)
        .map_or(true, |zeros| zeros >= MARK_BITS)
}

#[allow(clippy::cast_possible_truncation)] // 32 at most
const fn word<F: NorFlash>() -> u32 {
    Sizes::<F>::WORD as u32
}

// ---- Checksums

fn length_checksum(length: [u8; 2]) -> u16 {
    const POLYNOMIAL: u16 = 0x1a2e;
    let sum = length.iter().fold(0xffff, |sum: u16, byte| {
        (0..8).fold(sum ^ u16::from(*byte), |sum, _| {
            let mask = (sum & 1).wrapping_neg();
            (sum >> 1) ^ (POLYNOMIAL & mask)
        })
    });
    (!sum).min(0xfffe)
}

/// Never blank, nor what was used for items that count no more.
fn data_checksum(bytes: &[u8]) -> u32 {
    match !advance(0xeeee_eeee, bytes) {
        0 => 1,
        sum if matches!(sum & 0xff, 0 | 0xff) => sum ^ 1,
        sum => sum,
    }
}
