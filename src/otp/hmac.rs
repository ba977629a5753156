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
        let mut block = KeyBlock::<H>::of(key);
        Self {
            inner: block.absorb(INNER_PAD),
            outer: block.absorb(INNER_PAD ^ OUTER_PAD),
        }
    }

    /// The chaining value that is HMAC(key, counter), in two compressions.
    pub(super) fn mac(&self, counter: u64) -> H::State {
        let mut digest = self.inner;
        H::compress(&mut digest, &counter_block::<H>(counter));

        let mut block = H::DIGEST;
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

/// The last block of a message that is `counter`.
///
/// The first 16 bytes are written as one, because the hash reads them as one: after a write of the
/// counter's eight alone, a processor would hold that read back until the write has reached its
/// cache, and a code would take a sixth longer. So the compiler must not see that the mask leaves
/// the other eight as they are; nothing but speed rests on it.
fn counter_block<H: Hash>(counter: u64) -> H::Block {
    let mut block = *black_box(H::COUNTER);
    let (words, _) = block.as_mut().as_chunks_mut();
    for (word, mask) in words.iter_mut().zip(black_box(&[u64::MAX, 0])) {
        *word = (u64::from_ne_bytes(*word) | (counter.to_be() & mask)).to_ne_bytes();
    }
    block
}

/// The key filled up with zeros to a block, or its digest where it is longer than one. Wiped on
/// drop.
struct KeyBlock<H: Hash>(H::Block);

impl<H: Hash> KeyBlock<H> {
    fn of(key: &[u8]) -> Self {
        let mut block = Self(H::ZEROS);
        match block.0.as_mut().get_mut(..key.len()) {
            Some(start) => start.copy_from_slice(key),
            None => H::put_digest_of(key, &mut block.0),
        }
        block
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

impl<H: Hash> Drop for KeyBlock<H> {
    fn drop(&mut self) {
        // As a slice, which is wiped in bulk; an array would be wiped byte by byte.
        self.0.as_mut().zeroize();
    }
}
