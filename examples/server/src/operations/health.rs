//! Whether the server can serve, and what it counted.

use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use tokio::sync::Mutex;

use crate::accounts::Subject;
use crate::app::{App, Shared};
use crate::clock::now;
use crate::error::Unavailable;

/// How long an answer is good: whoever asks more often makes no more writes.
const GOOD_FOR: Duration = Duration::from_secs(1);

/// When the database was last tried, and whether it could be used.
#[derive(Default)]
pub(crate) struct Health(Mutex<Option<(Instant, bool)>>);

impl Health {
    /// Tries the database, unless somebody has just done so.
    async fn check(&self, app: &App) -> bool {
        let mut last = self.0.lock().await;
        if let Some((_, is_well)) = last.filter(|(at, _)| at.elapsed() < GOOD_FOR) {
            return is_well;
        }
        let tried = try_database(app).await;
        if let Err(error) = &tried {
            tracing::error!(%error, "unhealthy");
        }
        *last = Some((Instant::now(), tried.is_ok()));
        tried.is_ok()
    }
}

/// Reads and writes: a log-in does both, and a disk that is full or read-only takes no write.
async fn try_database(app: &App) -> Result<(), Unavailable> {
    let nobody = Subject::user("health");
    app.second_factor.status(&nobody, now()).await?;
    app.accounts.documents().try_write(now()).await
}

/// `GET /healthz`: 200 while the database can be read and written.
pub(crate) async fn health(State(app): State<Shared>) -> Response {
    if app.health.check(&app).await {
        return (StatusCode::OK, "ok\n").into_response();
    }
    let text = "the database can't be read or written: see the log\n";
    (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
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
