//! A second factor for who has none.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use keyfob::NewRegistration;

use super::new_token::show_token;
use super::notice::Notice;
use super::page::{page, shown};
use super::person::Person;
use super::problem::Problem;
use crate::app::Shared;
use crate::clock::now;

#[derive(Template)]
#[template(path = "set_up.html")]
struct SetUpPage {
    notice: Option<Notice>,
}

/// `GET /second-factor/set-up`
pub(super) async fn explain(_: Person) -> Response {
    shown(&SetUpPage { notice: None })
}

/// `POST /second-factor/set-up`
pub(super) async fn begin(State(app): State<Shared>, person: Person) -> Result<Response, Problem> {
    let new = NewRegistration::default();
    match app
        .second_factor
        .create(person.subject(), &new, now())
        .await
    {
        Ok(enrollment) => show_token(&app, &person, &enrollment, false),
        Err(refusal) => {
            let (status, notice) = Notice::refusal(refusal)?;
            Ok(page(
                status,
                &SetUpPage {
                    notice: Some(notice),
                },
            ))
        }
    }
}
