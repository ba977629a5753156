//! The routes, and what holds for all of them: a name for each request, and a log line.

use axum::Router;
use axum::middleware::from_fn;
use axum::routing::get;

use crate::app::Shared;
use crate::{api, limits, operations, pages, request_id};

/// Everything that is served.
pub(crate) fn router(app: Shared) -> Router {
    let operator = Router::new()
        .route("/healthz", get(operations::health))
        .route("/metrics", get(operations::metrics));
    Router::new()
        .merge(api::router(&app))
        .merge(pages::router(&app))
        .merge(limits::bound(operator))
        .route_layer(from_fn(operations::log_requests))
        .layer(from_fn(request_id::name_request))
        .with_state(app)
}
