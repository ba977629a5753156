//! Sessions: what a person proved, and until when it counts.

use data_encoding::HEXLOWER;
use keyfob::{Proof, UnixTime};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::Accounts;
use crate::database::Document;
use crate::error::Unavailable;
use crate::random;

/// How long a first factor waits for the second, in seconds.
const INTERMEDIATE_SECONDS: u64 = 600;

/// Whose session, and whose registration. A registration's id in keyfob's store is made of it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Subject {
    /// A member of an organization.
    Member {
        organization_id: String,
        member_id: String,
    },
    /// A user of a service without organizations.
    User { user_id: String },
}

impl Subject {
    pub(crate) fn member(organization_id: &str, member_id: &str) -> Self {
        Self::Member {
            organization_id: organization_id.to_owned(),
            member_id: member_id.to_owned(),
        }
    }

    pub(crate) fn user(user_id: &str) -> Self {
        let user_id = user_id.to_owned();
        Self::User { user_id }
    }

    /// What the person is called in tokens.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Member { member_id, .. } => member_id,
            Self::User { user_id } => user_id,
        }
    }

    /// The id of this person's registration.
    pub(crate) fn registration_id(&self) -> String {
        match self {
            Self::Member {
                organization_id,
                member_id,
            } => format!("member/{organization_id}/{member_id}"),
            Self::User { user_id } => format!("user/{user_id}"),
        }
    }
}

/// A session. It is kept under its id, which is a digest of its token: the token itself is with the
/// person alone.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) subject: Subject,
    pub(crate) started_at: u64,
    pub(crate) last_accessed_at: u64,
    pub(crate) expires_at: u64,
    pub(crate) factors: Vec<Factor>,
    pub(crate) custom_claims: Map<String, Value>,
    /// The session ends when this has changed.
    #[serde(default)]
    pub(crate) began_with: Factors,
    /// The last log-in with the second factor, as keyfob's engine made it.
    proof: Option<String>,
}

/// What second factor a person has, for as long as a session is good.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Factors {
    /// How many changes there were. A replaced factor has the same registration, and a removed one none.
    pub(crate) changes: u64,
    /// The name of the active registration.
    pub(crate) registration: Option<String>,
}

impl Factors {
    /// Whether a first factor alone is not enough.
    pub(crate) const fn has_second(&self) -> bool {
        self.registration.is_some()
    }

    /// Whether nothing happened from these to those, but that a second factor was set up.
    pub(crate) fn precedes(&self, later: &Self) -> bool {
        self.changes == later.changes && !self.has_second() && later.has_second()
    }
}

/// What a person proved.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Factor {
    pub(crate) kind: FactorKind,
    /// Which of this kind: the registration's name.
    pub(crate) name: Option<String>,
    pub(crate) at: u64,
}

/// By what means.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FactorKind {
    Password,
    Totp,
    RecoveryCode,
}

impl Factor {
    pub(crate) fn new(kind: FactorKind, name: Option<String>, now: UnixTime) -> Self {
        let at = now.as_seconds();
        Self { kind, name, at }
    }
}

/// How long a session lasts from now: 5 to 527,040 minutes.
#[derive(Clone, Copy)]
pub(crate) struct Lifetime(u64);

impl Lifetime {
    pub(crate) const ONE_HOUR: Self = Self(3_600);

    pub(crate) fn from_minutes(minutes: u64) -> Option<Self> {
        (5..=527_040).contains(&minutes).then(|| Self(minutes * 60))
    }

    fn from(self, now: UnixTime) -> u64 {
        now.as_seconds().saturating_add(self.0)
    }
}

impl Document for Session {
    const KIND: &'static str = "session";

    fn expires_at(&self) -> Option<UnixTime> {
        Some(UnixTime::from_seconds(self.expires_at))
    }
}

impl Session {
    pub(crate) fn new(
        token: &str,
        subject: Subject,
        began_with: Factors,
        lifetime: Lifetime,
        now: UnixTime,
    ) -> Self {
        Self {
            id: Self::id_of(token),
            subject,
            started_at: now.as_seconds(),
            last_accessed_at: now.as_seconds(),
            expires_at: lifetime.from(now),
            factors: Vec::new(),
            custom_claims: Map::new(),
            began_with,
            proof: None,
        }
    }

    /// The id of the session that has this token.
    pub(crate) fn id_of(token: &str) -> String {
        format!("session-{}", digest(token))
    }

    pub(crate) fn is_live(&self, now: UnixTime) -> bool {
        now.as_seconds() < self.expires_at
    }

    /// Extends it, from now on. It is never shortened.
    pub(crate) fn extend(&mut self, lifetime: Lifetime, now: UnixTime) {
        self.expires_at = self.expires_at.max(lifetime.from(now));
        self.last_accessed_at = now.as_seconds();
    }

    /// Notes what the person proved; of each kind the last one counts.
    pub(crate) fn add(&mut self, factor: Factor) {
        self.factors.retain(|other| other.kind != factor.kind);
        self.factors.push(factor);
    }

    /// Whether the last second factor was a recovery code: the authenticator may be lost.
    pub(crate) fn is_recovered(&self) -> bool {
        let kinds = self.factors.iter().rev().map(|factor| factor.kind);
        let mut seconds = kinds.filter(|kind| *kind != FactorKind::Password);
        seconds.next() == Some(FactorKind::RecoveryCode)
    }

    pub(crate) fn keep_proof(&mut self, proof: &Proof) {
        self.proof = Some(HEXLOWER.encode(&proof.to_bytes()));
    }

    /// The proof of the last log-in, which keyfob's engine judges.
    pub(crate) fn proof(&self) -> Option<Proof> {
        let bytes = HEXLOWER.decode(self.proof.as_ref()?.as_bytes()).ok()?;
        Proof::from_trusted_bytes(&bytes)
    }

    /// Sets claims of the embedder's; `null` deletes one, and those that a token needs stay as they are.
    pub(crate) fn set_claims(&mut self, claims: &Map<String, Value>) {
        for (name, value) in claims {
            match value {
                _ if is_reserved(name) => {}
                Value::Null => {
                    self.custom_claims.remove(name);
                }
                value => {
                    self.custom_claims.insert(name.clone(), value.clone());
                }
            }
        }
    }
}

/// Claims that a token has by itself.
const RESERVED_CLAIMS: [&str; 7] = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti"];
/// With this begin the names of what a token says of the session and its organization.
const RESERVED_PREFIX: &str = "https://stytch.com/";

fn is_reserved(claim: &str) -> bool {
    RESERVED_CLAIMS.contains(&claim) || claim.starts_with(RESERVED_PREFIX)
}

/// A first factor that waits for the second.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct IntermediateSession {
    pub(crate) subject: Subject,
    pub(crate) factors: Vec<Factor>,
    pub(crate) expires_at: u64,
}

impl Document for IntermediateSession {
    const KIND: &'static str = "intermediate_session";

    fn expires_at(&self) -> Option<UnixTime> {
        Some(UnixTime::from_seconds(self.expires_at))
    }
}

impl IntermediateSession {
    pub(crate) fn new(subject: Subject, factor: Factor, now: UnixTime) -> Self {
        Self {
            subject,
            factors: vec![factor],
            expires_at: now.as_seconds().saturating_add(INTERMEDIATE_SECONDS),
        }
    }

    /// The name that the one with this token is kept under.
    pub(crate) fn name_of(token: &str) -> String {
        digest(token)
    }

    pub(crate) fn is_live(&self, now: UnixTime) -> bool {
        now.as_seconds() < self.expires_at
    }
}

/// Half of SHA-256: enough for tokens of 256 random bits, from which nobody finds another one.
pub(super) fn digest(token: &str) -> String {
    let digest = Sha256::digest(token);
    let (half, _) = digest.split_at(16);
    HEXLOWER.encode(half)
}

impl Accounts {
    /// Keeps a new session; its token goes to the person.
    pub(crate) async fn start_session(
        &self,
        subject: Subject,
        began_with: Factors,
        lifetime: Lifetime,
        now: UnixTime,
        begin: impl FnOnce(&mut Session),
    ) -> Result<(String, Session), Unavailable> {
        let token = random::token()?;
        let mut session = Session::new(&token, subject, began_with, lifetime, now);
        begin(&mut session);
        self.documents.insert(&session.id, &session).await?;
        Ok((token, session))
    }

    /// The session of this id, if it hasn't expired. Whether it is still good, `standing` knows.
    pub(crate) async fn session(
        &self,
        id: &str,
        now: UnixTime,
    ) -> Result<Option<Session>, Unavailable> {
        let session: Option<Session> = self.documents.read(id).await?;
        Ok(session.filter(|session| session.is_live(now)))
    }

    /// Changes a session, and tells what it is then; `None` if it ended.
    pub(crate) async fn update_session(
        &self,
        id: &str,
        change: impl Fn(&mut Session),
    ) -> Result<Option<Session>, Unavailable> {
        self.documents.update(id, change).await
    }

    /// Ends a session.
    pub(crate) async fn end_session(&self, id: &str) -> Result<(), Unavailable> {
        self.documents.take::<Session>(id).await.map(|_| ())
    }

    /// Keeps what the person proved until the second factor comes; the token goes to the person.
    pub(crate) async fn start_intermediate(
        &self,
        subject: Subject,
        factor: Factor,
        now: UnixTime,
    ) -> Result<(String, IntermediateSession), Unavailable> {
        let token = random::token()?;
        let intermediate = IntermediateSession::new(subject, factor, now);
        let name = IntermediateSession::name_of(&token);
        self.documents.insert(&name, &intermediate).await?;
        Ok((token, intermediate))
    }

    /// The intermediate session that has this token, if it lives.
    pub(crate) async fn intermediate(
        &self,
        token: &str,
        now: UnixTime,
    ) -> Result<Option<IntermediateSession>, Unavailable> {
        let name = IntermediateSession::name_of(token);
        let intermediate: Option<IntermediateSession> = self.documents.read(&name).await?;
        Ok(intermediate.filter(|intermediate| intermediate.is_live(now)))
    }

    /// Uses an intermediate session up; `None` if somebody else has.
    pub(crate) async fn take_intermediate(
        &self,
        token: &str,
        now: UnixTime,
    ) -> Result<Option<IntermediateSession>, Unavailable> {
        let name = IntermediateSession::name_of(token);
        let intermediate: Option<IntermediateSession> = self.documents.take(&name).await?;
        Ok(intermediate.filter(|intermediate| intermediate.is_live(now)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: UnixTime = UnixTime::from_seconds(1_800_000_000);

    fn session() -> Session {
        let subject = Subject::member("o", "m");
        Session::new(
            "token",
            subject,
            Factors::default(),
            Lifetime::ONE_HOUR,
            NOW,
        )
    }

    #[test]
    fn a_session_ends() {
        let session = session();
        assert!(session.is_live(NOW.saturating_add(3_599)));
        assert!(!session.is_live(NOW.saturating_add(3_600)));
        assert!(!session.id.contains("token"));
    }

    #[test]
    fn a_session_is_extended_and_never_shortened() {
        let mut session = session();
        session.extend(Lifetime::from_minutes(5).unwrap(), NOW);
        assert!(session.is_live(NOW.saturating_add(3_599)));
        session.extend(Lifetime::ONE_HOUR, NOW.saturating_add(60));
        assert!(session.is_live(NOW.saturating_add(3_659)));
    }

    #[test]
    fn a_session_without_a_second_factor_precedes_the_first_one_only() {
        let of = |changes, registration: Option<&str>| Factors {
            changes,
            registration: registration.map(str::to_owned),
        };
        assert!(of(1, None).precedes(&of(1, Some("a"))));
        for (before, after) in [
            (of(0, None), of(1, Some("a"))),
            (of(0, Some("a")), of(0, Some("b"))),
            (of(0, Some("a")), of(1, None)),
            (of(0, None), of(1, None)),
        ] {
            assert!(!before.precedes(&after), "{before:?} {after:?}");
        }
    }

    #[test]
    fn a_first_factor_waits_ten_minutes() {
        let factor = Factor::new(FactorKind::Password, None, NOW);
        let waiting = IntermediateSession::new(Subject::member("o", "m"), factor, NOW);
        assert!(waiting.is_live(NOW.saturating_add(599)));
        assert!(!waiting.is_live(NOW.saturating_add(600)));
    }

    #[test]
    fn lifetimes_have_bounds() {
        assert!(Lifetime::from_minutes(4).is_none());
        assert!(Lifetime::from_minutes(5).is_some());
        assert!(Lifetime::from_minutes(527_040).is_some());
        assert!(Lifetime::from_minutes(527_041).is_none());
        assert!(Lifetime::from_minutes(u64::MAX).is_none());
    }

    #[test]
    fn claims_are_set_and_deleted_but_for_the_reserved() {
        let mut session = session();
        let claims = json!({
            "role": "admin", "sub": "another", "team": 3, "https://stytch.com/session": { "id": "x" },
        });
        session.set_claims(claims.as_object().unwrap());
        session.set_claims(json!({ "team": null }).as_object().unwrap());
        assert_eq!(
            Value::Object(session.custom_claims),
            json!({ "role": "admin" })
        );
    }

    #[test]
    fn of_each_kind_the_last_factor_counts() {
        let mut session = session();
        session.add(Factor::new(FactorKind::Password, None, NOW));
        session.add(Factor::new(FactorKind::Totp, None, NOW));
        session.add(Factor::new(FactorKind::Totp, None, NOW.saturating_add(30)));
        assert_eq!(session.factors.len(), 2);
        assert!(!session.is_recovered());
        session.add(Factor::new(FactorKind::RecoveryCode, None, NOW));
        assert!(session.is_recovered());
        assert_eq!(session.factors[1].at, 1_800_000_030);
    }
}
