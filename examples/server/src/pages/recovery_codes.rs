//! Recovery codes: shown once, to be printed or saved.

use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::code::{CodeForm, keyboard};
use super::notice::Notice;
use super::page::{page, shown};
use super::person::Person;
use super::problem::Problem;
use crate::app::{App, Shared};
use crate::clock::now;
use crate::second_factor::recovery_code_texts;

#[derive(Template)]
#[template(path = "recovery_codes.html")]
struct RecoveryCodesPage {
    notice: Option<Notice>,
    title: &'static str,
    codes: Vec<String>,
    file: String,
}

#[derive(Template)]
#[template(path = "new_recovery_codes.html")]
struct NewRecoveryCodesPage {
    notice: Option<Notice>,
    keyboard: &'static str,
    recovered: bool,
}

/// `GET /second-factor/recovery-codes`
pub(super) async fn explain(
    State(app): State<Shared>,
    person: Person,
) -> Result<Response, Problem> {
    ask(&app, &person, StatusCode::OK, None).await
}

/// `POST /second-factor/recovery-codes`: new ones, for who has the authenticator at hand.
pub(super) async fn rotate(
    State(app): State<Shared>,
    person: Person,
    Form(form): Form<CodeForm>,
) -> Result<Response, Problem> {
    match person.authenticate(&app, &form, now()).await? {
        Ok(_) => show_new(&app, &person, "New recovery codes").await,
        Err((status, notice)) => ask(&app, &person, status, Some(notice)).await,
    }
}

async fn ask(
    app: &App,
    person: &Person,
    status: StatusCode,
    notice: Option<Notice>,
) -> Result<Response, Problem> {
    let keyboard = keyboard(app, person.subject()).await?;
    let again = NewRecoveryCodesPage {
        notice,
        keyboard,
        recovered: person.session.is_recovered(),
    };
    Ok(page(status, &again))
}

/// Makes new codes, which this answer alone has. Whoever is here has just given a code.
pub(super) async fn show_new(
    app: &App,
    person: &Person,
    title: &'static str,
) -> Result<Response, Problem> {
    match app
        .second_factor
        .rotate_recovery_codes(person.subject(), now())
        .await
    {
        Ok(codes) => {
            let codes = recovery_code_texts(&codes);
            let file = file(&person.member.email_address, &codes);
            Ok(shown(&RecoveryCodesPage {
                notice: None,
                title,
                codes,
                file,
            }))
        }
        Err(refusal) => {
            let (status, notice) = Notice::refusal(refusal)?;
            ask(app, person, status, Some(notice)).await
        }
    }
}

/// What is saved: the codes, and what they are.
pub(super) fn file(email_address: &str, codes: &[String]) -> String {
    let codes = codes.join("\n");
    format!("Recovery codes of {email_address}. Each lets you in once.\n\n{codes}\n")
}
