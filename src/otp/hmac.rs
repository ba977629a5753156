//! HMAC (RFC 2104) over an eight-byte counter, from midstates made once.

use core::hint::black_box;

use zeroize::Zeroize;

use super::hash::{Hash, Sha1};

/// RFC 2104's `ipad` and `opad`.
const INNER_PAD: u8 = 0x36;
const OUTER_PAD: u8 = 0x5c;

/// The chaining values after the key's two padded blocks: all of the key that a code needs.
///
/// Whoever has them can make every code, so they are wiped on drop like the secret itself.
pub(super) struct Midstates<H: Hash> {
    inner: H::State,
    outer: H::State,
}

impl<H: Hash> Midstates<H> {
    /// Takes the key in: two compressions, which each later code saves.
    pub(super) fn new(key: &[u8]) -> Self {
        let mut block = KeyBlock::<H>(H::ZEROS);
        block.fill(key);
        Self {
            inner: block.absorb(INNER_PAD),
            outer: block.absorb(INNER_PAD ^ OUTER_PAD),
        }
    }

    /// The chaining value that is HMAC(key, counter), in two compressions.
    pub(super) fn mac(&self, counter: u64) -> H::State {
        let mut block = *black_box(H::COUNTER);
        put_counter(counter, block.as_mut());
        let mut digest = self.inner;
        H::compress(&mut digest, &block);

        block = H::DIGEST;
        H::put_digest(&digest, &mut block);
        let mut mac = self.outer;
        H::compress(&mut mac, &block);
        mac
    }
}

impl<H: Hash> Clone for Midstates<H> {
    fn clone(&self) -> Self {
        let Self { inner, outer } = *self;
        Self { inner, outer }
    }
}

impl<H: Hash> Drop for Midstates<H> {
    fn drop(&mut self) {
        self.inner.zeroize();
        self.outer.zeroize();
    }
}

/// Sixteen bytes that tell `key` from others, and from which it can't be computed: the start of its
/// HMAC-SHA-1 of a counter that no code comes from.
pub(crate) fn fingerprint(key: &[u8]) -> [u8; 16] {
    let [w0, w1, w2, w3, _] = Midstates::<Sha1>::new(key).mac(u64::MAX);
    let words = [w0, w1, w2, w3].map(u128::from);
    words
        .into_iter()
        .fold(0, |all, word| all << 32 | word)
        .to_be_bytes()
}

/// Writes the counter where `block` is zero, at its start.
///
/// The first 16 bytes are written as one, because the hash reads them as one: after a write of the
/// counter's eight alone, a processor would hold that read back until the write has reached its
/// cache, and a code would take a sixth longer. So the compiler must not see that the mask leaves
/// the other eight as they are; nothing but speed rests on it.
fn put_counter(counter: u64, block: &mut [u8]) {
    let (words, _) = block.as_chunks_mut();
    for (word, mask) in words.iter_mut().zip(black_box(&[u64::MAX, 0])) {
        *word = (u64::from_ne_bytes(*word) | (counter.to_be() & mask)).to_ne_bytes();
    }
}

/// The key filled up with zeros to a block, or its digest where it is longer than one. Wiped on
/// drop.
struct KeyBlock<H: Hash>(H::Block);

impl<H: Hash> KeyBlock<H> {
    /// Fills zeros in where they stay, as a block that is moved would leave the key behind.
    fn fill(&mut self, key: &[u8]) {
        match self.0.as_mut().get_mut(..key.len()) {
            Some(start) => start.copy_from_slice(key),
            None => self.fill_with_digest(key),
        }
    }

    /// Hashes a key that is longer than a block (RFC 2104 §2).
    ///
    /// The hash crates' hashers would leave it in buffers of their own, and take up 350 bytes of
    /// firmware.
    #[allow(clippy::arithmetic_side_effects)] // a slice is shorter than 2^61 bytes
    fn fill_with_digest(&mut self, key: &[u8]) {
        let block_bytes = size_of::<H::Block>();
        let padded_bytes = ((key.len() + block_bytes / 8) / block_bytes + 1) * block_bytes;
        let mut state = H::INITIAL;
        let mut places = 0..padded_bytes;
        while !places.is_empty() {
            for (byte, at) in self.0.as_mut().iter_mut().zip(&mut places) {
                *byte = padded_byte(key, at, padded_bytes);
            }
            H::compress(&mut state, &self.0);
        }
        self.0 = H::ZEROS;
        H::put_digest(&state, &mut self.0);
        state.zeroize();
    }

    /// Combines each byte with `pad`, and gives the chaining value after the block.
    fn absorb(&mut self, pad: u8) -> H::State {
        for byte in self.0.as_mut() {
            *byte ^= pad;
        }
        let mut state = H::INITIAL;
        H::compress(&mut state, &self.0);
        state
    }
}

/// The byte at `at` of a message that FIPS 180-4 (§5.1) padded to so many bytes: the bit 1, zeros,
/// the length in bits.
#[allow(clippy::arithmetic_side_effects, clippy::cast_possible_truncation)]
// `at` is below `padded_bytes`, and no secret has 2^29 bytes
fn padded_byte(message: &[u8], at: usize, padded_bytes: usize) -> u8 {
    let bits = message.len() as u32 * 8;
    let bits_behind = (padded_bytes - 1 - at) as u32 * 8;
    match message.get(at) {
        Some(byte) => *byte,
        None if at == message.len() => 0x80,
        None => bits.checked_shr(bits_behind).unwrap_or(0) as u8,
    }
}

impl<H: Hash> Drop for KeyBlock<H> {
    fn drop(&mut self) {
        // As a slice, which is wiped in bulk; an array would be wiped byte by byte.
        self.0.as_mut().zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::hmac::{Hmac, KeyInit, Mac};

    /// Lengths around every edge of the padding, which no vector has.
    #[test]
    fn keys_of_every_length_are_taken_in_as_the_hmac_crate_does() {
        let key: [u8; 300] = core::array::from_fn(|index| index.to_le_bytes()[0]);
        for length in 0..=key.len() {
            let key = &key[..length];
            let mac = Midstates::<Sha1>::new(key).mac(7);
            let mut other = Hmac::<sha1::Sha1>::new_from_slice(key).unwrap();
            other.update(&7_u64.to_be_bytes());
            let expected: [u8; 20] = other.finalize().into_bytes().into();
            assert_eq!(mac.map(u32::to_be_bytes).as_flattened(), expected);
        }
    }
}
