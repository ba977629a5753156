//! The second factor: keyfob's engine over the database, sealed. No decision about a code is made
//! here, only asked for and counted.

use std::sync::Arc;

use keyfob::{
    AsyncEngine, Authenticated, Enrollment, Error, KeyCache, LegacySecrets, LockState, Migrated,
    Migration, NewRegistration, Policy, Proof, Recovered, RecoveryCodes, Rejection, SealedError,
    SealedStore, Status, StatusState, SystemEntropy, UnixTime,
};
use tokio::runtime::Handle;
use tokio::task::block_in_place;

use crate::accounts::Subject;
use crate::database::Records;
use crate::error::Unavailable;
use crate::hashing::Turns;
use crate::keys::Keys;
use crate::operations::{Counters, Operation};

/// How many people's keys are kept ready.
const CACHED_KEYS: usize = 4_096;

/// Why there is no answer: the person isn't let in, or the server can't tell.
#[derive(Debug)]
pub(crate) enum Refusal {
    Rejected(Rejection),
    Unavailable(Unavailable),
}

impl From<Unavailable> for Refusal {
    fn from(error: Unavailable) -> Self {
        Self::Unavailable(error)
    }
}

impl From<Error<SealedError<Unavailable>>> for Refusal {
    fn from(error: Error<SealedError<Unavailable>>) -> Self {
        match error {
            Error::Rejected(rejection) => Self::Rejected(rejection),
            error => Self::Unavailable(Unavailable::new("the second factor", error)),
        }
    }
}

/// The engine, with what is counted of it.
pub(crate) struct SecondFactor {
    engine: AsyncEngine<SealedStore<Records, SystemEntropy>>,
    /// Slow hashes of recovery codes take a processor, and up to 64 MiB.
    turns: Turns,
    counters: Arc<Counters>,
}

impl SecondFactor {
    pub(crate) fn new(
        records: Records,
        keys: &Keys,
        turns: Turns,
        counters: Arc<Counters>,
    ) -> Result<Self, Unavailable> {
        let store = SealedStore::new(records, keys.keyring()?, SystemEntropy);
        let policy = Policy {
            legacy_secrets: LegacySecrets::Accept, // people move in with what they have
            ..Policy::DEFAULT
        };
        let engine = AsyncEngine::new(store, policy)
            .with_pepper(keys.pepper())
            .with_key_cache(Arc::new(KeyCache::new(CACHED_KEYS)));
        Ok(Self {
            engine,
            turns,
            counters,
        })
    }

    /// What can be told of a person's registration; `None` if there is none.
    pub(crate) async fn status(
        &self,
        subject: &Subject,
        now: UnixTime,
    ) -> Result<Option<Status>, Unavailable> {
        match self.engine.status(&subject.registration_id(), now).await {
            Ok(status) => Ok(Some(status)),
            Err(Error::Rejected(Rejection::Unknown)) => Ok(None),
            Err(error) => Err(Unavailable::new("the second factor", error)),
        }
    }

    /// A new registration, pending until its first code.
    pub(crate) async fn create(
        &self,
        subject: &Subject,
        new: &NewRegistration,
        now: UnixTime,
    ) -> Result<Enrollment, Refusal> {
        let id = subject.registration_id();
        let created = self.engine.create(&id, new, now, &mut SystemEntropy).await;
        self.count(Operation::Create, created)
    }

    /// A new token for an active registration, beside the old one until its first code.
    pub(crate) async fn replace(
        &self,
        subject: &Subject,
        proof: Proof,
        new: &NewRegistration,
        now: UnixTime,
    ) -> Result<Enrollment, Refusal> {
        let id = subject.registration_id();
        let replaced = self
            .engine
            .replace(&id, proof, new, now, &mut SystemEntropy)
            .await;
        self.count(Operation::Replace, replaced)
    }

    /// Accepts a code as it was typed, once.
    pub(crate) async fn authenticate(
        &self,
        subject: &Subject,
        typed: &str,
        now: UnixTime,
    ) -> Result<Authenticated, Refusal> {
        let id = subject.registration_id();
        let authenticated = self.engine.authenticate_typed(&id, typed, now).await;
        self.count(Operation::Authenticate, authenticated)
    }

    /// Accepts a recovery code, once.
    pub(crate) async fn recover(
        &self,
        subject: &Subject,
        typed: &str,
        now: UnixTime,
    ) -> Result<Recovered, Refusal> {
        let id = subject.registration_id();
        let recovered = Box::pin(self.engine.recover(&id, typed, now));
        let recovered = self.hash(recovered).await?;
        self.count(Operation::Recover, recovered)
    }

    /// Takes over a token that another system registered.
    pub(crate) async fn migrate<'a>(
        &self,
        subject: &Subject,
        migration: impl Into<Migration<'a>>,
        now: UnixTime,
    ) -> Result<Migrated, Refusal> {
        let (id, migration) = (subject.registration_id(), migration.into());
        let mut entropy = SystemEntropy;
        let migrated = Box::pin(self.engine.migrate(&id, migration, now, &mut entropy));
        let migrated = self.hash(migrated).await?;
        self.count(Operation::Migrate, migrated)
    }

    /// New recovery codes; the old ones stop working.
    pub(crate) async fn rotate_recovery_codes(
        &self,
        subject: &Subject,
        now: UnixTime,
    ) -> Result<RecoveryCodes, Refusal> {
        let id = subject.registration_id();
        let mut entropy = SystemEntropy;
        let rotated = self.engine.rotate_recovery_codes(&id, now, &mut entropy);
        self.count(Operation::Rotate, rotated.await)
    }

    /// Forgets a registration.
    pub(crate) async fn delete(&self, subject: &Subject) -> Result<(), Refusal> {
        let deleted = self.engine.delete(&subject.registration_id()).await;
        self.count(Operation::Delete, deleted)
    }

    /// Removes registrations that weren't confirmed in time.
    pub(crate) async fn sweep(&self, now: UnixTime) -> Result<(), Unavailable> {
        self.engine.store().inner().sweep(now).await
    }

    /// How many registrations there are, unconfirmed ones included.
    pub(crate) async fn registrations(&self) -> Result<u64, Unavailable> {
        self.engine.store().inner().count().await
    }

    /// Waits for a turn, and lets the hash hold this thread up, and no other task.
    async fn hash<T>(&self, work: impl Future<Output = T>) -> Result<T, Unavailable> {
        let _turn = self.turns.wait().await?;
        Ok(block_in_place(|| Handle::current().block_on(work)))
    }

    fn count<T>(
        &self,
        operation: Operation,
        outcome: Result<T, Error<SealedError<Unavailable>>>,
    ) -> Result<T, Refusal> {
        let outcome = outcome.map_err(Refusal::from);
        self.counters.count(operation, outcome.as_ref().err());
        outcome
    }
}

/// When the next attempt may be made, where a refusal makes the person wait.
pub(crate) const fn retry_at(rejection: &Rejection) -> Option<UnixTime> {
    match rejection {
        Rejection::Locked(wait)
        | Rejection::TooEarly(wait)
        | Rejection::Mismatch {
            lock: LockState::Locked { wait, .. },
        } => Some(wait.until),
        _ => None,
    }
}

/// Whether the registration was confirmed.
pub(crate) fn is_active(status: &Status) -> bool {
    matches!(status.state, StatusState::Active { .. })
}

/// Recovery codes as they are shown.
pub(crate) fn recovery_code_texts(codes: &RecoveryCodes) -> Vec<String> {
    codes.iter().map(|code| code.as_str().to_owned()).collect()
}
