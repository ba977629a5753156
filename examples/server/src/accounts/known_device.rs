//! Devices that have had the right password before. Their attempts are counted apart, so that whoever
//! guesses at an address can't make its owner wait there.

use keyfob::UnixTime;
use serde::{Deserialize, Serialize};

use super::Accounts;
use super::session::digest;
use crate::database::Document;
use crate::error::Unavailable;
use crate::random;

/// How long a device is known after its last log-in: 180 days.
const KNOWN_SECONDS: u64 = 180 * 86_400;

/// A device, kept under the digest of its token. The token lets nobody in.
#[derive(Serialize, Deserialize)]
struct KnownDevice {
    /// The one address that it is known for.
    email_key: String,
    expires_at: u64,
}

impl Document for KnownDevice {
    const KIND: &'static str = "known_device";

    fn expires_at(&self) -> Option<UnixTime> {
        Some(UnixTime::from_seconds(self.expires_at))
    }
}

impl Accounts {
    /// Under what name this device's attempts with an address are counted; `None` if it isn't known for
    /// it.
    pub(super) async fn known_device(
        &self,
        token: &str,
        email_key: &str,
        now: UnixTime,
    ) -> Result<Option<String>, Unavailable> {
        let name = digest(token);
        let device: Option<KnownDevice> = self.documents.read(&name).await?;
        let is_known = |device: &KnownDevice| {
            device.email_key == email_key && now.as_seconds() < device.expires_at
        };
        Ok(device.filter(is_known).map(|_| format!("device/{name}")))
    }

    /// Knows a device from now on, and gives it a token.
    pub(super) async fn know_device(
        &self,
        email_key: &str,
        now: UnixTime,
    ) -> Result<String, Unavailable> {
        let token = random::token()?;
        let device = KnownDevice {
            email_key: email_key.to_owned(),
            expires_at: now.as_seconds().saturating_add(KNOWN_SECONDS),
        };
        self.documents.insert(&digest(&token), &device).await?;
        Ok(token)
    }

    /// Knows it for longer.
    pub(super) async fn know_longer(&self, token: &str, now: UnixTime) -> Result<(), Unavailable> {
        let expires_at = now.as_seconds().saturating_add(KNOWN_SECONDS);
        let extend = |device: &mut KnownDevice| device.expires_at = expires_at;
        self.documents
            .update(&digest(token), extend)
            .await
            .map(drop)
    }
}
