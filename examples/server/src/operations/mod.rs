//! What the operator sees: logs, metrics, health.

mod counters;
mod health;
mod logs;

pub(crate) use counters::{Counters, Operation};
pub(crate) use health::{health, metrics};
pub(crate) use logs::{log_requests, start_logging};
