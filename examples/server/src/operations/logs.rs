//! Logs: one line a request, without a secret or a code.

use std::io::{IsTerminal as _, stderr};
use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::request_id::current_request_id;

/// Starts logging to standard error. Of the libraries only warnings are told: a database's client
/// traces what it is given, members and sessions included.
pub(crate) fn start_logging(level: LevelFilter, as_json: bool) {
    let filter = Targets::new()
        .with_target(env!("CARGO_CRATE_NAME"), level)
        .with_default(level.min(LevelFilter::WARN));
    let logs = tracing_subscriber::fmt::layer().with_writer(stderr);
    let registry = tracing_subscriber::registry().with(filter);
    if as_json {
        registry.with(logs.json().flatten_event(true)).init();
    } else {
        registry.with(logs.with_ansi(stderr().is_terminal())).init();
    }
}

/// Logs the route that was asked for, never the address, the headers or the body.
pub(crate) async fn log_requests(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("(no such page)".to_owned(), |path| path.as_str().to_owned());
    let response = next.run(request).await;
    tracing::info!(
        request_id = current_request_id(),
        %method,
        route,
        status = response.status().as_u16(),
        milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        "answered"
    );
    response
}
