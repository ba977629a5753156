//! Whom a request is about.

use keyfob::UnixTime;

use super::error::{ApiError, ErrorType};
use super::objects::AboutMember;
use crate::accounts::{Member, Organization, Subject};
use crate::app::App;

/// A member and their organization.
pub(super) struct Membership {
    pub(super) organization: Organization,
    pub(super) member: Member,
    pub(super) subject: Subject,
}

impl Membership {
    pub(super) async fn find(
        app: &App,
        organization_id: &str,
        member_id: &str,
    ) -> Result<Self, ApiError> {
        let organization = organization(app, organization_id).await?;
        let member = app.accounts.member(organization_id, member_id).await?;
        let member = member.ok_or_else(|| {
            let message = "the organization has no member of this member_id";
            ApiError::new(ErrorType::MemberNotFound, message)
        })?;
        Ok(Self {
            subject: Subject::member(organization_id, member_id),
            organization,
            member,
        })
    }

    /// What answers say of the member, with the state of their token.
    pub(super) async fn about(&self, app: &App, now: UnixTime) -> Result<AboutMember, ApiError> {
        let status = app.second_factor.status(&self.subject, now).await?;
        let status = status.as_ref();
        Ok(AboutMember::new(&self.member, &self.organization, status))
    }
}

pub(super) async fn organization(app: &App, id: &str) -> Result<Organization, ApiError> {
    app.accounts.organization(id).await?.ok_or_else(|| {
        let message = "there is no organization of this organization_id";
        ApiError::new(ErrorType::OrganizationNotFound, message)
    })
}

/// A user by any id that the embedder gives them.
pub(super) fn user(user_id: &str) -> Result<Subject, ApiError> {
    let is_name =
        (1..=128).contains(&user_id.chars().count()) && !user_id.contains(char::is_control);
    if is_name {
        return Ok(Subject::user(user_id));
    }
    let message = "a user_id has 1 to 128 characters, none of them a control character";
    Err(ApiError::new(ErrorType::InvalidRequest, message))
}
