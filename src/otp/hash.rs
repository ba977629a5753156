//! What HMAC midstates need of a hash: its compression function and its padding.
//!
//! The only file that names the hash crates. Their block-level functions are used, not their
//! buffered hashers, because the state between two blocks is what [`Midstates`] keeps, and must
//! wipe: the hashers' own wiping (their `zeroize` feature) also wipes every temporary copy, and
//! that costs a fifth of a code.
//!
//! [`Midstates`]: super::hmac::Midstates

use zeroize::Zeroize;

/// A hash of FIPS 180-4, a block at a time.
pub(super) trait Hash {
    /// The chaining value between two blocks.
    type State: Copy + Zeroize;
    /// One input block.
    type Block: 'static + Copy + AsMut<[u8]>;

    /// The chaining value before the first block.
    const INITIAL: Self::State;
    /// A block of zeros.
    const ZEROS: Self::Block;
    /// A last block that waits for an eight-byte counter at its start; one block went before.
    const COUNTER: &Self::Block;
    /// A last block that waits for a digest at its start; one block went before.
    const DIGEST: Self::Block;

    /// Takes one block in.
    fn compress(state: &mut Self::State, block: &Self::Block);
    /// Writes the digest that `state` stands for at the start of `block`.
    fn put_digest(state: &Self::State, block: &mut Self::Block);
    /// The digest's first 20 bytes as big-endian words, and its last word: all that RFC 4226's
    /// truncation looks at.
    fn truncation_input(state: &Self::State) -> ([u32; 5], u32);
}

/// An input block, aligned so that it is filled word by word where a processor can't do otherwise.
#[derive(Clone, Copy)]
#[repr(align(8))]
pub(super) struct Block<const N: usize>([u8; N]);

impl<const N: usize> AsMut<[u8]> for Block<N> {
    fn as_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

/// A last block with the padding after a message of `N + length` bytes in all: the bit 1, zeros,
/// the length in bits.
#[allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation
)] // run by the compiler only: what goes wrong fails the build
const fn padded<const N: usize>(length: usize) -> Block<N> {
    let mut block = [0; N];
    let [high, low] = ((N + length) as u16 * 8).to_be_bytes();
    block[length] = 0x80;
    block[N - 2] = high;
    block[N - 1] = low;
    Block(block)
}

pub(super) struct Sha1;

impl Hash for Sha1 {
    type State = [u32; 5];
    type Block = Block<64>;

    const INITIAL: Self::State = [
        0x6745_2301,
        0xefcd_ab89,
        0x98ba_dcfe,
        0x1032_5476,
        0xc3d2_e1f0,
    ];
    const ZEROS: Self::Block = Block([0; 64]);
    const COUNTER: &Self::Block = &padded(8);
    const DIGEST: Self::Block = padded(20);

    fn compress(state: &mut Self::State, block: &Self::Block) {
        sha1::block_api::compress(state, core::slice::from_ref(&block.0));
    }

    fn put_digest(state: &Self::State, block: &mut Self::Block) {
        let (words, _) = block.0.as_chunks_mut();
        for (word, value) in words.iter_mut().zip(state) {
            *word = value.to_be_bytes();
        }
    }

    fn truncation_input(state: &Self::State) -> ([u32; 5], u32) {
        let [.., last] = *state;
        (*state, last)
    }
}

#[cfg(feature = "sha2")]
pub(super) struct Sha256;

#[cfg(feature = "sha2")]
impl Hash for Sha256 {
    type State = [u32; 8];
    type Block = Block<64>;

    const INITIAL: Self::State = [
        0x6a09_e667,
        0xbb67_ae85,
        0x3c6e_f372,
        0xa54f_f53a,
        0x510e_527f,
        0x9b05_688c,
        0x1f83_d9ab,
        0x5be0_cd19,
    ];
    const ZEROS: Self::Block = Block([0; 64]);
    const COUNTER: &Self::Block = &padded(8);
    const DIGEST: Self::Block = padded(32);

    fn compress(state: &mut Self::State, block: &Self::Block) {
        sha2::block_api::compress256(state, core::slice::from_ref(&block.0));
    }

    fn put_digest(state: &Self::State, block: &mut Self::Block) {
        let (words, _) = block.0.as_chunks_mut();
        for (word, value) in words.iter_mut().zip(state) {
            *word = value.to_be_bytes();
        }
    }

    fn truncation_input(state: &Self::State) -> ([u32; 5], u32) {
        let [w0, w1, w2, w3, w4, .., last] = *state;
        ([w0, w1, w2, w3, w4], last)
    }
}

#[cfg(feature = "sha2")]
pub(super) struct Sha512;

#[cfg(feature = "sha2")]
impl Hash for Sha512 {
    type State = [u64; 8];
    type Block = Block<128>;

    const INITIAL: Self::State = [
        0x6a09_e667_f3bc_c908,
        0xbb67_ae85_84ca_a73b,
        0x3c6e_f372_fe94_f82b,
        0xa54f_f53a_5f1d_36f1,
        0x510e_527f_ade6_82d1,
        0x9b05_688c_2b3e_6c1f,
        0x1f83_d9ab_fb41_bd6b,
        0x5be0_cd19_137e_2179,
    ];
    const ZEROS: Self::Block = Block([0; 128]);
    const COUNTER: &Self::Block = &padded(8);
    const DIGEST: Self::Block = padded(64);

    fn compress(state: &mut Self::State, block: &Self::Block) {
        sha2::block_api::compress512(state, core::slice::from_ref(&block.0));
    }

    fn put_digest(state: &Self::State, block: &mut Self::Block) {
        let (words, _) = block.0.as_chunks_mut();
        for (word, value) in words.iter_mut().zip(state) {
            *word = value.to_be_bytes();
        }
    }

    fn truncation_input(state: &Self::State) -> ([u32; 5], u32) {
        let [w01, w23, w4, .., last] = *state;
        (
            [high(w01), low(w01), high(w23), low(w23), high(w4)],
            low(last),
        )
    }
}

#[cfg(feature = "sha2")]
const fn high(word: u64) -> u32 {
    (word >> 32) as u32
}

#[cfg(feature = "sha2")]
#[allow(clippy::cast_possible_truncation)] // the low half is what is asked for
const fn low(word: u64) -> u32 {
    word as u32
}
