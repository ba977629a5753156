//! Making and finding the digests of recovery codes.

use hmac::digest::KeyInit as _;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};
use zeroize::Zeroizing;

use super::code::{NormalForm, RecoveryCodes};
use super::pepper::Pepper;
use super::set::{Digest, Hashing, RecoverySet, Shape, Spelling};
use super::skipped::{Skipped, SkippedRecoveryCodes};
use super::slow;
use crate::registration::{Failure, Lineage, Rejection};
use crate::{EntropyError, RecoveryCount, RecoveryFormat, RecoveryPolicy, SlowHash};

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
    /// Fails if a try with a code would take more work than the policy allows.
    pub(in crate::registration) fn require_affordable(
        &self,
        policy: RecoveryPolicy,
    ) -> Result<(), Failure> {
        match self.hashing {
            Hashing::Pbkdf2 { iterations } if iterations > policy.most_pbkdf2_iterations() => {
                Err(Failure::CostlyRecoveryCodes { iterations })
            }
            _ => Ok(()),
        }
    }

    /// Fails where the pepper is missing.
    pub(in crate::registration) fn require_pepper(
        &self,
        pepper: Option<&Pepper>,
    ) -> Result<(), Failure> {
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
        self.require_pepper(pepper)?;
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
    /// The set of newly minted codes. Standard ones alone have chance enough for a fast hash: 120
    /// bits, where NIST SP 800-63B-4 (§3.1.2) asks for 112.
    pub(in crate::registration) fn put_minted(
        place: &mut Option<Self>,
        codes: &RecoveryCodes,
        policy: RecoveryPolicy,
        lineage: &Lineage,
        pepper: Option<&Pepper>,
    ) -> Result<Result<(), Rejection>, Failure> {
        let (spelling, hashing) = match policy.format {
            RecoveryFormat::Standard => (Spelling::Crockford, Some(Hashing::Fast)),
            RecoveryFormat::Short => (Spelling::Short, policy.slow_hash.map(Hashing::from)),
        };
        let Some(hashing) = hashing else {
            return Ok(Err(Rejection::WeakRecoveryCodes));
        };
        let salting = Salting {
            lineage,
            hashing,
            pepper,
        };
        let set = place.insert(Self::empty(spelling, salting));
        for code in codes {
            let form = NormalForm::of(code.as_str(), spelling).ok_or(EntropyError)?;
            let digest = salting.digest(&form)?;
            if set.digests.contains(&digest) {
                return Err(EntropyError.into()); // it drew one code twice
            }
            set.push(digest, &form);
        }
        Ok(Ok(()))
    }

    /// The set of codes that another system made, as many as can be taken over; `None` if none can.
    /// The others are counted in `skipped`.
    ///
    /// How much chance is in them can't be seen from them, so all count as weak.
    pub(in crate::registration) fn of_foreign<'a>(
        texts: impl Iterator<Item = &'a str>,
        policy: RecoveryPolicy,
        lineage: &Lineage,
        pepper: Option<&Pepper>,
        skipped: &mut SkippedRecoveryCodes,
    ) -> Result<Result<Option<Self>, Rejection>, Failure> {
        let hashing = policy.slow_hash.map(Hashing::from);
        let salting = Salting {
            lineage,
            hashing: hashing.unwrap_or(Hashing::Fast),
            pepper,
        };
        let mut set = Self::empty(Spelling::Foreign, salting);
        let mut seen = Seen::new(lineage);
        for text in texts {
            match seen.admit(text, set.spelling)? {
                Ok(_) if hashing.is_none() => return Ok(Err(Rejection::WeakRecoveryCodes)),
                Ok(form) => set.push(salting.digest(&form)?, &form),
                Err(reason) => skipped.count(&reason),
            }
        }
        Ok(Ok((!set.digests.is_empty()).then_some(set)))
    }

    const fn empty(spelling: Spelling, salting: Salting<'_>) -> Self {
        Self {
            hashing: salting.hashing,
            spelling,
            peppered: salting.pepper.is_some(),
            shape: Shape::NONE,
            used: 0,
            digests: heapless::Vec::new(),
        }
    }

    fn push(&mut self, digest: Digest, form: &NormalForm) {
        self.shape = if self.digests.is_empty() {
            form.shape()
        } else {
            self.shape.merge(form.shape())
        };
        // There is room for as many as a policy mints, and as are taken over.
        let _ = self.digests.push(digest);
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

/// The codes that were taken over, by fast digests: slow ones are worth making only of those that
/// are to be kept. Wiped on drop.
struct Seen<'a> {
    digests: heapless::Vec<Zeroizing<Digest>, { RecoveryCount::MAX }>,
    salting: Salting<'a>,
}

impl<'a> Seen<'a> {
    const fn new(lineage: &'a Lineage) -> Self {
        let salting = Salting {
            lineage,
            hashing: Hashing::Fast,
            pepper: None,
        };
        Self {
            digests: heapless::Vec::new(),
            salting,
        }
    }

    /// The code in the form to be hashed, unless it is to be skipped.
    fn admit(
        &mut self,
        text: &str,
        spelling: Spelling,
    ) -> Result<Result<NormalForm, Skipped>, Failure> {
        let Some(form) = NormalForm::of(text, spelling) else {
            return Ok(Err(Skipped::Unusable));
        };
        let digest = Zeroizing::new(self.salting.digest(&form)?);
        if self.digests.contains(&digest) {
            return Ok(Err(Skipped::Duplicate));
        }
        let noted = self.digests.push(digest);
        Ok(noted.map(|()| form).map_err(|_| Skipped::TooMany))
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
