//! What a person proved, as sessions and their tokens tell it.

use serde::Serialize;
use utoipa::ToSchema;

use super::time;
use crate::accounts::{self, Factor, FactorKind};

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

/// All that a session rests on.
pub(super) fn factors(session: &accounts::Session) -> Vec<AuthenticationFactor> {
    session.factors.iter().map(Into::into).collect()
}
