//! A JSON API in the shape that hosted services for second factors have, so that a client of theirs
//! moves over by changing its base URL.

mod consumer;
mod credentials;
mod enrolment;
mod error;
mod exchange;
mod objects;
mod openapi;
mod organizations;
mod passwords;
mod people;
mod recovery_codes;
mod sessions;
mod sign_in;
mod totp;

use axum::Router;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::Response;
use axum::routing::{any, delete, get, post};
use tower_http::limit::RequestBodyLimitLayer;

use crate::app::Shared;
use crate::limits;

/// All routes of the API. Only the public keys and the description are anybody's.
pub(crate) fn router(app: &Shared) -> Router<Shared> {
    let project = from_fn_with_state(app.clone(), credentials::require_project);
    let public = Router::new()
        .route("/openapi.json", get(openapi::document))
        .route(
            "/v1/b2b/sessions/jwks/{project_id}",
            get(sessions::public_keys),
        )
        .route(
            "/v1/sessions/jwks/{project_id}",
            get(sessions::user_public_keys),
        );
    let routes = organizations()
        .merge(consumer())
        .route_layer(project)
        .route_layer(map_response(keep_nowhere))
        .merge(public)
        .route("/v1", any(no_route))
        .route("/v1/", any(no_route))
        .route("/v1/{*rest}", any(no_route))
        .layer(RequestBodyLimitLayer::new(limits::MOST_BYTES));
    limits::bound(routes).layer(from_fn_with_state(app.clone(), error::write_errors))
}

/// For members of organizations.
fn organizations() -> Router<Shared> {
    Router::new()
        .route("/v1/b2b/organizations", post(organizations::create))
        .route(
            "/v1/b2b/organizations/{organization_id}/members",
            post(organizations::add_member),
        )
        .route(
            "/v1/b2b/organizations/{organization_id}/members/{member_id}/totp",
            delete(totp::delete),
        )
        .route(
            "/v1/b2b/passwords/authenticate",
            post(passwords::authenticate),
        )
        .route("/v1/b2b/totp", post(totp::create))
        .route("/v1/b2b/totp/authenticate", post(totp::authenticate))
        .route("/v1/b2b/totp/migrate", post(totp::migrate))
        .route(
            "/v1/b2b/recovery_codes/recover",
            post(recovery_codes::recover),
        )
        .route(
            "/v1/b2b/recovery_codes/rotate",
            post(recovery_codes::rotate),
        )
        .route(
            "/v1/b2b/recovery_codes/{organization_id}/{member_id}",
            get(recovery_codes::show),
        )
}

/// For users without one.
fn consumer() -> Router<Shared> {
    Router::new()
        .route("/v1/totps", post(consumer::create))
        .route("/v1/totps/authenticate", post(consumer::authenticate))
        .route("/v1/totps/recover", post(consumer::recover))
        .route("/v1/totps/recovery_codes", post(consumer::recovery_codes))
}

/// Many answers have a secret.
async fn keep_nowhere(mut response: Response) -> Response {
    let no_store = HeaderValue::from_static("no-store");
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, no_store);
    response
}

async fn no_route() -> StatusCode {
    StatusCode::NOT_FOUND
}
