//! Who asks for a page.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use keyfob::UnixTime;

use super::cookie::Kind;
use super::problem::Problem;
use crate::accounts::{
    Factor, FactorKind, Factors, IntermediateSession, Lifetime, Member, MfaPolicy, Organization,
    Session, Subject,
};
use crate::app::{App, Shared};
use crate::clock::now;
use crate::error::Unavailable;
use crate::standing::Standing;

/// All who sign up on the pages are in one organization.
pub(super) const ORGANIZATION: &str = "organization-pages";

pub(super) async fn organization(app: &App) -> Result<Organization, Unavailable> {
    let (id, name) = (ORGANIZATION.to_owned(), "The pages");
    app.accounts
        .organization_of_id(id, name, MfaPolicy::Optional, now())
        .await
}

/// A member who is logged in with all factors that they have.
pub(super) struct Person {
    pub(super) session: Session,
    pub(super) member: Member,
}

/// A member whose password was right, and who has a second factor.
pub(super) struct Halfway {
    pub(super) token: String,
    pub(super) log_in: IntermediateSession,
    pub(super) member: Member,
}

/// Why a person's page isn't shown.
pub(super) enum Absent {
    Problem(Problem),
    /// They logged in before they had a second factor: it is asked for now.
    SecondStep(CookieJar),
}

impl Person {
    pub(super) const fn subject(&self) -> &Subject {
        &self.session.subject
    }

    async fn read(app: &App, jar: CookieJar) -> Result<Self, Absent> {
        let token = Kind::Session.token(&jar).ok_or(Problem::LogInFirst)?;
        let standing = app.standing(&Session::id_of(token), now()).await;
        match standing.map_err(Problem::from)? {
            Standing::Ended => Err(Problem::LogInFirst.into()),
            Standing::Good(session) => {
                let member = member_of(app, &session.subject).await?;
                Ok(Self { session, member })
            }
            Standing::LacksSecondFactor(session) => {
                let member = member_of(app, &session.subject).await?;
                let jar = begin_log_in(app, jar, &member, now()).await?;
                Err(Absent::SecondStep(Kind::Session.remove(jar)))
            }
        }
    }
}

impl FromRequestParts<Shared> for Person {
    type Rejection = Absent;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Absent> {
        Self::read(app, CookieJar::from_headers(&parts.headers)).await
    }
}

impl FromRequestParts<Shared> for Halfway {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Problem> {
        let jar = CookieJar::from_headers(&parts.headers);
        let token = Kind::LogIn
            .token(&jar)
            .ok_or(Problem::LogInFirst)?
            .to_owned();
        let log_in = app.accounts.intermediate(&token, now()).await?;
        let log_in = log_in.ok_or(Problem::LogInFirst)?;
        let member = member_of(app, &log_in.subject).await?;
        Ok(Self {
            token,
            log_in,
            member,
        })
    }
}

/// Sessions of the API aren't for the pages.
async fn member_of(app: &App, subject: &Subject) -> Result<Member, Problem> {
    let Subject::Member {
        organization_id,
        member_id,
    } = subject
    else {
        return Err(Problem::LogInFirst);
    };
    let member = app.accounts.member(organization_id, member_id).await?;
    member
        .filter(|member| member.organization_id == ORGANIZATION)
        .ok_or(Problem::LogInFirst)
}

/// Keeps that the password was right, until the second step.
pub(super) async fn begin_log_in(
    app: &App,
    jar: CookieJar,
    member: &Member,
    now: UnixTime,
) -> Result<CookieJar, Problem> {
    let subject = Subject::member(&member.organization_id, &member.id);
    let password = Factor::new(FactorKind::Password, None, now);
    let (token, _) = app
        .accounts
        .start_intermediate(subject, password, now)
        .await?;
    Ok(Kind::LogIn.set(&app.public_url, jar, token))
}

/// Starts a session, which the browser has from now on.
pub(super) async fn begin_session(
    app: &App,
    jar: CookieJar,
    (subject, began_with): (Subject, Factors),
    now: UnixTime,
    begin: impl FnOnce(&mut Session),
) -> Result<CookieJar, Problem> {
    let (token, _) = app
        .accounts
        .start_session(subject, began_with, Lifetime::ONE_HOUR, now, begin)
        .await?;
    Ok(Kind::Session.set(&app.public_url, Kind::LogIn.remove(jar), token))
}

impl From<Problem> for Absent {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl IntoResponse for Absent {
    fn into_response(self) -> Response {
        match self {
            Self::Problem(problem) => problem.into_response(),
            Self::SecondStep(jar) => (jar, Redirect::to("/log-in/code")).into_response(),
        }
    }
}
