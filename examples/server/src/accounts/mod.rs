//! Who the people are: organizations, members, their first factor and their sessions. keyfob knows
//! none of these; every auth server has its own.

mod changes;
mod known_device;
mod member;
mod organization;
mod password;
mod password_attempts;
mod session;
mod session_jwt;

pub(crate) use member::{
    AddMember, Member, PasswordAccepted, PasswordRefusal, is_email_address, is_name, is_password,
};
pub(crate) use organization::{MfaPolicy, Organization};
pub(crate) use session::{
    Factor, FactorKind, Factors, IntermediateSession, Lifetime, Session, Subject,
};

use password::Passwords;
use session_jwt::SigningKey;

use crate::database::Documents;
use crate::error::Unavailable;
use crate::hashing::Turns;
use crate::keys::Keys;

/// All accounts.
pub(crate) struct Accounts {
    documents: Documents,
    passwords: Passwords,
    signing_key: SigningKey,
}

impl Accounts {
    pub(crate) async fn open(
        documents: Documents,
        keys: &Keys,
        turns: Turns,
    ) -> Result<Self, Unavailable> {
        Ok(Self {
            signing_key: SigningKey::open(&documents, keys).await?,
            passwords: Passwords::new(turns)?,
            documents,
        })
    }

    /// The documents, to be swept and asked for their health.
    pub(crate) const fn documents(&self) -> &Documents {
        &self.documents
    }
}
