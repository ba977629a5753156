//! What `/openapi.json` says of requests is what the server takes: neither more nor less.

mod support;

use serde_json::{Value, json};
use support::api::{Alice, Api, request_schemas, text};
use support::server::Server;

/// The answers to requests whose form is wrong. Others are about what is in them.
const WRONG_FORM: [&str; 3] = [
    "invalid_request",
    "invalid_expiration_minutes",
    "invalid_session_duration_minutes",
];
/// What isn't a code is refused by whether the description says that there must be something.
const EMPTY: [&str; 3] = [
    "invalid_totp_code",
    "invalid_recovery_code",
    "invalid_secret",
];

/// What is put into each field.
fn candidates() -> Vec<Value> {
    let mut values: Vec<_> = [
        "", "a", "enroll", "unenroll", "OPTIONAL", "optional", "a@b", "@", "a@", "a@b:c",
    ]
    .iter()
    .map(|text| json!(text))
    .collect();
    values.extend(
        [
            "1234567",
            "12345678",
            "a\u{7}b",
            "a\u{85}b@c",
            "\u{2003}@b",
            "a\nb",
        ]
        .map(|text| json!(text)),
    );
    values.extend([127, 128, 129, 254, 255].map(|length| json!("é".repeat(length))));
    values.extend([250, 251].map(|length| json!(format!("a@{}", "é".repeat(length + 2)))));
    values.extend([-1, 0, 4, 5, 567, 1_440, 1_441, 527_040, 527_041].map(|number| json!(number)));
    values.extend([567.0, 5.5, 1e300, -0.0].map(|number| json!(number)));
    values.extend([
        json!(null),
        json!(true),
        json!([]),
        json!(["a"]),
        json!({}),
        json!({ "a": 1 }),
    ]);
    values
}

/// A request that is all right in its form.
fn request(operation: &str, alice: &Alice) -> Value {
    match operation {
        "/v1/b2b/organizations" => json!({ "organization_name": "ACME" }),
        "/v1/b2b/organizations/{organization_id}/members" => {
            json!({ "email_address": Alice::EMAIL })
        }
        "/v1/b2b/passwords/authenticate" => json!({
            "organization_id": "o", "email_address": Alice::EMAIL, "password": "wrong",
        }),
        "/v1/b2b/totp/authenticate" => alice.with(json!({ "code": "123456" })),
        "/v1/b2b/totp/migrate" => alice.with(json!({ "secret": "GEZDGNBVGY3TQOJQ" })),
        "/v1/b2b/recovery_codes/recover" => alice.with(json!({ "recovery_code": "a" })),
        route if route.starts_with("/v1/b2b/") => alice.with(json!({})),
        _ => json!({ "user_id": "u", "totp_code": "123456", "recovery_code": "a" }),
    }
}

/// Whether the server takes the form of a request.
fn is_taken(api: &Api, route: &str, alice: &Alice, body: &Value) -> bool {
    let path = route.replace("{organization_id}", &alice.organization_id);
    let answer = api.call("post", route, &path, body);
    assert!(answer.status < 500, "{route}: {body}: {answer:?}");
    let error = answer.json["error_type"].as_str().unwrap_or_default();
    let has_empty = ["code", "totp_code", "recovery_code", "secret"]
        .iter()
        .any(|field| body.get(field) == Some(&json!("")));
    let is_refused = WRONG_FORM.contains(&error) || has_empty && EMPTY.contains(&error);
    !is_refused
}

#[test]
fn the_description_allows_what_the_server_takes_and_nothing_else() {
    let server = Server::start();
    let api = Api::new(&server.url);
    let alice = Alice::new(&api, "OPTIONAL");
    let document = api.send("get", "/openapi.json", "", "").json;
    let mut tried = 0;
    for ((method, route), schema) in request_schemas(&document) {
        assert_eq!(method, "post");
        let validator = jsonschema::validator_for(&schema).expect("a schema");
        let valid = request(&route, &alice);
        assert!(validator.is_valid(&valid), "{route}: {valid}");
        for field in fields(&document, &schema) {
            for value in candidates() {
                let mut body = valid.clone();
                body[&field] = value;
                let taken = is_taken(&api, &route, &alice, &body);
                assert_eq!(validator.is_valid(&body), taken, "{route}: {body}");
                tried += 1;
            }
            let mut body = valid.clone();
            body.as_object_mut().unwrap().remove(&field);
            let taken = is_taken(&api, &route, &alice, &body);
            assert_eq!(validator.is_valid(&body), taken, "{route}: {body}");
        }
        for body in [
            json!([]),
            json!(["a", "b"]),
            json!("a"),
            json!(null),
            json!(1),
        ] {
            assert!(!validator.is_valid(&body) && !is_taken(&api, &route, &alice, &body));
        }
    }
    assert!(tried > 1_000, "{tried}");
}

/// All fields that a schema describes, those of its parts included.
fn fields(document: &Value, schema: &Value) -> Vec<String> {
    if schema.get("$ref").is_some() {
        let name = text(schema, "$ref").rsplit('/').next().unwrap();
        return fields(document, &document["components"]["schemas"][name]);
    }
    let parts = schema["allOf"].as_array().into_iter().flatten();
    let own = schema["properties"].as_object().into_iter().flatten();
    let own = own.map(|(name, _)| name.clone());
    own.chain(parts.flat_map(|part| fields(document, part)))
        .collect()
}
