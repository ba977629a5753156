//! HMAC (RFC 2104) over an eight-byte counter, from midstates made once.

use zeroize::{Zeroize, Zeroizing};

use super::hash::Hash;

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
        let block = padded_key::<H>(key);
        Self {
            inner: absorb::<H>(&block, 0x36),
            outer: absorb::<H>(&block, 0x5c),
        }
    }

    /// The chaining value that is HMAC(key, counter), in two compressions.
    pub(super) fn mac(&self, counter: u64) -> H::State {
        let mut block = H::COUNTER;
        if let Some(start) = block.as_mut().first_chunk_mut() {
            *start = counter.to_be_bytes();
        }
        let mut digest = self.inner;
        H::compress(&mut digest, &block);

        let mut block = H::DIGEST;
        H::put_digest(&digest, &mut block);
        let mut mac = self.outer;
        H::compress(&mut mac, &block);
        mac
    }
}

impl<H: Hash> Drop for Midstates<H> {
    fn drop(&mut self) {
        self.inner.zeroize();
        self.outer.zeroize();
    }
}

/// The key filled up with zeros to a block, or its digest where it is longer than one.
fn padded_key<H: Hash>(key: &[u8]) -> Zeroizing<H::Block> {
    let mut block = Zeroizing::new(H::ZEROS);
    match block.as_mut().get_mut(..key.len()) {
        Some(start) => start.copy_from_slice(key),
        None => H::put_digest_of(key, &mut block),
    }
    block
}

/// The chaining value after the key's block, each byte combined with `pad`.
fn absorb<H: Hash>(key: &H::Block, pad: u8) -> H::State {
    let mut block = Zeroizing::new(*key);
    for byte in block.as_mut() {
        *byte ^= pad;
    }
    let mut state = H::INITIAL;
    H::compress(&mut state, &block);
    state
}
