//! What a session's signed token says.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::factor::{AuthenticationFactor, factors};
use super::{Nothing, time};
use crate::accounts;

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
#[derive(Clone, Deserialize)]
pub(crate) struct SessionReference {
    #[serde(rename = "https://stytch.com/session")]
    pub(crate) session: SessionName,
}

#[derive(Clone, Deserialize)]
pub(crate) struct SessionName {
    pub(crate) id: String,
}
