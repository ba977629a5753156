//! What requests and answers have in common.

use axum::Json;
use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse, Response};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Number;
use serde_json::error::Category;
use utoipa::ToSchema;

use super::error::{ApiError, ErrorType};
use crate::request_id::current_request_id;

/// What a handler comes to.
pub(crate) type Outcome<T> = Result<Answer<T>, ApiError>;

/// An answer, with the name of its request.
#[derive(Serialize, ToSchema)]
pub(crate) struct Answer<T> {
    request_id: String,
    status_code: u16,
    #[serde(flatten)]
    body: T,
}

impl<T> From<T> for Answer<T> {
    fn from(body: T) -> Self {
        Self {
            request_id: current_request_id(),
            status_code: 200,
            body,
        }
    }
}

impl<T: Serialize> IntoResponse for Answer<T> {
    fn into_response(self) -> Response {
        Json(self).into_response()
    }
}

/// A request's JSON, whatever content type it says. What isn't known is ignored.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let bytes = axum::body::Bytes::from_request(request, state).await;
        let bytes = bytes.map_err(|error| ApiError::of_framework(error.status()))?;
        if !is_object(&bytes) {
            let message = "the request isn't a JSON object";
            return Err(ApiError::new(ErrorType::InvalidRequest, message));
        }
        serde_json::from_slice(&bytes).map(Self).map_err(|error| {
            let message = what_is_wrong(&error);
            ApiError::new(ErrorType::InvalidRequest, message)
        })
    }
}

/// serde would read an array's items as an object's fields, in their order.
fn is_object(bytes: &[u8]) -> bool {
    bytes.trim_ascii_start().starts_with(b"{")
}

/// Where it is wrong, and not by what: the value may be a secret, and clients log messages.
fn what_is_wrong(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        Category::Data => "a field is missing, or isn't of the type that /openapi.json says",
        _ => "the request isn't JSON",
    };
    let (line, column) = (error.line(), error.column());
    format!("{what}: look before line {line}, column {column}")
}

/// Reads a whole number, as JSON Schema has it: 60.0 is one.
pub(crate) fn whole<'de, D: Deserializer<'de>>(json: D) -> Result<Option<i64>, D::Error> {
    let Some(number) = Option::<Number>::deserialize(json)? else {
        return Ok(None);
    };
    if let Some(number) = number.as_i64() {
        return Ok(Some(number));
    }
    match number.as_f64() {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "what is beyond is beyond all bounds"
        )]
        Some(number) if number.fract() == 0.0 => Ok(Some(number as i64)),
        _ => Err(D::Error::custom("it isn't a whole number")),
    }
}

/// Reads an empty text as if it were left out: clients send both.
pub(crate) fn filled<'de, D: Deserializer<'de>>(json: D) -> Result<Option<String>, D::Error> {
    let text: Option<String> = Option::deserialize(json)?;
    Ok(text.filter(|text| !text.is_empty()))
}
