//! From a second factor to a session.

use keyfob::{Proof, UnixTime};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::error::{ApiError, ErrorType};
use super::exchange::{filled, whole};
use super::objects::{SessionClaims, SessionReference};
use crate::accounts::{Factor, Factors, Lifetime, Organization, Session, Subject};
use crate::app::App;
use crate::standing::Standing;

/// Most bytes of a session's own claims, as JSON.
const MOST_CLAIMS_BYTES: usize = 4_096;

/// What a request says of sessions.
#[derive(Deserialize, ToSchema)]
pub(super) struct SessionArguments {
    #[serde(flatten)]
    tokens: SessionTokens,
    /// How long the session lasts from now.
    #[schema(minimum = 5, maximum = 527_040, default = 60)]
    #[serde(default, deserialize_with = "whole")]
    session_duration_minutes: Option<i64>,
    /// Claims for the session, at most 4 KB of JSON; `null` deletes one.
    session_custom_claims: Option<Map<String, Value>>,
}

/// What the person proved before: at most one of them.
#[derive(Deserialize, ToSchema)]
pub(super) struct SessionTokens {
    /// Of a first factor that waits for the second; it is used up.
    #[serde(default, deserialize_with = "filled")]
    intermediate_session_token: Option<String>,
    /// Of a session, which is extended.
    #[serde(default, deserialize_with = "filled")]
    session_token: Option<String>,
    /// The same session by its signed token.
    #[serde(default, deserialize_with = "filled")]
    session_jwt: Option<String>,
}

/// What the person proved before.
pub(super) enum Prior {
    Nothing,
    Intermediate { token: String },
    Session { token: String, session: Session },
}

/// How a session is to be.
pub(super) struct Terms {
    lifetime: Lifetime,
    claims: Map<String, Value>,
}

/// What becomes of a second factor that is accepted: checked before a code is used up for it.
pub(super) struct SessionPlan {
    subject: Subject,
    prior: Prior,
    terms: Terms,
    now: UnixTime,
}

/// What a person has just proved.
pub(super) struct Proved {
    pub(super) factor: Factor,
    pub(super) proof: Proof,
    /// What the session rests on from now on.
    pub(super) factors: Factors,
}

/// A person who is in.
pub(super) struct SignedIn {
    pub(super) session_token: String,
    pub(super) session_jwt: String,
    pub(super) session: Session,
}

impl SessionTokens {
    /// The one session that is named, if it lives and is this person's.
    pub(super) async fn prior(
        &self,
        app: &App,
        subject: &Subject,
        now: UnixTime,
    ) -> Result<Prior, ApiError> {
        match (
            &self.intermediate_session_token,
            &self.session_token,
            &self.session_jwt,
        ) {
            (None, None, None) => Ok(Prior::Nothing),
            (Some(token), None, None) => intermediate(app, token, subject, now).await,
            (None, Some(token), None) => {
                session(app, &Session::id_of(token), token, subject, now).await
            }
            (None, None, Some(jwt)) => {
                let reference: Option<SessionReference> = app.accounts.verify_jwt(jwt);
                let reference = reference.ok_or_else(no_session)?;
                session(app, &reference.session.id, "", subject, now).await
            }
            _ => {
                let message = "give one of intermediate_session_token, session_token, session_jwt";
                Err(ApiError::new(ErrorType::TooManySessionArguments, message))
            }
        }
    }
}

async fn intermediate(
    app: &App,
    token: &str,
    subject: &Subject,
    now: UnixTime,
) -> Result<Prior, ApiError> {
    let intermediate = app.accounts.intermediate(token, now).await?;
    intermediate
        .filter(|intermediate| intermediate.subject == *subject)
        .map(|_| Prior::Intermediate {
            token: token.to_owned(),
        })
        .ok_or_else(no_intermediate)
}

async fn session(
    app: &App,
    id: &str,
    token: &str,
    subject: &Subject,
    now: UnixTime,
) -> Result<Prior, ApiError> {
    let token = token.to_owned();
    match app.standing(id, now).await? {
        Standing::Good(session) if session.subject == *subject => {
            Ok(Prior::Session { token, session })
        }
        _ => Err(no_session()),
    }
}

fn no_intermediate() -> ApiError {
    let message = "there is no such intermediate session of this person: log in again";
    ApiError::new(ErrorType::IntermediateSessionNotFound, message)
}

fn no_session() -> ApiError {
    let message = "there is no such session of this person, or it ended: log in again";
    ApiError::new(ErrorType::SessionNotFound, message)
}

impl SessionArguments {
    /// Finds the session before, and checks how the one after is to be.
    pub(super) async fn plan(
        &self,
        app: &App,
        subject: &Subject,
        now: UnixTime,
    ) -> Result<SessionPlan, ApiError> {
        let prior = self.tokens.prior(app, subject, now).await?;
        let terms = self.terms()?;
        if let Prior::Session { session, .. } = &prior {
            let mut session = session.clone();
            session.set_claims(&terms.claims);
            require_small(&session.custom_claims)?;
        }
        Ok(SessionPlan {
            subject: subject.clone(),
            prior,
            terms,
            now,
        })
    }

    /// Checks how a session is to be.
    pub(super) fn terms(&self) -> Result<Terms, ApiError> {
        let claims = self.session_custom_claims.clone().unwrap_or_default();
        require_small(&claims)?;
        Ok(Terms {
            lifetime: lifetime(self.session_duration_minutes)?,
            claims,
        })
    }
}

fn lifetime(minutes: Option<i64>) -> Result<Lifetime, ApiError> {
    let Some(minutes) = minutes else {
        return Ok(Lifetime::ONE_HOUR);
    };
    let lifetime = u64::try_from(minutes).ok().and_then(Lifetime::from_minutes);
    lifetime.ok_or_else(|| {
        let message = "session_duration_minutes must be from 5 to 527040";
        ApiError::new(ErrorType::InvalidSessionDurationMinutes, message)
    })
}

fn require_small(claims: &Map<String, Value>) -> Result<(), ApiError> {
    let bytes = serde_json::to_vec(claims).map_or(usize::MAX, |json| json.len());
    if bytes <= MOST_CLAIMS_BYTES {
        return Ok(());
    }
    let message = "a session has room for 4 KB of session_custom_claims: keep fewer";
    Err(ApiError::new(ErrorType::CustomClaimsTooLarge, message))
}

impl Prior {
    /// The session's last log-in with the second factor, for the engine to judge.
    pub(super) fn proof(&self) -> Option<Proof> {
        match self {
            Self::Session { session, .. } => session.proof(),
            _ => None,
        }
    }
}

impl SessionPlan {
    /// Lets a person in whose second factor was accepted: a new session, or more of the one before.
    pub(super) async fn sign_in(
        self,
        app: &App,
        proved: Proved,
        organization: Option<&Organization>,
    ) -> Result<SignedIn, ApiError> {
        let Self { terms, now, .. } = &self;
        let note = |session: &mut Session| {
            session.add(proved.factor.clone());
            session.keep_proof(&proved.proof);
            session.began_with = proved.factors.clone();
            session.set_claims(&terms.claims);
        };
        let start = |factors_before: Vec<Factor>| {
            let begin = move |session: &mut Session| {
                session.factors = factors_before;
                note(session);
            };
            let subject = self.subject.clone();
            let began_with = proved.factors.clone();
            app.accounts
                .start_session(subject, began_with, terms.lifetime, *now, begin)
        };
        let (token, session) = match &self.prior {
            Prior::Nothing => start(Vec::new()).await?,
            Prior::Intermediate { token } => {
                let taken = app.accounts.take_intermediate(token, *now).await?;
                start(taken.ok_or_else(no_intermediate)?.factors).await?
            }
            Prior::Session { token, session } => {
                let extend = |session: &mut Session| {
                    session.extend(terms.lifetime, *now);
                    note(session);
                };
                let session = app.accounts.update_session(&session.id, extend).await?;
                (token.clone(), session.ok_or_else(no_session)?)
            }
        };
        SignedIn::new(app, token, session, organization, *now)
    }
}

impl SignedIn {
    /// A new session after the first factor, where that is enough.
    pub(super) async fn by_first_factor(
        app: &App,
        (subject, began_with): (Subject, Factors),
        terms: &Terms,
        factor: Factor,
        organization: &Organization,
        now: UnixTime,
    ) -> Result<Self, ApiError> {
        let begin = |session: &mut Session| {
            session.add(factor);
            session.set_claims(&terms.claims);
        };
        let started = app
            .accounts
            .start_session(subject, began_with, terms.lifetime, now, begin);
        let (token, session) = started.await?;
        Self::new(app, token, session, Some(organization), now)
    }

    /// Signs the token of a session that was just begun or extended.
    fn new(
        app: &App,
        session_token: String,
        session: Session,
        organization: Option<&Organization>,
        now: UnixTime,
    ) -> Result<Self, ApiError> {
        let claims = SessionClaims::new(&session, organization);
        let session_jwt = app.accounts.sign_jwt(session.subject.name(), claims, now)?;
        Ok(Self {
            session_token,
            session_jwt,
            session,
        })
    }
}
