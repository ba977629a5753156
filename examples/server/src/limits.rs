//! What bounds a request: its size, its time, and a panic to itself.

use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;

use crate::app::Shared;

/// Backups of authenticator apps are the largest that anybody sends.
pub(crate) const MOST_BYTES: usize = 1 << 20;

/// For the head of a request, and for its answer.
pub(crate) const LONGEST: Duration = Duration::from_secs(30);

/// The same routes, bounded. What is beyond is refused in a way that layers around can still shape.
pub(crate) fn bound(routes: Router<Shared>) -> Router<Shared> {
    let timeout = TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, LONGEST);
    routes
        .layer(CatchPanicLayer::new())
        .layer(timeout)
        .layer(DefaultBodyLimit::max(MOST_BYTES))
}
