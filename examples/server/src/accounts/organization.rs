//! Organizations: who shares a policy.

use keyfob::UnixTime;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Accounts;
use crate::database::Document;
use crate::error::Unavailable;
use crate::random;

/// A tenant.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Organization {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) mfa_policy: MfaPolicy,
    pub(crate) created_at: u64,
}

/// Whether every member needs a second factor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum MfaPolicy {
    #[default]
    Optional,
    RequiredForAll,
}

impl Document for Organization {
    const KIND: &'static str = "organization";
}

impl Organization {
    /// The name as it may stand in an address.
    pub(crate) fn slug(&self) -> String {
        let dashed = self
            .name
            .to_lowercase()
            .replace(|c: char| !c.is_alphanumeric(), "-");
        let parts: Vec<_> = dashed.split('-').filter(|part| !part.is_empty()).collect();
        parts.join("-")
    }
}

impl Accounts {
    pub(crate) async fn organization(&self, id: &str) -> Result<Option<Organization>, Unavailable> {
        self.documents.read(id).await
    }

    pub(crate) async fn add_organization(
        &self,
        name: &str,
        mfa_policy: MfaPolicy,
        now: UnixTime,
    ) -> Result<Organization, Unavailable> {
        self.organization_of_id(random::name("organization")?, name, mfa_policy, now)
            .await
    }

    /// The organization of this id, made if there is none.
    pub(crate) async fn organization_of_id(
        &self,
        id: String,
        name: &str,
        mfa_policy: MfaPolicy,
        now: UnixTime,
    ) -> Result<Organization, Unavailable> {
        let organization = Organization {
            id,
            name: name.to_owned(),
            mfa_policy,
            created_at: now.as_seconds(),
        };
        if self
            .documents
            .insert(&organization.id, &organization)
            .await?
        {
            return Ok(organization);
        }
        let stored = self.organization(&organization.id).await?;
        Ok(stored.unwrap_or(organization))
    }
}
