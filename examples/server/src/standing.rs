//! A session is good as long as the second factor is the one that it began with.
//!
//! Whatever changes the factor goes through here, so that no way of changing it leaves sessions from
//! before. Tokens (JWT) that were signed before are good for their five minutes: whoever verifies them
//! doesn't ask.

use keyfob::{Authenticated, Recovered, Status, UnixTime};

use crate::accounts::{Factors, Session, Subject};
use crate::app::App;
use crate::error::Unavailable;
use crate::second_factor::{Refusal, is_active};

/// What becomes of a session that is asked for.
pub(crate) enum Standing {
    Good(Session),
    /// The person had no second factor when it began, and has one now.
    LacksSecondFactor(Session),
    /// There is none, it lapsed, or the second factor has changed.
    Ended,
}

impl App {
    /// The session of this id, and whether it is still good. One that isn't is gone from now on.
    pub(crate) async fn standing(&self, id: &str, now: UnixTime) -> Result<Standing, Unavailable> {
        let Some(session) = self.accounts.session(id, now).await? else {
            return Ok(Standing::Ended);
        };
        let factors = self.factors(&session.subject, now).await?;
        if session.began_with == factors {
            return Ok(Standing::Good(session));
        }
        self.accounts.end_session(id).await?;
        let lacks_second = session.began_with.precedes(&factors);
        Ok(if lacks_second {
            Standing::LacksSecondFactor(session)
        } else {
            Standing::Ended
        })
    }

    /// What a session that begins now rests on.
    pub(crate) async fn factors(
        &self,
        subject: &Subject,
        now: UnixTime,
    ) -> Result<Factors, Unavailable> {
        let status = self.second_factor.status(subject, now).await?;
        self.factors_at(subject, status).await
    }

    async fn factors_at(
        &self,
        subject: &Subject,
        status: Option<Status>,
    ) -> Result<Factors, Unavailable> {
        let mut changes = self.accounts.factor_changes(subject).await?;
        if changes.has_begun && !is_waiting(status.as_ref()) {
            // Whoever began it stopped in between, or is about to end it too.
            self.accounts.end_factor_change(subject).await?;
            changes.count += 1;
        }
        let active = status.filter(is_active);
        Ok(Factors {
            changes: changes.count,
            registration: active.map(|status| status.registration_id.to_string()),
        })
    }

    /// Accepts a code, once, and tells what a session rests on from then on.
    pub(crate) async fn authenticate(
        &self,
        subject: &Subject,
        typed: &str,
        now: UnixTime,
    ) -> Result<(Authenticated, Factors), Refusal> {
        let status = self.second_factor.status(subject, now).await?;
        if is_waiting(status.as_ref()) {
            self.accounts.begin_factor_change(subject).await?;
        }
        let before = self.factors_at(subject, status).await?;
        let accepted = self.second_factor.authenticate(subject, typed, now).await?;
        if !accepted.activated() && !accepted.replaced() {
            return Ok((accepted, before));
        }
        self.accounts.end_factor_change(subject).await?;
        Ok((accepted, self.factors(subject, now).await?))
    }

    /// Accepts a recovery code, once.
    pub(crate) async fn recover(
        &self,
        subject: &Subject,
        typed: &str,
        now: UnixTime,
    ) -> Result<(Recovered, Factors), Refusal> {
        let before = self.factors(subject, now).await?;
        let accepted = self.second_factor.recover(subject, typed, now).await?;
        Ok((accepted, before))
    }

    /// Forgets a registration.
    pub(crate) async fn remove_factor(
        &self,
        subject: &Subject,
        now: UnixTime,
    ) -> Result<Factors, Refusal> {
        self.accounts.begin_factor_change(subject).await?;
        self.second_factor.delete(subject).await?;
        self.accounts.end_factor_change(subject).await?;
        Ok(self.factors(subject, now).await?)
    }
}

/// Whether another token waits for its first code.
fn is_waiting(status: Option<&Status>) -> bool {
    status.is_some_and(|status| status.replacement_until.is_some())
}
