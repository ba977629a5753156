//! Members of an organization.

use keyfob::UnixTime;
use serde::{Deserialize, Serialize};

use super::password_attempts::Locked;
use super::{Accounts, Organization};
use crate::database::Document;
use crate::error::Unavailable;
use crate::random;

/// A person in an organization.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Member {
    pub(crate) id: String,
    pub(crate) organization_id: String,
    pub(crate) email_address: String,
    pub(crate) name: String,
    password_hash: Option<String>,
    pub(crate) created_at: u64,
}

/// Who is to be a member.
pub(crate) struct AddMember<'a> {
    pub(crate) email_address: &'a str,
    pub(crate) name: &'a str,
    pub(crate) password: Option<&'a str>,
}

/// Whether it is written as an e-mail address is. A colon would end the issuer in a key URI.
pub(crate) fn is_email_address(text: &str) -> bool {
    let has_parts = text
        .split_once('@')
        .is_some_and(|(name, domain)| !name.is_empty() && !domain.is_empty());
    let is_odd = |letter: char| letter.is_control() || letter.is_whitespace() || letter == ':';
    has_parts && text.chars().count() <= 254 && !text.contains(is_odd)
}

/// Whether it can be a name, of a member or an organization: 1 to 128 characters.
pub(crate) fn is_name(text: &str) -> bool {
    (1..=128).contains(&text.chars().count()) && !text.contains(char::is_control)
}

/// Whether it can be a password: 8 to 128 characters.
pub(crate) fn is_password(text: &str) -> bool {
    (8..=128).contains(&text.chars().count())
}

/// Somebody in the organization has this e-mail address already.
#[derive(Debug)]
pub(crate) struct EmailTaken;

/// Whose password was right.
pub(crate) struct PasswordAccepted {
    pub(crate) member: Member,
    /// The token by which this device is known the next time.
    pub(crate) device: String,
}

/// Why a password doesn't let a person in.
#[derive(Clone, Copy)]
pub(crate) enum PasswordRefusal {
    /// It, or the e-mail address, is wrong; which of them isn't said.
    Wrong,
    /// Too many were wrong in a row: the next attempt can be made then.
    Locked { until: UnixTime },
}

impl Document for Member {
    const KIND: &'static str = "member";
}

impl Member {
    pub(crate) const fn has_password(&self) -> bool {
        self.password_hash.is_some()
    }
}

/// Who has an e-mail address in an organization.
#[derive(Serialize, Deserialize)]
struct MemberByEmail {
    member_id: String,
}

impl Document for MemberByEmail {
    const KIND: &'static str = "member_by_email";
}

/// The name that [`MemberByEmail`] and attempts with a password are kept under; addresses are
/// compared without case.
fn email_key(organization_id: &str, email_address: &str) -> String {
    format!("{organization_id}/{}", email_address.to_lowercase())
}

/// The name that a [`Member`] is kept under.
fn member_key(organization_id: &str, member_id: &str) -> String {
    format!("{organization_id}/{member_id}")
}

impl Accounts {
    pub(crate) async fn member(
        &self,
        organization_id: &str,
        member_id: &str,
    ) -> Result<Option<Member>, Unavailable> {
        self.documents
            .read(&member_key(organization_id, member_id))
            .await
    }

    /// Adds a member. The address is taken last: a stop in between leaves a member whom nobody knows,
    /// and never an address that nobody can have.
    pub(crate) async fn add_member(
        &self,
        organization: &Organization,
        new: AddMember<'_>,
        now: UnixTime,
    ) -> Result<Result<Member, EmailTaken>, Unavailable> {
        let password_hash = match new.password {
            Some(password) => Some(self.passwords.hash(password).await?),
            None => None,
        };
        let member = Member {
            id: random::name("member")?,
            organization_id: organization.id.clone(),
            email_address: new.email_address.to_owned(),
            name: new.name.to_owned(),
            password_hash,
            created_at: now.as_seconds(),
        };
        let by_email = MemberByEmail {
            member_id: member.id.clone(),
        };
        let key = member_key(&organization.id, &member.id);
        self.documents.insert(&key, &member).await?;
        let email_key = email_key(&organization.id, new.email_address);
        if self.documents.insert(&email_key, &by_email).await? {
            return Ok(Ok(member));
        }
        self.documents.take::<Member>(&key).await?;
        Ok(Err(EmailTaken))
    }

    /// The member with this address and password, if the password is right. `device` is the token that
    /// the person's device was given when it was right before.
    pub(crate) async fn member_by_password(
        &self,
        organization_id: &str,
        email_address: &str,
        password: &str,
        device: Option<&str>,
        now: UnixTime,
    ) -> Result<Result<PasswordAccepted, PasswordRefusal>, Unavailable> {
        if !is_email_address(email_address) {
            return Ok(Err(PasswordRefusal::Wrong));
        }
        let key = email_key(organization_id, email_address);
        let known = match device {
            Some(token) => self.known_device(token, &key, now).await?,
            None => None,
        };
        let attempts = known.as_ref().unwrap_or(&key);
        if let Err(Locked { until }) = self.count_password_attempt(attempts, now).await? {
            return Ok(Err(PasswordRefusal::Locked { until }));
        }
        let member = self.member_by_email(organization_id, &key).await?;
        let hash = member
            .as_ref()
            .and_then(|member| member.password_hash.as_deref());
        let is_right = self.passwords.verify(password, hash).await?;
        let Some(member) = member.filter(|_| is_right) else {
            return Ok(Err(PasswordRefusal::Wrong));
        };
        self.forget_password_attempts(attempts).await?;
        let device = match device.filter(|_| known.is_some()) {
            Some(token) => {
                self.know_longer(token, now).await?;
                token.to_owned()
            }
            None => self.know_device(&key, now).await?,
        };
        Ok(Ok(PasswordAccepted { member, device }))
    }

    /// Knows the device of a member who has just chosen the password there.
    pub(crate) async fn device_of(
        &self,
        member: &Member,
        now: UnixTime,
    ) -> Result<String, Unavailable> {
        let key = email_key(&member.organization_id, &member.email_address);
        self.know_device(&key, now).await
    }

    async fn member_by_email(
        &self,
        organization_id: &str,
        email_key: &str,
    ) -> Result<Option<Member>, Unavailable> {
        match self.documents.read::<MemberByEmail>(email_key).await? {
            Some(by_email) => self.member(organization_id, &by_email.member_id).await,
            None => Ok(None),
        }
    }
}
