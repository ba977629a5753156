//! What is appended to the flash.
//!
//! | bytes | |
//! |---|---|
//! | 1 | what it is: 1 for a registration, 2 for padding |
//! | 4 | its id, little-endian; 0 for padding |
//! | 8 | the record's revision, little-endian; absent if the registration was deleted |
//! | rest | the record |

use sequential_storage::map::{self, SerializationError};
use zeroize::Zeroize as _;

use crate::{Record, Revision};

const REGISTRATION: u8 = 1;
const PADDING: u8 = 2;

const KEY_BYTES: usize = 5;
const REVISION_BYTES: usize = 8;

/// The longest item.
pub(super) const MOST_BYTES: usize = KEY_BYTES + REVISION_BYTES + Record::MAX_BYTES;

/// What an item replaces: whatever was appended before under the same key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Registration(u32),
    Padding,
}

impl Key {
    fn to_bytes(&self) -> [u8; KEY_BYTES] {
        let (kind, id) = match self {
            Self::Registration(id) => (REGISTRATION, *id),
            Self::Padding => (PADDING, 0),
        };
        let [a, b, c, d] = id.to_le_bytes();
        [kind, a, b, c, d]
    }

    fn from_bytes([kind, a, b, c, d]: [u8; KEY_BYTES]) -> Result<Self, SerializationError> {
        match kind {
            REGISTRATION => Ok(Self::Registration(u32::from_le_bytes([a, b, c, d]))),
            PADDING => Ok(Self::Padding),
            _ => Err(SerializationError::InvalidFormat),
        }
    }
}

impl map::Key for Key {
    fn serialize_into(&self, buffer: &mut [u8]) -> Result<usize, SerializationError> {
        put(buffer, &self.to_bytes())
    }

    /// Leaves the key's bytes to the value: the map cuts off as many as are named here, without
    /// asking whether a damaged item has them.
    fn deserialize_from(buffer: &[u8]) -> Result<(Self, usize), SerializationError> {
        let (key, _) = split(buffer)?;
        Ok((Self::from_bytes(key)?, 0))
    }
}

/// What is stored under a key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Content<'a> {
    Record(Revision, &'a [u8]),
    /// The registration was deleted.
    Nothing,
    /// So many bytes that mean nothing.
    Padding(usize),
}

impl<'a> Content<'a> {
    pub(super) fn of(record: Option<&'a Record>) -> Self {
        record.map_or(Self::Nothing, |record| {
            Self::Record(record.revision(), record.as_bytes())
        })
    }

    /// The record's revision, if there is one.
    pub(super) const fn revision(&self) -> Option<Revision> {
        match self {
            Self::Record(revision, _) => Some(*revision),
            Self::Nothing | Self::Padding(_) => None,
        }
    }

    /// The bytes of an item with this content.
    pub(super) const fn item_bytes(&self) -> usize {
        let more = match self {
            Self::Record(_, bytes) => REVISION_BYTES.saturating_add(bytes.len()),
            Self::Nothing => 0,
            Self::Padding(bytes) => *bytes,
        };
        KEY_BYTES.saturating_add(more)
    }

    fn parse(key: &Key, bytes: &'a [u8]) -> Result<Self, SerializationError> {
        if *key == Key::Padding {
            return Ok(Self::Padding(bytes.len()));
        }
        if bytes.is_empty() {
            return Ok(Self::Nothing);
        }
        let (revision, bytes) = split(bytes)?;
        let revision = Revision::from_u64(u64::from_le_bytes(revision));
        Ok(Self::Record(revision, bytes))
    }
}

/// Writes what follows the key.
impl<'a> map::Value<'a> for Content<'a> {
    fn serialize_into(&self, buffer: &mut [u8]) -> Result<usize, SerializationError> {
        match self {
            Self::Record(revision, bytes) => {
                let (room, rest) = buffer
                    .split_at_mut_checked(REVISION_BYTES)
                    .ok_or(SerializationError::BufferTooSmall)?;
                let written = put(room, &revision.as_u64().to_le_bytes())?;
                Ok(written.saturating_add(put(rest, bytes)?))
            }
            Self::Nothing => Ok(0),
            Self::Padding(bytes) => {
                let room = buffer.get_mut(..*bytes);
                room.ok_or(SerializationError::BufferTooSmall)?.fill(0);
                Ok(*bytes)
            }
        }
    }

    /// Reads the whole item, its key included.
    fn deserialize_from(item: &'a [u8]) -> Result<(Self, usize), SerializationError> {
        let (key, bytes) = split(item)?;
        let content = Self::parse(&Key::from_bytes(key)?, bytes)?;
        Ok((content, item.len()))
    }
}

fn put(room: &mut [u8], bytes: &[u8]) -> Result<usize, SerializationError> {
    let room = room.get_mut(..bytes.len());
    room.ok_or(SerializationError::BufferTooSmall)?
        .copy_from_slice(bytes);
    Ok(bytes.len())
}

fn split<const LENGTH: usize>(bytes: &[u8]) -> Result<([u8; LENGTH], &[u8]), SerializationError> {
    let (first, rest) = bytes
        .split_first_chunk()
        .ok_or(SerializationError::InvalidData)?;
    Ok((*first, rest))
}

/// Room for one item in whole words of flash, of whatever size. Wiped on drop.
#[repr(align(8))] // some controllers take words of memory only
pub(super) struct Buffer([u8; MOST_BYTES.next_multiple_of(32)]);

impl Buffer {
    pub(super) const fn new() -> Self {
        Self([0; _])
    }

    pub(super) const fn as_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}
