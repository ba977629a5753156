//! The style sheet, the script and the icon, out of the program itself.

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, X_CONTENT_TYPE_OPTIONS};
use axum::routing::get;

use crate::app::Shared;

const STYLE: &str = include_str!("../../assets/style.css");
const SCRIPT: &str = include_str!("../../assets/script.js");
const ICON: &str = include_str!("../../assets/icon.svg");

type Asset = ([(HeaderName, &'static str); 3], &'static str);

pub(crate) fn router() -> Router<Shared> {
    Router::new()
        .route(
            "/style.css",
            get(|| async { asset("text/css; charset=utf-8", STYLE) }),
        )
        .route(
            "/script.js",
            get(|| async { asset("text/javascript; charset=utf-8", SCRIPT) }),
        )
        .route("/icon.svg", get(|| async { asset("image/svg+xml", ICON) }))
}

/// Browsers ask again for each page, so that no page has the style of another release.
const fn asset(content_type: &'static str, text: &'static str) -> Asset {
    let headers = [
        (CONTENT_TYPE, content_type),
        (CACHE_CONTROL, "no-cache"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, text)
}
