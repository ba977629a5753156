//! A number that stands for some bytes: one-way, and cheap enough for every write.

use core::hint::black_box;

use super::hash::{Hash, Sha1};

/// Odd, so that multiplying by it loses nothing: 2^64 divided by the golden ratio.
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

/// 64 bits of a digest of `previous` and `bytes`.
///
/// The bytes are folded into one block, and that block is compressed once by SHA-1. Folding keeps a
/// difference in any single word for certain, and one in several except by chance, as the words of a
/// lane are multiplied between one and the next. Compressing makes it one-way: the bytes hold secrets,
/// and the number is no secret.
///
/// It isn't collision-resistant: whoever knows all of the bytes can make others with the same number.
pub(crate) fn digest64(previous: u64, bytes: &[u8]) -> u64 {
    let mut lanes = [previous; 8];
    let (blocks, rest) = bytes.as_chunks::<64>();
    for block in blocks {
        fold(&mut lanes, block);
    }
    let mut block = Sha1::ZEROS;
    for (to, from) in block.as_mut().iter_mut().zip(rest) {
        *to = *from;
    }
    fold(&mut lanes, block.as_mut());
    let (words, _) = block.as_mut().as_chunks_mut();
    for (word, lane) in words.iter_mut().zip(&mut lanes) {
        *word = lane.to_be_bytes();
        *lane = 0;
    }
    let mut state = Sha1::INITIAL;
    Sha1::compress(&mut state, &block);
    // Wiped as a whole: byte by byte it takes longer than the compression.
    block = Sha1::ZEROS;
    black_box((&block, &lanes));
    let [high, low, ..] = state;
    u64::from(high) << 32 | u64::from(low)
}

/// Takes a word into each lane.
fn fold(lanes: &mut [u64; 8], block: &[u8]) {
    let (words, _) = block.as_chunks();
    for (lane, word) in lanes.iter_mut().zip(words) {
        let mixed = (*lane ^ u64::from_le_bytes(*word)).wrapping_mul(MULTIPLIER);
        *lane = mixed.rotate_left(29);
    }
}
