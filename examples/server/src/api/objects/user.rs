//! A user without an organization.

use keyfob::{RegistrationId, Status};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Nothing, is_locked};
use crate::second_factor::is_active;

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
            totp_id: user_totp_id(status.registration_id),
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
            is_locked: status.is_some_and(is_locked),
            roles: [],
        }
    }
}

/// What a user's registration is called.
pub(crate) fn user_totp_id(registration: RegistrationId) -> String {
    format!("totp-{registration}")
}
