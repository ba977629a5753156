//! The engines: the same short loop over the decisions, for stores that block and for stores that
//! wait.
//!
//! Two plain loops side by side, not one through a macro: the decisions are shared, and what
//! remains is short enough to be read twice.

mod blocking;
mod error;
#[cfg(feature = "std")]
mod key_cache;
mod waiting;

pub use blocking::Engine;
pub use error::Error;
#[cfg(feature = "std")]
pub use key_cache::KeyCache;
pub use waiting::AsyncEngine;

#[cfg(feature = "std")]
use std::sync::Arc;

#[cfg(feature = "sha2")]
use crate::Pepper;
use crate::transition::Context;
use crate::{Policy, UnixTime};

/// How often a request is decided anew when others write in between. With the default throttle six
/// wrong codes lock a registration, and a locked one is refused without a write, so few requests
/// come near.
const ATTEMPTS: usize = 32;

/// What an engine decides by.
#[derive(Debug)]
struct Settings {
    policy: Policy,
    #[cfg(feature = "sha2")]
    pepper: Option<Pepper>,
    #[cfg(feature = "std")]
    keys: Option<Arc<KeyCache>>,
}

impl Settings {
    const fn new(policy: Policy) -> Self {
        Self {
            policy,
            #[cfg(feature = "sha2")]
            pepper: None,
            #[cfg(feature = "std")]
            keys: None,
        }
    }

    fn at(&self, now: UnixTime) -> Context<'_> {
        Context {
            #[cfg(feature = "sha2")]
            pepper: self.pepper.as_ref(),
            #[cfg(feature = "std")]
            keys: self.keys.as_deref().map(|keys| keys as _),
            ..Context::new(now, &self.policy)
        }
    }
}
