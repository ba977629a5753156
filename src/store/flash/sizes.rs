//! How large things are, and how much may be stored so that there is always room to append.

use core::marker::PhantomData;
use core::ops::Range;

use embedded_storage::nor_flash::NorFlash;

use super::item::{Content, MOST_BYTES};

/// The longest word that the map can handle.
pub(super) const MOST_WORD_BYTES: usize = 32;

/// What the map writes before an item: its checksum and its length.
const HEADER_BYTES: usize = 8;

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

    #[allow(clippy::cast_possible_truncation)] // checked below
    pub(super) const MARK: u32 = Self::WORD as u32;

    /// The items of a sector, when not even a short one fits in any more. Its first and its last
    /// word are marks.
    const FILLED: usize = F::ERASE_SIZE
        .saturating_sub(Self::WORD.saturating_mul(2))
        .saturating_sub(Self::item(MOST_BYTES));

    /// A piece of padding whose item is no longer than [`FILLED`](Self::FILLED).
    pub(super) const PADDING: usize = {
        let overhead = Self::item(Content::Padding(Self::WORD).item_bytes());
        let most = Self::FILLED.saturating_sub(overhead);
        if most < MOST_BYTES / 2 {
            most
        } else {
            MOST_BYTES / 2
        }
    };

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
            Self::PADDING > 0,
            "the sectors of the flash are too short for a record: 1024 bytes will do"
        );
    }

    /// What an item of so many bytes takes up.
    pub(super) const fn item(bytes: usize) -> usize {
        HEADER_BYTES
            .next_multiple_of(Self::WORD)
            .saturating_add(bytes.next_multiple_of(Self::WORD))
    }

    /// What all live items together may take up in `region`.
    ///
    /// One sector is kept empty. If appending failed, every other one would be filled with live
    /// items. So less than that may be stored, by one sector, in which padding finds room.
    pub(super) fn room(region: &Range<u32>) -> usize {
        let sectors = region.clone().step_by(F::ERASE_SIZE).count();
        sectors.saturating_sub(2).saturating_mul(Self::FILLED)
    }

    /// Whether `region` consists of sectors of a flash of that capacity, and the longest record
    /// finds room in it.
    pub(super) fn fit(region: &Range<u32>, capacity: usize) -> bool {
        let is_edge = |address: u32| {
            usize::try_from(address)
                .is_ok_and(|address| address <= capacity && address.is_multiple_of(F::ERASE_SIZE))
        };
        is_edge(region.start) && is_edge(region.end) && Self::room(region) >= Self::item(MOST_BYTES)
    }
}
