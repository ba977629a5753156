//! A new token for an active registration: the old one works until the new one's first code.

use super::create::draw_token;
use super::{Authenticated, Context, Enrollment, NewRegistration, update, with_registration};
use crate::registration::proposal::Proposal;
use crate::registration::record::Record;
use crate::registration::registration::{CLOCK_SKEW_SECONDS, Replacement};
use crate::registration::{Failure, Lineage, Registration, Rejection};
use crate::{Entropy, UnixTime};

/// How long a log-in proves that the person is there, in seconds. One from the future is forgiven by
/// [`CLOCK_SKEW_SECONDS`].
const FRESH_SECONDS: u64 = 300;

/// A log-in or recovery of the last five minutes, which lets the person change the token. It may come
/// from a server whose clock is up to 30 seconds ahead.
///
/// Made from an [`Authenticated`] or a [`Recovered`](super::Recovered); the engines use it up.
#[derive(Debug)]
pub struct Proof {
    lineage: Lineage,
    at: UnixTime,
}

impl From<Authenticated> for Proof {
    fn from(authenticated: Authenticated) -> Self {
        Self {
            lineage: authenticated.lineage,
            at: authenticated.at,
        }
    }
}

#[cfg(feature = "sha2")]
impl From<super::Recovered> for Proof {
    fn from(recovered: super::Recovered) -> Self {
        Self {
            lineage: recovered.lineage,
            at: recovered.at,
        }
    }
}

impl Proof {
    /// How many bytes [`to_bytes`](Self::to_bytes) gives.
    pub const BYTES: usize = Lineage::BYTES + size_of::<u64>();

    /// The proof as bytes, for a session that is kept between requests or shared by processes.
    ///
    /// # Duties of the embedder
    /// Whoever can write these bytes can change the token: keep them where your sessions are, beside
    /// whom they belong to, and never with the person.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        let at = self.at.as_seconds().to_be_bytes();
        let parts = self.lineage.0.into_iter().chain(at);
        for (to, from) in bytes.iter_mut().zip(parts) {
            *to = from;
        }
        bytes
    }

    /// The proof that was kept as these bytes; `None` unless there are [`BYTES`](Self::BYTES) of
    /// them. It is good for five minutes from the log-in, however often it is read.
    ///
    /// # Duties of the embedder
    /// As for [`to_bytes`](Self::to_bytes): nothing but where they were kept tells that they are no
    /// forgery.
    #[must_use]
    pub fn from_trusted_bytes(bytes: &[u8]) -> Option<Self> {
        let (lineage, at) = bytes.split_first_chunk()?;
        Some(Self {
            lineage: Lineage(*lineage),
            at: UnixTime::from_seconds(u64::from_be_bytes(at.try_into().ok()?)),
        })
    }

    fn check(&self, registration: &Registration, now: UnixTime) -> Result<(), Rejection> {
        let is_plausible = self.at.seconds_since(now) <= CLOCK_SKEW_SECONDS;
        let fresh = is_plausible && now.seconds_since(self.at) <= FRESH_SECONDS;
        if fresh && self.lineage == registration.lineage {
            return Ok(());
        }
        Err(Rejection::StaleProof)
    }
}

/// Decides about a new token. It waits, as a new registration does, while the old one goes on
/// working; its first code lets it take over. Recovery codes stay as they are. One that waits
/// already is started again.
///
/// # Errors
/// A [`Failure`] if the record can't be read or randomness fails.
pub fn replace(
    record: Option<&Record>,
    proof: &Proof,
    new: &NewRegistration,
    context: &Context<'_>,
    entropy: &mut (impl Entropy + ?Sized),
) -> Result<Proposal<Enrollment>, Failure> {
    with_registration(record, |record, registration| {
        let allowed = registration
            .require_active(context.now, context.policy)
            .and_then(|()| proof.check(registration, context.now));
        if let Err(rejection) = allowed {
            return Ok(Proposal::rejected(rejection));
        }
        let until = new.pending_until(context);
        let token = draw_token(new, entropy)?;
        let enrollment = Enrollment::of(&token, registration.lineage, until);
        registration.replacement = Some(Replacement { until, token });
        Ok(update(record, registration, Ok(enrollment)))
    })
}
