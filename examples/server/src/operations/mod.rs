//! What the operator sees: logs, metrics, health.

mod activity;
mod counters;
mod health;
mod logs;

pub(crate) use activity::{Activity, INTERVAL_SECONDS, INTERVALS};
pub(crate) use counters::{Counters, OUTCOMES, Operation, Totals};
pub(crate) use health::{Health, health, metrics};
pub(crate) use logs::{log_requests, start_logging};
