//! A new token's page: the QR code and the secret, shown once, and the field for its first code.

use askama::Template;
use axum::response::Response;
use keyfob::{Base32Buffer, Enrollment, KeyUri, QrBuffer, QrCode};

use super::moment::Moment;
use super::notice::Notice;
use super::page::shown;
use super::person::Person;
use super::problem::Problem;
use crate::app::App;
use crate::error::Unavailable;

#[derive(Template)]
#[template(path = "new_token.html")]
struct NewTokenPage {
    notice: Option<Notice>,
    is_replacement: bool,
    qr: String,
    uri: String,
    secret: Vec<String>,
    until: Moment,
}

/// The secret stands in this answer and nowhere else.
pub(super) fn show_token(
    app: &App,
    person: &Person,
    enrollment: &Enrollment,
    is_replacement: bool,
) -> Result<Response, Problem> {
    let failed = |error| Unavailable::new("the key URI", error);
    let (secret, params) = (enrollment.secret(), *enrollment.params());
    let account = &person.member.email_address;
    let uri = KeyUri::new(secret, params, &app.issuer, account).map_err(failed)?;
    let mut buffer = QrBuffer::new();
    let qr =
        QrCode::new(&uri, &mut buffer).map_err(|error| Unavailable::new("the QR code", error))?;
    Ok(shown(&NewTokenPage {
        notice: None,
        is_replacement,
        qr: qr.svg().to_string(),
        uri: uri.to_string(),
        secret: in_groups(secret.to_base32(&mut Base32Buffer::new())),
        until: enrollment.pending_until().into(),
    }))
}

/// In fours, as they are read off and typed.
fn in_groups(secret: &str) -> Vec<String> {
    let symbols: Vec<char> = secret.chars().collect();
    symbols
        .chunks(4)
        .map(|group| group.iter().collect())
        .collect()
}
