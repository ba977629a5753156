//! The pages, as people use them: in a real browser, with the QR code read off the screen and codes
//! computed by oathtool.

mod support;

use std::path::Path;
use std::{env, fs};

use serde_json::json;
use support::api::Api;
use support::authenticator::Authenticator;
use support::browser::{Browser, Scripts, browse};
use support::server::{PROJECT_ID, SECRET, Server};

const PASSWORD: &str = "correct horse battery";
const ADDRESS: &str = "ada@example.com";

/// Signs up and is on the account's page.
async fn sign_up(browser: &Browser, server: &Server) {
    browser.open(&format!("{}/sign-up", server.url)).await;
    browser.fill("Name", "Ada Lovelace").await;
    browser.fill("E-mail address", ADDRESS).await;
    browser.fill("Password", PASSWORD).await;
    browser.press("Sign up").await;
    browser.expect("Ada Lovelace").await;
}

/// Goes as far as the QR code.
async fn scan(browser: &Browser) -> Authenticator {
    browser.press("Set up an authenticator").await;
    browser.expect("Set up an authenticator").await;
    browser.press("Show the QR code").await;
    browser.expect("Scan the QR code").await;
    Authenticator::scan(&browser.picture(".qr").await)
}

/// Signs up with a second factor, and gives the authenticator and the recovery codes.
async fn enrol(browser: &Browser, server: &Server) -> (Authenticator, Vec<String>) {
    sign_up(browser, server).await;
    let authenticator = scan(browser).await;
    enter(browser, &authenticator.code(), "Confirm").await;
    browser.expect("Your authenticator is set up").await;
    let recovery_codes = browser.texts("#recovery-codes code").await;
    browser.press("I have saved them: to my account").await;
    browser.expect("Ada Lovelace").await;
    (authenticator, recovery_codes)
}

async fn enter(browser: &Browser, code: &str, button: &str) {
    browser.fill("Code", code).await;
    browser.press(button).await;
}

/// Logs out and in again, as far as the second step.
async fn begin_log_in(browser: &Browser) {
    browser.press("Log out").await;
    give_password(browser).await;
    browser.expect("Enter a code").await;
}

async fn give_password(browser: &Browser) {
    browser.expect("Log in").await;
    browser.fill("E-mail address", ADDRESS).await;
    browser.fill("Password", PASSWORD).await;
    browser.press("Log in").await;
}

#[tokio::test]
#[ignore = "needs Chromium: .ci/server.sh runs it"]
async fn a_person_signs_up_and_logs_in_with_the_second_factor() {
    let server = Server::start();
    browse(Scripts::On, async move |browser| {
        sign_up(&browser, &server).await;
        let authenticator = scan(&browser).await;

        enter(&browser, &authenticator.wrong_code(), "Confirm").await;
        browser.expect_notice("The code is wrong").await;
        enter(&browser, &authenticator.code(), "Confirm").await;
        browser.expect("Your authenticator is set up").await;

        let codes = browser.texts("#recovery-codes code").await;
        assert_eq!(codes.len(), 10);
        browser.press_and_stay("Save as a file").await;
        let saved = browser.saved("recovery-codes.txt").await;
        assert!(
            saved.starts_with("Recovery codes of ada@example.com."),
            "{saved}"
        );
        assert!(saved.lines().skip(2).eq(&codes), "{saved}");
        browser
            .run("window.print = () => { window.printed = true }")
            .await;
        browser.press_and_stay("Print").await;
        assert_eq!(browser.run("return window.printed").await, true);

        browser.press("I have saved them: to my account").await;
        browser.expect("Ada Lovelace").await;
        assert_eq!(browser.text("#recovery-codes-left").await, "10");

        begin_log_in(&browser).await;
        enter(&browser, &authenticator.code_in(1), "Log in").await;
        browser.expect("Ada Lovelace").await;

        assert!(server.keeps(ADDRESS.as_bytes()), "what is kept is seen");
        for secret in [PASSWORD, &codes[0], authenticator.secret()] {
            assert!(!server.keeps(secret.as_bytes()));
        }
    })
    .await;
}

/// The code of a token confirms it on whatever page it is typed; from then on it is asked for.
#[tokio::test]
#[ignore = "needs Chromium: .ci/server.sh runs it"]
async fn a_first_code_confirms_on_any_page() {
    let server = Server::start();
    browse(Scripts::On, async move |browser| {
        sign_up(&browser, &server).await;
        let authenticator = scan(&browser).await;
        let page = |path: &str| format!("{}/{path}", server.url);
        browser.open(&page("second-factor/recovery-codes")).await;
        enter(&browser, &authenticator.code(), "Make new recovery codes").await;
        browser.expect("New recovery codes").await;
        browser.open(&page("account")).await;
        browser.expect("Ada Lovelace").await;
        let api = Api::new(&server.url);
        let log_in = json!({
            "organization_id": "organization-pages", "email_address": ADDRESS, "password": PASSWORD,
        });
        let answer = api
            .post("/v1/b2b/passwords/authenticate", log_in)
            .accepted();
        assert_eq!(answer["member_authenticated"], false);

        browser.open(&page("second-factor/confirm")).await;
        let text = browser.text("main").await;
        assert!(text.contains("set up already"), "{text}");
    })
    .await;
}

#[tokio::test]
#[ignore = "needs Chromium: .ci/server.sh runs it"]
async fn an_address_is_one_persons_and_a_password_is_checked() {
    let server = Server::start();
    browse(Scripts::On, async move |browser| {
        sign_up(&browser, &server).await;
        browser.press("Log out").await;
        browser.fill("E-mail address", ADDRESS).await;
        for _ in 0..6 {
            browser.fill("Password", "correct horse").await;
            browser.press("Log in").await;
            browser
                .expect_notice("The e-mail address or the password is wrong")
                .await;
        }
        browser.fill("Password", PASSWORD).await;
        browser.press("Log in").await;
        browser.expect_notice("Too many wrong passwords").await;
        assert_eq!(http_status(&browser).await, 429);
        assert!(browser.is_shown("#notice [data-countdown]").await);
        browser.press("Sign up").await;
        browser.fill("Name", "<b>Eve</b>").await;
        browser
            .fill("E-mail address", &ADDRESS.to_uppercase())
            .await;
        browser.fill("Password", PASSWORD).await;
        browser.press("Sign up").await;
        browser
            .expect_notice("Somebody has signed up with this e-mail address")
            .await;
        browser.fill("E-mail address", "eve@example.com").await;
        browser.fill("Password", PASSWORD).await;
        browser.press("Sign up").await;
        browser.expect("<b>Eve</b>").await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs Chromium: .ci/server.sh runs it"]
async fn refusals_say_why() {
    let server = Server::start();
    browse(Scripts::On, async move |browser| {
        let (authenticator, recovery_codes) = enrol(&browser, &server).await;
        let used = authenticator.code();
        begin_log_in(&browser).await;
        enter(&browser, "12345", "Log in").await;
        browser.expect_notice("A code has 6, 7 or 8 digits").await;
        assert_eq!(http_status(&browser).await, 400);
        enter(&browser, &authenticator.code_in(1), "Log in").await;
        browser.expect("Ada Lovelace").await;

        begin_log_in(&browser).await;
        enter(&browser, &used, "Log in").await;
        browser.expect_notice("This code was already used").await;
        assert_eq!(http_status(&browser).await, 403);
        for _ in 0..6 {
            enter(&browser, &authenticator.wrong_code(), "Log in").await;
            browser.expect_notice("The code is wrong").await;
        }
        enter(&browser, &authenticator.code_in(1), "Log in").await;
        browser.expect_notice("Too many wrong codes").await;
        assert_eq!(http_status(&browser).await, 429);
        let left = browser.text("#notice .left").await;
        let later = browser.wait_for_change("#notice .left", &left).await;
        assert!(
            left.ends_with("left)") && later < left,
            "{left}, then {later}"
        );
        assert_times_are_local(&browser).await;

        let ended =
            "const wait = document.querySelector('#notice [data-countdown]').cloneNode(true);
                     wait.innerHTML = '<span class=left></span>'; wait.dataset.countdown = 0;
                     document.body.append(wait); countDown(wait); return wait.textContent";
        assert_eq!(browser.run(ended).await, "You can try again now.");

        recover_in_spite_of_the_lock(&browser, &authenticator, &recovery_codes).await;
    })
    .await;
}

/// No page has a time in another zone than the reader's, where scripts run.
async fn assert_times_are_local(browser: &Browser) {
    let text = browser.text("main").await;
    assert!(!text.contains("UTC"), "{text}");
}

/// The name of the field that has the focus.
async fn focused(browser: &Browser) -> String {
    let focused = browser
        .run("return document.activeElement.name || ''")
        .await;
    focused.as_str().expect("a name").to_owned()
}

/// A recovery code has a counter of its own, works once, and ends the wait.
async fn recover_in_spite_of_the_lock(
    browser: &Browser,
    authenticator: &Authenticator,
    recovery_codes: &[String],
) {
    browser.press("Use a recovery code").await;
    browser.expect("Use a recovery code").await;
    for (typed, told) in [
        ("what is it", "This is not a recovery code"),
        (
            &authenticator.code(),
            "This is a code of your authenticator",
        ),
    ] {
        browser.fill("Recovery code", typed).await;
        browser.press("Log in").await;
        browser.expect_notice(told).await;
    }
    let typed = recovery_codes[0].to_lowercase().replace('-', " ");
    browser.fill("Recovery code", &typed).await;
    browser.press("Log in").await;
    browser.expect_notice("used up, and 9 are left").await;
    assert!(browser.is_shown("a[href='/second-factor/change']").await);
    assert_times_are_local(browser).await;
    point_to_the_change(browser).await;

    begin_log_in(browser).await;
    browser.press("Use a recovery code").await;
    browser.fill("Recovery code", &recovery_codes[0]).await;
    browser.press("Log in").await;
    browser.expect_notice("This code was already used").await;
    assert_eq!(http_status(browser).await, 403);
}

/// Whoever used a recovery code isn't asked for a code of an authenticator that is lost.
async fn point_to_the_change(browser: &Browser) {
    for link in ["New recovery codes", "Remove authenticator"] {
        browser.press(link).await;
        browser.expect(link).await;
        assert!(!browser.is_shown("#code").await, "{link} asks for a code");
        browser.press_and_stay("I have my authenticator").await;
        assert!(browser.is_shown("#code").await);
        browser.press("Change authenticator").await;
        browser.expect("Change authenticator").await;
        browser.press("Not now").await;
    }
}

/// The status that the page came with.
async fn http_status(browser: &Browser) -> u64 {
    let status = "return performance.getEntriesByType('navigation')[0].responseStatus";
    browser.run(status).await.as_u64().expect("a number")
}

#[tokio::test]
#[ignore = "needs Chromium: .ci/server.sh runs it"]
async fn an_authenticator_is_changed_without_a_gap() {
    let server = Server::start();
    browse(Scripts::On, async move |browser| {
        let (old, _) = enrol(&browser, &server).await;
        browser.press("Change authenticator").await;
        browser.expect("Change authenticator").await;
        browser.press("Show the QR code").await;
        browser.expect("Your new authenticator").await;
        let new = Authenticator::scan(&browser.picture(".qr").await);

        enter(&browser, &old.code_in(1), "Confirm").await;
        browser
            .expect_notice("This was a code of your present authenticator")
            .await;
        enter(&browser, &new.code(), "Confirm").await;
        browser
            .expect_notice("Your new authenticator is in use")
            .await;
        assert_eq!(browser.text("#recovery-codes-left").await, "10");

        begin_log_in(&browser).await;
        enter(&browser, &old.code_in(1), "Log in").await;
        browser.expect_notice("The code is wrong").await;
        enter(&browser, &new.code_in(1), "Log in").await;
        browser.expect("Ada Lovelace").await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs Chromium: .ci/server.sh runs it"]
async fn what_changes_the_second_factor_asks_for_it() {
    let server = Server::start();
    browse(Scripts::On, async move |browser| {
        sign_up(&browser, &server).await;
        browser
            .open(&format!("{}/second-factor/change", server.url))
            .await;
        browser.press("Show the QR code").await;
        browser.expect_notice("Log in again first").await;
        assert_eq!(http_status(&browser).await, 403);
        browser.press("Log in again").await;
        give_password(&browser).await;
        let authenticator = scan(&browser).await;
        enter(&browser, &authenticator.code(), "Confirm").await;
        let before = browser.texts("#recovery-codes code").await;
        browser.press("I have saved them: to my account").await;

        browser.press("New recovery codes").await;
        enter(&browser, &authenticator.code(), "Make new recovery codes").await;
        browser.expect_notice("This code was already used").await;
        enter(
            &browser,
            &authenticator.code_in(1),
            "Make new recovery codes",
        )
        .await;
        browser.wait_for_change("h1", "").await;
        let after = browser.texts("#recovery-codes code").await;
        assert_eq!(after.len(), 10);
        assert!(after.iter().all(|code| !before.contains(code)));
    })
    .await;
}

#[tokio::test]
#[ignore = "needs Chromium: .ci/server.sh runs it"]
async fn the_second_factor_is_removed_by_who_has_it() {
    let server = Server::start();
    browse(Scripts::On, async move |browser| {
        let (authenticator, _) = enrol(&browser, &server).await;
        browser.press("Remove authenticator").await;
        browser.expect("Remove authenticator").await;
        enter(
            &browser,
            &authenticator.wrong_code(),
            "Remove authenticator",
        )
        .await;
        browser.expect_notice("The code is wrong").await;
        enter(&browser, &authenticator.code_in(1), "Remove authenticator").await;
        browser.expect_notice("The authenticator is removed").await;
        browser.press("Log out").await;
        give_password(&browser).await;
        browser.expect("Ada Lovelace").await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs Chromium: .ci/server.sh runs it"]
async fn a_session_without_the_second_factor_ends_when_there_is_one() {
    let server = Server::start();
    browse(Scripts::On, async move |browser| {
        sign_up(&browser, &server).await;
        let old_session = browser.cookie("keyfob_session").await.value().to_owned();
        browser.press("Log out").await;
        browser.have_cookie("keyfob_session", &old_session).await;
        browser.open(&server.url).await;
        browser.expect("Log in").await;

        give_password(&browser).await;
        browser.expect("Ada Lovelace").await;
        assert_eq!(
            browser.run("return document.cookie").await,
            "",
            "no script reads it"
        );
        let cookie = browser.cookie("keyfob_session").await;
        assert_eq!((cookie.http_only(), cookie.path()), (Some(true), Some("/")));
        let with_password_only = cookie.value().to_owned();
        // The same person, in another browser, sets the second factor up.
        browser.have_cookie("keyfob_session", "").await;
        browser.open(&server.url).await;
        give_password(&browser).await;
        let authenticator = scan(&browser).await;
        enter(&browser, &authenticator.code(), "Confirm").await;
        browser.expect("Your authenticator is set up").await;
        browser
            .have_cookie("keyfob_session", &with_password_only)
            .await;
        browser
            .open(&format!("{}/second-factor/remove", server.url))
            .await;
        browser.expect("Enter a code").await;
        enter(&browser, &authenticator.code_in(1), "Log in").await;
        browser.expect("Ada Lovelace").await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs Chromium: .ci/server.sh runs it"]
async fn a_refused_field_has_the_focus() {
    let server = Server::start();
    browse(Scripts::On, async move |browser| {
        browser.open(&format!("{}/sign-up", server.url)).await;
        assert_eq!(focused(&browser).await, "name");
        // What the browser would refuse by itself.
        let trust = "document.querySelectorAll('form').forEach(form => form.noValidate = true)";
        for (name, address, password, refused) in [
            (" ", ADDRESS, PASSWORD, "name"),
            ("Ada", "no address", PASSWORD, "email_address"),
            ("Ada", ADDRESS, "short", "password"),
        ] {
            browser.run(trust).await;
            browser.fill("Name", name).await;
            browser.fill("E-mail address", address).await;
            browser.fill("Password", password).await;
            browser.press("Sign up").await;
            assert_eq!(focused(&browser).await, refused);
            let is_told = format!("[name={refused}][aria-invalid=true][aria-describedby~=notice]");
            assert!(browser.is_shown(&is_told).await, "{refused}");
        }
        browser.fill("Password", PASSWORD).await;
        browser.press("Sign up").await;
        browser.expect("Ada").await;
        browser.press("Log out").await;
        assert_eq!(focused(&browser).await, "email_address");
        browser.fill("E-mail address", ADDRESS).await;
        browser.fill("Password", "wrong password").await;
        browser.press("Log in").await;
        assert_eq!(focused(&browser).await, "password");
        browser.fill("Password", PASSWORD).await;
        browser.press("Log in").await;

        browser.press("Import an authenticator").await;
        browser.fill("Or its text", "nothing of the kind").await;
        browser.press("Import").await;
        assert_eq!(focused(&browser).await, "file");
        browser
            .fill("Backup file", &fixture("2fas_encrypted.2fas"))
            .await;
        browser.press("Import").await;
        assert_eq!(focused(&browser).await, "password");
        let uri = "otpauth://totp/a?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\n";
        browser.fill("Or its text", &uri.repeat(2)).await;
        browser.press("Import").await;
        assert_eq!(focused(&browser).await, "chosen");
    })
    .await;
}

/// Somebody who guesses at an address doesn't keep its owner out of their own browser.
#[tokio::test]
#[ignore = "needs Chromium: .ci/server.sh runs it"]
async fn strangers_do_not_lock_a_known_browser_out() {
    let server = Server::start();
    browse(Scripts::On, async move |browser| {
        sign_up(&browser, &server).await;
        browser.press("Log out").await;
        give_password(&browser).await;
        browser.expect("Ada Lovelace").await;
        let api = Api::new(&server.url);
        let guess = json!({
            "organization_id": "organization-pages", "email_address": ADDRESS, "password": "guess",
        });
        let guess = || api.post("/v1/b2b/passwords/authenticate", guess.clone());
        while guess().status != 429 {}
        browser.press("Log out").await;
        give_password(&browser).await;
        browser.expect("Ada Lovelace").await;
        assert_eq!(
            browser.run("return document.cookie").await,
            "",
            "no script reads it"
        );
    })
    .await;
}

/// The other sessions of a person end with a change of the authenticator; their own goes on.
#[tokio::test]
#[ignore = "needs Chromium: .ci/server.sh runs it"]
async fn other_sessions_end_with_a_change() {
    let server = Server::start();
    browse(Scripts::On, async move |browser| {
        let (old, _) = enrol(&browser, &server).await;
        let elsewhere = browser.cookie("keyfob_session").await.value().to_owned();
        begin_log_in_elsewhere(&browser, &server).await;
        enter(&browser, &old.code_in(1), "Log in").await;
        browser.press("Change authenticator").await;
        browser.press("Show the QR code").await;
        let new = Authenticator::scan(&browser.picture(".qr").await);
        enter(&browser, &new.wrong_code(), "Confirm").await;
        browser.expect_notice("The code is wrong").await;
        enter(&browser, &new.code(), "Confirm").await;
        browser
            .expect_notice("Your new authenticator is in use")
            .await;
        let own = browser.cookie("keyfob_session").await.value().to_owned();
        browser.have_cookie("keyfob_session", &elsewhere).await;
        browser.open(&format!("{}/account", server.url)).await;
        browser.expect("Log in").await;

        browser.have_cookie("keyfob_session", &own).await;
        browser.open(&format!("{}/account", server.url)).await;
        browser.press("Remove authenticator").await;
        enter(&browser, &new.code_in(1), "Remove authenticator").await;
        browser.expect_notice("The authenticator is removed").await;
    })
    .await;
}

/// Logs in as far as the second step, without ending the session that there is.
async fn begin_log_in_elsewhere(browser: &Browser, server: &Server) {
    browser.have_cookie("keyfob_session", "").await;
    browser.open(&format!("{}/log-in", server.url)).await;
    give_password(browser).await;
    browser.expect("Enter a code").await;
}

#[tokio::test]
#[ignore = "needs Chromium: .ci/server.sh runs it"]
async fn a_backup_file_is_imported() {
    let server = Server::start();
    browse(Scripts::On, async move |browser| {
        sign_up(&browser, &server).await;
        browser.press("Import an authenticator").await;
        browser.expect("Import an authenticator").await;

        for (text, told) in [
            ("nothing of the kind", "The format isn’t recognised"),
            ("", "The format isn’t recognised"),
            (&["{\"version\": ", &"[".repeat(5_000)].concat(), "The f"),
        ] {
            browser.fill("Or its text", text).await;
            browser.press("Import").await;
            browser.expect_notice(told).await;
            assert_eq!(http_status(&browser).await, 422);
        }
        let large = server.write_file("large.json", &" ".repeat(2 << 20));
        browser.fill("Backup file", &large).await;
        browser.press("Import").await;
        browser.expect_notice("The file is larger than 1 MiB").await;

        let encrypted = fixture("2fas_encrypted.2fas");
        browser.fill("Backup file", &encrypted).await;
        browser.press("Import").await;
        browser.expect_notice("The file is encrypted (2FAS)").await;
        browser.fill("Backup file", &encrypted).await;
        browser.fill("Password of the file", "not this one").await;
        browser.press("Import").await;
        browser.expect_notice("The password or key is wrong").await;

        take_bobs(&browser).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs Chromium: .ci/server.sh runs it"]
async fn recovery_codes_come_with_a_backup_file() {
    let server = Server::start();
    browse(Scripts::On, async move |browser| {
        sign_up(&browser, &server).await;
        browser.press("Import an authenticator").await;
        browser
            .fill("Backup file", &fixture("google_authenticator_totp"))
            .await;
        browser.press("Import").await;
        browser.expect("Imported").await;
        assert_eq!(browser.texts("#left-out strong").await, ["line 10"]);
        assert!(!browser.is_shown("#recovery-codes").await);

        browser.press("To my account").await;
        browser.expect("Enter a code").await;
        browser.press("Use a recovery code").await;
        browser.fill("Recovery code", "1234 5678").await;
        browser.press("Log in").await;
        browser.expect_notice("used up, and 2 are left").await;
    })
    .await;
}

/// The path of one of the backups that the library is tested with.
fn fixture(name: &str) -> String {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/import");
    let path = fixtures.join(name).canonicalize().expect("a fixture");
    path.to_str().expect("a plain path").to_owned()
}

/// Chooses one among others, and has its codes for a second factor.
async fn take_bobs(browser: &Browser) {
    const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
    let line =
        |name, period| format!("otpauth://totp/ACME:{name}?secret={SECRET}&period={period}\n");
    let list = [line("alice", 30), line("bob", 30), line("carol", 0)].concat();
    browser.fill("Or its text", &list).await;
    browser.press("Import").await;
    browser.expect_notice("The file has 2 entries").await;
    assert_eq!(browser.texts("#left-out strong").await, ["line 3"]);
    browser.fill("Or its text", &list).await;
    browser.press_and_stay("ACME, bob (line 2)").await;
    browser.press("Import").await;
    browser
        .expect_notice("Your authenticator is now ACME, bob (line 2)")
        .await;
    assert_eq!(browser.texts("#recovery-codes code").await.len(), 10);

    browser.press("To my account").await;
    browser.expect("Enter a code").await;
    let authenticator = Authenticator::of_secret(SECRET);
    enter(browser, &authenticator.code(), "Log in").await;
    browser.expect_notice("This code was already used").await;
}

#[tokio::test]
#[ignore = "needs Chromium: .ci/server.sh runs it"]
async fn the_operator_watches() {
    let server = Server::start();
    browse(Scripts::On, async move |browser| {
        browser.open(&format!("{}/log-in", server.url)).await;
        for (credentials, status) in [
            (String::new(), 401),
            (format!("{PROJECT_ID}:wrong"), 401),
            (format!("{PROJECT_ID}:{SECRET}"), 200),
        ] {
            let script = format!(
                "return fetch('/status', {{ credentials: 'omit', headers: {{ Authorization: \
                 'Basic ' + btoa({credentials:?}) }} }}).then(answer => answer.status)"
            );
            assert_eq!(browser.run(&script).await, status);
        }
        let secret = SECRET.replace(' ', "%20");
        let url = server
            .url
            .replace("://", &format!("://{PROJECT_ID}:{secret}@"));
        browser.open(&format!("{url}/status")).await;
        browser.expect("Status").await;
        assert_eq!(browser.text("#registrations").await, "0");
        assert!(!browser.is_shown("rect[data-outcome]").await);
        // A wrong code is no reason for the browser to forget the operator's credentials.
        browser
            .meanwhile(async {
                let (authenticator, _) = enrol(&browser, &server).await;
                begin_log_in(&browser).await;
                enter(&browser, &authenticator.wrong_code(), "Log in").await;
                browser.expect_notice("The code is wrong").await;
            })
            .await;
        browser
            .wait_for_change("#table tbody tr:nth-child(2)", "wrong00")
            .await;
        assert_eq!(browser.text("#registrations").await, "1");
        for (outcome, count) in [("accepted", "1"), ("wrong", "1")] {
            let row = browser.texts("#table tbody tr").await;
            assert!(
                row.contains(&format!("{outcome} {count} {count}")),
                "{row:?}"
            );
            assert!(
                browser
                    .is_shown(&format!("rect[data-outcome={outcome}]"))
                    .await
            );
        }
        assert!(!browser.is_shown("rect[data-outcome=locked]").await);
    })
    .await;
}

#[tokio::test]
#[ignore = "needs Chromium: .ci/server.sh runs it"]
async fn all_of_it_works_without_scripts() {
    let server = Server::start();
    browse(Scripts::Off, async move |browser| {
        let (authenticator, recovery_codes) = enrol(&browser, &server).await;
        assert!(
            browser.text("time").await.ends_with(" UTC"),
            "scripts are off"
        );
        begin_log_in(&browser).await;
        for _ in 0..7 {
            enter(&browser, &authenticator.wrong_code(), "Log in").await;
            browser.expect_notice("wrong").await;
        }
        let notice = browser.expect_notice("Too many wrong codes").await;
        assert!(
            notice.contains("try again at 20") && notice.contains("after this page was made"),
            "{notice}"
        );
        browser.press("Use a recovery code").await;
        browser.fill("Recovery code", &recovery_codes[1]).await;
        browser.press("Log in").await;
        browser.expect_notice("9 are left").await;

        let secret = SECRET.replace(' ', "%20");
        let url = server
            .url
            .replace("://", &format!("://{PROJECT_ID}:{secret}@"));
        browser.open(&format!("{url}/status")).await;
        assert_eq!(browser.text("#registrations").await, "1");
        assert!(browser.is_shown("rect[data-outcome=locked]").await);
    })
    .await;
}

#[tokio::test]
#[ignore = "needs Chromium: .ci/server.sh runs it"]
async fn forms_of_other_sites_are_refused() {
    let server = Server::start();
    browse(Scripts::On, async move |browser| {
        let form = |host: &str| {
            let url = server.url.replace("127.0.0.1", host);
            format!("data:text/html,<main><form method=post action={url}/log-out><button>Win</button></form></main>")
        };
        for host in ["127.0.0.1", "localhost"] {
            browser.open(&form(host)).await;
            browser.press("Win").await;
            browser.expect("This was not sent from here").await;
            assert_eq!(http_status(&browser).await, 403);
        }
        let headers = "return fetch('/log-in').then(answer => Object.fromEntries(answer.headers))";
        let headers = browser.run(headers).await;
        let policy = headers["content-security-policy"].as_str().expect("a policy");
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(headers["cache-control"], "no-store");
        assert_eq!(headers["x-content-type-options"], "nosniff");
    })
    .await;
}

/// What the pages must have for keyboards, screen readers and phones.
const FAULTS: &str = "
    const fields = [...document.querySelectorAll('input, textarea')];
    const faults = fields.filter(it => it.labels.length === 0).map(it => `${it.name} has no label`);
    faults.push(...fields.filter(it => parseFloat(getComputedStyle(it).fontSize) < 16)
        .map(it => `${it.name} makes a phone zoom in`));
    const first = document.querySelector('a, button, input');
    if (first.hash !== '#main' || !document.getElementById('main')) faults.push('no skip link first');
    if (document.querySelectorAll('h1').length !== 1) faults.push('not one heading');
    if (document.documentElement.scrollWidth > innerWidth) faults.push('wider than the screen');
    if (!document.documentElement.lang || !document.title) faults.push('no language or title');
    return faults.join('; ')";

/// All that is amiss with a page. `KEYFOB_AXE` names the file `axe.min.js` of the npm package
/// axe-core, whose rules are then applied too.
async fn faults(browser: &Browser) -> String {
    let own = browser.run(FAULTS).await;
    let own = own.as_str().expect("a text").to_owned();
    let Ok(path) = env::var("KEYFOB_AXE") else {
        return own;
    };
    let axe = fs::read_to_string(path).expect("the file that KEYFOB_AXE names");
    let tell = "const tell = it => `${it.id}: ${it.nodes.map(node => node.html)}`";
    let run = "return axe.run().then(found => found.violations.map(tell).join('; '))";
    let found = browser.run(&format!("{axe};\n{tell}; {run}")).await;
    own + found.as_str().expect("a text")
}

#[tokio::test]
#[ignore = "needs Chromium: .ci/server.sh runs it"]
async fn pages_are_fit_for_phones_and_keyboards() {
    const TAB: &str = "\u{e004}";
    const ENTER: &str = "\u{e007}";
    let server = Server::start();
    browse(Scripts::On, async move |browser| {
        browser.resize(390, 844).await;
        browser.open(&format!("{}/sign-up", server.url)).await;
        browser
            .type_keys(&["Ada Lovelace", TAB, ADDRESS, TAB, PASSWORD, ENTER].concat())
            .await;
        browser.expect("Ada Lovelace").await;
        let paths = [
            "/account",
            "/second-factor/set-up",
            "/second-factor/import",
            "/second-factor/change",
            "/second-factor/recovery-codes",
            "/second-factor/remove",
            "/sign-up",
            "/log-in",
        ];
        for path in paths {
            browser.open(&format!("{}{path}", server.url)).await;
            assert_eq!(faults(&browser).await, "", "{path}");
        }
        browser.open(&server.url).await;
        let authenticator = scan(&browser).await;
        assert_eq!(faults(&browser).await, "", "the QR code's page");
        enter(&browser, &authenticator.code(), "Confirm").await;
        browser.expect("Your authenticator is set up").await;
        assert_eq!(faults(&browser).await, "", "the recovery codes' page");
        browser.press("I have saved them: to my account").await;
        assert_eq!(faults(&browser).await, "", "the account's page");
        begin_log_in(&browser).await;
        assert_eq!(faults(&browser).await, "", "the second step's page");
        browser
            .type_keys(&[&authenticator.code_in(1), ENTER].concat())
            .await;
        browser.expect("Ada Lovelace").await;
        browser
            .run("document.body.append(document.createElement('input'))")
            .await;
        assert_ne!(faults(&browser).await, "", "faults are seen");
    })
    .await;
}
