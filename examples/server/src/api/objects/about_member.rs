//! Whom an answer is about: what nearly all answers have in common.

use keyfob::Status;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Member, Organization};
use crate::accounts;

/// A member and their organization.
#[derive(Serialize, ToSchema)]
pub(crate) struct AboutMember {
    member_id: String,
    member: Member,
    organization: Organization,
}

impl AboutMember {
    pub(crate) fn new(
        member: &accounts::Member,
        organization: &accounts::Organization,
        status: Option<&Status>,
    ) -> Self {
        Self {
            member_id: member.id.clone(),
            member: Member::new(member, status),
            organization: Organization::from(organization),
        }
    }

    /// What the member's registration is called; empty without one.
    pub(crate) fn totp_registration_id(&self) -> &str {
        &self.member.totp_registration_id
    }
}
