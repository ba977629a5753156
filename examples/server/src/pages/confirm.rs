//! The first code of a new token.

use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use keyfob::{Authenticated, UnixTime};

use super::code::{CodeForm, authenticate};
use super::notice::Notice;
use super::page::page;
use super::person::Person;
use super::problem::Problem;
use super::recovery_codes::show_new;
use crate::accounts::{Factor, FactorKind, Session};
use crate::app::{App, Shared};
use crate::clock::now;

#[derive(Template)]
#[template(path = "confirm.html")]
struct ConfirmPage {
    notice: Option<Notice>,
    is_replacement: bool,
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
    let now = now();
    let authenticated = match authenticate(&app, person.subject(), &form, now).await? {
        Ok(authenticated) => authenticated,
        Err((status, notice)) => return ask(&app, &person, status, Some(notice)).await,
    };
    let (activated, replaced) = (authenticated.activated(), authenticated.replaced());
    note(&app, &person, authenticated, now).await?;
    match (activated, replaced) {
        (true, _) => {
            person.set_enrolled(&app, true).await?;
            show_new(&app, &person, "The second factor is set up").await
        }
        (false, true) => Ok(Redirect::to("/account?done=replaced").into_response()),
        (false, false) => {
            let notice = Notice::problem(
                "this was a code of your present device, which works as before: type one of the new device",
            );
            ask(&app, &person, StatusCode::CONFLICT, Some(notice)).await
        }
    }
}

/// The session has both factors from now on.
async fn note(
    app: &App,
    person: &Person,
    authenticated: Authenticated,
    now: UnixTime,
) -> Result<(), Problem> {
    let name = authenticated.registration_id().to_string();
    let proof = authenticated.into();
    let change = |session: &mut Session| {
        session.add(Factor::new(FactorKind::Totp, Some(name.clone()), now));
        session.keep_proof(&proof);
    };
    app.accounts
        .update_session(&person.session.id, change)
        .await?;
    Ok(())
}

async fn ask(
    app: &App,
    person: &Person,
    status: StatusCode,
    notice: Option<Notice>,
) -> Result<Response, Problem> {
    let registration = app.second_factor.status(person.subject(), now()).await?;
    let is_replacement = registration.is_some_and(|it| it.replacement_until.is_some());
    Ok(page(
        status,
        &ConfirmPage {
            notice,
            is_replacement,
        },
    ))
}
