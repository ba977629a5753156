//! A name for each request, in its answer and in the log.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use tokio::task_local;
use uuid::Uuid;

task_local! {
    static REQUEST_ID: String;
}

/// Gives the request a name, for as long as it is answered.
pub(crate) async fn name_request(request: Request, next: Next) -> Response {
    let id = format!("request-id-{}", Uuid::new_v4());
    REQUEST_ID.scope(id, next.run(request)).await
}

/// The name of the request that is being answered.
pub(crate) fn current_request_id() -> String {
    REQUEST_ID.try_with(Clone::clone).unwrap_or_default()
}
