//! The second step of a log-in: a code of the authenticator.

use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum_extra::extract::CookieJar;
use keyfob::{Proof, UnixTime};

use super::code::{CodeForm, authenticate, keyboard};
use super::notice::Notice;
use super::page::page;
use super::person::{Halfway, begin_session};
use super::problem::Problem;
use crate::accounts::{Factor, FactorKind, Factors, Session};
use crate::app::{App, Shared};
use crate::clock::now;

#[derive(Template)]
#[template(path = "second_step.html")]
struct SecondStepPage {
    notice: Option<Notice>,
    email_address: String,
    keyboard: &'static str,
}

/// `GET /log-in/code`
pub(super) async fn show(State(app): State<Shared>, person: Halfway) -> Result<Response, Problem> {
    ask(&app, person, StatusCode::OK, None).await
}

/// `POST /log-in/code`
pub(super) async fn submit(
    State(app): State<Shared>,
    person: Halfway,
    jar: CookieJar,
    Form(form): Form<CodeForm>,
) -> Result<Response, Problem> {
    let now = now();
    match authenticate(&app, &person.log_in.subject, &form, now).await? {
        Err((status, notice)) => ask(&app, person, status, Some(notice)).await,
        Ok((authenticated, factors)) => {
            let target = if authenticated.replaced() {
                "/account?done=replaced"
            } else {
                "/account"
            };
            let name = authenticated.registration_id().to_string();
            let factor = Factor::new(FactorKind::Totp, Some(name), now);
            let proved = (factor, authenticated.into(), factors);
            let jar = complete(&app, jar, person, proved, now).await?;
            Ok((jar, Redirect::to(target)).into_response())
        }
    }
}

async fn ask(
    app: &App,
    person: Halfway,
    status: StatusCode,
    notice: Option<Notice>,
) -> Result<Response, Problem> {
    let keyboard = keyboard(app, &person.log_in.subject).await?;
    let email_address = person.member.email_address;
    Ok(page(
        status,
        &SecondStepPage {
            notice,
            email_address,
            keyboard,
        },
    ))
}

/// Uses the first step up, and starts a session with both.
pub(super) async fn complete(
    app: &App,
    jar: CookieJar,
    person: Halfway,
    (factor, proof, factors): (Factor, Proof, Factors),
    now: UnixTime,
) -> Result<CookieJar, Problem> {
    let log_in = app.accounts.take_intermediate(&person.token, now).await?;
    let log_in = log_in.ok_or(Problem::LogInFirst)?;
    let begin = |session: &mut Session| {
        log_in
            .factors
            .into_iter()
            .for_each(|factor| session.add(factor));
        session.add(factor);
        session.keep_proof(&proof);
    };
    begin_session(app, jar, (log_in.subject, factors), now, begin).await
}
