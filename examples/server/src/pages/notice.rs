//! What a page says first: that something was done, or why not.

use std::fmt::Display;

use axum::http::StatusCode;
use keyfob::UnixTime;

use super::moment::Moment;
use super::problem::Problem;
use super::rejection;
use crate::accounts::PasswordRefusal;
use crate::clock::now;
use crate::second_factor::{Refusal, retry_at};

/// A line above the page, read aloud at once.
pub(super) struct Notice {
    pub(super) is_problem: bool,
    pub(super) text: String,
    pub(super) wait: Option<Wait>,
}

/// A wait before the next attempt.
pub(super) struct Wait {
    pub(super) until: Moment,
    pub(super) seconds: u64,
}

impl Notice {
    /// Something was done.
    pub(super) fn done(text: &str) -> Self {
        let text = text.to_owned();
        Self {
            is_problem: false,
            text,
            wait: None,
        }
    }

    /// What was typed can't be taken.
    pub(super) fn problem(text: impl Display) -> Self {
        let text = sentence(&text.to_string());
        Self {
            is_problem: true,
            text,
            wait: None,
        }
    }

    /// The engine's refusal, and the status that goes with it.
    pub(super) fn refusal(refusal: Refusal) -> Result<(StatusCode, Self), Problem> {
        let rejection = match refusal {
            Refusal::Rejected(rejection) => rejection,
            Refusal::Unavailable(error) => return Err(error.into()),
        };
        let notice = Self {
            is_problem: true,
            text: rejection::text(rejection),
            wait: retry_at(&rejection).map(Wait::until),
        };
        Ok((rejection::status(rejection), notice))
    }

    /// The refusal of a password, and the status that goes with it.
    pub(super) fn of_password(refusal: PasswordRefusal) -> (StatusCode, Self) {
        match refusal {
            PasswordRefusal::Wrong => {
                let text = "the e-mail address or the password is wrong";
                (StatusCode::FORBIDDEN, Self::problem(text))
            }
            PasswordRefusal::Locked { until } => {
                let mut notice = Self::problem("too many wrong passwords");
                notice.wait = Some(Wait::until(until));
                (StatusCode::TOO_MANY_REQUESTS, notice)
            }
        }
    }
}

impl Wait {
    pub(super) fn until(time: UnixTime) -> Self {
        let seconds = time.seconds_since(now());
        Self {
            until: time.into(),
            seconds,
        }
    }
}

/// keyfob's texts say token to whatever shows codes.
pub(super) fn in_our_words(text: &str) -> String {
    text.replace("a token", "an authenticator")
        .replace("token", "authenticator")
}

/// keyfob's texts are parts of sentences, as other programs' are.
pub(super) fn sentence(text: &str) -> String {
    let text = in_our_words(text);
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).chain(['.']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_become_sentences() {
        assert_eq!(sentence("élan: go"), "Élan: go.");
        assert_eq!(sentence(""), ".");
        let text = sentence("register a new token, or take a token over");
        let expected = "Register a new authenticator, or take an authenticator over.";
        assert_eq!(text, expected);
    }
}
