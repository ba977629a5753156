//! A new member.

use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum_extra::extract::CookieJar;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::cookie::Kind;
use super::notice::Notice;
use super::page::{page, shown};
use super::person::{begin_session, organization};
use super::problem::Problem;
use crate::accounts::{
    AddMember, Factor, FactorKind, Factors, Subject, is_email_address, is_name, is_password,
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
    /// The field that can't be taken; empty at first.
    refused: &'static str,
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
    if let Err((field, text)) = form.check() {
        return Ok(form.again(StatusCode::BAD_REQUEST, field, text));
    }
    let now = now();
    let organization = organization(&app).await?;
    let added = app.accounts.add_member(&organization, form.member(), now);
    let Ok(member) = added.await? else {
        let text = "somebody has signed up with this e-mail address: log in, or use another one";
        return Ok(form.again(StatusCode::CONFLICT, "email_address", text));
    };
    let device = app.accounts.device_of(&member, now).await?;
    let jar = Kind::Device.set(&app.public_url, jar, device);
    let subject = Subject::member(&organization.id, &member.id);
    let password = Factor::new(FactorKind::Password, None, now);
    let whose = (subject, Factors::default());
    let jar = begin_session(&app, jar, whose, now, |session| session.add(password)).await?;
    Ok((jar, Redirect::to("/account?done=signed-up")).into_response())
}

impl SignUp {
    /// Tells the field that can't be taken, and why.
    fn check(&self) -> Result<(), (&'static str, &'static str)> {
        let (name, address) = (self.name.trim(), self.email_address.trim());
        if !is_name(name) {
            return Err(("name", "enter your name, in at most 128 characters"));
        }
        if !is_email_address(address) {
            let text = "enter your e-mail address: it has an @, and no spaces or colons";
            return Err(("email_address", text));
        }
        if !is_password(&self.password) {
            return Err(("password", "choose a password of 8 to 128 characters"));
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
    fn again(self, status: StatusCode, refused: &'static str, text: &str) -> Response {
        let again = SignUpPage {
            refused,
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
