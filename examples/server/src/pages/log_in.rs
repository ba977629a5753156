//! The first step of a log-in, the password; and logging out.

use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum_extra::extract::CookieJar;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::cookie::Kind;
use super::notice::Notice;
use super::page::{page, shown};
use super::person::{ORGANIZATION, begin_log_in, begin_session};
use super::problem::Problem;
use crate::accounts::{Factor, FactorKind, PasswordAccepted, PasswordRefusal, Session, Subject};
use crate::app::Shared;
use crate::clock::now;

#[derive(Deserialize)]
pub(super) struct LogIn {
    #[serde(default)]
    email_address: String,
    #[serde(default)]
    password: Zeroizing<String>,
}

#[derive(Default, Template)]
#[template(path = "log_in.html")]
struct LogInPage {
    notice: Option<Notice>,
    email_address: String,
}

/// `GET /log-in`
pub(super) async fn show() -> Response {
    shown(&LogInPage::default())
}

/// `POST /log-in`: whoever has a second factor is asked for it next.
pub(super) async fn submit(
    State(app): State<Shared>,
    jar: CookieJar,
    Form(form): Form<LogIn>,
) -> Result<Response, Problem> {
    let (address, password) = (form.email_address.trim(), &form.password);
    let now = now();
    let device = Kind::Device.token(&jar);
    let accepted = app
        .accounts
        .member_by_password(ORGANIZATION, address, password, device, now);
    let PasswordAccepted { member, device } = match accepted.await? {
        Ok(accepted) => accepted,
        Err(refusal) => return Ok(again(form.email_address, refusal)),
    };
    let jar = Kind::Device.set(&app.public_url, jar, device);
    let subject = Subject::member(ORGANIZATION, &member.id);
    let factors = app.factors(&subject, now).await?;
    if factors.has_second() {
        let jar = begin_log_in(&app, jar, &member, now).await?;
        return Ok((jar, Redirect::to("/log-in/code")).into_response());
    }
    let password = Factor::new(FactorKind::Password, None, now);
    let whose = (subject, factors);
    let jar = begin_session(&app, jar, whose, now, |session| session.add(password)).await?;
    Ok((jar, Redirect::to("/account")).into_response())
}

/// The form once more, with why.
fn again(email_address: String, refusal: PasswordRefusal) -> Response {
    let (status, notice) = Notice::of_password(refusal);
    let again = LogInPage {
        notice: Some(notice),
        email_address,
    };
    page(status, &again)
}

/// `POST /log-out`
pub(super) async fn log_out(
    State(app): State<Shared>,
    jar: CookieJar,
) -> Result<Response, Problem> {
    if let Some(token) = Kind::Session.token(&jar) {
        app.accounts.end_session(&Session::id_of(token)).await?;
    }
    let jar = Kind::LogIn.remove(Kind::Session.remove(jar));
    Ok((jar, Redirect::to("/log-in")).into_response())
}
