//! A token out of a backup file of an authenticator app, taken over for one person.
//!
//! Nothing is kept between two requests: whoever has to choose among several tokens sends the file
//! again, with the choice.

use askama::Template;
use axum::extract::State;
use axum::extract::multipart::{Multipart, MultipartError};
use axum::http::StatusCode;
use axum::response::Response;
use keyfob::Migrated;
use keyfob::import::{self, Import, ImportError, Imported, LeftOut, Limits, Options, Unlock};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use zeroize::Zeroizing;

use super::notice::{Notice, sentence};
use super::page::{page, shown};
use super::person::Person;
use super::problem::Problem;
use super::recovery_codes::show_codes;
use crate::app::{App, Shared};
use crate::clock::now;
use crate::error::Unavailable;

/// Enough for every app's default, and for one person's file.
const LIMITS: Limits = Limits {
    file_bytes: 1 << 20,
    entries: 2_000,
    pbkdf2_iterations: 1_000_000,
    scrypt_bytes: 64 << 20,
    scrypt_work: 1 << 20,
};

/// Files are read one at a time: a password costs a second and much memory.
static TURN: Semaphore = Semaphore::const_new(1);

#[derive(Default, Template)]
#[template(path = "import.html")]
struct ImportPage {
    notice: Option<Notice>,
    found: Vec<String>,
    left_out: Vec<Omission>,
}

/// What isn't taken over, and why.
struct Omission {
    what: String,
    why: String,
}

/// What was sent.
#[derive(Default)]
struct Upload {
    file: Zeroizing<Vec<u8>>,
    password: Zeroizing<String>,
    chosen: String,
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
        (Err(error), _) => return Ok(refuse(Notice::problem(error))),
    };
    match choose(&import, &chosen) {
        Some(token) => take_over(&app, &person, token).await,
        None => Ok(ask_which(&import)),
    }
}

impl Upload {
    async fn receive(mut form: Multipart) -> Result<Self, MultipartError> {
        let mut upload = Self::default();
        while let Some(field) = form.next_field().await? {
            match field.name().unwrap_or_default() {
                "file" | "text" => upload.add(&field.bytes().await?),
                "password" => upload.password = field.text().await?.into(),
                "chosen" => upload.chosen = field.text().await?,
                _ => {}
            }
        }
        Ok(upload)
    }

    /// An empty field is sent all the same.
    fn add(&mut self, bytes: &[u8]) {
        if self.file.is_empty() {
            self.file = bytes.to_vec().into();
        }
    }
}

/// Reads the file on a thread that may block.
async fn read(upload: Upload) -> Result<(Result<Import, ImportError>, String), Unavailable> {
    let failed =
        |error: &dyn std::error::Error| Unavailable::new("reading a file", error.to_string());
    let turn = TURN.acquire().await.map_err(|error| failed(&error))?;
    let work = move || {
        let _turn = turn;
        let unlock = match upload.password.as_str() {
            "" => Unlock::Nothing,
            password => Unlock::Password(password),
        };
        let options = Options {
            unlock,
            limits: LIMITS,
        };
        (import::read(&upload.file, &options), upload.chosen)
    };
    spawn_blocking(work).await.map_err(|error| failed(&error))
}

/// The token that was chosen, or the only one there is.
fn choose<'a>(import: &'a Import, chosen: &str) -> Option<&'a Imported> {
    match import.tokens.as_slice() {
        [token] if chosen.is_empty() => Some(token),
        tokens => tokens.iter().find(|token| describe(token) == chosen),
    }
}

/// Takes the token over; the next log-in asks for its code.
async fn take_over(app: &App, person: &Person, token: &Imported) -> Result<Response, Problem> {
    match app
        .second_factor
        .migrate(person.subject(), token, now())
        .await
    {
        Ok(migrated) => {
            person.set_enrolled(app, true).await?;
            Ok(taken_over(person, token, &migrated))
        }
        Err(refusal) => {
            let (status, notice) = Notice::refusal(refusal)?;
            let notice = Some(notice);
            Ok(page(
                status,
                &ImportPage {
                    notice,
                    ..ImportPage::default()
                },
            ))
        }
    }
}

fn taken_over(person: &Person, token: &Imported, migrated: &Migrated) -> Response {
    let remarks = token
        .remarks
        .iter()
        .map(|remark| format!(" {}", sentence(&remark.to_string())));
    let text = format!(
        "Your second factor is now {}. Codes that it shows at this moment count as used, since the file \
         doesn’t tell which were.{}",
        describe(token),
        remarks.collect::<String>()
    );
    let notice = Some(Notice::done(&text));
    show_codes(person, migrated.recovery_codes(), "Taken over", notice)
}

fn ask_which(import: &Import) -> Response {
    let text = match import.tokens.len() {
        0 => "no token in this file can be taken over".to_owned(),
        1 => "this file has another token: choose it, and send the file again".to_owned(),
        count => format!("the file has {count} tokens: choose yours, and send the file again"),
    };
    let asked = ImportPage {
        notice: Some(Notice::problem(text)),
        found: import.tokens.iter().map(describe).collect(),
        left_out: import.left_out.iter().map(Omission::of).collect(),
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
        [] => format!("the token without a name in {}", token.place),
        names => format!("{} ({})", names.join(", "), token.place),
    }
}

impl Omission {
    fn of(left_out: &LeftOut) -> Self {
        let (place, name) = (left_out.place, &left_out.name);
        let what = if name.is_empty() {
            place.to_string()
        } else {
            format!("{name} ({place})")
        };
        Self {
            what,
            why: left_out.reason.to_string(),
        }
    }
}

fn unreceived(error: &MultipartError) -> Response {
    let text = match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            "the file has more than a mebibyte: export your token alone"
        }
        _ => "the form didn’t arrive whole: send it again",
    };
    let notice = Some(Notice::problem(text));
    page(
        error.status(),
        &ImportPage {
            notice,
            ..ImportPage::default()
        },
    )
}

fn refuse(notice: Notice) -> Response {
    let notice = Some(notice);
    page(
        StatusCode::UNPROCESSABLE_ENTITY,
        &ImportPage {
            notice,
            ..ImportPage::default()
        },
    )
}
