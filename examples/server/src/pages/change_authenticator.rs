//! A new authenticator beside the old one, which works until the new one's first code.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use keyfob::{NewRegistration, Rejection};

use super::new_token::show_token;
use super::notice::Notice;
use super::page::{page, shown};
use super::person::Person;
use super::problem::Problem;
use crate::app::Shared;
use crate::clock::now;
use crate::second_factor::Refusal;

#[derive(Template)]
#[template(path = "change_authenticator.html")]
struct ChangeAuthenticatorPage {
    notice: Option<Notice>,
    needs_log_in: bool,
}

/// `GET /second-factor/change`
pub(super) async fn explain(_: Person) -> Response {
    shown(&ChangeAuthenticatorPage {
        notice: None,
        needs_log_in: false,
    })
}

/// `POST /second-factor/change`: the engine tells whether the log-in is fresh enough.
pub(super) async fn begin(State(app): State<Shared>, person: Person) -> Result<Response, Problem> {
    let new = NewRegistration::default();
    let replaced = match person.session.proof() {
        Some(proof) => {
            app.second_factor
                .replace(person.subject(), proof, &new, now())
                .await
        }
        None => Err(Refusal::Rejected(Rejection::StaleProof)),
    };
    match replaced {
        Ok(enrollment) => show_token(&app, &person, &enrollment, true),
        Err(refusal) => {
            let needs_log_in = matches!(refusal, Refusal::Rejected(Rejection::StaleProof));
            let (status, notice) = Notice::refusal(refusal)?;
            Ok(page(
                status,
                &ChangeAuthenticatorPage {
                    notice: Some(notice),
                    needs_log_in,
                },
            ))
        }
    }
}
