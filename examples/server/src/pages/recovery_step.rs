//! The second step of a log-in without the authenticator: a recovery code.

use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum_extra::extract::CookieJar;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::notice::Notice;
use super::page::page;
use super::person::Halfway;
use super::problem::Problem;
use super::second_step::complete;
use crate::accounts::{Factor, FactorKind};
use crate::app::Shared;
use crate::clock::now;

#[derive(Deserialize)]
pub(super) struct RecoveryForm {
    #[serde(default)]
    recovery_code: Zeroizing<String>,
}

#[derive(Template)]
#[template(path = "recovery_step.html")]
struct RecoveryStepPage {
    notice: Option<Notice>,
    email_address: String,
}

/// `GET /log-in/recovery-code`
pub(super) async fn show(person: Halfway) -> Response {
    ask(person, StatusCode::OK, None)
}

/// `POST /log-in/recovery-code`
pub(super) async fn submit(
    State(app): State<Shared>,
    person: Halfway,
    jar: CookieJar,
    Form(form): Form<RecoveryForm>,
) -> Result<Response, Problem> {
    let now = now();
    let subject = &person.log_in.subject;
    match app.recover(subject, &form.recovery_code, now).await {
        Err(refusal) => {
            let (status, notice) = Notice::refusal(refusal)?;
            Ok(ask(person, status, Some(notice)))
        }
        Ok((recovered, factors)) => {
            let name = recovered.registration_id().to_string();
            let factor = Factor::new(FactorKind::RecoveryCode, Some(name), now);
            let proved = (factor, recovered.into(), factors);
            let jar = complete(&app, jar, person, proved, now).await?;
            Ok((jar, Redirect::to("/account?done=recovered")).into_response())
        }
    }
}

fn ask(person: Halfway, status: StatusCode, notice: Option<Notice>) -> Response {
    let email_address = person.member.email_address;
    page(
        status,
        &RecoveryStepPage {
            notice,
            email_address,
        },
    )
}
