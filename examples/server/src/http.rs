//! The routes, what holds for all of them (a name for each request, and a log line), and how they
//! are served.

use std::io;

use axum::Router;
use axum::middleware::from_fn;
use axum::routing::get;
use axum_server::Handle;
use hyper_util::rt::TokioTimer;
use tokio::net::TcpListener;

use crate::app::Shared;
use crate::{api, limits, operations, pages, request_id};

/// Everything that is served.
fn router(app: Shared) -> Router {
    let operator = Router::new()
        .route("/healthz", get(operations::health))
        .route("/metrics", get(operations::metrics));
    Router::new()
        .merge(api::router(&app))
        .merge(pages::router(&app))
        .merge(limits::bound(operator))
        .layer(from_fn(operations::log_requests))
        .layer(from_fn(request_id::name_request))
        .with_state(app)
}

/// Serves until `stop` comes, then answers what was begun. Whoever keeps a request to themselves is
/// hung up on.
pub(crate) async fn serve(
    listener: TcpListener,
    app: Shared,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let handle = Handle::new();
    let mut server = axum_server::from_tcp(listener.into_std()?)?.handle(handle.clone());
    server
        .http_builder()
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits::LONGEST);
    tokio::spawn(async move {
        stop.await;
        handle.graceful_shutdown(Some(limits::LONGEST));
    });
    server.serve(router(app).into_make_service()).await
}
