//! A key that recovery codes are hashed under besides their salt.

use core::fmt;

use zeroize::Zeroize;

/// A 32-byte key kept outside the store: who steals the store alone can't guess recovery codes.
///
/// It can't be changed while codes are hashed under it; rotate them first. Wiped on drop.
#[derive(Clone)]
pub struct Pepper([u8; 32]);

impl Pepper {
    /// Takes a key that was drawn at random and is kept where the store isn't: a file of its own, a
    /// hardware module, a secrets manager. The array that you pass it from stays yours to wipe.
    #[must_use]
    pub const fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    pub(super) const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl Drop for Pepper {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// Shows the type's name and nothing of the key.
impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pepper").finish_non_exhaustive()
    }
}
