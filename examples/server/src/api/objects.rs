//! Members, organizations and sessions as clients of hosted services know them. What this server
//! hasn't, such as single sign-on, is there and empty.

use keyfob::{LockState, Status, UnixTime};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::accounts::{self, Factor, FactorKind, MfaMethod, MfaPolicy};
use crate::clock::rfc3339;
use crate::second_factor::is_active;

/// A list that is always empty here.
type Nothing = [Value; 0];

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
    totp_registration_id: String,
    #[schema(value_type = Vec<Value>)]
    retired_email_addresses: Nothing,
    /// Whether codes of the token aren't attempted now.
    is_locked: bool,
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
            totp_registration_id: status.map_or_else(String::new, member_totp_id),
            retired_email_addresses: [],
            is_locked: status.is_some_and(|status| !matches!(status.codes, LockState::Open { .. })),
            mfa_enrolled: member.mfa_enrolled,
            mfa_phone_number: String::new(),
            default_mfa_method: member
                .default_mfa_method
                .map_or("", |MfaMethod::Totp| "totp"),
            roles: [],
            created_at: time(member.created_at),
            updated_at: time(member.updated_at),
            lock_expires_at: status.and_then(lock_expires_at),
        }
    }
}

/// What a member's registration is called.
pub(crate) fn member_totp_id(status: &Status) -> String {
    format!("member-totp-{}", status.registration_id)
}

fn lock_expires_at(status: &Status) -> Option<String> {
    match status.codes {
        LockState::Locked { until } => Some(rfc3339(until)),
        _ => None,
    }
}

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

/// Something that a person proved.
#[derive(Clone, Serialize, ToSchema)]
pub(crate) struct AuthenticationFactor {
    r#type: &'static str,
    delivery_method: &'static str,
    last_authenticated_at: String,
    created_at: String,
    updated_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    authenticator_app_factor: Option<AuthenticatorAppFactor>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recovery_code_factor: Option<RecoveryCodeFactor>,
}

#[derive(Clone, Serialize, ToSchema)]
struct AuthenticatorAppFactor {
    totp_id: String,
}

#[derive(Clone, Serialize, ToSchema)]
struct RecoveryCodeFactor {
    totp_recovery_code_id: String,
}

impl From<&Factor> for AuthenticationFactor {
    fn from(factor: &Factor) -> Self {
        let (r#type, delivery_method) = match factor.kind {
            FactorKind::Password => ("password", "knowledge"),
            FactorKind::Totp => ("totp", "authenticator_app"),
            FactorKind::RecoveryCode => ("recovery_codes", "recovery_code"),
        };
        let name = |kind| factor.name.clone().filter(|_| factor.kind == kind);
        let app = |totp_id| AuthenticatorAppFactor { totp_id };
        let code = |totp_recovery_code_id| RecoveryCodeFactor {
            totp_recovery_code_id,
        };
        Self {
            r#type,
            delivery_method,
            last_authenticated_at: time(factor.at),
            created_at: time(factor.at),
            updated_at: time(factor.at),
            authenticator_app_factor: name(FactorKind::Totp).map(app),
            recovery_code_factor: name(FactorKind::RecoveryCode).map(code),
        }
    }
}

fn factors(session: &accounts::Session) -> Vec<AuthenticationFactor> {
    session.factors.iter().map(Into::into).collect()
}

/// A member's session.
#[derive(Serialize, ToSchema)]
pub(crate) struct MemberSession {
    member_session_id: String,
    member_id: String,
    started_at: String,
    last_accessed_at: String,
    expires_at: String,
    authentication_factors: Vec<AuthenticationFactor>,
    organization_id: String,
    #[schema(value_type = Vec<Value>)]
    roles: Nothing,
    organization_slug: String,
    custom_claims: Map<String, Value>,
}

impl MemberSession {
    pub(crate) fn new(
        session: &accounts::Session,
        member: &accounts::Member,
        organization: &accounts::Organization,
    ) -> Self {
        Self {
            member_session_id: session.id.clone(),
            member_id: member.id.clone(),
            started_at: time(session.started_at),
            last_accessed_at: time(session.last_accessed_at),
            expires_at: time(session.expires_at),
            authentication_factors: factors(session),
            organization_id: organization.id.clone(),
            roles: [],
            organization_slug: organization.slug(),
            custom_claims: session.custom_claims.clone(),
        }
    }
}

/// A user's session.
#[derive(Serialize, ToSchema)]
pub(crate) struct UserSession {
    session_id: String,
    user_id: String,
    started_at: String,
    last_accessed_at: String,
    expires_at: String,
    authentication_factors: Vec<AuthenticationFactor>,
    #[schema(value_type = Vec<Value>)]
    roles: Nothing,
    custom_claims: Map<String, Value>,
}

impl From<&accounts::Session> for UserSession {
    fn from(session: &accounts::Session) -> Self {
        Self {
            session_id: session.id.clone(),
            user_id: session.subject.name().to_owned(),
            started_at: time(session.started_at),
            last_accessed_at: time(session.last_accessed_at),
            expires_at: time(session.expires_at),
            authentication_factors: factors(session),
            roles: [],
            custom_claims: session.custom_claims.clone(),
        }
    }
}

/// A user, of whom this server knows the id and the token only.
#[derive(Serialize, ToSchema)]
pub(crate) struct User {
    user_id: String,
    #[schema(value_type = Vec<Value>)]
    emails: Nothing,
    status: &'static str,
    #[schema(value_type = Vec<Value>)]
    phone_numbers: Nothing,
    #[schema(value_type = Vec<Value>)]
    webauthn_registrations: Nothing,
    #[schema(value_type = Vec<Value>)]
    providers: Nothing,
    totps: Vec<UserTotp>,
    #[schema(value_type = Vec<Value>)]
    crypto_wallets: Nothing,
    #[schema(value_type = Vec<Value>)]
    biometric_registrations: Nothing,
    is_locked: bool,
    #[schema(value_type = Vec<Value>)]
    roles: Nothing,
}

#[derive(Serialize, ToSchema)]
struct UserTotp {
    totp_id: String,
    verified: bool,
}

impl User {
    pub(crate) fn new(user_id: &str, status: Option<&Status>) -> Self {
        let totp = |status: &Status| UserTotp {
            totp_id: user_totp_id(status),
            verified: is_active(status),
        };
        Self {
            user_id: user_id.to_owned(),
            emails: [],
            status: "active",
            phone_numbers: [],
            webauthn_registrations: [],
            providers: [],
            totps: status.map(totp).into_iter().collect(),
            crypto_wallets: [],
            biometric_registrations: [],
            is_locked: status.is_some_and(|status| !matches!(status.codes, LockState::Open { .. })),
            roles: [],
        }
    }
}

/// What a user's registration is called.
pub(crate) fn user_totp_id(status: &Status) -> String {
    format!("totp-{}", status.registration_id)
}

/// What a session's token says.
#[derive(Clone, Serialize)]
pub(crate) struct SessionClaims {
    #[serde(rename = "https://stytch.com/session")]
    session: SessionClaim,
    #[serde(
        rename = "https://stytch.com/organization",
        skip_serializing_if = "Option::is_none"
    )]
    organization: Option<OrganizationClaim>,
    #[serde(flatten)]
    custom: Map<String, Value>,
}

#[derive(Clone, Serialize)]
struct SessionClaim {
    id: String,
    started_at: String,
    last_accessed_at: String,
    expires_at: String,
    attributes: Attributes,
    authentication_factors: Vec<AuthenticationFactor>,
    roles: Nothing,
}

/// Where the person comes from, which isn't kept here.
#[derive(Clone, Serialize)]
struct Attributes {
    ip_address: &'static str,
    user_agent: &'static str,
}

#[derive(Clone, Serialize)]
struct OrganizationClaim {
    organization_id: String,
    slug: String,
}

impl SessionClaims {
    pub(crate) fn new(
        session: &accounts::Session,
        organization: Option<&accounts::Organization>,
    ) -> Self {
        let attributes = Attributes {
            ip_address: "",
            user_agent: "",
        };
        Self {
            session: SessionClaim {
                id: session.id.clone(),
                started_at: time(session.started_at),
                last_accessed_at: time(session.last_accessed_at),
                expires_at: time(session.expires_at),
                attributes,
                authentication_factors: factors(session),
                roles: [],
            },
            organization: organization.map(|organization| OrganizationClaim {
                organization_id: organization.id.clone(),
                slug: organization.slug(),
            }),
            custom: session.custom_claims.clone(),
        }
    }
}

/// The part of a session's token by which the session is found again.
#[derive(Clone, serde::Deserialize)]
pub(crate) struct SessionReference {
    #[serde(rename = "https://stytch.com/session")]
    pub(crate) session: SessionName,
}

#[derive(Clone, serde::Deserialize)]
pub(crate) struct SessionName {
    pub(crate) id: String,
}

fn time(seconds: u64) -> String {
    rfc3339(UnixTime::from_seconds(seconds))
}
