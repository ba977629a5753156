//! An entry out of a backup file of an authenticator app, imported for one person.
//!
//! Nothing is kept between two requests: whoever has to choose among several entries sends the file
//! again, with the choice.

use askama::Template;
use axum::extract::State;
use axum::extract::multipart::{Multipart, MultipartError};
use axum::http::StatusCode;
use axum::response::Response;
use keyfob::import::{Import, Imported, LeftOut};
use keyfob::{Migrated, Params};

use super::notice::{Notice, in_our_words, sentence};
use super::page::{page, shown};
use super::person::Person;
use super::problem::Problem;
use super::recovery_codes::file;
use super::unreadable;
use super::upload::{Upload, read};
use crate::app::{App, Shared};
use crate::clock::now;
use crate::second_factor::recovery_code_texts;

#[derive(Default, Template)]
#[template(path = "import.html")]
struct ImportPage {
    notice: Option<Notice>,
    /// The field that can't be taken; empty at first.
    refused: &'static str,
    found: Vec<String>,
    left_out: Vec<Omission>,
}

#[derive(Template)]
#[template(path = "taken_over.html")]
struct TakenOverPage {
    notice: Option<Notice>,
    goes_by_time: bool,
    remarks: Vec<String>,
    codes: Vec<String>,
    file: String,
    left_out: Vec<Omission>,
}

/// What isn't taken over, and why.
struct Omission {
    what: String,
    why: String,
}

/// `GET /second-factor/import`
pub(super) async fn show(_: Person) -> Response {
    shown(&ImportPage::default())
}

/// `POST /second-factor/import`
pub(super) async fn submit(
    State(app): State<Shared>,
    person: Person,
    form: Multipart,
) -> Result<Response, Problem> {
    let upload = match Upload::receive(form).await {
        Ok(upload) => upload,
        Err(error) => return Ok(unreceived(&error)),
    };
    let (import, chosen) = match read(upload).await? {
        (Ok(import), chosen) => (import, chosen),
        (Err(error), _) => {
            let (field, notice) = (unreadable::field(error), unreadable::notice(error));
            return Ok(ask_again(StatusCode::UNPROCESSABLE_ENTITY, field, notice));
        }
    };
    match choose(&import, &chosen) {
        Some(token) => take_over(&app, &person, token, &import.left_out).await,
        None => Ok(ask_which(&import)),
    }
}

/// The token that was chosen, or the only one there is.
fn choose<'a>(import: &'a Import, chosen: &str) -> Option<&'a Imported> {
    match import.tokens.as_slice() {
        [token] if chosen.is_empty() => Some(token),
        tokens => tokens.iter().find(|token| describe(token) == chosen),
    }
}

/// Takes the token over; the next page asks for its code.
async fn take_over(
    app: &App,
    person: &Person,
    token: &Imported,
    left_out: &[LeftOut],
) -> Result<Response, Problem> {
    let migrated = app.second_factor.migrate(person.subject(), token, now());
    match migrated.await {
        Ok(migrated) => Ok(TakenOverPage::of(person, token, &migrated, left_out)),
        Err(refusal) => {
            let (status, notice) = Notice::refusal(refusal)?;
            Ok(ask_again(status, "file", notice))
        }
    }
}

impl TakenOverPage {
    fn of(
        person: &Person,
        token: &Imported,
        migrated: &Migrated,
        left_out: &[LeftOut],
    ) -> Response {
        let text = format!("Your authenticator is now {}.", describe(token));
        let codes = recovery_code_texts(migrated.recovery_codes());
        let skipped = migrated.skipped_recovery_codes();
        let skipped = (skipped.total() > 0).then(|| sentence(&skipped.to_string()));
        let remarks = token.remarks.iter().map(|it| sentence(&it.to_string()));
        shown(&Self {
            notice: Some(Notice::done(&text)),
            goes_by_time: matches!(token.params, Params::Totp(_)),
            remarks: remarks.chain(skipped).collect(),
            file: file(&person.member.email_address, &codes),
            codes,
            left_out: Omission::all_of(left_out),
        })
    }
}

fn ask_which(import: &Import) -> Response {
    let text = match import.tokens.len() {
        0 => "the file has no entry that can be imported".to_owned(),
        1 => "this file has another entry: choose it, and choose the file again".to_owned(),
        count => format!("the file has {count} entries: choose yours, and choose the file again"),
    };
    let asked = ImportPage {
        notice: Some(Notice::problem(text)),
        refused: "chosen",
        found: import.tokens.iter().map(describe).collect(),
        left_out: Omission::all_of(&import.left_out),
    };
    page(StatusCode::UNPROCESSABLE_ENTITY, &asked)
}

/// A token's place and names, which tell it from the others.
fn describe(token: &Imported) -> String {
    let names = [&token.issuer, &token.account, &token.serial];
    let names: Vec<&str> = names
        .into_iter()
        .map(String::as_str)
        .filter(|name| !name.is_empty())
        .collect();
    match names.as_slice() {
        [] => format!("the entry without a name in {}", token.place),
        names => format!("{} ({})", names.join(", "), token.place),
    }
}

impl Omission {
    fn all_of(left_out: &[LeftOut]) -> Vec<Self> {
        left_out.iter().map(Self::of).collect()
    }

    fn of(left_out: &LeftOut) -> Self {
        let (place, name) = (left_out.place, left_out.name.as_str());
        let what = match name {
            "" => place.to_string(),
            name => format!("{name} ({place})"),
        };
        let why = in_our_words(&left_out.reason.to_string());
        Self { what, why }
    }
}

fn unreceived(error: &MultipartError) -> Response {
    let text = match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => "the file is larger than 1 MiB: export one entry alone",
        _ => "the form didn’t arrive whole: send it again",
    };
    ask_again(error.status(), "file", Notice::problem(text))
}

fn ask_again(status: StatusCode, refused: &'static str, notice: Notice) -> Response {
    let notice = Some(notice);
    page(
        status,
        &ImportPage {
            notice,
            refused,
            ..ImportPage::default()
        },
    )
}
