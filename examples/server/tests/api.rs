//! The JSON API, over HTTP, each answer held against the server's own description of it.

mod support;

use serde_json::{Value, json};
use support::api::{
    Alice, Api, await_calm, basic, code, credentials, recovery_codes, text, wrong_code,
};
use support::server::{PROJECT_ID, SECRET, Server};

const TOTP: &str = "/v1/b2b/totp";
const AUTHENTICATE: &str = "/v1/b2b/totp/authenticate";
const MIGRATE: &str = "/v1/b2b/totp/migrate";
const RECOVER: &str = "/v1/b2b/recovery_codes/recover";
const ROTATE: &str = "/v1/b2b/recovery_codes/rotate";
const DELETE: &str = "/v1/b2b/organizations/{organization_id}/members/{member_id}/totp";

fn server() -> (Server, Api) {
    let server = Server::start();
    let api = Api::new(&server.url);
    (server, api)
}

#[test]
fn a_member_goes_through_the_life_of_a_second_factor() {
    let (_server, api) = server();
    let alice = Alice::new(&api, "REQUIRED_FOR_ALL");

    await_calm();
    let created = api
        .post(TOTP, alice.with(json!({ "expiration_minutes": 5 })))
        .accepted();
    let id = text(&created, "totp_registration_id");
    assert!(id.starts_with("member-totp-"));
    assert!(text(&created, "qr_code").starts_with("data:image/png;base64,"));
    let codes = recovery_codes(&created);
    assert_eq!(codes.len(), 10);
    let secret = text(&created, "secret");

    let waiting = alice.password(&api);
    assert_eq!(waiting["member_authenticated"], false);
    assert_eq!(waiting["session_token"], "");
    assert_eq!(
        waiting["mfa_required"]["member_options"]["totp_registration_id"],
        id
    );
    let intermediate = text(&waiting, "intermediate_session_token");
    let body =
        alice.with(json!({ "code": code(secret, -1), "intermediate_session_token": intermediate }));
    let authenticated = api.post(AUTHENTICATE, body).accepted();
    assert_eq!(authenticated["member"]["default_mfa_method"], "totp");
    let factors = &authenticated["member_session"]["authentication_factors"];
    assert_eq!(factors[0]["type"], "password");
    assert_eq!(factors[1]["authenticator_app_factor"]["totp_id"], id);

    let body = alice.with(json!({ "recovery_code": codes[0] }));
    let recovered = api.post(RECOVER, body).accepted();
    assert_eq!(recovered["recovery_codes_remaining"], 9);
    let rotated = api.post(ROTATE, alice.with(json!({}))).accepted();
    let body = alice.with(json!({ "recovery_code": codes[1] }));
    let old = api.post(RECOVER, body);
    assert_eq!(old.refused(), (401, "unable_to_authenticate_recovery_code"));
    let body = alice.with(json!({ "recovery_code": recovery_codes(&rotated)[9].to_lowercase() }));
    assert_eq!(
        api.post(RECOVER, body).accepted()["recovery_codes_remaining"],
        9
    );

    let path = format!(
        "/v1/b2b/organizations/{}/members/{}/totp",
        alice.organization_id, alice.member_id
    );
    let deleted = api
        .call("delete", DELETE, &path, &json!({ "anything": 1 }))
        .accepted();
    assert_eq!(deleted["member"]["totp_registration_id"], "");
    let body = alice.with(json!({ "code": code(secret, 0) }));
    assert_eq!(
        api.post(AUTHENTICATE, body).refused(),
        (404, "totp_not_found")
    );
}

#[test]
fn a_code_is_told_from_what_it_is_not() {
    let (_server, api) = server();
    let alice = Alice::new(&api, "OPTIONAL");
    let created = alice.enrol(&api);
    let secret = text(&created, "secret");
    let recovery_code = recovery_codes(&created).remove(0);
    let authenticate = |typed: &str| api.post(AUTHENTICATE, alice.with(json!({ "code": typed })));
    let recover = |typed: &str| api.post(RECOVER, alice.with(json!({ "recovery_code": typed })));

    let used = authenticate(&code(secret, -1));
    assert_eq!(used.refused(), (401, "totp_code_already_authenticated"));
    assert_eq!(authenticate("12345").refused(), (400, "invalid_totp_code"));
    assert_eq!(
        authenticate("12345678").refused(),
        (400, "invalid_totp_code")
    );
    assert_eq!(authenticate("").refused(), (400, "invalid_totp_code"));
    let elsewhere = authenticate(&recovery_code);
    assert_eq!(
        elsewhere.refused(),
        (400, "recovery_code_used_as_totp_code")
    );
    let wrong = authenticate(&wrong_code(secret));
    assert_eq!(wrong.refused(), (401, "unable_to_authenticate_totp"));

    let elsewhere = recover(&code(secret, 0));
    assert_eq!(
        elsewhere.refused(),
        (400, "totp_code_used_as_recovery_code")
    );
    assert_eq!(
        recover("no such code").refused(),
        (400, "invalid_recovery_code")
    );
    let wrong = recover(&"7".repeat(24));
    assert_eq!(
        wrong.refused(),
        (401, "unable_to_authenticate_recovery_code")
    );
    recover(&recovery_code).accepted();
    let used = recover(&recovery_code);
    assert_eq!(
        used.refused(),
        (401, "unable_to_authenticate_recovery_code")
    );
}

#[test]
fn guessing_locks_one_member_and_tells_how_long() {
    let (_server, api) = server();
    let (alice, bob) = (Alice::new(&api, "OPTIONAL"), Alice::new(&api, "OPTIONAL"));
    let (created, others) = (alice.enrol(&api), bob.enrol(&api));
    let secret = text(&created, "secret");
    let body = alice.with(json!({ "code": wrong_code(secret) }));
    let mut answers = (0..20).map(|_| api.post(AUTHENTICATE, body.clone()));
    let locked = answers.find(|answer| answer.status == 429).unwrap();
    assert_eq!(locked.refused().1, "user_lock_limit_reached");
    assert!((1..=240).contains(&locked.retry_after.unwrap()));
    let right = alice.with(json!({ "code": code(secret, 0) }));
    assert_eq!(api.post(AUTHENTICATE, right).status, 429);
    let right = bob.with(json!({ "code": code(text(&others, "secret"), 0) }));
    api.post(AUTHENTICATE, right).accepted();
}

#[test]
fn guessing_a_password_locks_one_address_whether_somebody_has_it_or_not() {
    let (_server, api) = server();
    let alice = Alice::new(&api, "OPTIONAL");
    (0..7).for_each(|_| _ = alice.password(&api));
    for address in [Alice::EMAIL, "nobody@example.com"] {
        let log_in = |password: &str| alice.log_in(&api, address, password);
        for _ in 0..6 {
            let wrong = log_in("wrong");
            assert_eq!(wrong.refused(), (401, "unauthorized_credentials"));
        }
        let locked = log_in(Alice::PASSWORD);
        assert_eq!(locked.refused(), (429, "user_lock_limit_reached"));
        assert!((1..=120).contains(&locked.retry_after.unwrap()));
        let other_case = alice.log_in(&api, &address.to_uppercase(), Alice::PASSWORD);
        assert_eq!(other_case.status, 429);
    }
    let bob = Alice::new(&api, "OPTIONAL");
    bob.password(&api);
}

#[test]
fn an_intermediate_session_is_one_members_and_used_once() {
    let (_server, api) = server();
    let (alice, bob) = (
        Alice::new(&api, "REQUIRED_FOR_ALL"),
        Alice::new(&api, "REQUIRED_FOR_ALL"),
    );
    let created = alice.enrol(&api);
    let token = |waiting: &Value| text(waiting, "intermediate_session_token").to_owned();
    let (hers, his) = (token(&alice.password(&api)), token(&bob.password(&api)));
    let authenticate = |token: &str, steps| {
        let code = code(text(&created, "secret"), steps);
        let fields = json!({ "code": code, "intermediate_session_token": token });
        api.post(AUTHENTICATE, alice.with(fields))
    };
    let not_hers = authenticate(&his, 0);
    assert_eq!(not_hers.refused(), (404, "intermediate_session_not_found"));
    authenticate(&hers, 0).accepted();
    let again = authenticate(&hers, 1);
    assert_eq!(again.refused(), (404, "intermediate_session_not_found"));
}

#[test]
fn a_session_is_extended_and_keeps_its_claims() {
    let (_server, api) = server();
    let alice = Alice::new(&api, "OPTIONAL");
    let created = alice.register(&api);
    let secret = text(&created, "secret");
    let session = alice.password(&api);
    assert_eq!(session["member_authenticated"], true);
    let fields = json!({
        "code": code(secret, -1),
        "session_jwt": session["session_jwt"],
        "session_duration_minutes": 527_040,
        "session_custom_claims": {
            "role": "admin", "team": 1, "sub": "somebody", "exp": 0,
            "https://stytch.com/session": { "id": "another" },
            "https://stytch.com/organization": { "organization_id": "another" },
        },
    });
    let extended = api.post(AUTHENTICATE, alice.with(fields)).accepted();
    let before = &session["member_session"]["member_session_id"];
    assert_eq!(&extended["member_session"]["member_session_id"], before);
    let claims = &extended["member_session"]["custom_claims"];
    assert_eq!(claims, &json!({ "role": "admin", "team": 1 }));
    let fields = json!({
        "code": code(secret, 0),
        "session_token": session["session_token"],
        "session_custom_claims": { "team": null },
    });
    let changed = api.post(AUTHENTICATE, alice.with(fields)).accepted();
    assert_eq!(changed["session_token"], session["session_token"]);
    let claims = &changed["member_session"]["custom_claims"];
    assert_eq!(claims, &json!({ "role": "admin" }));
    let expires_at = |json: &Value| text(&json["member_session"], "expires_at").to_owned();
    assert_eq!(expires_at(&changed), expires_at(&extended));
}

#[test]
fn a_signed_token_lives_five_minutes() {
    let (_server, api) = server();
    let alice = Alice::new(&api, "OPTIONAL");
    let session = alice.password(&api);
    let token = text(&session, "session_jwt");
    let [header, claims] = [0, 1].map(|part| {
        let part = token.split('.').nth(part).unwrap();
        let json = data_encoding::BASE64URL_NOPAD
            .decode(part.as_bytes())
            .unwrap();
        serde_json::from_slice::<Value>(&json).unwrap()
    });
    assert_eq!(
        (text(&header, "alg"), text(&header, "typ")),
        ("RS256", "JWT")
    );
    let seconds = claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap();
    assert_eq!(seconds, 300);
    assert_eq!(claims["aud"], json!([PROJECT_ID]));
    assert_eq!(claims["iss"], format!("stytch.com/{PROJECT_ID}"));
    assert_eq!(claims["sub"], alice.member_id);
    let jwks = api.send(
        "get",
        &format!("/v1/b2b/sessions/jwks/{PROJECT_ID}"),
        "",
        "",
    );
    assert_eq!(jwks.accepted()["keys"][0]["kid"], header["kid"]);
    // A token that was altered, or has another algorithm, names no session.
    let code = code(text(&alice.enrol(&api), "secret"), 0);
    let [_, payload, signature] = [0, 1, 2].map(|part| token.split('.').nth(part).unwrap());
    let none = data_encoding::BASE64URL_NOPAD.encode(br#"{"typ":"JWT","alg":"none"}"#);
    for forged in [
        format!("{none}.{payload}."),
        format!("{none}.{payload}.{signature}"),
        token.replace(signature, &"A".repeat(signature.len())),
    ] {
        let body = alice.with(json!({ "code": code, "session_jwt": forged }));
        assert_eq!(
            api.post(AUTHENTICATE, body).refused(),
            (404, "session_not_found")
        );
    }
}

/// What is refused leaves the code as good as it was.
#[test]
fn session_arguments_are_checked_before_a_code_is_used_up() {
    let (_server, api) = server();
    let (alice, bob) = (Alice::new(&api, "OPTIONAL"), Alice::new(&api, "OPTIONAL"));
    let created = alice.enrol(&api);
    let code = code(text(&created, "secret"), 0);
    let others = bob.password(&api);
    for (mut fields, error) in [
        (
            json!({ "session_token": "a", "session_jwt": "b" }),
            (400, "too_many_session_arguments"),
        ),
        (
            json!({ "session_token": "unknown" }),
            (404, "session_not_found"),
        ),
        (
            json!({ "session_jwt": "unknown" }),
            (404, "session_not_found"),
        ),
        (
            json!({ "session_token": others["session_token"] }),
            (404, "session_not_found"),
        ),
        (
            json!({ "session_jwt": others["session_jwt"] }),
            (404, "session_not_found"),
        ),
        (
            json!({ "intermediate_session_token": "a" }),
            (404, "intermediate_session_not_found"),
        ),
        (
            json!({ "session_duration_minutes": 4 }),
            (400, "invalid_session_duration_minutes"),
        ),
        (
            json!({ "session_duration_minutes": 527_041 }),
            (400, "invalid_session_duration_minutes"),
        ),
        (
            json!({ "session_duration_minutes": -1 }),
            (400, "invalid_session_duration_minutes"),
        ),
        (
            json!({ "session_custom_claims": { "long": "x".repeat(4_096) } }),
            (400, "custom_claims_too_large"),
        ),
        (
            json!({ "set_mfa_enrollment": "perhaps" }),
            (400, "invalid_request"),
        ),
    ] {
        fields["code"] = json!(code);
        let refused = api.post(AUTHENTICATE, alice.with(fields));
        assert_eq!(refused.refused(), error);
    }
    let fields = json!({ "code": code, "telemetry_id": "t", "locale": "en", "session_token": "" });
    api.post(AUTHENTICATE, alice.with(fields)).accepted();
}

#[test]
fn an_active_token_is_replaced_by_who_has_just_used_it_only() {
    let (_server, api) = server();
    let alice = Alice::new(&api, "OPTIONAL");
    let created = alice.enrol(&api);
    let secret = text(&created, "secret");
    let create = |fields: Value| api.post(TOTP, alice.with(fields));
    assert_eq!(create(json!({})).refused(), (400, "active_totp_exists"));
    let password_only = alice.password(&api);
    let refused = create(json!({ "session_token": password_only["session_token"] }));
    assert_eq!(refused.refused(), (400, "active_totp_exists"));

    let body = alice.with(json!({ "code": code(secret, 0) }));
    let session = api.post(AUTHENTICATE, body).accepted();
    let replaced = create(json!({ "session_jwt": session["session_jwt"] })).accepted();
    assert_eq!(
        replaced["totp_registration_id"],
        created["totp_registration_id"]
    );
    assert_eq!(recovery_codes(&replaced), [""; 0]); // those of before stay good
    let authenticate = |secret: &str, steps| {
        let code = code(secret, steps);
        api.post(AUTHENTICATE, alice.with(json!({ "code": code })))
    };
    authenticate(secret, 1).accepted(); // the old one works until the new one has
    authenticate(text(&replaced, "secret"), 0).accepted();
    assert_ne!(authenticate(secret, 1).status, 200);
    let body = alice.with(json!({ "recovery_code": recovery_codes(&created)[0] }));
    api.post(RECOVER, body).accepted();
}

#[test]
fn tokens_move_in_with_their_recovery_codes() {
    let (_server, api) = server();
    let secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
    let existing = json!(["8f3e-91ac-44d0", "77b0-d2e1-0c2f"]);
    let alice = Alice::new(&api, "OPTIONAL");
    let fields = json!({ "secret": secret.to_lowercase(), "recovery_codes": existing });
    let migrated = api.post(MIGRATE, alice.with(fields.clone())).accepted();
    assert_eq!(migrated["recovery_codes"], existing);
    assert_eq!(migrated["member"]["default_mfa_method"], "totp");
    let again = api.post(MIGRATE, alice.with(fields));
    assert_eq!(again.refused(), (400, "active_totp_exists"));
    let body = alice.with(json!({ "recovery_code": "77B0D2E10C2F" }));
    assert_eq!(
        api.post(RECOVER, body).accepted()["recovery_codes_remaining"],
        1
    );

    let bob = Alice::new(&api, "OPTIONAL");
    let fields = json!({ "secret": secret, "recovery_codes": [] });
    let minted = api.post(MIGRATE, bob.with(fields)).accepted();
    assert_eq!(recovery_codes(&minted).len(), 10);
    let carol = Alice::new(&api, "OPTIONAL");
    let bad = api.post(MIGRATE, carol.with(json!({ "secret": "not base32!" })));
    assert_eq!(bad.refused(), (400, "invalid_secret"));
}

/// An active token is an enrolment, however it came to be.
#[test]
fn a_password_alone_lets_nobody_in_who_has_a_token() {
    let (_server, api) = server();
    for policy in ["OPTIONAL", "REQUIRED_FOR_ALL"] {
        let [confirmed, migrated] = [0; 2].map(|_| Alice::new(&api, policy));
        let secret = text(&confirmed.enrol(&api), "secret").to_owned();
        let fields = json!({ "secret": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ" });
        api.post(MIGRATE, migrated.with(fields)).accepted();
        for alice in [&confirmed, &migrated] {
            let waiting = alice.password(&api);
            assert_eq!(waiting["member_authenticated"], false);
            assert_eq!(waiting["member"]["mfa_enrolled"], true);
            assert_eq!(waiting["session_token"], "");
        }
        let wish = |wish: &str| {
            let fields = json!({ "code": code(&secret, 0), "set_mfa_enrollment": wish });
            api.post(AUTHENTICATE, confirmed.with(fields))
        };
        let refused = wish("unenroll");
        assert_eq!(refused.refused(), (400, "invalid_request"));
        assert!(text(&refused.json, "error_message").contains("delete it"));
        wish("enroll").accepted();
        assert_eq!(confirmed.password(&api)["member_authenticated"], false);
    }
}

/// Whether a session is still good: a new token can be asked for with a session that is named, and for
/// one that has ended the answer says so.
fn is_good(api: &Api, alice: &Alice, session: &Value) -> bool {
    let by_token = json!({ "session_token": session["session_token"] });
    let by_jwt = json!({ "session_jwt": session["session_jwt"] });
    let answers = [by_token, by_jwt].map(|fields| {
        let answer = api.post(AUTHENTICATE, alice.with(with_code(fields)));
        answer.json["error_type"] != "session_not_found"
    });
    assert_eq!(
        answers[0], answers[1],
        "a session is one by both of its names"
    );
    answers[0]
}

/// A code that is no code, which uses nothing up.
fn with_code(mut fields: Value) -> Value {
    fields["code"] = json!("1");
    fields
}

#[test]
fn sessions_from_before_a_change_of_the_factor_end() {
    let (_server, api) = server();
    let alice = Alice::new(&api, "OPTIONAL");
    let password_only = alice.password(&api);
    assert!(is_good(&api, &alice, &password_only));

    let created = alice.enrol(&api);
    assert!(
        !is_good(&api, &alice, &password_only),
        "it lacks the factor"
    );
    let secret = text(&created, "secret");
    let first = alice.authenticate(&api, secret, 0);
    let second = alice.authenticate(&api, secret, 1);
    let fields = json!({ "session_token": second["session_token"] });
    let replaced = api.post(TOTP, alice.with(fields)).accepted();
    assert!(is_good(&api, &alice, &first), "the old token still works");
    let new_secret = text(&replaced, "secret");
    let wrong = alice.with(json!({ "code": wrong_code(new_secret) }));
    assert_eq!(api.post(AUTHENTICATE, wrong).status, 401);
    assert!(
        is_good(&api, &alice, &first),
        "a wrong code changes nothing"
    );

    let fields = json!({
        "code": code(new_secret, 0), "session_token": second["session_token"],
    });
    let third = api.post(AUTHENTICATE, alice.with(fields)).accepted();
    assert!(!is_good(&api, &alice, &first), "it is of the old token");
    assert!(is_good(&api, &alice, &third), "it has changed the token");
    let recovery_code = &recovery_codes(&created)[0];
    let fields = json!({ "recovery_code": recovery_code });
    let recovered = api.post(RECOVER, alice.with(fields)).accepted();
    assert!(is_good(&api, &alice, &recovered));

    delete(&api, &alice);
    for session in [&password_only, &third, &recovered] {
        assert!(!is_good(&api, &alice, session), "the factor is gone");
    }
    let without = alice.password(&api);
    assert!(is_good(&api, &alice, &without));
    alice.enrol(&api);
    delete(&api, &alice);
    assert!(!is_good(&api, &alice, &without), "no session comes back");
}

#[test]
fn users_sessions_end_too() {
    let (_server, api) = server();
    let user = |mut fields: Value| {
        fields["user_id"] = json!("user-1");
        fields
    };
    await_calm();
    let created = api.post("/v1/totps", user(json!({}))).accepted();
    let log_in = |secret: &str, steps, session: &Value| {
        let fields = json!({ "totp_code": code(secret, steps), "session_token": session });
        api.post("/v1/totps/authenticate", user(fields))
    };
    let nothing = Value::Null;
    let secret = text(&created, "secret");
    let first = log_in(secret, -1, &nothing).accepted();
    let second = log_in(secret, 0, &nothing).accepted();
    let fields = json!({ "session_token": second["session_token"] });
    let replaced = api.post("/v1/totps", user(fields)).accepted();
    assert_eq!(recovery_codes(&replaced), [""; 0]);
    let new_secret = text(&replaced, "secret");
    log_in(new_secret, -1, &second["session_token"]).accepted();
    let ended = log_in(new_secret, 0, &first["session_token"]);
    assert_eq!(ended.refused(), (404, "session_not_found"));
    log_in(new_secret, 0, &second["session_token"]).accepted();
}

fn delete(api: &Api, alice: &Alice) {
    let path = format!(
        "/v1/b2b/organizations/{}/members/{}/totp",
        alice.organization_id, alice.member_id
    );
    api.call("delete", DELETE, &path, &json!({})).accepted();
}

/// Strangers who guess at an address can't make its owner wait on a device that is known.
#[test]
fn a_known_device_does_not_wait_for_strangers() {
    let (_server, api) = server();
    let (alice, bob) = (Alice::new(&api, "OPTIONAL"), Alice::new(&api, "OPTIONAL"));
    let device = |json: &Value| text(json, "known_device_token").to_owned();
    let hers = device(&alice.password(&api));
    let his = device(&bob.password(&api));
    let log_in = |password: &str, device: &str| {
        let body = json!({
            "organization_id": alice.organization_id, "email_address": Alice::EMAIL,
            "password": password, "known_device_token": device,
        });
        api.post("/v1/b2b/passwords/authenticate", body)
    };
    (0..6).for_each(|_| assert_eq!(log_in("wrong", "").status, 401));
    for unknown in ["", "a guess", &his] {
        assert_eq!(log_in(Alice::PASSWORD, unknown).status, 429, "{unknown}");
    }
    assert_eq!(device(&log_in(Alice::PASSWORD, &hers).accepted()), hers);
    assert_eq!(
        log_in(Alice::PASSWORD, "").status,
        429,
        "strangers go on waiting"
    );
    (0..6).for_each(|_| assert_eq!(log_in("wrong", &hers).status, 401));
    assert_eq!(
        log_in(Alice::PASSWORD, &hers).status,
        429,
        "it is no way round the throttle"
    );
}

#[test]
fn users_without_organizations_are_served_too() {
    let (_server, api) = server();
    // By reference: of two like values that are moved, rustc before 1.97 can take the first one again
    // (rust-lang/rust#155241), which crashes this test in a release build.
    let user = |fields: &Value| {
        let mut fields = fields.clone();
        fields["user_id"] = json!("user-live-1: of ours/ö");
        fields
    };
    await_calm();
    let created = api.post("/v1/totps", user(&json!({}))).accepted();
    assert!(text(&created, "totp_id").starts_with("totp-"));
    assert_eq!(created["user"]["totps"][0]["verified"], false);
    let secret = text(&created, "secret");
    let fields = user(&json!({ "totp_code": code(secret, 0), "session_duration_minutes": 60 }));
    let authenticated = api
        .post("/v1/totps/authenticate", fields.clone())
        .accepted();
    assert_eq!(authenticated["totp_id"], created["totp_id"]);
    let again = api.post("/v1/totps/authenticate", fields);
    assert_eq!(again.refused(), (401, "totp_code_already_authenticated"));
    let fields = user(&json!({
        "recovery_code": recovery_codes(&created)[0],
        "session_token": authenticated["session_token"],
    }));
    let recovered = api.post("/v1/totps/recover", fields).accepted();
    let factors = recovered["session"]["authentication_factors"]
        .as_array()
        .unwrap();
    assert_eq!(factors.len(), 2);
    let hashed = api.post("/v1/totps/recovery_codes", user(&json!({})));
    assert_eq!(hashed.refused(), (400, "recovery_codes_not_retrievable"));
    let nobody = api.post("/v1/totps", json!({ "user_id": "" }));
    assert_eq!(nobody.refused(), (400, "invalid_request"));
}

#[test]
fn what_is_not_there_is_named() {
    let (_server, api) = server();
    let alice = Alice::new(&api, "OPTIONAL");
    let body = json!({ "organization_id": "organization-1", "member_id": alice.member_id });
    assert_eq!(
        api.post(TOTP, body).refused(),
        (404, "organization_not_found")
    );
    let body = json!({ "organization_id": alice.organization_id, "member_id": "member-1" });
    assert_eq!(api.post(TOTP, body).refused(), (404, "member_not_found"));
    assert_eq!(
        api.post(ROTATE, alice.with(json!({}))).refused(),
        (404, "totp_not_found")
    );
    for minutes in [4, 1_441, -60] {
        let refused = api.post(TOTP, alice.with(json!({ "expiration_minutes": minutes })));
        assert_eq!(refused.refused(), (400, "invalid_expiration_minutes"));
    }
    let route = "/v1/b2b/recovery_codes/{organization_id}/{member_id}";
    let path = format!(
        "/v1/b2b/recovery_codes/{}/{}",
        alice.organization_id, alice.member_id
    );
    let hashed = api.call("get", route, &path, &json!({}));
    assert_eq!(hashed.refused(), (400, "recovery_codes_not_retrievable"));
    assert!(text(&hashed.json, "error_message").contains("rotate"));
    let encoded = path.replace('-', "%2D");
    assert_eq!(
        api.call("get", route, &encoded, &json!({})).refused().0,
        400
    );
    let members = "/v1/b2b/organizations/{organization_id}/members";
    let path = format!("/v1/b2b/organizations/{}/members", alice.organization_id);
    let body = json!({ "email_address": Alice::EMAIL.to_uppercase() });
    let taken = api.call("post", members, &path, &body);
    assert_eq!(taken.refused(), (400, "member_email_exists"));
    let odd = api.call(
        "post",
        members,
        &path,
        &json!({ "email_address": "no address" }),
    );
    assert_eq!(odd.refused(), (400, "invalid_request"));
    let refused = alice.log_in(&api, Alice::EMAIL, "wrong");
    assert_eq!(refused.refused(), (401, "unauthorized_credentials"));
}

#[test]
fn nobody_is_answered_without_the_projects_credentials() {
    let (_server, api) = server();
    let body = "{\"organization_name\":\"ACME\"}";
    let path = "/v1/b2b/organizations";
    for authorization in [
        String::new(),
        "Basic".into(),
        "Basic !".into(),
        "Bearer token".into(),
        basic(PROJECT_ID, "a guess of some length"),
        basic("another project", SECRET),
        basic(PROJECT_ID, ""),
    ] {
        let refused = api.send("post", path, body, &authorization);
        assert_eq!(
            refused.refused(),
            (401, "unauthorized_credentials"),
            "{authorization}"
        );
    }
    assert_eq!(api.send("post", path, body, &credentials()).status, 200);
    let jwks = api.send(
        "get",
        &format!("/v1/b2b/sessions/jwks/{PROJECT_ID}"),
        "",
        "",
    );
    let keys = jwks.accepted();
    assert_eq!(keys["keys"][0]["alg"], "RS256");
    assert_eq!(keys["keys"][0].get("d"), None);
    let other = api.send("get", "/v1/b2b/sessions/jwks/another", "", "");
    assert_eq!(other.refused(), (404, "project_not_found"));
}

#[test]
fn each_operation_has_a_name_of_its_own() {
    let (_server, api) = server();
    let document = api.send("get", "/openapi.json", "", "").json;
    let methods = document["paths"].as_object().unwrap().values();
    let operations = methods.flat_map(|methods| methods.as_object().unwrap().values());
    let mut names: Vec<_> = operations
        .map(|operation| text(operation, "operationId"))
        .collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!((names.len(), count), (16, 16));
}

#[test]
fn requests_that_are_no_requests_are_refused() {
    let (_server, api) = server();
    let send = |method: &str, path: &str, body: &str| api.send(method, path, body, &credentials());
    for body in [
        "",
        "{",
        "[]",
        "null",
        "{\"organization_id\":1}",
        "{\"member_id\":\"m\"}",
        "\u{0}",
    ] {
        assert_eq!(
            send("post", TOTP, body).refused(),
            (400, "invalid_request"),
            "{body}"
        );
    }
    assert_eq!(send("get", TOTP, "").refused().0, 405);
    for nothing in ["/v1/b2b/nothing", "/v1", "/v1/"] {
        let refused = send("post", nothing, "{}");
        assert_eq!(refused.refused(), (404, "route_not_found"));
    }
    for secret in [
        "{\"organization_id\":\"o\",\"member_id\":\"m\",\"code\":31415926}",
        "{\"organization_id\":\"o\",\"member_id\":\"m\",\"code\":\"31415926",
    ] {
        let refused = send("post", AUTHENTICATE, secret);
        assert_eq!(refused.refused(), (400, "invalid_request"));
        let message = text(&refused.json, "error_message");
        assert!(!message.contains("31415926"), "{message}");
    }
    assert!(api.announce(TOTP, 1 << 21).starts_with("HTTP/1.1 413 "));
}
