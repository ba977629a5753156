//! A client of the API, which holds every answer against the server's own description.

use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, SystemTime};

use data_encoding::BASE64;
use jsonschema::Validator;
use keyfob::{Secret, Totp, TotpParams, UnixTime};
use serde_json::{Value, json};
use ureq::http::Request;

use super::server::{PROJECT_ID, SECRET};

/// A client of one server.
pub(crate) struct Api {
    url: String,
    agent: ureq::Agent,
    /// By method, route and status, 200 or `default`.
    schemas: HashMap<(String, String, &'static str), Validator>,
}

/// What the server said.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) json: Value,
    pub(crate) retry_after: Option<u64>,
}

impl Answer {
    /// The answer, which must be a success.
    #[track_caller]
    pub(crate) fn accepted(self) -> Value {
        assert_eq!(self.status, 200, "{}", self.json);
        self.json
    }

    /// Status and type of the answer, which must be an error.
    #[track_caller]
    pub(crate) fn refused(&self) -> (u16, &str) {
        assert_ne!(self.status, 200, "{}", self.json);
        (self.status, text(&self.json, "error_type"))
    }
}

impl Api {
    pub(crate) fn new(url: &str) -> Self {
        // A connection each: who is refused before the whole request came is hung up on.
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_idle_connections(0);
        let agent: ureq::Agent = config.build().into();
        let document = agent.get(format!("{url}/openapi.json")).call().unwrap();
        let document: Value = serde_json::from_reader(document.into_body().into_reader()).unwrap();
        Self {
            url: url.to_owned(),
            agent,
            schemas: schemas(&document),
        }
    }

    /// `POST` to a route without parameters.
    #[track_caller]
    #[allow(clippy::needless_pass_by_value)] // it is made in place
    pub(crate) fn post(&self, route: &str, body: Value) -> Answer {
        self.call("post", route, route, &body)
    }

    /// Calls `route`, which `path` is one of.
    #[track_caller]
    pub(crate) fn call(&self, method: &str, route: &str, path: &str, body: &Value) -> Answer {
        let answer = self.send(method, path, &body.to_string(), &credentials());
        self.check(method, route, &answer);
        answer
    }

    /// Sends a request, whatever its form, and reads an answer without holding it against anything.
    pub(crate) fn send(&self, method: &str, path: &str, body: &str, authorization: &str) -> Answer {
        let mut request = Request::builder()
            .method(method.to_uppercase().as_str())
            .uri(format!("{}{path}", self.url));
        if !authorization.is_empty() {
            request = request.header("authorization", authorization);
        }
        let request = request.body(body.to_owned()).unwrap();
        let agent = self.agent.configure_request(request);
        let mut answer = self
            .agent
            .run(agent.allow_non_standard_methods(true).build())
            .unwrap();
        let retry_after = answer.headers().get("retry-after");
        let retry_after = retry_after.map(|value| value.to_str().unwrap().parse().unwrap());
        let text = answer.body_mut().read_to_string().unwrap();
        Answer {
            status: answer.status().as_u16(),
            json: serde_json::from_str(&text).unwrap_or(Value::String(text)),
            retry_after,
        }
    }

    /// Announces a body of so many bytes, sends none of it, and reads what the server says to that.
    pub(crate) fn announce(&self, path: &str, bytes: usize) -> String {
        let address = self.url.trim_start_matches("http://");
        let mut stream = TcpStream::connect(address).unwrap();
        let authorization = credentials();
        write!(
            stream,
            "POST {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: {authorization}\r\n\
             Content-Length: {bytes}\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[track_caller]
    fn check(&self, method: &str, route: &str, answer: &Answer) {
        let status = if answer.status == 200 {
            "200"
        } else {
            "default"
        };
        let key = (method.to_owned(), route.to_owned(), status);
        let schema = self.schemas.get(&key);
        let schema = schema.unwrap_or_else(|| panic!("{key:?} isn't described"));
        let faults: Vec<_> = schema
            .iter_errors(&answer.json)
            .map(|fault| format!("{}: {fault}", fault.instance_path()))
            .collect();
        assert!(faults.is_empty(), "{key:?}: {faults:?} in {}", answer.json);
        assert!(!has_null(&answer.json), "{}", answer.json);
        assert_eq!(answer.json["status_code"], answer.status);
        assert!(text(&answer.json, "request_id").starts_with("request-id-"));
    }
}

/// The credentials of the tests' project.
pub(crate) fn credentials() -> String {
    basic(PROJECT_ID, SECRET)
}

pub(crate) fn basic(id: &str, secret: &str) -> String {
    let encoded = BASE64.encode(format!("{id}:{secret}").as_bytes());
    format!("Basic {encoded}")
}

/// A validator for each answer that the document describes.
fn schemas(document: &Value) -> HashMap<(String, String, &'static str), Validator> {
    let mut schemas = HashMap::new();
    for (route, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            for status in ["200", "default"] {
                let content = &operation["responses"][status]["content"]["application/json"];
                if let Some(schema) = content.get("schema") {
                    let mut schema = schema.clone();
                    schema["components"] = document["components"].clone();
                    let validator = jsonschema::validator_for(&schema).unwrap();
                    schemas.insert((method.clone(), route.clone(), status), validator);
                }
            }
        }
    }
    schemas
}

/// What each operation says of its requests, by method and route.
pub(crate) fn request_schemas(document: &Value) -> HashMap<(String, String), Value> {
    let mut schemas = HashMap::new();
    for (route, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let content = &operation["requestBody"]["content"]["application/json"];
            if let Some(schema) = content.get("schema") {
                let mut schema = schema.clone();
                schema["components"] = document["components"].clone();
                schemas.insert((method.clone(), route.clone()), schema);
            }
        }
    }
    schemas
}

fn has_null(json: &Value) -> bool {
    match json {
        Value::Null => true,
        Value::Array(items) => items.iter().any(has_null),
        Value::Object(fields) => fields.values().any(has_null),
        _ => false,
    }
}

#[track_caller]
pub(crate) fn text<'a>(json: &'a Value, field: &str) -> &'a str {
    let text = json[field].as_str();
    text.unwrap_or_else(|| panic!("no text {field} in {json}"))
}

/// The recovery codes of an answer.
pub(crate) fn recovery_codes(json: &Value) -> Vec<String> {
    let codes = json["recovery_codes"].as_array().unwrap();
    codes
        .iter()
        .map(|code| code.as_str().unwrap().to_owned())
        .collect()
}

/// Waits until the present step goes on for ten seconds, so that no test meets the next one.
pub(crate) fn await_calm() {
    let elapsed = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs() % 30;
    if elapsed > 20 {
        thread::sleep(Duration::from_secs(30 - elapsed));
    }
}

/// The code that a token with this secret shows so many steps from now.
pub(crate) fn code(secret: &str, steps: i64) -> String {
    let secret = Secret::from_base32(secret).unwrap();
    let now = UnixTime::try_from(SystemTime::now()).unwrap().as_seconds();
    let then = UnixTime::from_seconds(now.checked_add_signed(30 * steps).unwrap());
    Totp::new(&secret, TotpParams::DEFAULT)
        .code_at(then)
        .to_string()
}

/// A code that no step near now has.
pub(crate) fn wrong_code(secret: &str) -> String {
    let near: Vec<_> = (-3..=3).map(|steps| code(secret, steps)).collect();
    let mut codes = (0..).map(|number| format!("{number:06}"));
    codes.find(|code| !near.contains(code)).unwrap()
}

/// A member of a new organization.
pub(crate) struct Alice {
    pub(crate) organization_id: String,
    pub(crate) member_id: String,
}

impl Alice {
    pub(crate) const EMAIL: &str = "alice@example.com";
    pub(crate) const PASSWORD: &str = "correct horse";

    pub(crate) fn new(api: &Api, mfa_policy: &str) -> Self {
        let body = json!({ "organization_name": "ACME", "mfa_policy": mfa_policy });
        let made = api.post("/v1/b2b/organizations", body).accepted();
        let organization_id = text(&made, "organization_id").to_owned();
        let body =
            json!({ "email_address": Self::EMAIL, "name": "Alice", "password": Self::PASSWORD });
        let path = format!("/v1/b2b/organizations/{organization_id}/members");
        let route = "/v1/b2b/organizations/{organization_id}/members";
        let added = api.call("post", route, &path, &body).accepted();
        Self {
            member_id: text(&added, "member_id").to_owned(),
            organization_id,
        }
    }

    /// A request about this member with these fields.
    pub(crate) fn with(&self, mut fields: Value) -> Value {
        fields["organization_id"] = json!(self.organization_id);
        fields["member_id"] = json!(self.member_id);
        fields
    }

    /// Registers a token in a step that goes on for a while. The codes of three steps differ: of two
    /// that are alike, the later is burned.
    pub(crate) fn register(&self, api: &Api) -> Value {
        await_calm();
        let created = api.post("/v1/b2b/totp", self.with(json!({}))).accepted();
        let [before, now, next] = [-1, 0, 1].map(|steps| code(text(&created, "secret"), steps));
        if before == now || now == next || next == before {
            return self.register(api);
        }
        created
    }

    /// Registers a token and confirms it with the code of the step before this one.
    pub(crate) fn enrol(&self, api: &Api) -> Value {
        let created = self.register(api);
        self.authenticate(api, text(&created, "secret"), -1);
        created
    }

    /// Logs in with the code of so many steps from now, and gives the session.
    pub(crate) fn authenticate(&self, api: &Api, secret: &str, steps: i64) -> Value {
        let body = self.with(json!({ "code": code(secret, steps) }));
        api.post("/v1/b2b/totp/authenticate", body).accepted()
    }

    /// Logs in with the password.
    pub(crate) fn password(&self, api: &Api) -> Value {
        self.log_in(api, Self::EMAIL, Self::PASSWORD).accepted()
    }

    /// Tries to log in to this member's organization.
    pub(crate) fn log_in(&self, api: &Api, email_address: &str, password: &str) -> Answer {
        let body = json!({
            "organization_id": self.organization_id,
            "email_address": email_address,
            "password": password,
        });
        api.post("/v1/b2b/passwords/authenticate", body)
    }
}
