//! The key of one token, made ready for computing codes.

use core::fmt;

use super::code::Code;
use super::hash::{Hash, Sha1};
#[cfg(feature = "sha2")]
use super::hash::{Sha256, Sha512};
use super::hmac::Midstates;
use super::params::{Algorithm, CodeFormat};
use super::secret::Secret;
use super::truncate::truncate;
use crate::Step;

/// A [`Secret`] made ready: the HMAC midstates of one algorithm, wiped on drop.
///
/// Making one takes two compressions of the hash; every code then takes two more, where an HMAC
/// from the secret takes four. [`Totp`](crate::Totp) and [`Hotp`](crate::Hotp) hold one; use it
/// directly where steps come from elsewhere.
///
/// ```
/// use keyfob::{Algorithm, CodeFormat, OtpKey, Secret, Step};
///
/// // RFC 4226 appendix D, counter 1.
/// let secret = Secret::from_bytes(b"12345678901234567890")?;
/// let key = OtpKey::new(Algorithm::Sha1, &secret);
/// let code = key.code(Step::new(1), CodeFormat::SixDigits);
/// assert_eq!(code.to_text().as_str(), "287082");
/// # Ok::<(), keyfob::SecretError>(())
/// ```
#[derive(Clone)]
pub struct OtpKey(Keyed);

#[derive(Clone)]
enum Keyed {
    Sha1(Midstates<Sha1>),
    #[cfg(feature = "sha2")]
    Sha256(Midstates<Sha256>),
    #[cfg(feature = "sha2")]
    Sha512(Midstates<Sha512>),
}

impl OtpKey {
    /// Prepares `secret` for `algorithm`.
    #[must_use]
    pub fn new(algorithm: Algorithm, secret: &Secret) -> Self {
        let key = secret.as_bytes();
        Self(match algorithm {
            Algorithm::Sha1 => Keyed::Sha1(Midstates::new(key)),
            #[cfg(feature = "sha2")]
            Algorithm::Sha256 => Keyed::Sha256(Midstates::new(key)),
            #[cfg(feature = "sha2")]
            Algorithm::Sha512 => Keyed::Sha512(Midstates::new(key)),
        })
    }

    /// The code of one step (RFC 4226 §5.3).
    #[must_use]
    pub fn code(&self, step: Step, format: CodeFormat) -> Code {
        Code::from_value(self.value(step, format), format)
    }

    /// The number that a code of `format` stands for, in constant time over the key.
    pub(crate) fn value(&self, step: Step, format: CodeFormat) -> u32 {
        format.reduce(match &self.0 {
            Keyed::Sha1(key) => truncated_mac(key, step),
            #[cfg(feature = "sha2")]
            Keyed::Sha256(key) => truncated_mac(key, step),
            #[cfg(feature = "sha2")]
            Keyed::Sha512(key) => truncated_mac(key, step),
        })
    }
}

fn truncated_mac<H: Hash>(key: &Midstates<H>, step: Step) -> u32 {
    let (words, last) = H::truncation_input(&key.mac(step.number()));
    truncate(words, last)
}

/// Shows the type's name and nothing of the key.
impl fmt::Debug for OtpKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OtpKey").finish_non_exhaustive()
    }
}
