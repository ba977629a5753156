//! What tells one registration from every other, inside and outside of its record.

use core::fmt;

use super::Failure;
use crate::Entropy;
use crate::entropy::fill_checked;
use crate::otp::fingerprint;

/// Sixteen random bytes that a registration keeps for life: they tell it from every other one, and
/// salt its recovery codes, which binds those to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lineage(pub(super) [u8; Lineage::BYTES]);

impl Lineage {
    pub(super) const BYTES: usize = 16;

    pub(super) fn draw(entropy: &mut (impl Entropy + ?Sized)) -> Result<Self, Failure> {
        let mut bytes = [0; Self::BYTES];
        fill_checked(entropy, &mut bytes)?;
        Ok(Self(bytes))
    }

    /// A number that two registrations share by chance only. It isn't secret.
    pub(super) fn tag(&self) -> u64 {
        let (first, _) = self.0.as_chunks();
        first.first().map_or(0, |bytes| u64::from_be_bytes(*bytes))
    }

    /// The name to be told outside, from which the salt can't be computed.
    pub(super) fn registration_id(&self) -> RegistrationId {
        RegistrationId(fingerprint(&self.0))
    }
}

/// A registration's own name, for logs, answers and other tables: 16 bytes that no other
/// registration has. It isn't secret.
///
/// It stays when the token is replaced. A registration that is made anew under the same id of the
/// store has another one.
///
/// ```
/// use keyfob::{Engine, MemoryStore, NewRegistration, Policy, SystemEntropy, UnixTime};
///
/// let mut engine = Engine::new(MemoryStore::<u32, 1>::new(), Policy::DEFAULT);
/// let now = UnixTime::from_seconds(1_800_000_000);
/// let new = NewRegistration::default();
/// let enrollment = engine.create(&7, &new, now, &mut SystemEntropy)?;
/// let name = enrollment.registration_id().to_string(); // 32 hexadecimal digits
/// assert_eq!(name, engine.status(&7, now)?.registration_id.to_string());
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RegistrationId([u8; RegistrationId::BYTES]);

impl RegistrationId {
    /// How many bytes it has.
    pub const BYTES: usize = 16;

    /// The bytes, evenly distributed over all values.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }
}

/// 32 hexadecimal digits.
impl fmt::Display for RegistrationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for RegistrationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RegistrationId({self})")
    }
}
