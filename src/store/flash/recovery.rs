//! What the flash holds, found by reading alone.
//!
//! The sector with the latest header tells which others are in use. All of these have to be there. A
//! sector that was being erased or filled when the power went isn't among them.

use embedded_storage::nor_flash::NorFlash;

use super::header::{Header, Row};
use super::index::Index;
use super::item::{Buffer, Title};
use super::log::Head;
use super::region::{Outcome, Region, beyond};
use super::sizes::Sizes;
use super::{FlashError, first_form};

/// What each item is told to, with its address.
pub(super) type Visit<'a, F> = dyn FnMut(u32, &Title) -> Outcome<(), F> + 'a;

/// Finds the newest sector, and the latest item of each registration. `salvages` passes over what
/// can't be read.
pub(super) fn recover<F: NorFlash, const N: usize>(
    region: &mut Region<F>,
    salvages: bool,
) -> Outcome<(Head, Index<N>), F> {
    let mut head = if let Some(header) = newest(region)? {
        Head::of(header)
    } else {
        let first_form = unmarked(region)?;
        Head::before(region, first_form)
    };
    if !salvages {
        require_all(region, &head)?;
    }
    let mut index = Index::new();
    survey(region, &mut head, salvages, &mut |address, title| {
        let noted = index.note(title, address);
        noted.map_err(|_| FlashError::NoPlace)
    })?;
    close_if_torn(region, &mut head);
    Ok((head, index))
}

/// Visits all items, oldest first, and finds the end of the newest sector.
fn survey<F: NorFlash>(
    region: &mut Region<F>,
    head: &mut Head,
    salvages: bool,
    visit: &mut Visit<'_, F>,
) -> Outcome<(), F> {
    let mut buffer = Buffer::new();
    first_form::visit(region, head.first_form, &mut buffer, visit)?;
    let mut sector = head.sector;
    for number in head.numbers().take(region.count().into()) {
        sector = match find(region, number, sector) {
            Some(sector) => sector,
            None if salvages => continue,
            None => return Err(FlashError::Damaged),
        };
        head.end = walk(region, sector, salvages, &mut buffer, visit)?;
    }
    Ok(())
}

/// The latest header of the region.
pub(super) fn newest<F: NorFlash>(region: &mut Region<F>) -> Outcome<Option<Header>, F> {
    let mut newest: Option<Header> = None;
    for sector in region.all() {
        let Ok(Some(header)) = region.header(sector) else {
            continue;
        };
        if header.place != region.place(sector) {
            let theirs = region.of_place(sector, header.place);
            return Err(FlashError::OtherRegion {
                start: theirs.start,
                end: theirs.end,
            });
        }
        if newest.is_none_or(|newest| newest.number < header.number) {
            newest = Some(header);
        }
    }
    Ok(newest)
}

/// What a region without a header is: new, or in the first form. Otherwise it isn't ours.
fn unmarked<F: NorFlash>(region: &mut Region<F>) -> Outcome<Row, F> {
    let mut is_new = true;
    for sector in region.all() {
        let next = Head::before(region, Row::NONE).next(region, sector);
        is_new &= region.is_begun_at_most(sector, next.header(region));
    }
    if is_new {
        return Ok(Row::NONE);
    }
    require_readable(region)?;
    first_form::find(region)
}

/// A chip that fails isn't one that holds something else.
fn require_readable<F: NorFlash>(region: &mut Region<F>) -> Outcome<(), F> {
    let mut failure = None;
    for sector in region.all() {
        match region.header(sector) {
            Ok(_) => return Ok(()),
            Err(error) => failure = Some(error),
        }
    }
    failure.map_or(Ok(()), |error| Err(FlashError::Flash(error)))
}

/// Whether all sectors in use can be found, each once.
pub(super) fn require_all<F: NorFlash>(region: &mut Region<F>, head: &Head) -> Outcome<(), F> {
    let (mut used, mut failure) = (0_u16, FlashError::Damaged);
    for sector in region.all() {
        match region.header(sector) {
            Ok(header) => {
                let is_used = header.is_some_and(|header| head.uses(header.number));
                used = used.saturating_add(is_used.into());
            }
            Err(error) => failure = FlashError::Flash(error),
        }
    }
    if used == head.used {
        Ok(())
    } else {
        Err(failure)
    }
}

/// The sector with that number, which comes after `before` as a rule.
pub(super) fn find<F: NorFlash>(region: &mut Region<F>, number: u32, before: u16) -> Option<u16> {
    let mut sectors = region.all_after(before);
    sectors.find(|sector| {
        let header = region.header(*sector).ok().flatten();
        header.is_some_and(|header| header.number == number)
    })
}

/// Visits the items of a sector, and tells where they end, or that nothing may follow: after a first
/// word that a cut left in between, a later item could be lost if it reads differently one day.
fn walk<F: NorFlash>(
    region: &mut Region<F>,
    sector: u16,
    salvages: bool,
    buffer: &mut Buffer,
    visit: &mut Visit<'_, F>,
) -> Outcome<u32, F> {
    let items = region.items(sector);
    let (mut address, mut last) = (items.start, None);
    while address < items.end {
        let bytes = match region.item(address, items.end, buffer) {
            Ok(Some(title)) => {
                visit(address, &title)?;
                last = Some(address);
                Sizes::<F>::item(title.bytes())
            }
            _ if salvages => Sizes::<F>::WORD,
            Ok(None) => break,
            Err(error) => return Err(error),
        };
        address = beyond(address, bytes);
    }
    let is_whole = last.is_none_or(|last| region.is_wholly_set(last));
    Ok(if is_whole { address } else { u32::MAX })
}

/// Appends nothing to the newest sector if its rest isn't blank: a power cut in a write leaves words
/// that can't be written again, and that could be taken for items if something stood before them. Nor if one of
/// its headers is missing: if the other decayed, the sector would count no more.
fn close_if_torn<F: NorFlash>(region: &mut Region<F>, head: &mut Head) {
    let rest = head.end..region.addresses(head.sector).end;
    let is_whole = region.has_both_headers(head.sector);
    if !is_whole || !matches!(region.is_blank(rest), Ok(true)) {
        head.end = u32::MAX;
    }
}
