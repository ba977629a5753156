//! What a power cut leaves behind, put in order before anything is read or written.
//!
//! The map repairs much of it itself, on the understanding that an erase goes from a sector's first
//! byte to its last. Flash gives no such promise: an erase may begin by writing zeros, or turn bits
//! in any order. So a sector whose erase may have been interrupted is looked at here first.

use core::ops::Range;

use embedded_storage::nor_flash::{ErrorType, NorFlash};

use super::index::Index;
use super::item::{Buffer, Content, Key};
use super::sectors::{Sectors, State};
use super::view::{Access, Shown, finish};
use super::{FlashError, map, no_places};

type Outcome<T, F> = Result<T, FlashError<<F as ErrorType>::Error>>;

/// Ends the erases that were interrupted, and tells what is stored.
pub(super) fn recover<F: NorFlash, const N: usize>(
    flash: &mut F,
    region: &Range<u32>,
) -> Outcome<Index<N>, F> {
    clear_unused(flash, region)?;
    clear_worthless::<F, N>(flash, region)?;
    match Sectors::new(flash, region.clone()).unfinished()? {
        None => survey(flash, region, Shown::All),
        Some(oldest) => finish_emptying(flash, region, oldest),
    }
}

/// Erases what isn't blank in sectors without a mark: an erase took the mark first, or writing the
/// mark was all that was begun. A mark that is misread would cost what its sector holds, so it is
/// read twice.
fn clear_unused<F: NorFlash>(flash: &mut F, region: &Range<u32>) -> Outcome<(), F> {
    let mut sectors = Sectors::new(flash, region.clone());
    for sector in sectors.all() {
        if sectors.state(sector)? == State::Unused
            && !sectors.is_blank(sector)?
            && sectors.state(sector)? == State::Unused
        {
            sectors.erase(sector)?;
        }
    }
    Ok(())
}

/// One sector should be empty. Where all seem to be full, erases the one in which nothing can be
/// read, if it is the only one: it was being erased.
fn clear_worthless<F: NorFlash, const N: usize>(
    flash: &mut F,
    region: &Range<u32>,
) -> Outcome<(), F> {
    let mut sectors = Sectors::new(flash, region.clone());
    let all = sectors.all();
    for sector in sectors.all() {
        if sectors.state(sector)? != State::Full {
            return Ok(());
        }
    }
    let mut worthless = None;
    for sector in all {
        if holds_nothing::<F, N>(flash, region, sector)? && worthless.replace(sector).is_some() {
            return Ok(());
        }
    }
    if let Some(sector) = worthless {
        Sectors::new(flash, region.clone()).erase(sector)?;
    }
    Ok(())
}

fn holds_nothing<F: NorFlash, const N: usize>(
    flash: &mut F,
    region: &Range<u32>,
    sector: u32,
) -> Outcome<bool, F> {
    let mut holds_nothing = true;
    for_each::<F, N>(flash, region, Shown::Only(sector), &mut |_, _| {
        holds_nothing = false;
        Ok(())
    })?;
    Ok(holds_nothing)
}

/// The map copies what is live in the oldest sector, then erases it. If everything in it was copied,
/// the erase may have begun, and is done again. Otherwise it had not begun: the map will copy
/// everything again.
fn finish_emptying<F: NorFlash, const N: usize>(
    flash: &mut F,
    region: &Range<u32>,
    oldest: u32,
) -> Outcome<Index<N>, F> {
    let rest = survey(flash, region, Shown::AllBut(oldest))?;
    if !is_covered(flash, region, oldest, &rest)? {
        return survey(flash, region, Shown::All);
    }
    Sectors::new(flash, region.clone()).erase(oldest)?;
    Ok(rest)
}

/// Whether every id in `sector` is one that `rest` has.
fn is_covered<F: NorFlash, const N: usize>(
    flash: &mut F,
    region: &Range<u32>,
    sector: u32,
    rest: &Index<N>,
) -> Outcome<bool, F> {
    let mut is_covered = true;
    for_each::<F, N>(flash, region, Shown::Only(sector), &mut |key, _| {
        is_covered &= match key {
            Key::Registration(id) => rest.knows(id),
            Key::Padding => true,
        };
        Ok(())
    })?;
    Ok(is_covered)
}

/// What the shown sectors hold of each registration last.
fn survey<F: NorFlash, const N: usize>(
    flash: &mut F,
    region: &Range<u32>,
    shown: Shown,
) -> Outcome<Index<N>, F> {
    let mut index = Index::new();
    for_each::<F, N>(flash, region, shown, &mut |key, content| match key {
        Key::Registration(id) => index.note(id, content).map_err(|_| FlashError::NoPlace),
        Key::Padding => Ok(()),
    })?;
    Ok(index)
}

/// Visits every item in the shown sectors, oldest first. `visit` is no parameter of its type, as the
/// map would be compiled for each.
fn for_each<F: NorFlash, const N: usize>(
    flash: &mut F,
    region: &Range<u32>,
    shown: Shown,
    visit: &mut dyn FnMut(Key, Content<'_>) -> Outcome<(), F>,
) -> Outcome<(), F> {
    let mut map = map(flash, region, Access::Read(shown), no_places::<N>())?;
    let mut buffer = Buffer::new();
    let mut items = match finish(map.fetch_all_items(buffer.as_mut())) {
        Ok(items) => items,
        Err(error) => return Err(FlashError::of_map(error)),
    };
    loop {
        match finish(items.next(buffer.as_mut())) {
            Ok(Some((key, content))) => visit(key, content)?,
            Ok(None) => return Ok(()),
            Err(error) => return Err(FlashError::of_map(error)),
        }
    }
}
