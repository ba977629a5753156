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
    let (blocks, rest) = bytes.as_chunks();
    for block in blocks {
        fold(&mut lanes, block);
    }
    let mut last = [0; 64];
    for (to, from) in last.iter_mut().zip(rest) {
        *to = *from;
    }
    fold(&mut lanes, &last);
    last = [0; 64];
    black_box(&last);
    compress(&mut lanes)
}

/// Takes a word into each lane.
fn fold(lanes: &mut [u64; 8], block: &[u8; 64]) {
    let (words, _) = block.as_chunks();
    for (lane, word) in lanes.iter_mut().zip(words) {
        let mixed = (*lane ^ u64::from_le_bytes(*word)).wrapping_mul(MULTIPLIER);
        *lane = mixed.rotate_left(29);
    }
}

/// The first 64 bits of the digest of the lanes, which are wiped.
fn compress(lanes: &mut [u64; 8]) -> u64 {
    let mut block = Sha1::ZEROS;
    let (words, _) = block.as_mut().as_chunks_mut();
    for (word, lane) in words.iter_mut().zip(&*lanes) {
        *word = lane.to_be_bytes();
    }
    let mut state = Sha1::INITIAL;
    Sha1::compress(&mut state, &block);
    // Wiped as a whole: byte by byte it takes longer than the compression.
    block = Sha1::ZEROS;
    *lanes = [0; 8];
    black_box((&block, lanes));
    let [high, low, ..] = state;
    u64::from(high) << 32 | u64::from(low)
}
