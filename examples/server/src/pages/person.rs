//! Who asks for a page.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use keyfob::UnixTime;

use super::cookie::Kind;
use super::problem::Problem;
use crate::accounts::{
    Factor, FactorKind, IntermediateSession, Lifetime, Member, MfaMethod, MfaPolicy, Organization,
    Session, Subject,
};
use crate::app::{App, Shared};
use crate::clock::now;
use crate::error::Unavailable;
use crate::second_factor::is_active;

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

    /// Whether all factors were proved. The engine knows whether there is a second one.
    async fn is_complete(&self, app: &App) -> Result<bool, Problem> {
        let is_second = |factor: &Factor| factor.kind != FactorKind::Password;
        if self.session.factors.iter().any(is_second) {
            return Ok(true);
        }
        let status = app.second_factor.status(self.subject(), now()).await?;
        Ok(!status.is_some_and(|status| is_active(&status)))
    }

    async fn read(app: &App, jar: &CookieJar) -> Result<Self, Problem> {
        let token = Kind::Session.token(jar).ok_or(Problem::LogInFirst)?;
        let session = app.accounts.session(&Session::id_of(token), now()).await?;
        let session = session.ok_or(Problem::LogInFirst)?;
        let member = member_of(app, &session.subject).await?;
        Ok(Self { session, member })
    }
}

/// Notes that the member has a second factor, or has one no longer.
pub(super) async fn set_enrolled(
    app: &App,
    member: &Member,
    is_enrolled: bool,
) -> Result<(), Problem> {
    let change = |member: &mut Member| {
        member.mfa_enrolled = is_enrolled;
        member.default_mfa_method = is_enrolled.then_some(MfaMethod::Totp);
    };
    app.accounts.update_member(member, now(), change).await?;
    Ok(())
}

impl FromRequestParts<Shared> for Person {
    type Rejection = Absent;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Absent> {
        let jar = CookieJar::from_headers(&parts.headers);
        let person = Self::read(app, &jar).await?;
        if person.is_complete(app).await? {
            return Ok(person);
        }
        app.accounts
            .end_session(&person.session.id)
            .await
            .map_err(Problem::from)?;
        let jar = begin_log_in(app, jar, &person.member, now()).await?;
        Err(Absent::SecondStep(Kind::Session.remove(jar)))
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
    subject: Subject,
    now: UnixTime,
    begin: impl FnOnce(&mut Session),
) -> Result<CookieJar, Problem> {
    let (token, _) = app
        .accounts
        .start_session(subject, Lifetime::ONE_HOUR, now, begin)
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
