//! A person's own page: what second factor they have, and what can be done with it.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use keyfob::{LockState, Status, StatusState};
use serde::Deserialize;

use super::moment::Moment;
use super::notice::{Notice, Wait};
use super::page::shown;
use super::person::Person;
use super::problem::Problem;
use crate::app::Shared;
use crate::clock::now;

/// What the page before this one did.
#[derive(Deserialize)]
pub(super) struct Before {
    #[serde(default)]
    done: String,
}

#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage {
    notice: Option<Notice>,
    name: String,
    email_address: String,
    factor: SecondFactor,
}

/// What there is to see of a registration.
enum SecondFactor {
    Absent,
    Pending { until: Moment },
    Active(Box<Active>),
}

struct Active {
    since: Moment,
    last_use: Option<Moment>,
    recovery_codes: usize,
    is_legacy: bool,
    replacement_until: Option<Moment>,
    codes: Option<Lock>,
    recovery: Option<Lock>,
}

/// What guessing has led to.
enum Lock {
    Failed { times: u8 },
    Locked(Wait),
    Disabled,
}

/// `GET /account`
pub(super) async fn show(
    State(app): State<Shared>,
    Query(before): Query<Before>,
    person: Person,
) -> Result<Response, Problem> {
    let status = app.second_factor.status(person.subject(), now()).await?;
    Ok(shown(&AccountPage {
        notice: before.notice(status.as_ref()),
        name: person.member.name,
        email_address: person.member.email_address,
        factor: status.map_or(SecondFactor::Absent, SecondFactor::of),
    }))
}

impl Before {
    fn notice(&self, status: Option<&Status>) -> Option<Notice> {
        let left = status.map_or(0, |status| status.recovery_codes);
        let are_left = if left == 1 { "is" } else { "are" };
        let recovered = format!(
            "You logged in with a recovery code. It is used up, and {left} {are_left} left. If your \
             authenticator is lost, change it now."
        );
        let text = match self.done.as_str() {
            "signed-up" => {
                "Welcome. Set up an authenticator next, so that your password alone lets nobody in."
            }
            "replaced" => "Your new authenticator is in use. Codes of the old one no longer work.",
            "recovered" => &recovered,
            "removed" => "The authenticator is removed. Your password alone lets you in now.",
            _ => return None,
        };
        Some(Notice::done(text))
    }
}

impl SecondFactor {
    fn of(status: Status) -> Self {
        match status.state {
            StatusState::Pending { until } => Self::Pending {
                until: until.into(),
            },
            StatusState::Active { since } => Self::Active(Box::new(Active {
                since: since.into(),
                last_use: status.last_use.map(Moment::from),
                recovery_codes: status.recovery_codes,
                is_legacy: status.legacy_secret,
                replacement_until: status.replacement_until.map(Moment::from),
                codes: Lock::of(status.codes),
                recovery: Lock::of(status.recovery),
            })),
            _ => Self::Absent, // a lapsed one is started again
        }
    }
}

impl Lock {
    fn of(state: LockState) -> Option<Self> {
        match state {
            LockState::Open { failures: 0 } => None,
            LockState::Open { failures } => Some(Self::Failed { times: failures }),
            LockState::Locked { wait, .. } => Some(Self::Locked(Wait::until(wait.until))),
            _ => Some(Self::Disabled),
        }
    }
}
