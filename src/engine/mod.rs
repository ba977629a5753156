//! The engines: the same short loop over the decisions, for stores that block and for stores that
//! wait.
//!
//! Two plain loops side by side, not one through a macro: the decisions are shared, and what
//! remains is short enough to be read twice.

mod blocking;
mod error;
mod waiting;

pub use blocking::Engine;
pub use error::Error;
pub use waiting::AsyncEngine;

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
}

impl Settings {
    const fn new(policy: Policy) -> Self {
        Self {
            policy,
            #[cfg(feature = "sha2")]
            pepper: None,
        }
    }

    const fn at(&self, now: UnixTime) -> Context<'_> {
        Context {
            now,
            policy: &self.policy,
            #[cfg(feature = "sha2")]
            pepper: self.pepper.as_ref(),
        }
    }
}
