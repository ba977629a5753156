//! The first code of a new authenticator.

use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};

use super::code::CodeForm;
use super::notice::Notice;
use super::page::page;
use super::person::Person;
use super::problem::Problem;
use super::recovery_codes::show_new;
use crate::app::{App, Shared};
use crate::clock::now;
use crate::second_factor::is_active;

#[derive(Template)]
#[template(path = "confirm.html")]
struct ConfirmPage {
    notice: Option<Notice>,
    is_replacement: bool,
    is_confirmed: bool,
}

/// `GET /second-factor/confirm`
pub(super) async fn show(State(app): State<Shared>, person: Person) -> Result<Response, Problem> {
    ask(&app, &person, StatusCode::OK, None).await
}

/// `POST /second-factor/confirm`: the first code of a new token, or of one that replaces another.
pub(super) async fn submit(
    State(app): State<Shared>,
    person: Person,
    Form(form): Form<CodeForm>,
) -> Result<Response, Problem> {
    let accepted = match person.authenticate(&app, &form, now()).await? {
        Ok(accepted) => accepted,
        Err((status, notice)) => return ask(&app, &person, status, Some(notice)).await,
    };
    match (accepted.activated, accepted.replaced) {
        (true, _) => show_new(&app, &person, "Your authenticator is set up").await,
        (false, true) => Ok(Redirect::to("/account?done=replaced").into_response()),
        (false, false) => {
            let notice = Notice::problem(
                "this was a code of your present authenticator, which works as before: enter one of the new one",
            );
            ask(&app, &person, StatusCode::CONFLICT, Some(notice)).await
        }
    }
}

async fn ask(
    app: &App,
    person: &Person,
    status: StatusCode,
    notice: Option<Notice>,
) -> Result<Response, Problem> {
    let registration = app.second_factor.status(person.subject(), now()).await?;
    let registration = registration.as_ref();
    let is_replacement = registration.is_some_and(|it| it.replacement_until.is_some());
    let again = ConfirmPage {
        notice,
        is_replacement,
        is_confirmed: !is_replacement && registration.is_some_and(is_active),
    };
    Ok(page(status, &again))
}
