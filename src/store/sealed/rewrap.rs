//! Records brought under the current key: one at a time, while log-ins go on.

use core::borrow::Borrow;

use super::{SealedError, SealedStore, SealingId};
use crate::{AsyncRegistrationStore, Entropy, RegistrationStore, Swap};

/// How often a record is sealed anew when others write in between.
const ATTEMPTS: usize = 32;

/// What became of a record that was to be rewrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rewrap {
    /// It was sealed anew, and stored.
    Rewrapped,
    /// It is sealed under the current key already, and opens. Nothing was written.
    Current,
    /// There is none.
    Absent,
}

/// How far a bulk rewrap has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RewrapProgress {
    /// Records that were sealed anew.
    pub rewrapped: u64,
    /// Records that were under the current key already.
    pub current: u64,
    /// Ids without a record.
    pub absent: u64,
    /// Records that are as they were, because of an error.
    pub failed: u64,
}

impl RewrapProgress {
    /// How many ids were seen to.
    #[must_use]
    pub const fn done(&self) -> u64 {
        self.rewrapped
            .saturating_add(self.current)
            .saturating_add(self.absent)
            .saturating_add(self.failed)
    }

    const fn count<E>(&mut self, outcome: &Result<Rewrap, E>) {
        let counter = match outcome {
            Ok(Rewrap::Rewrapped) => &mut self.rewrapped,
            Ok(Rewrap::Current) => &mut self.current,
            Ok(Rewrap::Absent) => &mut self.absent,
            Err(_) => &mut self.failed,
        };
        *counter = counter.saturating_add(1);
    }
}

impl<S, E> SealedStore<S, E>
where
    S: RegistrationStore<Id: SealingId>,
    E: Entropy,
{
    /// Seals the record of `id` anew under the current key, as a write of its own. What it says
    /// stays the same, and a log-in at the same time isn't lost: whoever comes second loads again.
    ///
    /// # Errors
    /// [`SealedError`]; the record is then as it was, unless the inner store doesn't know.
    pub fn rewrap(&mut self, id: &S::Id) -> Result<Rewrap, SealedError<S::Error>> {
        for _ in 0..ATTEMPTS {
            let Some(stored) = self.inner.load(id).map_err(SealedError::Store)? else {
                return Ok(Rewrap::Absent);
            };
            let Some(next) = self.envelope.renew(id, &stored, &mut self.entropy)? else {
                return Ok(Rewrap::Current);
            };
            let expected = Some(stored.revision());
            let swap = self.inner.compare_and_swap(id, expected, Some(&next));
            if swap.map_err(SealedError::Store)? == Swap::Stored {
                return Ok(Rewrap::Rewrapped);
            }
        }
        Err(SealedError::Contended)
    }

    /// [Rewraps](Self::rewrap) the records of all `ids`, and calls `watch` after each with what
    /// became of it and how far it has come. An error doesn't end it; the end of `ids` does.
    ///
    /// It can be ended at any time and begun anew: what is under the current key is read and not
    /// written. The old key isn't needed any more when a run over all ids comes back with nothing
    /// `failed`.
    ///
    /// ```
    /// # use keyfob::{HashMapStore, Keyring, SealedStore, SealingCipher, SealingKey, SystemEntropy};
    /// # let key = SealingKey::new(1, SealingCipher::default(), *b"thirty-two bytes out of a vault.");
    /// # let records = HashMapStore::<str>::new();
    /// # let mut store = SealedStore::new(&records, Keyring::new(key.unwrap()), SystemEntropy);
    /// let ids = ["alice", "bob"];
    /// let result = store.rewrap_all(ids, |id, outcome, progress| {
    ///     if let Err(error) = outcome {
    ///         eprintln!("{id}: {error}");
    ///     }
    ///     eprint!("\r{} of {}", progress.done(), ids.len());
    /// });
    /// assert_eq!(result.failed, 0);
    /// ```
    pub fn rewrap_all<I: Borrow<S::Id>>(
        &mut self,
        ids: impl IntoIterator<Item = I>,
        mut watch: impl FnMut(&S::Id, Result<Rewrap, SealedError<S::Error>>, &RewrapProgress),
    ) -> RewrapProgress {
        let mut progress = RewrapProgress::default();
        for id in ids {
            let outcome = self.rewrap(id.borrow());
            progress.count(&outcome);
            watch(id.borrow(), outcome, &progress);
        }
        progress
    }
}

impl<S, E> SealedStore<S, E>
where
    S: AsyncRegistrationStore<Id: SealingId> + Sync,
    E: Sync,
    for<'a> &'a E: Entropy,
{
    /// [`rewrap`](Self::rewrap) over a store that waits.
    ///
    /// # Errors
    /// [`SealedError`]; the record is then as it was, unless the inner store doesn't know.
    pub async fn rewrap_async(&self, id: &S::Id) -> Result<Rewrap, SealedError<S::Error>> {
        for _ in 0..ATTEMPTS {
            let stored = self.inner.load(id).await.map_err(SealedError::Store)?;
            let Some(stored) = stored else {
                return Ok(Rewrap::Absent);
            };
            let Some(next) = self.envelope.renew(id, &stored, &mut &self.entropy)? else {
                return Ok(Rewrap::Current);
            };
            let expected = Some(stored.revision());
            let swap = self.inner.compare_and_swap(id, expected, Some(&next)).await;
            if swap.map_err(SealedError::Store)? == Swap::Stored {
                return Ok(Rewrap::Rewrapped);
            }
        }
        Err(SealedError::Contended)
    }

    /// [`rewrap_all`](Self::rewrap_all) over a store that waits.
    pub async fn rewrap_all_async<I: Borrow<S::Id>>(
        &self,
        ids: impl IntoIterator<Item = I>,
        mut watch: impl FnMut(&S::Id, Result<Rewrap, SealedError<S::Error>>, &RewrapProgress),
    ) -> RewrapProgress {
        let mut progress = RewrapProgress::default();
        for id in ids {
            let outcome = self.rewrap_async(id.borrow()).await;
            progress.count(&outcome);
            watch(id.borrow(), outcome, &progress);
        }
        progress
    }
}
