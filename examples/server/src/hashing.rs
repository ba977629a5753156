//! Slow hashes take turns, whatever they are for.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread::available_parallelism;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;

use crate::error::Unavailable;

/// So many at once; the others wait.
#[derive(Clone)]
pub(crate) struct Turns(Arc<Semaphore>);

/// A turn, until it is dropped.
pub(crate) struct Turn(#[expect(dead_code, reason = "kept to be dropped")] OwnedSemaphorePermit);

impl Turns {
    pub(crate) fn of(count: usize) -> Self {
        Self(Arc::new(Semaphore::new(count)))
    }

    /// As many as there are processors: more would only take more memory.
    pub(crate) fn of_processors() -> Self {
        Self::of(available_parallelism().map_or(1, NonZeroUsize::get))
    }

    pub(crate) async fn wait(&self) -> Result<Turn, Unavailable> {
        let permit = Arc::clone(&self.0).acquire_owned().await;
        permit
            .map(Turn)
            .map_err(|error| Unavailable::new("waiting for a turn", error))
    }

    /// Does the work on a thread that may block, when it is its turn.
    pub(crate) async fn work<T: Send + 'static>(
        &self,
        what: &'static str,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Unavailable> {
        let turn = self.wait().await?;
        let worked = spawn_blocking(move || {
            let _turn = turn; // the work goes on where the client hung up
            work()
        });
        worked.await.map_err(|error| Unavailable::new(what, error))
    }
}
