//! The API.

use axum::Router;

use crate::app::Shared;

pub(crate) fn router(_app: &Shared) -> Router<Shared> {
    Router::new()
}
