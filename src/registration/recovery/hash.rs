//! Making and finding the digests of recovery codes.

use hmac::digest::KeyInit as _;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};
use zeroize::Zeroizing;

use super::code::{NormalForm, RecoveryCodes};
use super::pepper::Pepper;
use super::set::{Digest, Hashing, RecoverySet, Shape, Spelling};
use super::slow;
use crate::registration::{Failure, Lineage, Rejection};
use crate::{RecoveryFormat, RecoveryPolicy, SlowHash};

/// Fewest bits of a code that a fast hash is enough for (NIST SP 800-63B-4 §3.1.2).
const STRONG_BITS: usize = 112;

/// Why a set has no code to be used for a digest.
pub(in crate::registration) enum Rejected {
    /// None of its codes has it.
    Unknown,
    /// The code was used already.
    Used,
}

/// How a typed code is hashed: all that its digest depends on besides the code and the pepper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::registration) struct Recipe {
    pub(in crate::registration) lineage: Lineage,
    pub(in crate::registration) hashing: Hashing,
    peppered: bool,
}

impl Recipe {
    /// Fails where the pepper is missing.
    pub(in crate::registration) fn require(&self, pepper: Option<&Pepper>) -> Result<(), Failure> {
        if self.peppered && pepper.is_none() {
            return Err(Failure::PepperMissing);
        }
        Ok(())
    }

    /// The digest of a code. Slow, if that is how the set was hashed.
    pub(in crate::registration) fn digest(
        &self,
        code: &NormalForm,
        pepper: Option<&Pepper>,
    ) -> Result<Digest, Failure> {
        self.require(pepper)?;
        Salting {
            lineage: &self.lineage,
            hashing: self.hashing,
            pepper: pepper.filter(|_| self.peppered),
        }
        .digest(code)
    }
}

/// What the digests of a set depend on besides the codes.
#[derive(Clone, Copy)]
struct Salting<'a> {
    lineage: &'a Lineage,
    hashing: Hashing,
    pepper: Option<&'a Pepper>,
}

impl RecoverySet {
    /// The set of newly minted codes.
    pub(in crate::registration) fn of_minted(
        codes: &RecoveryCodes,
        policy: RecoveryPolicy,
        lineage: &Lineage,
        pepper: Option<&Pepper>,
    ) -> Result<Result<Self, Rejection>, Failure> {
        let texts = codes.iter().map(super::RecoveryCode::as_str);
        match policy.format {
            RecoveryFormat::Standard => {
                let salting = Salting {
                    lineage,
                    hashing: Hashing::Fast,
                    pepper,
                };
                Self::of_texts(texts, Spelling::Crockford, salting)
            }
            RecoveryFormat::Short => Self::of_foreign(texts, policy, lineage, pepper),
        }
    }

    /// The set of codes that another system made.
    pub(in crate::registration) fn of_foreign<'a>(
        texts: impl Iterator<Item = &'a str> + Clone,
        policy: RecoveryPolicy,
        lineage: &Lineage,
        pepper: Option<&Pepper>,
    ) -> Result<Result<Self, Rejection>, Failure> {
        let weak = texts.clone().any(|text| {
            NormalForm::of(text, Spelling::AsGiven)
                .is_some_and(|form| form.strength_bits() < STRONG_BITS)
        });
        let hashing = match policy.slow_hash {
            _ if !weak => Hashing::Fast,
            Some(slow) => Hashing::from(slow),
            None => return Ok(Err(Rejection::WeakRecoveryCodes)),
        };
        let salting = Salting {
            lineage,
            hashing,
            pepper,
        };
        Self::of_texts(texts, Spelling::AsGiven, salting)
    }

    fn of_texts<'a>(
        texts: impl Iterator<Item = &'a str>,
        spelling: Spelling,
        salting: Salting<'_>,
    ) -> Result<Result<Self, Rejection>, Failure> {
        let mut digests = heapless::Vec::new();
        let mut shape = None;
        for text in texts {
            let Some(form) = NormalForm::of(text, spelling) else {
                return Ok(Err(Rejection::RecoveryCodes));
            };
            let digest = salting.digest(&form)?;
            if digests.contains(&digest) || digests.push(digest).is_err() {
                return Ok(Err(Rejection::RecoveryCodes));
            }
            shape = Some(shape.map_or(form.shape(), |shape: Shape| shape.merge(form.shape())));
        }
        Ok(Ok(Self {
            hashing: salting.hashing,
            spelling,
            peppered: salting.pepper.is_some(),
            shape: shape.unwrap_or(Shape::new(0, false)),
            used: 0,
            digests,
        }))
    }

    /// What was typed in the form that was hashed, if it can be one of these codes.
    pub(in crate::registration) fn admit(&self, typed: &str) -> Option<NormalForm> {
        NormalForm::of(typed, self.spelling).filter(|form| self.shape.admits(form.shape()))
    }

    /// How a typed code is to be hashed, to be looked for in this set.
    pub(in crate::registration) fn recipe(&self, lineage: Lineage) -> Recipe {
        Recipe {
            lineage,
            hashing: self.hashing,
            peppered: self.peppered,
        }
    }

    /// Uses up the code with this digest. All digests are compared, in constant time.
    pub(in crate::registration) fn burn(&mut self, digest: &Digest) -> Result<(), Rejected> {
        let bit = self.find(digest);
        if bit == 0 {
            return Err(Rejected::Unknown);
        }
        if self.used & bit != 0 {
            return Err(Rejected::Used);
        }
        self.used |= bit;
        Ok(())
    }

    /// The bit of the code with this digest, or 0.
    fn find(&self, wanted: &Digest) -> u16 {
        let mut found = 0_u16;
        let mut bit = 1_u16;
        for digest in &self.digests {
            let same: Choice = digest.ct_eq(wanted);
            found.conditional_assign(&bit, same);
            bit = bit.wrapping_shl(1);
        }
        found
    }
}

impl From<SlowHash> for Hashing {
    fn from(slow: SlowHash) -> Self {
        match slow {
            #[cfg(feature = "pbkdf2")]
            SlowHash::Pbkdf2 { iterations } => Self::Pbkdf2 {
                iterations: iterations.get(),
            },
            #[cfg(feature = "argon2")]
            SlowHash::Argon2id => Self::Argon2id,
        }
    }
}

impl Salting<'_> {
    fn digest(self, code: &NormalForm) -> Result<Digest, Failure> {
        let mut hash = match self.hashing {
            Hashing::Fast => hmac_sha256(&self.lineage.0, code.as_bytes()),
            Hashing::Pbkdf2 { iterations } => {
                slow::pbkdf2(code.as_bytes(), &self.lineage.0, iterations)?
            }
            Hashing::Argon2id => slow::argon2id(code.as_bytes(), &self.lineage.0)?,
        };
        if let Some(pepper) = self.pepper {
            hash = hmac_sha256(pepper.as_bytes(), &*hash);
        }
        let mut digest = Digest::default();
        for (to, from) in digest.iter_mut().zip(hash.iter()) {
            *to = *from;
        }
        Ok(digest)
    }
}

/// HMAC-SHA-256 under a key of at most a block.
fn hmac_sha256(key: &[u8], message: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut block = Zeroizing::new([0; 64]);
    for (to, from) in block.iter_mut().zip(key) {
        *to = *from;
    }
    let mut mac = Hmac::<Sha256>::new(&(*block).into());
    mac.update(message);
    Zeroizing::new(mac.finalize().into_bytes().into())
}
