//! The end of a second factor.

use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};

use super::code::{CodeForm, keyboard};
use super::notice::Notice;
use super::page::page;
use super::person::Person;
use super::problem::Problem;
use crate::accounts::Session;
use crate::app::{App, Shared};
use crate::clock::now;

#[derive(Template)]
#[template(path = "remove.html")]
struct RemovePage {
    notice: Option<Notice>,
    keyboard: &'static str,
    recovered: bool,
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
    let factors = match app.remove_factor(person.subject(), now()).await {
        Ok(factors) => factors,
        Err(refusal) => {
            let (status, notice) = Notice::refusal(refusal)?;
            return ask(&app, &person, status, Some(notice)).await;
        }
    };
    let go_on = |session: &mut Session| session.began_with = factors.clone();
    app.accounts
        .update_session(&person.session.id, go_on)
        .await?;
    Ok(Redirect::to("/account?done=removed").into_response())
}

async fn ask(
    app: &App,
    person: &Person,
    status: StatusCode,
    notice: Option<Notice>,
) -> Result<Response, Problem> {
    let keyboard = keyboard(app, person.subject()).await?;
    let again = RemovePage {
        notice,
        keyboard,
        recovered: person.session.is_recovered(),
    };
    Ok(page(status, &again))
}
