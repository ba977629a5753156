//! Slow hashes take turns, whatever they are for.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread::available_parallelism;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::Unavailable;

/// As many at once as there are processors: more would only take more memory. The others wait.
#[derive(Clone)]
pub(crate) struct Turns(Arc<Semaphore>);

/// A turn, until it is dropped.
pub(crate) struct Turn(#[expect(dead_code, reason = "kept to be dropped")] OwnedSemaphorePermit);

impl Turns {
    pub(crate) fn new() -> Self {
        let processors = available_parallelism().map_or(1, NonZeroUsize::get);
        Self(Arc::new(Semaphore::new(processors)))
    }

    pub(crate) async fn wait(&self) -> Result<Turn, Unavailable> {
        let permit = Arc::clone(&self.0).acquire_owned().await;
        permit
            .map(Turn)
            .map_err(|error| Unavailable::new("waiting for a turn", error))
    }
}
