//! Changes of a person's second factor, counted: sessions from before the last one have ended.

use serde::{Deserialize, Serialize};

use super::{Accounts, Subject};
use crate::database::Document;
use crate::error::Unavailable;

/// What is kept of a person's changes.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct FactorChanges {
    /// How many there were.
    pub(crate) count: u64,
    /// One has begun. Whether it came about, the registration tells.
    pub(crate) has_begun: bool,
}

impl Document for FactorChanges {
    const KIND: &'static str = "factor_changes";
}

impl Accounts {
    pub(crate) async fn factor_changes(
        &self,
        subject: &Subject,
    ) -> Result<FactorChanges, Unavailable> {
        let changes = self.documents.read(&subject.registration_id()).await?;
        Ok(changes.unwrap_or_default())
    }

    /// Notes that a change begins, before it is made: a stop in between can't hide it.
    pub(crate) async fn begin_factor_change(&self, subject: &Subject) -> Result<(), Unavailable> {
        let (name, first) = (subject.registration_id(), FactorChanges::default());
        self.documents.insert(&name, &first).await?;
        let begin = |changes: &mut FactorChanges| changes.has_begun = true;
        self.documents.update(&name, begin).await.map(drop)
    }

    /// Counts the change that had begun, once.
    pub(crate) async fn end_factor_change(&self, subject: &Subject) -> Result<(), Unavailable> {
        let end = |changes: &mut FactorChanges| {
            changes.count += u64::from(changes.has_begun);
            changes.has_begun = false;
        };
        let name = subject.registration_id();
        self.documents.update(&name, end).await.map(drop)
    }
}
