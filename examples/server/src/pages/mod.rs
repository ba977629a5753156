//! Pages for people: HTML made by the server, which works without JavaScript and better with it.
//!
//! No page decides anything about codes. Each asks the engine, and shows what it said.

mod account;
mod assets;
mod change_authenticator;
mod chart;
mod code;
mod confirm;
mod cookie;
mod enrol;
mod headers;
mod import;
mod log_in;
mod moment;
mod new_token;
mod notice;
mod operator;
mod page;
mod person;
mod problem;
mod recovery_codes;
mod recovery_step;
mod rejection;
mod remove;
mod same_origin;
mod second_step;
mod sign_up;
mod status;
mod unreadable;
mod upload;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::Redirect;
use axum::routing::{get, post};

pub(crate) use assets::router as assets;
pub(crate) use operator::require_operator;
use problem::Problem;

use crate::app::Shared;
use crate::limits;

pub(crate) fn router(app: &Shared) -> Router<Shared> {
    let pages = Router::new()
        .route("/", get(|| async { Redirect::to("/account") }))
        .route("/sign-up", get(sign_up::show).post(sign_up::submit))
        .route("/log-in", get(log_in::show).post(log_in::submit))
        .route(
            "/log-in/code",
            get(second_step::show).post(second_step::submit),
        )
        .route(
            "/log-in/recovery-code",
            get(recovery_step::show).post(recovery_step::submit),
        )
        .route("/log-out", post(log_in::log_out))
        .route("/account", get(account::show))
        .route(
            "/second-factor/set-up",
            get(enrol::explain).post(enrol::begin),
        )
        .route(
            "/second-factor/confirm",
            get(confirm::show).post(confirm::submit),
        )
        .route(
            "/second-factor/change",
            get(change_authenticator::explain).post(change_authenticator::begin),
        )
        .route(
            "/second-factor/recovery-codes",
            get(recovery_codes::explain).post(recovery_codes::rotate),
        )
        .route(
            "/second-factor/import",
            get(import::show).post(import::submit),
        )
        .route(
            "/second-factor/remove",
            get(remove::explain).post(remove::submit),
        )
        .fallback(async || Problem::NoPage(StatusCode::NOT_FOUND))
        .method_not_allowed_fallback(async || Problem::NoPage(StatusCode::METHOD_NOT_ALLOWED))
        .layer(from_fn_with_state(app.clone(), same_origin::refuse_others));
    limits::bound(pages)
        .layer(from_fn(headers::private))
        .merge(assets::router())
}

/// The operator's page, for whoever may ask.
pub(crate) fn status() -> Router<Shared> {
    let status = Router::new().route("/status", get(status::show));
    limits::bound(status).layer(from_fn(headers::private))
}
