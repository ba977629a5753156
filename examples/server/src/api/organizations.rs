//! `/v1/b2b/organizations`: organizations and their members.

use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::error::{ApiError, ErrorBody, ErrorType};
use super::exchange::{Answer, Body, Outcome, filled};
use super::objects::{AboutMember, Organization};
use super::people::organization;
use crate::accounts::{AddMember, MfaPolicy, is_email_address, is_name, is_password};
use crate::app::Shared;
use crate::clock::now;

/// Makes an organization.
#[derive(Deserialize, ToSchema)]
pub(super) struct OrganizationRequest {
    #[schema(min_length = 1, max_length = 128, pattern = r"^\P{Cc}*$")]
    organization_name: String,
    #[serde(default)]
    mfa_policy: Option<MfaPolicy>,
}

/// An organization that was made.
#[derive(Serialize, ToSchema)]
pub(super) struct OrganizationMade {
    organization_id: String,
    organization: Organization,
}

/// Makes an organization.
#[utoipa::path(post, operation_id = "organizations_create", path = "/v1/b2b/organizations", request_body = OrganizationRequest,
    responses((status = 200, body = Answer<OrganizationMade>), (status = "default", body = ErrorBody)))]
pub(super) async fn create(
    State(app): State<Shared>,
    Body(request): Body<OrganizationRequest>,
) -> Outcome<OrganizationMade> {
    require_name("organization_name", &request.organization_name)?;
    let policy = request.mfa_policy.unwrap_or_default();
    let made = app
        .accounts
        .add_organization(&request.organization_name, policy, now())
        .await?;
    Ok(Answer::from(OrganizationMade {
        organization: Organization::from(&made),
        organization_id: made.id,
    }))
}

/// Adds a member.
#[derive(Deserialize, ToSchema)]
pub(super) struct MemberRequest {
    /// With an @, and without spaces, colons and control characters.
    #[schema(
        max_length = 254,
        pattern = r"^[^@\p{White_Space}\p{Cc}:]+@[^\p{White_Space}\p{Cc}:]+$"
    )]
    email_address: String,
    #[schema(max_length = 128, pattern = r"^\P{Cc}*$")]
    #[serde(default)]
    name: Option<String>,
    /// The first factor, where this server is to check it: 8 to 128 characters. An empty one is none.
    #[schema(pattern = r"^([\s\S]{8,128})?$")]
    #[serde(default, deserialize_with = "filled")]
    password: Option<String>,
}

/// Adds a member to an organization.
#[utoipa::path(post, operation_id = "organizations_add_member", path = "/v1/b2b/organizations/{organization_id}/members",
    params(("organization_id" = String, Path)), request_body = MemberRequest,
    responses((status = 200, body = Answer<AboutMember>), (status = "default", body = ErrorBody)))]
pub(super) async fn add_member(
    State(app): State<Shared>,
    Path(organization_id): Path<String>,
    Body(request): Body<MemberRequest>,
) -> Outcome<AboutMember> {
    require_email(&request.email_address)?;
    let name = request.name.unwrap_or_default();
    if !name.is_empty() {
        require_name("name", &name)?;
    }
    require_password(request.password.as_deref())?;
    let organization = organization(&app, &organization_id).await?;
    let new = AddMember {
        email_address: &request.email_address,
        name: &name,
        password: request.password.as_deref(),
    };
    let added = app.accounts.add_member(&organization, new, now()).await?;
    let member = added.map_err(|_| {
        let message = "a member of this organization has this email_address already";
        ApiError::new(ErrorType::MemberEmailExists, message)
    })?;
    let about = AboutMember::new(&member, &organization, None);
    Ok(Answer::from(about))
}

fn require_name(field: &str, name: &str) -> Result<(), ApiError> {
    let message =
        format!("{field} must have 1 to 128 characters, none of them a control character");
    require(is_name(name), message)
}

fn require_email(address: &str) -> Result<(), ApiError> {
    require(
        is_email_address(address),
        "email_address must be an address such as alice@example.com".into(),
    )
}

fn require_password(password: Option<&str>) -> Result<(), ApiError> {
    let can_be = password.is_none_or(is_password);
    require(can_be, "password must have 8 to 128 characters".into())
}

fn require(is_met: bool, message: String) -> Result<(), ApiError> {
    if is_met {
        return Ok(());
    }
    Err(ApiError::new(ErrorType::InvalidRequest, message))
}
