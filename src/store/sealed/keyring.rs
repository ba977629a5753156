//! Keys with ids: one to seal with, others to open with.

use core::fmt;

use zeroize::Zeroize;

use super::{SealedError, SealingCipher};

/// A key that records are sealed under, for one cipher. Wiped on drop, hidden in `Debug`.
#[derive(Clone)]
pub struct SealingKey {
    id: u32,
    cipher: SealingCipher,
    bytes: [u8; 32],
}

impl SealingKey {
    /// A key that was drawn at random and is kept where the store isn't: a secrets manager, a
    /// hardware module, a page of flash that can be erased alone.
    ///
    /// Number keys upwards, and never give an id to a second key. `None` if all bytes are the same:
    /// that is erased flash or a dead generator.
    #[must_use]
    pub fn new(id: u32, cipher: SealingCipher, mut bytes: [u8; 32]) -> Option<Self> {
        let [first, rest @ ..] = &bytes;
        let is_drawn = rest.iter().any(|byte| byte != first);
        let key = is_drawn.then(|| Self { id, cipher, bytes });
        bytes.zeroize();
        key
    }

    /// What tells this key from others. It stands in every record that is sealed under it.
    #[must_use]
    pub const fn id(&self) -> u32 {
        self.id
    }

    /// What it is for.
    #[must_use]
    pub const fn cipher(&self) -> SealingCipher {
        self.cipher
    }

    pub(super) const fn as_bytes(&self) -> &[u8; 32] {
        &self.bytes
    }
}

impl Drop for SealingKey {
    fn drop(&mut self) {
        self.bytes.as_mut_slice().zeroize();
    }
}

/// Tells the id and the cipher, and nothing of the key.
impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealingKey")
            .field("id", &self.id)
            .field("cipher", &self.cipher)
            .finish_non_exhaustive()
    }
}

/// The keys of a [`SealedStore`](super::SealedStore): the current one seals, all of them open.
///
/// ```
/// use keyfob::{Keyring, SealingCipher, SealingKey};
/// # let (old, new) = (*b"an example of thirty-two bytes, 1", *b"an example of thirty-two bytes, 2");
/// # let (old, new) = (old.first_chunk().copied().unwrap(), *new.last_chunk().unwrap());
///
/// let cipher = SealingCipher::default();
/// let new = SealingKey::new(2, cipher, new).ok_or("the key page is erased")?;
/// let old = SealingKey::new(1, cipher, old).ok_or("the key page is erased")?;
/// let keyring = Keyring::new(new).with_key(old)?;
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
///
/// # To change keys
/// 1. Give the new key to every process, [beside](Self::with_key) the current one.
/// 2. Make it the current one everywhere. From now on each log-in seals its record under it.
/// 3. [Rewrap](super::SealedStore::rewrap_all) the other records.
/// 4. Refuse what older keys sealed ([`with_lowest_id`](Self::with_lowest_id)), then take the old
///    key out of every keyring and destroy it where it is kept.
///
/// After the last step nothing that was ever sealed under the old key can be read again: records
/// that were deleted, or written over, in old pages of flash, logs and backups.
#[derive(Clone, Debug)]
pub struct Keyring {
    current: SealingKey,
    others: heapless::Vec<SealingKey, { Keyring::MAX_KEYS - 1 }>,
    lowest_id: u32,
}

impl Keyring {
    /// Most keys.
    pub const MAX_KEYS: usize = 8;

    /// A keyring that seals and opens with this one key.
    #[must_use]
    pub const fn new(current: SealingKey) -> Self {
        Self {
            current,
            others: heapless::Vec::new(),
            lowest_id: 0,
        }
    }

    /// The same keyring, which opens with `key` too: an older one, or one that is to come.
    ///
    /// # Errors
    /// [`KeyringError::Duplicate`], [`KeyringError::Full`].
    pub fn with_key(mut self, key: SealingKey) -> Result<Self, KeyringError> {
        if self.key(key.id).is_some() {
            return Err(KeyringError::Duplicate { id: key.id });
        }
        self.others.push(key).map_err(|_| KeyringError::Full)?;
        Ok(self)
    }

    /// The same keyring, which refuses what is sealed under a key with a lower id than `id`,
    /// whether it has the key or not.
    ///
    /// # Errors
    /// [`KeyringError::CurrentRefused`].
    pub fn with_lowest_id(mut self, id: u32) -> Result<Self, KeyringError> {
        if self.current.id < id {
            let current = self.current.id;
            return Err(KeyringError::CurrentRefused { current });
        }
        self.lowest_id = id;
        Ok(self)
    }

    /// The key that seals.
    #[must_use]
    pub const fn current(&self) -> &SealingKey {
        &self.current
    }

    fn key(&self, id: u32) -> Option<&SealingKey> {
        let mut keys = core::iter::once(&self.current).chain(&self.others);
        keys.find(|key| key.id == id)
    }

    /// The key to open with, if it is accepted and known.
    pub(super) fn accepted<E>(&self, id: u32) -> Result<&SealingKey, SealedError<E>> {
        if id < self.lowest_id {
            let lowest = self.lowest_id;
            return Err(SealedError::KeyRefused { id, lowest });
        }
        self.key(id).ok_or(SealedError::KeyUnknown { id })
    }
}

/// Why there can't be such a keyring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyringError {
    /// Two keys have one id.
    Duplicate {
        /// That id.
        id: u32,
    },
    /// More than [`Keyring::MAX_KEYS`].
    Full,
    /// What the current key seals would be refused.
    CurrentRefused {
        /// Its id.
        current: u32,
    },
}

impl fmt::Display for KeyringError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Duplicate { id } => write!(
                f,
                "two keys have the id {id}: give each key an id of its own, for ever"
            ),
            Self::Full => write!(
                f,
                "a keyring has room for {} keys: rewrap the records, then leave the oldest key out",
                Keyring::MAX_KEYS
            ),
            Self::CurrentRefused { current } => write!(
                f,
                "the current key, {current}, is below the lowest id that is accepted: make a newer \
                 key the current one"
            ),
        }
    }
}

impl core::error::Error for KeyringError {}
