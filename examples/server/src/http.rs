//! The routes, and what holds for all of them: a name for each request, limits, a log line.

use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::from_fn;
use axum::routing::get;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;

use crate::app::Shared;
use crate::{api, operations, pages, request_id};

/// Backups of authenticator apps are the largest that anybody sends.
const MOST_BYTES: usize = 1 << 20;
const LONGEST: Duration = Duration::from_secs(30);

/// Everything that is served.
pub(crate) fn router(app: Shared) -> Router {
    Router::new()
        .merge(api::router(&app))
        .merge(pages::router(&app))
        .route("/healthz", get(operations::health))
        .route("/metrics", get(operations::metrics))
        .route_layer(from_fn(operations::log_requests))
        .layer(CatchPanicLayer::new())
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            LONGEST,
        ))
        .layer(DefaultBodyLimit::max(MOST_BYTES))
        .layer(from_fn(request_id::name_request))
        .with_state(app)
}
