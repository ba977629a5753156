//! The field for a code, and what is typed into it.

use axum::http::StatusCode;
use keyfob::{Authenticated, CodeFormat, UnixTime};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::notice::Notice;
use super::person::{Person, set_enrolled};
use super::problem::Problem;
use crate::accounts::{Factor, FactorKind, Member, Session, Subject};
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

/// Gives the engine what was typed. Whoever confirms a token by it has a second factor from now on,
/// on whatever page that was.
pub(super) async fn authenticate(
    app: &App,
    member: &Member,
    form: &CodeForm,
    now: UnixTime,
) -> Result<Result<Authenticated, Refused>, Problem> {
    let subject = Subject::member(&member.organization_id, &member.id);
    let authenticated = app.second_factor.authenticate(&subject, &form.code, now);
    let authenticated = match authenticated.await {
        Ok(authenticated) => authenticated,
        Err(refusal) => return Notice::refusal(refusal).map(Err),
    };
    if authenticated.activated() {
        set_enrolled(app, member, true).await?;
    }
    Ok(Ok(authenticated))
}

impl Person {
    /// The same for who is logged in: their session has both factors from now on.
    pub(super) async fn authenticate(
        &self,
        app: &App,
        form: &CodeForm,
        now: UnixTime,
    ) -> Result<Result<Accepted, Refused>, Problem> {
        let authenticated = match authenticate(app, &self.member, form, now).await? {
            Ok(authenticated) => authenticated,
            Err(refused) => return Ok(Err(refused)),
        };
        let accepted = Accepted {
            activated: authenticated.activated(),
            replaced: authenticated.replaced(),
        };
        let name = authenticated.registration_id().to_string();
        let proof = authenticated.into();
        let note = |session: &mut Session| {
            session.add(Factor::new(FactorKind::Totp, Some(name.clone()), now));
            session.keep_proof(&proof);
        };
        app.accounts.update_session(&self.session.id, note).await?;
        Ok(Ok(accepted))
    }
}
