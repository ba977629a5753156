//! What the server can't do now, whoever asks.

use std::fmt;

/// Something that the server stands on failed: the database, randomness, a key. The person is told
/// to try again; the log has the cause.
#[derive(Debug)]
pub(crate) struct Unavailable {
    what: &'static str,
    cause: Box<dyn std::error::Error + Send + Sync>,
}

impl Unavailable {
    pub(crate) fn new(
        what: &'static str,
        cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        let cause = cause.into();
        Self { what, cause }
    }
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} failed: {}", self.what, self.cause)?;
        let mut source = self.cause.source();
        while let Some(cause) = source {
            write!(f, ": {cause}")?;
            source = cause.source();
        }
        Ok(())
    }
}

impl std::error::Error for Unavailable {}
