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

    /// All of it as Prometheus reads it.
    pub(crate) fn to_text(&self) -> Result<String, Unavailable> {
        let mut text = String::new();
        encode(&mut text, &self.registry).map_err(|error| Unavailable::new("metrics", error))?;
        Ok(text)
    }
}

/// The outcome of what wasn't refused.
pub(crate) const ACCEPTED: &str = "accepted";

/// A refusal in one word, for labels.
fn reason(refusal: &Refusal) -> &'static str {
    let Refusal::Rejected(rejection) = refusal else {
        return "unavailable";
    };
    match rejection {
        Rejection::Mismatch => "wrong",
        Rejection::Replayed => "replayed",
        Rejection::Locked { .. } => "locked",
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
