//! An organization.

use serde::Serialize;
use utoipa::ToSchema;

use super::{Nothing, time};
use crate::accounts::{self, MfaPolicy};

/// An organization.
#[derive(Serialize, ToSchema)]
pub(crate) struct Organization {
    organization_id: String,
    organization_name: String,
    organization_logo_url: String,
    organization_slug: String,
    sso_jit_provisioning: &'static str,
    #[schema(value_type = Vec<Value>)]
    sso_jit_provisioning_allowed_connections: Nothing,
    #[schema(value_type = Vec<Value>)]
    sso_active_connections: Nothing,
    #[schema(value_type = Vec<Value>)]
    email_allowed_domains: Nothing,
    email_jit_provisioning: &'static str,
    email_invites: &'static str,
    auth_methods: &'static str,
    allowed_auth_methods: [&'static str; 1],
    mfa_policy: MfaPolicy,
    #[schema(value_type = Vec<Value>)]
    rbac_email_implicit_role_assignments: Nothing,
    mfa_methods: &'static str,
    allowed_mfa_methods: [&'static str; 1],
    oauth_tenant_jit_provisioning: &'static str,
    #[schema(value_type = Vec<Value>)]
    claimed_email_domains: Nothing,
    first_party_connected_apps_allowed_type: &'static str,
    #[schema(value_type = Vec<Value>)]
    allowed_first_party_connected_apps: Nothing,
    third_party_connected_apps_allowed_type: &'static str,
    #[schema(value_type = Vec<Value>)]
    allowed_third_party_connected_apps: Nothing,
    #[schema(value_type = Vec<Value>)]
    custom_roles: Nothing,
    created_at: String,
}

impl From<&accounts::Organization> for Organization {
    fn from(organization: &accounts::Organization) -> Self {
        const NONE: &str = "NOT_ALLOWED";
        Self {
            organization_id: organization.id.clone(),
            organization_name: organization.name.clone(),
            organization_logo_url: String::new(),
            organization_slug: organization.slug(),
            sso_jit_provisioning: NONE,
            sso_jit_provisioning_allowed_connections: [],
            sso_active_connections: [],
            email_allowed_domains: [],
            email_jit_provisioning: NONE,
            email_invites: NONE,
            auth_methods: "RESTRICTED",
            allowed_auth_methods: ["password"],
            mfa_policy: organization.mfa_policy,
            rbac_email_implicit_role_assignments: [],
            mfa_methods: "RESTRICTED",
            allowed_mfa_methods: ["totp"],
            oauth_tenant_jit_provisioning: NONE,
            claimed_email_domains: [],
            first_party_connected_apps_allowed_type: NONE,
            allowed_first_party_connected_apps: [],
            third_party_connected_apps_allowed_type: NONE,
            allowed_third_party_connected_apps: [],
            custom_roles: [],
            created_at: time(organization.created_at),
        }
    }
}
