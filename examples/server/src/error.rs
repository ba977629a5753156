//! What the server can't do now, whoever asks.

use std::fmt;
use std::path::Path;

/// Something that the server stands on failed: the database, randomness, a key. The person is told
/// to try again; the log has the cause.
#[derive(Debug)]
pub(crate) struct Unavailable {
    what: &'static str,
    cause: Box<dyn std::error::Error + Send + Sync>,
}

impl Unavailable {
    /// What failed with a file, which the system's errors don't name.
    pub(crate) fn with_file(
        what: &'static str,
        path: &Path,
        cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        let causes = all_causes(cause.into().as_ref());
        Self::new(what, format!("{}: {causes}", path.display()))
    }

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
        write!(
            f,
            "{} failed: {}",
            self.what,
            all_causes(self.cause.as_ref())
        )
    }
}

/// Many libraries tell the cause of an error in the error's own text too: it is told once.
fn all_causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

impl std::error::Error for Unavailable {}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Failed(&'static str, Option<Box<Failed>>);

    impl fmt::Display for Failed {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl std::error::Error for Failed {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            self.1.as_deref().map(|cause| cause as _)
        }
    }

    fn told(outer: &'static str, inner: &'static str) -> String {
        let cause = Box::new(Failed(inner, None));
        Unavailable::new("a test", Failed(outer, Some(cause))).to_string()
    }

    #[test]
    fn each_cause_is_told_once() {
        let expected = "a test failed: can't connect: refused";
        assert_eq!(told("can't connect", "refused"), expected);
        assert_eq!(told("can't connect: refused", "refused"), expected);
    }
}
