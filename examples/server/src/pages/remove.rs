//! The end of a second factor.

use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};

use super::code::{CodeForm, keyboard};
use super::notice::Notice;
use super::page::page;
use super::person::{Person, set_enrolled};
use super::problem::Problem;
use crate::app::{App, Shared};
use crate::clock::now;

#[derive(Template)]
#[template(path = "remove.html")]
struct RemovePage {
    notice: Option<Notice>,
    keyboard: &'static str,
}

/// `GET /second-factor/remove`
pub(super) async fn explain(
    State(app): State<Shared>,
    person: Person,
) -> Result<Response, Problem> {
    ask(&app, &person, StatusCode::OK, None).await
}

/// `POST /second-factor/remove`: a code shows that it is the person who wants it.
pub(super) async fn submit(
    State(app): State<Shared>,
    person: Person,
    Form(form): Form<CodeForm>,
) -> Result<Response, Problem> {
    if let Err((status, notice)) = person.authenticate(&app, &form, now()).await? {
        return ask(&app, &person, status, Some(notice)).await;
    }
    if let Err(refusal) = app.second_factor.delete(person.subject()).await {
        let (status, notice) = Notice::refusal(refusal)?;
        return ask(&app, &person, status, Some(notice)).await;
    }
    set_enrolled(&app, &person.member, false).await?;
    Ok(Redirect::to("/account?done=removed").into_response())
}

async fn ask(
    app: &App,
    person: &Person,
    status: StatusCode,
    notice: Option<Notice>,
) -> Result<Response, Problem> {
    let keyboard = keyboard(app, person.subject()).await?;
    Ok(page(status, &RemovePage { notice, keyboard }))
}
