//! Whether the server can serve, and what it counted.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::accounts::Subject;
use crate::app::Shared;
use crate::clock::now;

/// `GET /healthz`: 200 while the database answers.
pub(crate) async fn health(State(app): State<Shared>) -> Response {
    let nobody = Subject::user("health");
    match app.second_factor.status(&nobody, now()).await {
        Ok(_) => (StatusCode::OK, "ok\n").into_response(),
        Err(error) => {
            tracing::error!(%error, "unhealthy");
            let text = "the database doesn't answer: see the log\n";
            (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
        }
    }
}

/// `GET /metrics`: counters for Prometheus, no secret and no name among them.
pub(crate) async fn metrics(State(app): State<Shared>) -> Response {
    const TEXT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    match app.counters.to_text() {
        Ok(text) => ([(header::CONTENT_TYPE, TEXT)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "no metrics");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
