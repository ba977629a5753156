//! Load, decide, swap: the loop over a store that waits.

#[cfg(feature = "std")]
use std::sync::Arc;

#[cfg(feature = "std")]
use super::KeyCache;
use super::{ATTEMPTS, Error, Settings};
#[cfg(doc)]
use crate::Rejection;
use crate::transition::{
    self, Authenticated, Enrollment, Migrated, Migration, NewRegistration, Proof, Resynced,
};
use crate::{
    AsyncRegistrationStore, Code, Entropy, Failure, Policy, Proposal, Record, Status, UnixTime,
};
#[cfg(feature = "sha2")]
use crate::{
    Pepper, RecoveryCodes,
    transition::{Recovered, Recovery},
};

/// [`Engine`](crate::Engine) over a store that waits without blocking. It is shared by reference.
///
/// A request whose future is dropped half-way has an unknown outcome: nothing was accepted, and the
/// code may be used up.
///
/// Only the store is waited for: a slow hash of recovery codes (PBKDF2, Argon2id) is computed where
/// the future is polled, and holds up other tasks of that thread. Where the policy has one, make
/// such requests with an [`Engine`](crate::Engine) on a thread that may block.
#[derive(Debug)]
pub struct AsyncEngine<S> {
    store: S,
    settings: Settings,
}

impl<S: AsyncRegistrationStore> AsyncEngine<S> {
    /// An engine over `store`.
    #[must_use]
    pub const fn new(store: S, policy: Policy) -> Self {
        Self {
            store,
            settings: Settings::new(policy),
        }
    }

    /// The same engine with a key that recovery codes are hashed under, kept where the store isn't.
    #[cfg(feature = "sha2")]
    #[must_use]
    pub fn with_pepper(mut self, pepper: Pepper) -> Self {
        self.settings.pepper = Some(pepper);
        self
    }

    /// The same engine with a cache of keys made ready, which engines can share.
    #[cfg(feature = "std")]
    #[must_use]
    pub fn with_key_cache(mut self, keys: Arc<KeyCache>) -> Self {
        self.settings.keys = Some(keys);
        self
    }

    /// The store.
    pub const fn store(&self) -> &S {
        &self.store
    }

    /// Starts a registration, pending until its first code. Over one that is pending already it
    /// starts again.
    ///
    /// The answer has the secret and the recovery codes, to be shown once.
    ///
    /// # Errors
    /// [`Rejection::AlreadyRegistered`] over an active registration.
    pub async fn create(
        &self,
        id: &S::Id,
        new: &NewRegistration,
        now: UnixTime,
        entropy: &mut (impl Entropy + Send + ?Sized),
    ) -> Result<Enrollment, Error<S::Error>> {
        self.run(id, |record, settings| {
            transition::create(record, new, &settings.at(now), &mut *entropy)
        })
        .await
    }

    /// Accepts a code of the token, at most once per step: confirms a pending registration, logs
    /// in, or lets a replacement take over.
    ///
    /// # Errors
    /// [`Rejection`]s tell why a code isn't accepted. Only a wrong one counts towards the throttle.
    pub async fn authenticate(
        &self,
        id: &S::Id,
        code: &Code,
        now: UnixTime,
    ) -> Result<Authenticated, Error<S::Error>> {
        self.run(id, |record, settings| {
            transition::authenticate(record, code, &settings.at(now))
        })
        .await
    }

    /// [`authenticate`](Self::authenticate) for a code as it was typed.
    ///
    /// # Errors
    /// As there; [`Rejection::NoCode`] and [`Rejection::RecoveryCodeAsCode`] for what is no code.
    pub async fn authenticate_typed(
        &self,
        id: &S::Id,
        typed: &str,
        now: UnixTime,
    ) -> Result<Authenticated, Error<S::Error>> {
        self.run(id, |record, settings| {
            transition::authenticate_typed(record, typed, &settings.at(now))
        })
        .await
    }

    /// Starts a new token for an active registration, for a person who has just logged in
    /// ([`Authenticated`]) or recovered ([`Recovered`]). The old one works until the new one's
    /// first code; recovery codes stay.
    ///
    /// # Errors
    /// [`Rejection::StaleProof`] for a log-in of another registration, or one older than five
    /// minutes.
    pub async fn replace(
        &self,
        id: &S::Id,
        proof: impl Into<Proof>,
        new: &NewRegistration,
        now: UnixTime,
        entropy: &mut (impl Entropy + Send + ?Sized),
    ) -> Result<Enrollment, Error<S::Error>> {
        let proof = proof.into();
        self.run(id, |record, settings| {
            transition::replace(record, &proof, new, &settings.at(now), &mut *entropy)
        })
        .await
    }

    /// Takes over a token that another system registered, active at once, with its recovery codes
    /// or new ones. [`Migrated::skipped_recovery_codes`] tells which codes weren't taken over.
    ///
    /// # Errors
    /// [`Rejection::AlreadyRegistered`], [`Rejection::LegacySecret`],
    /// [`Rejection::WeakRecoveryCodes`], [`Rejection::RecoveryCodes`].
    pub async fn migrate<'a>(
        &self,
        id: &S::Id,
        migration: impl Into<Migration<'a>>,
        now: UnixTime,
        entropy: &mut (impl Entropy + Send + ?Sized),
    ) -> Result<Migrated, Error<S::Error>> {
        let migration = migration.into();
        self.run(id, |record, settings| {
            transition::migrate(record, &migration, &settings.at(now), &mut *entropy)
        })
        .await
    }

    /// Hands a token out, for another system to take over: its secret, its parameters and what it
    /// has used up. See [`transition::export`] for your duties, and `export` for file formats.
    ///
    /// # Errors
    /// [`Rejection::Unknown`]; [`Rejection::Pending`] or [`Rejection::Expired`] before its first code.
    pub async fn export(
        &self,
        id: &S::Id,
        now: UnixTime,
    ) -> Result<Migration<'static>, Error<S::Error>> {
        self.run(id, |record, settings| {
            transition::export(record, &settings.at(now))
        })
        .await
    }

    /// Accepts a recovery code as it was typed, once.
    ///
    /// # Errors
    /// [`Rejection`]s tell why it isn't accepted. Wrong ones have a throttle of their own. Where the
    /// codes need a slow hash, each attempt counts as a failure before it is hashed, until one
    /// succeeds; one that is cut off in between stays counted.
    #[cfg(feature = "sha2")]
    pub async fn recover(
        &self,
        id: &S::Id,
        typed: &str,
        now: UnixTime,
    ) -> Result<Recovered, Error<S::Error>> {
        let recovery = self
            .run(id, |record, settings| {
                transition::recover(record, typed, &settings.at(now))
            })
            .await?;
        let counted = match recovery {
            Recovery::Recovered(recovered) => return Ok(recovered),
            Recovery::Counted(counted) => counted,
        };
        let hashed = counted.hash(self.settings.pepper.as_ref())?;
        self.run(id, |record, settings| {
            transition::finish_recovery(record, &hashed, &settings.at(now))
        })
        .await
    }

    /// Makes new recovery codes, to be shown once; the old ones stop working.
    ///
    /// Call it for a person who has just logged in with this factor.
    ///
    /// # Errors
    /// [`Rejection::Pending`] before the first code.
    #[cfg(feature = "sha2")]
    pub async fn rotate_recovery_codes(
        &self,
        id: &S::Id,
        now: UnixTime,
        entropy: &mut (impl Entropy + Send + ?Sized),
    ) -> Result<RecoveryCodes, Error<S::Error>> {
        self.run(id, |record, settings| {
            transition::rotate_recovery_codes(record, &settings.at(now), &mut *entropy)
        })
        .await
    }

    /// Finds a token whose clock or counter went astray by two consecutive codes, and burns both.
    ///
    /// # Errors
    /// [`Rejection`]s as for [`authenticate`](Self::authenticate).
    pub async fn resync(
        &self,
        id: &S::Id,
        first: &Code,
        second: &Code,
        now: UnixTime,
    ) -> Result<Resynced, Error<S::Error>> {
        self.run(id, |record, settings| {
            transition::resync(record, first, second, &settings.at(now))
        })
        .await
    }

    /// Tells what can be told of a registration. Nothing is written.
    ///
    /// # Errors
    /// [`Rejection::Unknown`] if there is none.
    pub async fn status(&self, id: &S::Id, now: UnixTime) -> Result<Status, Error<S::Error>> {
        self.run(id, |record, settings| {
            transition::status(record, &settings.at(now))
        })
        .await
    }

    /// Forgets all failures, so that a locked or disabled registration takes codes again.
    ///
    /// # Errors
    /// [`Rejection::Unknown`] if there is none.
    pub async fn unlock(&self, id: &S::Id) -> Result<(), Error<S::Error>> {
        self.run(id, |record, _| transition::unlock(record)).await
    }

    /// Sets how many steps the token's clock is ahead of ours.
    ///
    /// # Errors
    /// [`Rejection::WrongKind`] for a counter-based token.
    pub async fn set_drift(&self, id: &S::Id, steps: i16) -> Result<(), Error<S::Error>> {
        self.run(id, |record, _| transition::set_drift(record, steps))
            .await
    }

    /// Refuses every code up to now, those of the window's future side included: call it for each
    /// registration after a restore from a backup or a failover that may have lost writes. See
    /// [`transition::fence`] for what it can't bring back.
    ///
    /// # Errors
    /// [`Rejection::Unknown`] if there is none.
    pub async fn fence(&self, id: &S::Id, now: UnixTime) -> Result<(), Error<S::Error>> {
        self.run(id, |record, settings| {
            transition::fence(record, &settings.at(now))
        })
        .await
    }

    /// Forgets that steps of the future are burned, so that a time-based token is accepted again which
    /// was used while a clock was ahead. See [`transition::forget_future_steps`] for the price.
    ///
    /// # Errors
    /// [`Rejection::Unknown`] if there is none, [`Rejection::WrongKind`] for a counter-based token.
    pub async fn forget_future_steps(
        &self,
        id: &S::Id,
        now: UnixTime,
    ) -> Result<(), Error<S::Error>> {
        self.run(id, |record, settings| {
            transition::forget_future_steps(record, &settings.at(now))
        })
        .await
    }

    /// Deletes a registration, a damaged one included. The person then logs in without this factor.
    ///
    /// # Errors
    /// [`Rejection::Unknown`] if there is none.
    pub async fn delete(&self, id: &S::Id) -> Result<(), Error<S::Error>> {
        self.run(id, |record, _| transition::delete(record)).await
    }

    /// Loads, decides and swaps until nobody else wrote in between.
    async fn run<T>(
        &self,
        id: &S::Id,
        mut decide: impl FnMut(Option<&Record>, &Settings) -> Result<Proposal<T>, Failure>,
    ) -> Result<T, Error<S::Error>> {
        for _ in 0..ATTEMPTS {
            let record = self.store.load(id).await.map_err(Error::Store)?;
            let proposal = decide(record.as_ref(), &self.settings)?;
            let swap = match proposal.write() {
                None => None,
                Some(write) => {
                    let swap = self
                        .store
                        .compare_and_swap(id, write.expected(), write.next())
                        .await;
                    Some(swap.map_err(Error::Store)?)
                }
            };
            if let Ok(answer) = proposal.settle(swap) {
                return answer.map_err(Error::Rejected);
            }
        }
        Err(Error::Contended)
    }
}
