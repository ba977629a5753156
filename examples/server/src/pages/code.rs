//! The field for a code, and what is typed into it.

use axum::http::StatusCode;
use keyfob::{Authenticated, CodeFormat, UnixTime};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::notice::Notice;
use super::person::Person;
use super::problem::Problem;
use crate::accounts::{Factor, FactorKind, Factors, Session, Subject};
use crate::app::App;
use crate::clock::now;

/// A form with a code in it.
#[derive(Deserialize)]
pub(super) struct CodeForm {
    #[serde(default)]
    pub(super) code: Zeroizing<String>,
}

/// A code of a person who is logged in was right.
pub(super) struct Accepted {
    /// It was the first one, which confirmed the registration.
    pub(super) activated: bool,
    /// It was the first one of a token that replaced another.
    pub(super) replaced: bool,
}

/// Why there is no code to go on with, and the status of the page that says it.
pub(super) type Refused = (StatusCode, Notice);

/// Which keyboard a phone shows for a person's codes: Steam's have letters.
pub(super) async fn keyboard(app: &App, subject: &Subject) -> Result<&'static str, Problem> {
    let status = app.second_factor.status(subject, now()).await?;
    let has_letters = status.is_some_and(|status| status.params.format() == CodeFormat::Steam);
    Ok(if has_letters { "text" } else { "numeric" })
}

/// What a right code gives, and what a session rests on from then on.
pub(super) type Right = (Authenticated, Factors);

/// Gives the engine what was typed.
pub(super) async fn authenticate(
    app: &App,
    subject: &Subject,
    form: &CodeForm,
    now: UnixTime,
) -> Result<Result<Right, Refused>, Problem> {
    match app.authenticate(subject, &form.code, now).await {
        Ok(right) => Ok(Ok(right)),
        Err(refusal) => Notice::refusal(refusal).map(Err),
    }
}

impl Person {
    /// The same for who is logged in: their session has both factors from now on.
    pub(super) async fn authenticate(
        &self,
        app: &App,
        form: &CodeForm,
        now: UnixTime,
    ) -> Result<Result<Accepted, Refused>, Problem> {
        let (right, factors) = match authenticate(app, self.subject(), form, now).await? {
            Ok(right) => right,
            Err(refused) => return Ok(Err(refused)),
        };
        let accepted = Accepted {
            activated: right.activated(),
            replaced: right.replaced(),
        };
        let name = right.registration_id().to_string();
        let proof = right.into();
        let note = |session: &mut Session| {
            session.add(Factor::new(FactorKind::Totp, Some(name.clone()), now));
            session.keep_proof(&proof);
            session.began_with = factors.clone();
        };
        app.accounts.update_session(&self.session.id, note).await?;
        Ok(Ok(accepted))
    }
}
