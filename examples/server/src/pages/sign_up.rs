//! A new member.

use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum_extra::extract::CookieJar;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::notice::Notice;
use super::page::{page, shown};
use super::person::{begin_session, organization};
use super::problem::Problem;
use crate::accounts::{
    AddMember, Factor, FactorKind, Subject, is_email_address, is_name, is_password,
};
use crate::app::Shared;
use crate::clock::now;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct SignUp {
    name: String,
    email_address: String,
    password: Zeroizing<String>,
}

#[derive(Default, Template)]
#[template(path = "sign_up.html")]
struct SignUpPage {
    notice: Option<Notice>,
    name: String,
    email_address: String,
}

/// `GET /sign-up`
pub(super) async fn show() -> Response {
    shown(&SignUpPage::default())
}

/// `POST /sign-up`: makes the member and logs them in.
pub(super) async fn submit(
    State(app): State<Shared>,
    jar: CookieJar,
    Form(form): Form<SignUp>,
) -> Result<Response, Problem> {
    if let Err(text) = form.check() {
        return Ok(form.again(StatusCode::BAD_REQUEST, text));
    }
    let now = now();
    let organization = organization(&app).await?;
    let added = app.accounts.add_member(&organization, form.member(), now);
    let Ok(member) = added.await? else {
        let text = "somebody has signed up with this e-mail address: log in, or take another";
        return Ok(form.again(StatusCode::CONFLICT, text));
    };
    let subject = Subject::member(&organization.id, &member.id);
    let password = Factor::new(FactorKind::Password, None, now);
    let jar = begin_session(&app, jar, subject, now, |session| session.add(password)).await?;
    Ok((jar, Redirect::to("/account?done=signed-up")).into_response())
}

impl SignUp {
    fn check(&self) -> Result<(), &'static str> {
        let (name, address) = (self.name.trim(), self.email_address.trim());
        if !is_name(name) {
            return Err("type your name, with at most 128 letters");
        }
        if !is_email_address(address) {
            return Err("type your e-mail address: it has an @ and no spaces or colons");
        }
        if !is_password(&self.password) {
            return Err("choose a password of 8 to 128 letters: the longer, the better");
        }
        Ok(())
    }

    fn member(&self) -> AddMember<'_> {
        AddMember {
            email_address: self.email_address.trim(),
            name: self.name.trim(),
            password: Some(&self.password),
        }
    }

    /// The form once more, with all but the password in it.
    fn again(self, status: StatusCode, text: &str) -> Response {
        let again = SignUpPage {
            notice: Some(Notice::problem(text)),
            name: self.name,
            email_address: self.email_address,
        };
        page(status, &again)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, email_address: &str, password: &str) -> bool {
        let (name, email_address) = (name.to_owned(), email_address.to_owned());
        let password = password.to_owned().into();
        SignUp {
            name,
            email_address,
            password,
        }
        .check()
        .is_ok()
    }

    #[test]
    fn forms_are_checked() {
        assert!(check(" Ada ", " ada@example.com ", "12345678"));
        assert!(!check(" ", "ada@example.com", "12345678"));
        assert!(!check("Ada\u{7}", "ada@example.com", "12345678"));
        assert!(!check("Ada", "ada.example.com", "12345678"));
        assert!(!check("Ada", "a:a@example.com", "12345678"));
        assert!(!check("Ada", "@", "12345678"));
        assert!(!check("Ada", "ada@example.com", "1234567"));
        assert!(!check("Ada", "ada@example.com", &"1".repeat(129)));
    }
}
