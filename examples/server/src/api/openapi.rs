//! The API described for programs, out of the types and handlers themselves.

use axum::Json;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::{consumer, organizations, passwords, recovery_codes, sessions, totp};

#[derive(OpenApi)]
#[openapi(
    info(title = "keyfob-server", description = "Second factors, offline: TOTP with recovery codes"),
    paths(
        organizations::create,
        organizations::add_member,
        passwords::authenticate,
        totp::create,
        totp::authenticate,
        totp::migrate,
        totp::delete,
        recovery_codes::recover,
        recovery_codes::rotate,
        recovery_codes::show,
        sessions::public_keys,
        sessions::user_public_keys,
        consumer::create,
        consumer::authenticate,
        consumer::recover,
        consumer::recovery_codes,
    ),
    security(("project" = [])),
    modifiers(&Basic)
)]
struct Document;

/// How a client proves which project it is.
struct Basic;

impl Modify for Basic {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let basic = HttpBuilder::new().scheme(HttpAuthScheme::Basic).build();
        document
            .components
            .get_or_insert_default()
            .add_security_scheme("project", SecurityScheme::Http(basic));
    }
}

/// `GET /openapi.json`
pub(super) async fn document() -> Json<utoipa::openapi::OpenApi> {
    Json(Document::openapi())
}
