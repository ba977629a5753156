//! Randomness, lent by the embedder.

use core::fmt;
#[cfg(feature = "std")]
use std::sync::Mutex;

/// A source of cryptographically strong random bytes.
///
/// keyfob has its own trait, so that releases of other random-number crates stay out of its API.
/// On an operating system use [`SystemEntropy`] (feature `getrandom`); on a microcontroller
/// implement it over the hardware's generator.
///
/// # Duties of the implementer
/// The bytes become secrets that live for years. Draw them from a hardware generator (with its
/// health tests on) or a DRBG seeded from one, never from a clock, a serial number or a
/// general-purpose pseudo-random generator.
///
/// ```
/// use keyfob::{Entropy, EntropyError};
///
/// struct Trng;
///
/// impl Entropy for Trng {
///     fn fill(&mut self, bytes: &mut [u8]) -> Result<(), EntropyError> {
///         // Read the peripheral until every byte is filled; on a fault:
///         # let _ = bytes;
///         Err(EntropyError)
///     }
/// }
/// ```
pub trait Entropy {
    /// Fills all of `bytes` with random data.
    ///
    /// # Errors
    /// [`EntropyError`] when even one byte could not be filled. The caller then uses none of them.
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), EntropyError>;
}

impl<E: Entropy + ?Sized> Entropy for &mut E {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        (**self).fill(bytes)
    }
}

/// The source of randomness failed, or gave bytes that no working source gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntropyError;

impl fmt::Display for EntropyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the source of randomness failed; nothing was generated: check that it is running, then try again")
    }
}

impl core::error::Error for EntropyError {}

/// Draws from `entropy`, and refuses what a dead generator gives: one byte over and over.
///
/// A working source gives 16 equal bytes once in 2^120 calls; a peripheral whose clock is off
/// gives them every time.
pub(crate) fn fill_checked(
    entropy: &mut (impl Entropy + ?Sized),
    bytes: &mut [u8],
) -> Result<(), EntropyError> {
    entropy.fill(bytes)?;
    match bytes {
        [first, rest @ ..] if rest.len() >= 15 && rest.iter().all(|byte| byte == first) => {
            Err(EntropyError)
        }
        _ => Ok(()),
    }
}

/// The operating system's generator.
///
/// ```
/// use keyfob::{Algorithm, Secret, SystemEntropy};
///
/// let secret = Secret::generate(Algorithm::Sha1, &mut SystemEntropy)?;
/// # Ok::<(), keyfob::EntropyError>(())
/// ```
#[cfg(feature = "getrandom")]
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

#[cfg(feature = "getrandom")]
impl Entropy for SystemEntropy {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        getrandom::fill(bytes).map_err(|_| EntropyError)
    }
}

/// One reference serves every thread.
#[cfg(feature = "getrandom")]
impl Entropy for &SystemEntropy {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        SystemEntropy.fill(bytes)
    }
}

/// A source that is shared: each takes its turn.
#[cfg(feature = "std")]
impl<E: Entropy> Entropy for &Mutex<E> {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        // Who panicked while it drew may have left a generator that repeats itself.
        self.lock().map_err(|_| EntropyError)?.fill(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Stuck(u8);

    impl Entropy for Stuck {
        fn fill(&mut self, bytes: &mut [u8]) -> Result<(), EntropyError> {
            bytes.fill(self.0);
            Ok(())
        }
    }

    #[test]
    fn a_dead_generator_is_refused() {
        let mut bytes = [0; 20];
        assert_eq!(fill_checked(&mut Stuck(0), &mut bytes), Err(EntropyError));
        assert_eq!(
            fill_checked(&mut Stuck(0xff), &mut bytes),
            Err(EntropyError)
        );
    }
}
