//! What stands at the beginning of a sector, twice, since without it the sector counts for nothing.
//!
//! | bytes | |
//! |---|---|
//! | 4 | a checksum of what follows, little-endian like all numbers |
//! | 2 | `k2`: whose it is, and in which form |
//! | 4 | how long a sector is; the lowest five bits hold the length of a word, as a power of two |
//! | 2, 2 | how many sectors the region has, and which of them this is |
//! | 4 | which header this is, since the first one |
//! | 2 | how many sectors with the latest headers are in use, this one included |
//! | 2, 2 | which sectors of the [first form](super::first_form) are still in use: the oldest, and how many |
//!
//! It is written when everything that was copied into the sector is there. From then on, sectors that it
//! doesn't name are free, whatever they hold.

use super::checksum::checksum;

const MAGIC: [u8; 2] = *b"k2";

/// Which sector of which region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// How long a sector is, and a word.
    pub(super) shape: u32,
    pub(super) sectors: u16,
    pub(super) sector: u16,
}

/// Sectors in a row, around the region's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) first: u16,
    pub(super) count: u16,
}

impl Row {
    pub(super) const NONE: Self = Self { first: 0, count: 0 };
}

/// What a sector says of itself and of the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) place: Place,
    pub(super) number: u32,
    pub(super) used: u16,
    pub(super) first_form: Row,
}

impl Header {
    pub(super) const BYTES: usize = 24;

    pub(super) fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        let (sum, rest) = bytes.split_at_mut(4);
        let fields = [
            MAGIC.as_slice(),
            &self.place.shape.to_le_bytes(),
            &self.place.sectors.to_le_bytes(),
            &self.place.sector.to_le_bytes(),
            &self.number.to_le_bytes(),
            &self.used.to_le_bytes(),
            &self.first_form.first.to_le_bytes(),
            &self.first_form.count.to_le_bytes(),
        ];
        let all = fields.into_iter().flatten();
        rest.iter_mut()
            .zip(all)
            .for_each(|(room, byte)| *room = *byte);
        sum.copy_from_slice(&checksum(rest).to_le_bytes());
        bytes
    }

    pub(super) fn from_bytes(bytes: [u8; Self::BYTES]) -> Option<Self> {
        let (sum, rest) = bytes.split_first_chunk()?;
        if u32::from_le_bytes(*sum) != checksum(rest) {
            return None;
        }
        let (magic, rest) = rest.split_first_chunk()?;
        let (shape, rest) = rest.split_first_chunk()?;
        let (sectors, rest) = rest.split_first_chunk()?;
        let (sector, rest) = rest.split_first_chunk()?;
        let (number, rest) = rest.split_first_chunk()?;
        let (used, rest) = rest.split_first_chunk()?;
        let (first, rest) = rest.split_first_chunk()?;
        let (count, _) = rest.split_first_chunk()?;
        let header = Self {
            place: Place {
                shape: u32::from_le_bytes(*shape),
                sectors: u16::from_le_bytes(*sectors),
                sector: u16::from_le_bytes(*sector),
            },
            number: u32::from_le_bytes(*number),
            used: u16::from_le_bytes(*used),
            first_form: Row {
                first: u16::from_le_bytes(*first),
                count: u16::from_le_bytes(*count),
            },
        };
        (*magic == MAGIC && header.number > 0).then_some(header)
    }
}
