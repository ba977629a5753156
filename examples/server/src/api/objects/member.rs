//! A member, with what there is to tell of their token.

use keyfob::{LockState, RegistrationId, Status};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Nothing, is_locked, time};
use crate::accounts;
use crate::clock::rfc3339;
use crate::second_factor::is_active;

/// A member of an organization.
#[derive(Serialize, ToSchema)]
pub(crate) struct Member {
    organization_id: String,
    member_id: String,
    email_address: String,
    status: &'static str,
    name: String,
    #[schema(value_type = Vec<Value>)]
    sso_registrations: Nothing,
    is_breakglass: bool,
    member_password_id: String,
    #[schema(value_type = Vec<Value>)]
    oauth_registrations: Nothing,
    email_address_verified: bool,
    mfa_phone_number_verified: bool,
    is_admin: bool,
    /// Empty without a token.
    pub(super) totp_registration_id: String,
    #[schema(value_type = Vec<Value>)]
    retired_email_addresses: Nothing,
    /// Whether codes of the token aren't attempted now.
    is_locked: bool,
    /// Whether a token is active: it is always asked for then.
    mfa_enrolled: bool,
    mfa_phone_number: String,
    default_mfa_method: &'static str,
    #[schema(value_type = Vec<Value>)]
    roles: Nothing,
    created_at: String,
    updated_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    lock_expires_at: Option<String>,
}

impl Member {
    pub(crate) fn new(member: &accounts::Member, status: Option<&Status>) -> Self {
        let has_totp = status.is_some_and(is_active);
        let password_id = format!("password-{}", member.id);
        Self {
            organization_id: member.organization_id.clone(),
            member_id: member.id.clone(),
            email_address: member.email_address.clone(),
            status: "active",
            name: member.name.clone(),
            sso_registrations: [],
            is_breakglass: false,
            member_password_id: password_id.repeat(member.has_password().into()),
            oauth_registrations: [],
            email_address_verified: false,
            mfa_phone_number_verified: false,
            is_admin: false,
            totp_registration_id: status
                .map_or_else(String::new, |status| member_totp_id(status.registration_id)),
            retired_email_addresses: [],
            is_locked: status.is_some_and(is_locked),
            mfa_enrolled: has_totp,
            mfa_phone_number: String::new(),
            default_mfa_method: if has_totp { "totp" } else { "" },
            roles: [],
            created_at: time(member.created_at),
            updated_at: time(member.created_at),
            lock_expires_at: status.and_then(lock_expires_at),
        }
    }
}

/// What a member's registration is called.
pub(crate) fn member_totp_id(registration: RegistrationId) -> String {
    format!("member-totp-{registration}")
}

fn lock_expires_at(status: &Status) -> Option<String> {
    match status.codes {
        LockState::Locked { wait, .. } => Some(rfc3339(wait.until)),
        _ => None,
    }
}
