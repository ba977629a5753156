//! How values are encrypted: AES in CBC mode, and the AES key wrap.

use std::vec;
use std::vec::Vec;

use aes::cipher::array::Array;
use aes::cipher::array::sizes::U16;
use aes::cipher::{BlockCipherDecrypt, BlockModeDecrypt as _, KeyInit, KeyIvInit as _};
use aes::{Aes128, Aes192, Aes256};
use aes_kw::{KwAes128, KwAes192, KwAes256, KwpAes128, KwpAes192, KwpAes256};
use zeroize::Zeroizing;

/// Bytes of a block and of an initialisation vector.
const BLOCK_BYTES: usize = 16;

/// Bytes of memory that is wiped on drop.
pub(super) type Wiped = Zeroizing<Vec<u8>>;

/// A cipher and the length of its key.
#[derive(Clone, Copy)]
pub(super) struct Cipher {
    mode: Mode,
    key_bytes: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Cipher block chaining (XML Encryption §5.2.2): anyone can change it unnoticed.
    Cbc,
    /// RFC 3394, which tells what was changed.
    KeyWrap,
    /// RFC 5649, the same for any length.
    PaddedKeyWrap,
}

impl Cipher {
    pub(super) const fn new(mode: Mode, key_bytes: usize) -> Self {
        Self { mode, key_bytes }
    }

    /// Whether a value can't be opened with another key or after a change.
    pub(super) fn is_authenticated(self) -> bool {
        self.mode != Mode::Cbc
    }

    /// Decrypts; `None` for another key or a value that was changed, as far as the mode tells.
    pub(super) fn decrypt(self, key: &[u8], sealed: &[u8]) -> Option<Wiped> {
        if key.len() != self.key_bytes {
            return None;
        }
        match self.mode {
            Mode::Cbc => decrypt_cbc(key, sealed),
            // Makers name the plain wrap where they mean the padded one: the secret of 20 bytes
            // that everybody has doesn't fit in the plain one. No value opens as both.
            Mode::KeyWrap => unwrap_plain(key, sealed).or_else(|| unwrap_padded(key, sealed)),
            Mode::PaddedKeyWrap => unwrap_padded(key, sealed),
        }
    }
}

/// The initialisation vector comes first. The last byte tells how many were added to fill the last
/// block up; what the others are doesn't matter.
fn decrypt_cbc(key: &[u8], sealed: &[u8]) -> Option<Wiped> {
    let (vector, blocks) = sealed.split_at_checked(BLOCK_BYTES)?;
    let mut text = Zeroizing::new(blocks.to_vec());
    match key.len() {
        16 => decrypt_blocks::<Aes128>(key, vector, &mut text),
        24 => decrypt_blocks::<Aes192>(key, vector, &mut text),
        _ => decrypt_blocks::<Aes256>(key, vector, &mut text),
    }?;
    let added = usize::from(*text.last()?);
    let length = text.len().checked_sub(added)?;
    text.truncate(length);
    (1..=BLOCK_BYTES).contains(&added).then_some(text)
}

fn decrypt_blocks<C: BlockCipherDecrypt<BlockSize = U16> + KeyInit>(
    key: &[u8],
    vector: &[u8],
    text: &mut [u8],
) -> Option<()> {
    let mut cipher = cbc::Decryptor::<C>::new_from_slices(key, vector).ok()?;
    let (blocks, rest) = Array::slice_as_chunks_mut(text);
    cipher.decrypt_blocks(blocks);
    rest.is_empty().then_some(())
}

/// RFC 3394 has two blocks of eight bytes at least, and one more that checks them.
fn unwrap_plain(key: &[u8], sealed: &[u8]) -> Option<Wiped> {
    unwrap(sealed, 24, |text| {
        let text = match key.len() {
            16 => KwAes128::new_from_slice(key).ok()?.unwrap_key(sealed, text),
            24 => KwAes192::new_from_slice(key).ok()?.unwrap_key(sealed, text),
            _ => KwAes256::new_from_slice(key).ok()?.unwrap_key(sealed, text),
        };
        text.ok().map(<[u8]>::len)
    })
}

/// RFC 5649 has one block of eight bytes at least, and one more that checks it.
fn unwrap_padded(key: &[u8], sealed: &[u8]) -> Option<Wiped> {
    unwrap(sealed, 16, |text| {
        let text = match key.len() {
            16 => KwpAes128::new_from_slice(key)
                .ok()?
                .unwrap_key(sealed, text),
            24 => KwpAes192::new_from_slice(key)
                .ok()?
                .unwrap_key(sealed, text),
            _ => KwpAes256::new_from_slice(key)
                .ok()?
                .unwrap_key(sealed, text),
        };
        text.ok().map(<[u8]>::len)
    })
}

/// Lends `open` memory for the text, if `sealed` has the `fewest` bytes that it needs. `open`
/// tells how much of it the text takes up.
fn unwrap(
    sealed: &[u8],
    fewest: usize,
    open: impl FnOnce(&mut [u8]) -> Option<usize>,
) -> Option<Wiped> {
    if sealed.len() < fewest {
        return None;
    }
    let mut text = Zeroizing::new(vec![0; sealed.len()]);
    let length = open(&mut text)?;
    text.truncate(length);
    Some(text)
}
