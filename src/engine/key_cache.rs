//! Keys of registrations that were seen not long ago, kept ready.

use core::fmt;
use std::boxed::Box;
use std::sync::{Mutex, PoisonError};

use subtle::ConstantTimeEq as _;

use crate::transition::PreparedKeys;
use crate::{Algorithm, OtpKey, Secret};

/// Keys made ready, for a server under load: the next code of a registration that was seen not long
/// ago then takes two compressions of its hash less a step.
///
/// A registration has one slot, which another one takes over, so the cache never grows. A key
/// is used only for the very secret that the record has now: a token that was replaced or deleted
/// is never accepted because of it. Secrets stay in memory until their slot is taken over,
/// [`clear`](Self::clear) is called or the cache is dropped, and are wiped then.
///
/// Share one between the engines of a process. Where a store waits for a disk or a network this
/// saves little: `BENCHMARKS.md` says how much.
///
/// ```
/// use std::sync::Arc;
/// use keyfob::{Engine, HashMapStore, KeyCache, Policy};
///
/// let keys = Arc::new(KeyCache::new(10_000));
/// let store = HashMapStore::<str>::new();
/// let engine = Engine::new(&store, Policy::DEFAULT).with_key_cache(keys);
/// ```
pub struct KeyCache {
    slots: Box<[Slot]>,
}

type Slot = Mutex<Option<Entry>>;

/// A key, and what it was made of.
struct Entry {
    secret: Secret,
    algorithm: Algorithm,
    key: OtpKey,
}

impl KeyCache {
    /// A cache of so many slots, at least one. It takes some 300 bytes a slot from the start.
    #[must_use]
    pub fn new(slots: usize) -> Self {
        let slots = (0..slots.max(1)).map(|_| Slot::default()).collect();
        Self { slots }
    }

    /// Wipes all keys.
    pub fn clear(&self) {
        for slot in &self.slots {
            // What a thread that panicked left behind is wiped like all else.
            let mut entry = slot.lock().unwrap_or_else(PoisonError::into_inner);
            *entry = None;
        }
    }

    fn slot(&self, tag: u64) -> Option<&Slot> {
        let slots = u64::try_from(self.slots.len()).ok()?;
        let index = tag.checked_rem(slots)?;
        self.slots.get(usize::try_from(index).ok()?)
    }
}

impl PreparedKeys for KeyCache {
    fn key(&self, tag: u64, algorithm: Algorithm, secret: &Secret) -> OtpKey {
        // A slot that somebody else uses right now isn't worth waiting for.
        let Some(mut slot) = self.slot(tag).and_then(|slot| slot.try_lock().ok()) else {
            return OtpKey::new(algorithm, secret);
        };
        match &*slot {
            Some(entry) if entry.is_of(algorithm, secret) => entry.key.clone(),
            _ => slot.insert(Entry::new(algorithm, secret)).key.clone(),
        }
    }
}

impl Entry {
    fn new(algorithm: Algorithm, secret: &Secret) -> Self {
        Self {
            secret: secret.clone(),
            algorithm,
            key: OtpKey::new(algorithm, secret),
        }
    }

    fn is_of(&self, algorithm: Algorithm, secret: &Secret) -> bool {
        let same_secret = self.secret.as_bytes().ct_eq(secret.as_bytes());
        self.algorithm == algorithm && same_secret.into()
    }
}

/// Shows the number of slots and nothing of the keys.
impl fmt::Debug for KeyCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyCache")
            .field("slots", &self.slots.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CodeFormat, Step};

    fn secret(byte: u8) -> Secret {
        Secret::from_bytes(&[byte; 20]).unwrap()
    }

    fn code(key: &OtpKey) -> u32 {
        key.value(Step::new(1), CodeFormat::EightDigits)
    }

    /// Whatever was in a slot before, the key is that of the secret.
    #[test]
    fn a_key_is_that_of_its_secret() {
        let cache = KeyCache::new(2);
        for (tag, byte) in [
            (0, 1),
            (2, 1),
            (0, 2),
            (1, 1),
            (0, 2),
            (u64::MAX, 3),
            (0, 1),
        ] {
            for algorithm in [Algorithm::Sha1, Algorithm::default()] {
                let expected = code(&OtpKey::new(algorithm, &secret(byte)));
                assert_eq!(code(&cache.key(tag, algorithm, &secret(byte))), expected);
            }
        }
    }

    #[test]
    fn a_slot_is_kept_until_it_is_taken_over_or_cleared() {
        let cache = KeyCache::new(1);
        let kept = |byte| {
            let slot = cache.slots[0].lock().unwrap();
            slot.as_ref()
                .is_some_and(|entry| entry.is_of(Algorithm::Sha1, &secret(byte)))
        };
        cache.key(7, Algorithm::Sha1, &secret(1));
        assert!(kept(1));
        cache.key(8, Algorithm::Sha1, &secret(2));
        assert!(kept(2) && !kept(1));
        cache.clear();
        assert!(!kept(2));
    }

    #[test]
    fn a_busy_slot_is_not_waited_for() {
        let cache = KeyCache::new(1);
        let busy = cache.slots[0].lock().unwrap();
        let key = cache.key(0, Algorithm::Sha1, &secret(1));
        assert_eq!(code(&key), code(&OtpKey::new(Algorithm::Sha1, &secret(1))));
        drop(busy);
    }

    #[test]
    fn nothing_of_it_is_debugged() {
        let cache = KeyCache::new(0);
        cache.key(0, Algorithm::Sha1, &secret(65));
        assert_eq!(std::format!("{cache:?}"), "KeyCache { slots: 1, .. }");
    }
}
