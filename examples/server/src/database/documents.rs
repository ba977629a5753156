//! The server's own things (members, sessions and the like) as JSON texts under a name.

use keyfob::UnixTime;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{postgres, redis, sqlite};
use crate::error::Unavailable;
use crate::random;

/// A kind of document.
pub(crate) trait Document: Serialize + DeserializeOwned {
    /// The kind's name, for ever.
    const KIND: &'static str;

    /// When it may be forgotten.
    fn expires_at(&self) -> Option<UnixTime> {
        None
    }
}

/// What is written to see whether anything can be.
#[derive(Serialize, Deserialize)]
struct Trial {
    expires_at: u64,
}

impl Document for Trial {
    const KIND: &'static str = "trial";

    fn expires_at(&self) -> Option<UnixTime> {
        Some(UnixTime::from_seconds(self.expires_at))
    }
}

/// Where documents are kept. Every change is one atomic step of the database.
pub(crate) enum Documents {
    Sqlite(sqlite::Table),
    Postgres(postgres::Table),
    Redis(redis::Keys),
}

/// Calls the method of whichever database it is.
macro_rules! each {
    ($documents:expr, $method:ident($($argument:expr),*)) => {
        match $documents {
            Documents::Sqlite(it) => it.$method($($argument),*).await,
            Documents::Postgres(it) => it.$method($($argument),*).await,
            Documents::Redis(it) => it.$method($($argument),*).await,
        }
    };
}

/// How often a change is made anew when others wrote in between.
const ATTEMPTS: usize = 16;

impl Documents {
    /// The document of this name, if there is one.
    pub(crate) async fn read<D: Document>(&self, name: &str) -> Result<Option<D>, Unavailable> {
        let text: Option<String> = each!(self, read(D::KIND, name))?;
        text.as_deref().map(parse).transpose()
    }

    /// Keeps a new document; `false` if there is one of this name.
    pub(crate) async fn insert<D: Document>(
        &self,
        name: &str,
        document: &D,
    ) -> Result<bool, Unavailable> {
        let (text, expires_at) = (write(document)?, document.expires_at());
        each!(self, insert(D::KIND, name, &text, expires_at))
    }

    /// Changes a document, and tells what it came to be; `None` if there is none.
    pub(crate) async fn update<D: Document>(
        &self,
        name: &str,
        change: impl Fn(&mut D),
    ) -> Result<Option<D>, Unavailable> {
        let updated = self.update_with(name, change).await?;
        Ok(updated.map(|(document, ())| document))
    }

    /// The same, and what the change said.
    pub(crate) async fn update_with<D: Document, T>(
        &self,
        name: &str,
        change: impl Fn(&mut D) -> T,
    ) -> Result<Option<(D, T)>, Unavailable> {
        for _ in 0..ATTEMPTS {
            let Some(before): Option<String> = each!(self, read(D::KIND, name))? else {
                return Ok(None);
            };
            let mut document: D = parse(&before)?;
            let said = change(&mut document);
            let (after, expires_at) = (write(&document)?, document.expires_at());
            if after == before || each!(self, swap(D::KIND, name, &before, &after, expires_at))? {
                return Ok(Some((document, said)));
            }
        }
        Err(Unavailable::new(
            WHAT,
            "too many changes at once: try again",
        ))
    }

    /// Removes a document, and gives it to whoever removed it.
    pub(crate) async fn take<D: Document>(&self, name: &str) -> Result<Option<D>, Unavailable> {
        let text: Option<String> = each!(self, take(D::KIND, name))?;
        text.as_deref().map(parse).transpose()
    }

    /// Writes a document and removes it, to see whether that can be done.
    pub(crate) async fn try_write(&self, now: UnixTime) -> Result<(), Unavailable> {
        let name = random::name("trial")?;
        let expires_at = now.as_seconds().saturating_add(60);
        self.insert(&name, &Trial { expires_at }).await?;
        self.take::<Trial>(&name).await.map(drop)
    }

    /// Removes what expired.
    pub(crate) async fn sweep(&self, now: UnixTime) -> Result<(), Unavailable> {
        each!(self, sweep(now))
    }
}

const WHAT: &str = "a document";

fn parse<D: Document>(text: &str) -> Result<D, Unavailable> {
    serde_json::from_str(text).map_err(|error| Unavailable::new(WHAT, error))
}

fn write(document: &impl Document) -> Result<String, Unavailable> {
    serde_json::to_string(document).map_err(|error| Unavailable::new(WHAT, error))
}

/// A time as databases have it.
pub(super) fn seconds(time: UnixTime) -> i64 {
    i64::try_from(time.as_seconds()).unwrap_or(i64::MAX)
}
