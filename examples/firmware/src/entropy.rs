//! Where a board's randomness would come from.

use keyfob::{Entropy, EntropyError};

/// A sequence that anybody can compute: it makes QEMU's runs alike. **Never on a device**, where
/// this is the hardware's generator with its health tests on.
pub struct Predictable(u32);

impl Predictable {
    /// The sequence from its beginning.
    #[must_use]
    pub const fn new() -> Self {
        Self(1)
    }
}

impl Default for Predictable {
    fn default() -> Self {
        Self::new()
    }
}

impl Entropy for Predictable {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        for byte in bytes {
            self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            [.., *byte] = self.0.to_le_bytes();
        }
        Ok(())
    }
}
