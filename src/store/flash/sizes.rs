//! How large things are, and how much may be stored so that there is always room to append.

use core::marker::PhantomData;
use core::ops::Range;

use embedded_storage::nor_flash::NorFlash;

use super::header::Header;
use super::item::{MOST_BYTES, Title};

/// The longest word that is supported.
pub(super) const MOST_WORD_BYTES: usize = 32;

/// Sizes on flash `F`, in bytes.
pub(super) struct Sizes<F>(PhantomData<F>);

impl<F: NorFlash> Sizes<F> {
    /// What is read and written at once.
    pub(super) const WORD: usize = if F::WRITE_SIZE > F::READ_SIZE {
        F::WRITE_SIZE
    } else {
        F::READ_SIZE
    };

    /// The length of a sector, as addresses count it.
    #[allow(clippy::cast_possible_truncation)] // checked below
    pub(super) const SECTOR: u32 = F::ERASE_SIZE as u32;

    /// The length of a sector, a multiple of 32, and below it that of a word, as a power of two.
    pub(super) const SHAPE: u32 = Self::SECTOR | Self::WORD.trailing_zeros();

    /// A header.
    pub(super) const HEADER: usize = Header::BYTES.next_multiple_of(Self::WORD);

    /// Both headers.
    pub(super) const HEADERS: usize = Self::HEADER.saturating_mul(2);

    /// The items of a sector, when the longest one doesn't fit in any more.
    const FILLED: usize = F::ERASE_SIZE
        .saturating_sub(Self::HEADERS)
        .saturating_sub(Self::LONGEST);

    /// The longest item.
    const LONGEST: usize = Self::item(MOST_BYTES);

    /// Fails to compile for flash that can't be used.
    pub(super) const fn check() {
        assert!(
            MOST_WORD_BYTES.is_multiple_of(Self::WORD),
            "the words of the flash are longer than 32 bytes, or no power of two"
        );
        assert!(
            Self::WORD.is_multiple_of(F::READ_SIZE) && Self::WORD.is_multiple_of(F::WRITE_SIZE),
            "of the words to read and to write, one must be a multiple of the other"
        );
        assert!(
            F::ERASE_SIZE.is_multiple_of(MOST_WORD_BYTES) && F::ERASE_SIZE <= 1 << 31,
            "the sectors of the flash are no multiple of 32 bytes"
        );
        assert!(
            Self::FILLED > 0,
            "the sectors of the flash are too short for a record: 1024 bytes will do"
        );
    }

    /// What an item takes up that has so many bytes without its first word.
    pub(super) const fn item(bytes: usize) -> usize {
        bytes
            .next_multiple_of(Self::WORD)
            .saturating_add(Self::WORD)
    }

    /// What the items with those titles take up.
    pub(super) fn items(titles: impl Iterator<Item = Title>) -> usize {
        titles.map(|title| Self::item(title.bytes())).sum()
    }

    /// What all live items together may take up in so many sectors.
    ///
    /// One sector is kept free. If there were no room for an item in any other after each was emptied
    /// into the next, all of them would be filled with live items. So less than that may be stored, by
    /// half a sector, so that they are emptied seldom; but one record at least.
    pub(super) fn room(sectors: u16) -> usize {
        let usual = usize::from(sectors.saturating_sub(2)).saturating_mul(Self::FILLED);
        let half = Self::FILLED.checked_div(2).unwrap_or(0);
        usual.saturating_add(half).max(Self::LONGEST)
    }

    /// How many sectors are kept free if the live items take up so much: one that could fail as well,
    /// if there is room.
    pub(super) fn spare(sectors: u16, live: usize) -> u16 {
        let less = sectors.saturating_sub(1);
        if sectors > 3 && live <= Self::room(less) {
            2
        } else {
            1
        }
    }

    /// How many sectors `region` has, if it consists of sectors of a flash of that capacity, and the
    /// longest record finds room in it.
    pub(super) fn sectors(region: &Range<u32>, capacity: usize) -> Option<u16> {
        let is_edge = |address: u32| {
            usize::try_from(address)
                .is_ok_and(|address| address <= capacity && address.is_multiple_of(F::ERASE_SIZE))
        };
        let sectors = u16::try_from(region.clone().step_by(F::ERASE_SIZE).count()).ok()?;
        let most = usize::from(sectors.saturating_sub(1)).saturating_mul(Self::FILLED);
        let fits = sectors >= 3 && most >= Self::LONGEST;
        (is_edge(region.start) && is_edge(region.end) && fits).then_some(sectors)
    }
}

const _: () = assert!(MOST_BYTES < 1 << 15, "lengths have fifteen bits");
