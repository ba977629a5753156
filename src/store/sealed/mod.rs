//! Records encrypted and authenticated, around any store.

mod cipher;
mod envelope;
mod error;
mod id;
mod keyring;
mod rewrap;

pub use cipher::SealingCipher;
use envelope::Envelope;
pub use error::SealedError;
pub use id::SealingId;
pub use keyring::{Keyring, KeyringError, SealingKey};
pub use rewrap::{Rewrap, RewrapProgress};

use super::{AsyncRegistrationStore, RegistrationStore};
use crate::{Entropy, Record, Revision, Swap};

/// A store around a store, which sees records encrypted and authenticated only.
///
/// Each write is sealed under a key of its own, derived from the keyring's current key and a fresh
/// salt, and bound to the registration's id, the revision, the form and the key's id. So a row that
/// was altered, swapped with another one, put back under a newer revision, or set back in how it is
/// sealed is [refused](SealedError::NotAuthentic). Its length grows by 54 bytes.
/// Revision, and when an unconfirmed registration lapses, stay readable; the revision
/// is authenticated with the record.
///
/// Whoever can write to the store can still bring a whole earlier row back, revision included, and
/// with it a code that was used since: authentication can't tell an old row from the newest one. Use
/// [`fence`](crate::Engine::fence) where that may have happened.
///
/// ```
/// use keyfob::{Engine, HashMapStore, Keyring, NewRegistration, Policy, SealedStore};
/// use keyfob::{SealingCipher, SealingKey, SystemEntropy, UnixTime};
/// # let bytes = *b"thirty-two bytes out of a vault.";
///
/// let key = SealingKey::new(1, SealingCipher::default(), bytes).ok_or("the key page is erased")?;
/// let records = HashMapStore::<str>::new();
/// let store = SealedStore::new(&records, Keyring::new(key), SystemEntropy);
///
/// let mut engine = Engine::new(store, Policy::DEFAULT);
/// let now = UnixTime::from_seconds(1_800_000_000);
/// engine.create("alice", &NewRegistration::default(), now, &mut SystemEntropy)?;
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
///
/// # Around a store that waits
/// It is an [`AsyncRegistrationStore`] where the inner one is, and then draws its randomness through
/// a shared reference: [`SystemEntropy`](crate::SystemEntropy) serves as it is, another generator in
/// a `Mutex`. Seal around a pool, not inside it: the keys then exist once.
///
/// # To delete for good
/// Deleted and overwritten records live on in old pages of flash, in logs and in backups. Sealed,
/// they are as dead as their key: rewrap what is to live under a new key, then destroy the old one
/// ([`Keyring`] has the steps). On a device, keep the key in a page of flash of its own that can be
/// erased, or in a fuse or secure element. What must be gone at once costs one rewrap of every
/// other record; what may linger is gone with the next regular change of keys.
///
/// # To move in
/// Records that are stored plain are [refused](SealedError::Plain). While you move them in, accept
/// them ([`accepting_plain`](Self::accepting_plain)), [rewrap](Self::rewrap_all) all, and then accept
/// them no longer.
#[derive(Debug)]
pub struct SealedStore<S, E> {
    inner: S,
    envelope: Envelope,
    entropy: E,
}

impl<S, E> SealedStore<S, E> {
    /// A store that keeps in `inner` what `keyring` seals, with salts from `entropy`.
    #[must_use]
    pub const fn new(inner: S, keyring: Keyring, entropy: E) -> Self {
        let envelope = Envelope {
            keyring,
            accepts_plain: false,
        };
        Self {
            inner,
            envelope,
            entropy,
        }
    }

    /// The same store, which reads plain records too, and seals each with its next swap.
    ///
    /// For the time of moving in only: whoever can write to the inner store can meanwhile put a
    /// plain record of theirs in the place of a sealed one.
    #[must_use]
    pub const fn accepting_plain(mut self) -> Self {
        self.envelope.accepts_plain = true;
        self
    }

    /// The inner store.
    pub const fn inner(&self) -> &S {
        &self.inner
    }

    /// The inner store: to sweep it, or to delete a record that doesn't open
    /// (`Engine::new(store.inner_mut(), policy).delete(id)`).
    pub const fn inner_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// Gives the inner store back.
    #[must_use]
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S, E> RegistrationStore for SealedStore<S, E>
where
    S: RegistrationStore<Id: SealingId>,
    E: Entropy,
{
    type Id = S::Id;
    type Error = SealedError<S::Error>;

    fn load(&mut self, id: &S::Id) -> Result<Option<Record>, Self::Error> {
        let stored = self.inner.load(id).map_err(SealedError::Store)?;
        stored
            .map(|stored| self.envelope.open(id, &stored))
            .transpose()
    }

    fn compare_and_swap(
        &mut self,
        id: &S::Id,
        expected: Option<Revision>,
        next: Option<&Record>,
    ) -> Result<Swap, Self::Error> {
        let next = next.map(|next| self.envelope.seal(id, next, &mut self.entropy));
        let next = next.transpose()?;
        let swap = self.inner.compare_and_swap(id, expected, next.as_ref());
        swap.map_err(SealedError::Store)
    }
}

impl<S, E> AsyncRegistrationStore for SealedStore<S, E>
where
    S: AsyncRegistrationStore<Id: SealingId> + Sync,
    E: Sync,
    for<'a> &'a E: Entropy,
{
    type Id = S::Id;
    type Error = SealedError<S::Error>;

    async fn load(&self, id: &S::Id) -> Result<Option<Record>, Self::Error> {
        let stored = self.inner.load(id).await.map_err(SealedError::Store)?;
        stored
            .map(|stored| self.envelope.open(id, &stored))
            .transpose()
    }

    async fn compare_and_swap(
        &self,
        id: &S::Id,
        expected: Option<Revision>,
        next: Option<&Record>,
    ) -> Result<Swap, Self::Error> {
        let next = next.map(|next| self.envelope.seal(id, next, &mut &self.entropy));
        let next = next.transpose()?;
        let swap = self.inner.compare_and_swap(id, expected, next.as_ref());
        swap.await.map_err(SealedError::Store)
    }
}
