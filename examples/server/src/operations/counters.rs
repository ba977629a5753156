//! Accepts and refusals by reason, for Prometheus and for the status page.

use keyfob::Rejection;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use crate::error::Unavailable;
use crate::second_factor::Refusal;

/// What was asked of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Create,
    Replace,
    Authenticate,
    Recover,
    Migrate,
    Rotate,
    Delete,
}

impl Operation {
    const fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Replace => "replace",
            Self::Authenticate => "authenticate",
            Self::Recover => "recover",
            Self::Migrate => "migrate",
            Self::Rotate => "rotate",
            Self::Delete => "delete",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    operation: &'static str,
    outcome: &'static str,
}

/// What this process has answered since it started.
pub(crate) struct Counters {
    registry: Registry,
    requests: Family<Labels, Counter>,
}

impl Counters {
    pub(crate) fn new() -> Self {
        let requests = Family::default();
        let mut registry = Registry::with_prefix("keyfob");
        let help = "What was asked of the second factor, and what it came to";
        registry.register("second_factor", help, requests.clone());
        Self { registry, requests }
    }

    /// Counts an answer.
    pub(crate) fn count(&self, operation: Operation, refusal: Option<&Refusal>) {
        let operation = operation.name();
        let outcome = refusal.map_or(ACCEPTED, reason);
        self.requests
            .get_or_create(&Labels { operation, outcome })
            .inc();
    }

    /// How often a code or recovery code came to each of [`OUTCOMES`].
    pub(crate) fn attempts(&self) -> Totals {
        let count = |operation: Operation, outcome| {
            let operation = operation.name();
            let counter = self.requests.get(&Labels { operation, outcome });
            counter.map_or(0, |counter| counter.get())
        };
        OUTCOMES.map(|outcome| {
            count(Operation::Authenticate, outcome) + count(Operation::Recover, outcome)
        })
    }

    /// All of it as Prometheus reads it.
    pub(crate) fn to_text(&self) -> Result<String, Unavailable> {
        let mut text = String::new();
        encode(&mut text, &self.registry).map_err(|error| Unavailable::new("metrics", error))?;
        Ok(text)
    }
}

/// The outcome of what wasn't refused.
pub(crate) const ACCEPTED: &str = "accepted";

/// What an attempt can come to, the frequent ones first.
pub(crate) const OUTCOMES: [&str; 16] = [
    ACCEPTED,
    "wrong",
    "replayed",
    "locked",
    "too_early",
    "disabled",
    "unknown",
    "expired",
    "pending",
    "already_registered",
    "malformed",
    "wrong_field",
    "stale_proof",
    "no_recovery_codes",
    "other",
    "unavailable",
];

/// A count for each of [`OUTCOMES`].
pub(crate) type Totals = [u64; OUTCOMES.len()];

/// A refusal in one word, for labels.
fn reason(refusal: &Refusal) -> &'static str {
    let Refusal::Rejected(rejection) = refusal else {
        return "unavailable";
    };
    match rejection {
        Rejection::Mismatch { .. } => "wrong",
        Rejection::Replayed => "replayed",
        Rejection::TooEarly(_) => "too_early",
        Rejection::Locked(_) => "locked",
        Rejection::Disabled => "disabled",
        Rejection::Unknown => "unknown",
        Rejection::Expired => "expired",
        Rejection::Pending => "pending",
        Rejection::AlreadyRegistered => "already_registered",
        Rejection::Format { .. } | Rejection::NoCode(_) | Rejection::RecoveryCodeFormat => {
            "malformed"
        }
        Rejection::RecoveryCodeAsCode | Rejection::CodeAsRecoveryCode => "wrong_field",
        Rejection::StaleProof => "stale_proof",
        Rejection::NoRecoveryCodes => "no_recovery_codes",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use keyfob::{LockState, UnixTime, Wait};

    use super::*;

    #[test]
    fn attempts_are_counted_by_their_outcome() {
        let wait = Wait::between(UnixTime::EPOCH, UnixTime::EPOCH);
        let lock = LockState::Disabled;
        let rejections = [
            Rejection::Mismatch { lock },
            Rejection::Replayed,
            Rejection::TooEarly(wait),
            Rejection::Locked(wait),
            Rejection::Disabled,
            Rejection::Unknown,
            Rejection::Expired,
            Rejection::Pending,
            Rejection::AlreadyRegistered,
            Rejection::RecoveryCodeFormat,
            Rejection::RecoveryCodeAsCode,
            Rejection::StaleProof,
            Rejection::NoRecoveryCodes,
            Rejection::WrongKind,
        ];
        let counters = Counters::new();
        counters.count(Operation::Create, None);
        counters.count(Operation::Authenticate, None);
        for rejection in rejections {
            counters.count(Operation::Recover, Some(&Refusal::Rejected(rejection)));
        }
        let unavailable = Refusal::Unavailable(Unavailable::new("a test", "it was asked to"));
        counters.count(Operation::Authenticate, Some(&unavailable));
        assert_eq!(counters.attempts(), [1; OUTCOMES.len()]);
    }
}
