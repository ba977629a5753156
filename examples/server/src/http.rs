//! The routes, what holds for all of them (a name for each request, and a log line), and how they
//! are served.

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::get;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_io_timeout::TimeoutStream;
use tower_service::Service as _;

use crate::app::Shared;
use crate::connections::{Connection, Connections};
use crate::{api, limits, operations, pages, request_id};

/// What everybody may ask for. What is for the operator is there, for the project's credentials, unless
/// it has a listener of its own.
pub(crate) fn public(app: Shared, has_operator: bool) -> Router {
    let routes = api::router(&app).merge(pages::router(&app)).merge(health());
    if !has_operator {
        return finish(routes, app);
    }
    let credentials = from_fn_with_state(app.clone(), pages::require_operator);
    finish(routes.merge(operator().route_layer(credentials)), app)
}

/// What the operator alone may ask for, where an address of its own keeps others away.
pub(crate) fn private(app: Shared) -> Router {
    let routes = operator().merge(pages::assets()).merge(health());
    finish(routes, app)
}

fn operator() -> Router<Shared> {
    let metrics = Router::new().route("/metrics", get(operations::metrics));
    limits::bound(metrics).merge(pages::status())
}

fn health() -> Router<Shared> {
    limits::bound(Router::new().route("/healthz", get(operations::health)))
}

fn finish(routes: Router<Shared>, app: Shared) -> Router {
    routes
        .layer(from_fn(operations::log_requests))
        .layer(from_fn(request_id::name_request))
        .with_state(app)
}

/// Serves until `stop` comes, then answers what was begun. Whoever keeps a request to themselves is
/// hung up on.
pub(crate) async fn serve(
    listener: TcpListener,
    routes: Router,
    connections: Connections,
    stop: impl Future<Output = ()>,
) {
    let graceful = GracefulShutdown::new();
    tokio::select! {
        () = accept_all(&listener, &routes, &connections, &graceful) => {}
        () = stop => {}
    }
    drop(listener);
    let _ = timeout(limits::LONGEST, graceful.shutdown()).await;
}

/// Takes every connection. It never ends.
async fn accept_all(
    listener: &TcpListener,
    routes: &Router,
    connections: &Connections,
    graceful: &GracefulShutdown,
) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let connection = connections.add();
                let served = serve_one(stream, routes.clone(), connection, graceful.watcher());
                tokio::spawn(served);
            }
            Err(error) => recover(&error, connections).await,
        }
    }
}

/// A client that has gone already is no fault. Anything else is a lack of descriptors or memory: one
/// connection is closed for the next.
async fn recover(error: &io::Error, connections: &Connections) {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    if matches!(
        error.kind(),
        ConnectionAborted | ConnectionReset | Interrupted
    ) {
        return;
    }
    tracing::error!(%error, "a connection can't be taken: one that waits is closed");
    connections.close_oldest();
    sleep(Duration::from_millis(10)).await;
}

/// Serves a connection by HTTP/1.1. A head, the first one too, must come within a time, and an answer
/// must be taken within a time.
async fn serve_one(stream: TcpStream, routes: Router, connection: Connection, watcher: Watcher) {
    let _ = stream.set_nodelay(true);
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(limits::LONGEST));
    let answer = {
        let connection = connection.clone();
        service_fn(move |request| answer(routes.clone(), connection.clone(), request))
    };
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits::LONGEST)
        .serve_connection(TokioIo::new(Box::pin(stream)), answer);
    tokio::select! {
        _ = watcher.watch(served) => {}
        () = connection.closed() => {}
    }
}

/// Asks the routes.
async fn answer(
    mut routes: Router,
    connection: Connection,
    request: Request<Incoming>,
) -> Result<Response, Infallible> {
    let request = request.map(|body| connection.watch(Body::new(body)));
    connection.answer(routes.call(request)).await
}
