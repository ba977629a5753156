//! Sessions of members and of users.

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::factor::{AuthenticationFactor, factors};
use super::{Nothing, time};
use crate::accounts;

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
