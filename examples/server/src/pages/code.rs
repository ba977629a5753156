//! The field for a code, and what is typed into it.

use axum::http::StatusCode;
use keyfob::{Authenticated, CodeFormat, UnixTime};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::notice::Notice;
use super::problem::Problem;
use crate::accounts::Subject;
use crate::app::App;
use crate::clock::now;

/// A form with a code in it.
#[derive(Deserialize)]
pub(super) struct CodeForm {
    #[serde(default)]
    pub(super) code: Zeroizing<String>,
}

/// Which keyboard a phone shows for a person's codes: Steam's have letters.
pub(super) async fn keyboard(app: &App, subject: &Subject) -> Result<&'static str, Problem> {
    let status = app.second_factor.status(subject, now()).await?;
    let has_letters = status.is_some_and(|status| status.params.format() == CodeFormat::Steam);
    Ok(if has_letters { "text" } else { "numeric" })
}

/// Gives the engine what was typed. The inner error is what the person is told.
pub(super) async fn authenticate(
    app: &App,
    subject: &Subject,
    form: &CodeForm,
    now: UnixTime,
) -> Result<Result<Authenticated, (StatusCode, Notice)>, Problem> {
    let typed = &form.code;
    match app.second_factor.authenticate(subject, typed, now).await {
        Ok(authenticated) => Ok(Ok(authenticated)),
        Err(refusal) => Notice::refusal(refusal).map(Err),
    }
}
