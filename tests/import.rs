//! Other systems' exports: what is read out of each format, what is left out, and what is refused.
#![cfg(feature = "import")]

mod support;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{fs, iter};

use keyfob::import::{
    self, Format, Import, ImportError, Imported, LeftOut, Limits, Options, Place, Reason, Unlock,
};
use keyfob::{
    Base32Buffer, Engine, LegacySecrets, MemoryStore, Params, Policy, Rejection, Step,
    SystemEntropy, Totp, TotpParams, UnixTime, Window,
};
use support::rows;

const PASSWORD: Unlock<'static> = Unlock::Password("correct horse");

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/import")
}

fn fixture(name: &str) -> Vec<u8> {
    fs::read(fixtures().join(name)).unwrap()
}

fn unlocked_by(unlock: Unlock<'_>) -> Options<'_> {
    Options {
        unlock,
        ..Options::default()
    }
}

/// What was read, in the form of the table.
fn summary(outcome: Result<Import, ImportError>) -> Vec<String> {
    match outcome {
        Err(error) => vec![format!("{error:?}")],
        Ok(import) => {
            let tokens = import.tokens.iter().map(token_summary);
            let left_out = import.left_out.iter().map(left_out_summary);
            iter::once(import.format.name().into())
                .chain(tokens)
                .chain(left_out)
                .collect()
        }
    }
}

/// `place;kind;issuer;account;serial;algorithm;format;period or next counter;secret` and, where
/// there are any, the last step, the drift, the recovery codes and the remarks.
fn token_summary(token: &Imported) -> String {
    let (kind, factor) = match token.params {
        Params::Totp(params) => ("totp", u64::from(params.period.as_seconds())),
        Params::Hotp(_) => ("hotp", token.counter().unwrap().number()),
    };
    let mut summary = format!(
        "{};{kind};{};{};{};{};{};{factor};{}",
        token.place,
        token.issuer,
        token.account,
        token.serial,
        token.params.algorithm().name(),
        token.params.format(),
        token.secret.to_base32(&mut Base32Buffer::new()),
    );
    let burned = token.burned.filter(|_| kind == "totp");
    if let Some(step) = burned.and_then(keyfob::Burned::last) {
        write!(summary, ";step {}", step.number()).unwrap();
    }
    if token.drift_steps != 0 {
        write!(summary, ";drift {}", token.drift_steps).unwrap();
    }
    for code in token.recovery_codes.iter() {
        write!(summary, ";code {code}").unwrap();
    }
    for remark in &token.remarks {
        write!(summary, ";{remark}").unwrap();
    }
    summary
}

fn left_out_summary(left_out: &LeftOut) -> String {
    let LeftOut {
        place,
        name,
        reason,
        ..
    } = left_out;
    format!("{place};left out;{name};{reason:?}")
}

/// The table's rows, gathered by file.
fn expected() -> Vec<(&'static str, Vec<&'static str>)> {
    let mut files: Vec<(&str, Vec<&str>)> = Vec::new();
    for (_, row) in rows(include_str!("vectors/imports.tsv")) {
        match files.last_mut() {
            Some((file, lines)) if *file == row[0] => lines.push(row[1]),
            _ => files.push((row[0], vec![row[1]])),
        }
    }
    files
}

#[test]
fn the_table() {
    let mut differences = String::new();
    for (file, lines) in expected() {
        let actual = match file {
            // Nothing tells this form.
            "andotp_oldest.json.aes" => {
                import::read_as(Format::AndOtp, &fixture(file), &unlocked_by(PASSWORD))
            }
            _ => import::read(&fixture(file), &unlocked_by(PASSWORD)),
        };
        let actual = summary(actual);
        if actual != lines {
            differences += &actual
                .iter()
                .map(|line| format!("{file}\t{line}\n"))
                .collect::<String>();
        }
    }
    assert!(differences.is_empty(), "instead:\n{differences}");
}

#[test]
fn the_table_has_every_fixture() {
    let files = fs::read_dir(fixtures()).unwrap();
    let mut files: Vec<_> = files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "make.py")
        .collect();
    files.sort();
    let mut expected: Vec<_> = expected().into_iter().map(|(file, _)| file).collect();
    expected.sort_unstable();
    assert_eq!(files, expected);
}

#[test]
fn every_format_can_be_named() {
    for (file, _) in expected() {
        let file = fixture(file);
        let options = unlocked_by(PASSWORD);
        let Some(format) = import::detect(&file) else {
            continue;
        };
        let named = Format::from_name(format.name()).unwrap();
        assert_eq!(
            summary(import::read_as(named, &file, &options)),
            summary(import::read(&file, &options))
        );
    }
    assert_eq!(Format::from_name("keepass"), None);
}

#[test]
fn every_format_is_in_the_table() {
    let missing: Vec<_> = Format::ALL
        .into_iter()
        .filter(|format| *format != Format::Pskc) // tests/pskc.rs
        .filter(|format| {
            !expected()
                .iter()
                .any(|(_, lines)| lines[0] == format.name())
        })
        .collect();
    assert_eq!(missing, []);
}

#[test]
fn what_is_no_export_is_not_recognised() {
    for file in [
        "",
        "\n \n",
        "{}",
        "[]",
        "[1]",
        "{\"name\": 1}",
        "<html></html>",
        "hello",
        "nothing of the kind",
        "one, two, three",
        "serial,key",
        "\u{0}\u{0}",
    ] {
        let outcome = import::read(file.as_bytes(), &Options::default());
        assert_eq!(outcome.err(), Some(ImportError::Unrecognised), "{file:?}");
    }
    let image = b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR";
    assert_eq!(import::detect(image), None);
}

// Passwords ---------------------------------------------------------------------------------------

const ENCRYPTED: [&str; 4] = [
    "aegis_encrypted.json",
    "2fas_encrypted.2fas",
    "andotp.json.aes",
    "andotp_oldest.json.aes",
];

/// Reads an encrypted file, whose format is known where nothing in it tells.
fn read_encrypted(name: &str, file: &[u8], unlock: Unlock<'_>) -> Result<Import, ImportError> {
    let format = match name {
        "aegis_encrypted.json" => Format::Aegis,
        "2fas_encrypted.2fas" => Format::TwoFas,
        _ => Format::AndOtp,
    };
    import::read_as(format, file, &unlocked_by(unlock))
}

#[test]
fn a_password_is_asked_for() {
    for name in ENCRYPTED {
        for unlock in [Unlock::Nothing, Unlock::Key(&[0; 32])] {
            let outcome = read_encrypted(name, &fixture(name), unlock);
            assert!(
                matches!(outcome, Err(ImportError::Locked { .. })),
                "{name}: {outcome:?}"
            );
        }
    }
}

#[test]
fn a_wrong_password_is_told_from_damage_where_the_format_tells() {
    for (name, expected) in ENCRYPTED.into_iter().zip([
        ImportError::WrongPassword,
        ImportError::WrongPassword,
        ImportError::WrongPasswordOrDamaged,
        ImportError::WrongPasswordOrDamaged,
    ]) {
        let outcome = read_encrypted(name, &fixture(name), Unlock::Password("Correct horse"));
        assert_eq!(outcome.err(), Some(expected), "{name}");
    }
}

#[test]
fn damage_is_told() {
    let damage = |name: &str, from: &str, to: &str| {
        let file = String::from_utf8(fixture(name)).unwrap();
        let damaged = file.replacen(from, to, 1);
        assert_ne!(file, damaged, "{name}");
        read_encrypted(name, damaged.as_bytes(), PASSWORD).err()
    };
    let (aegis, two_fas) = ("aegis_encrypted.json", "2fas_encrypted.2fas");
    // The database's ciphertext, its tag, and its form.
    let database = damage(aegis, "\"db\": \"", "\"db\": \"AAAA");
    assert_eq!(database, Some(ImportError::Damaged));
    let form = damage(aegis, "\"db\": \"", "\"db\": \"*");
    assert_eq!(form, Some(ImportError::Damaged));
    let salt = damage(aegis, "\"salt\": \"", "\"salt\": \"xx");
    assert_eq!(salt, Some(ImportError::Damaged));
    let cost = damage(aegis, "\"n\": 1024", "\"n\": 1023");
    assert_eq!(cost, Some(ImportError::Damaged));
    let services = damage(
        two_fas,
        "\"servicesEncrypted\": \"",
        "\"servicesEncrypted\": \"AAAA",
    );
    assert_eq!(services, Some(ImportError::Damaged));
    let parts = damage(two_fas, ":AAEC", "AAEC");
    assert_eq!(parts, Some(ImportError::Damaged));
    // Without the text that everybody knows, nothing tells.
    let unknown = damage(two_fas, "\"reference\"", "\"other\"");
    assert_eq!(unknown, None);
}

#[test]
fn every_cut_of_an_encrypted_file_is_an_error() {
    for name in ["andotp.json.aes", "andotp_oldest.json.aes"] {
        let file = fixture(name);
        for length in [0, 3, 4, 15, 16, 27, 28, 40, file.len() - 1] {
            let outcome = read_encrypted(name, &file[..length], PASSWORD);
            assert_eq!(
                outcome.err(),
                Some(ImportError::WrongPasswordOrDamaged),
                "{name}, {length}"
            );
        }
    }
}

// Bounds ------------------------------------------------------------------------------------------

fn limited(change: impl FnOnce(&mut Limits)) -> Options<'static> {
    let mut options = unlocked_by(PASSWORD);
    change(&mut options.limits);
    options
}

#[test]
fn the_file_is_bounded() {
    let file = fixture("uri_list.txt");
    let most = file.len() - 1;
    let options = limited(|limits| limits.file_bytes = most);
    let expected = Some(ImportError::FileTooLong { most });
    assert_eq!(import::read(&file, &options).err(), expected);
    let named = import::read_as(Format::UriList, &file, &options);
    assert_eq!(named.err(), expected);
}

#[test]
fn entries_are_bounded_read_or_left_out() {
    for (file, lines) in expected() {
        let entries = lines.len() - 1;
        if entries == 0 || file == "andotp_oldest.json.aes" {
            continue;
        }
        let read = |most| import::read(&fixture(file), &limited(|limits| limits.entries = most));
        assert!(read(entries).is_ok(), "{file}");
        let most = entries - 1;
        let expected = Some(ImportError::TooManyEntries { most });
        assert_eq!(read(most).err(), expected, "{file}");
    }
}

#[test]
fn the_cost_of_a_password_is_bounded() {
    let aegis = String::from_utf8(fixture("aegis_encrypted.json")).unwrap();
    for (n, r, p) in [
        ("1073741824", "8", "1"),
        ("18446744073709551615", "8", "1"),
        ("1024", "4294967295", "4294967295"),
        ("1024", "8", "4294967295"),
    ] {
        let file = aegis
            .replace("\"n\": 1024", &format!("\"n\": {n}"))
            .replace("\"r\": 8", &format!("\"r\": {r}"))
            .replace("\"p\": 1", &format!("\"p\": {p}"));
        let outcome = import::read(file.as_bytes(), &unlocked_by(PASSWORD));
        assert_eq!(outcome.err(), Some(ImportError::TooCostly), "{n} {r} {p}");
    }
    let options = limited(|limits| limits.pbkdf2_iterations = 9_999);
    let outcome = import::read(&fixture("2fas_encrypted.2fas"), &options);
    assert_eq!(outcome.err(), Some(ImportError::TooCostly));
}

/// A slot costs little, a million of them don't.
#[test]
fn the_cost_of_all_slots_together_is_bounded() {
    let slot = r#"{"type":1,"key":"00","key_params":{"nonce":"00","tag":"00"},"salt":"00","n":1024,"r":8,"p":1}"#;
    let slots = vec![slot; 2_000].join(",");
    let params = r#"{"nonce":"00","tag":"00"}"#;
    let file =
        format!(r#"{{"version":1,"header":{{"slots":[{slots}],"params":{params}}},"db":""}}"#);
    let outcome = import::read(file.as_bytes(), &unlocked_by(PASSWORD));
    assert_eq!(outcome.err(), Some(ImportError::TooCostly));
}

#[test]
fn an_export_of_more_qr_codes_than_anybody_scans_is_refused() {
    // size = 4,294,967,295, alone in its message
    let uri = b"otpauth-migration://offline?data=GP%2F%2F%2F%2F8P";
    let import = import::read(uri, &Options::default()).unwrap();
    let damaged = Reason::MigrationUri(keyfob::MigrationUriError::Message);
    assert_eq!(import.left_out[0].reason, damaged);
}

#[test]
fn depth_is_no_danger() {
    for open in ["[", "{\"a\":"] {
        let deep = open.repeat(500_000);
        for format in Format::ALL {
            let outcome = import::read_as(format, deep.as_bytes(), &Options::default());
            assert!(
                outcome.is_err() || outcome.is_ok_and(|import| import.tokens.is_empty()),
                "{format}"
            );
        }
    }
}

// Form --------------------------------------------------------------------------------------------

fn refusal(format: Format, file: &str) -> Option<ImportError> {
    import::read_as(format, file.as_bytes(), &Options::default()).err()
}

#[test]
fn json_of_another_form_is_refused_with_its_line() {
    let malformed = |format, line| Some(ImportError::Malformed { format, line });
    let tokens = Format::FreeOtpPlus;
    assert_eq!(refusal(tokens, "{\n\"tokens\": [}"), malformed(tokens, 2));
    assert_eq!(refusal(tokens, "{\"tokens\": []} x"), malformed(tokens, 1));
    assert_eq!(refusal(tokens, "{\n\n\"other\": []}"), malformed(tokens, 3));
    assert_eq!(refusal(tokens, "{\"tokens\": {}}"), malformed(tokens, 1));
    assert_eq!(refusal(tokens, "[]"), malformed(tokens, 1));
    assert_eq!(
        refusal(tokens, "{\"tokens\": [], \"tokens\": []}"),
        malformed(tokens, 1)
    );
    assert_eq!(refusal(Format::Raivo, "{}"), malformed(Format::Raivo, 1));
    assert_eq!(refusal(tokens, "{\"tokens\": []}"), None);
}

#[test]
fn versions_to_come_are_refused() {
    let version = Some(ImportError::Version);
    let aegis = |file: u8, database: u8| {
        let header = r#"{"slots": null, "params": null}"#;
        let database = format!(r#"{{"version": {database}, "entries": []}}"#);
        let file = format!(r#"{{"version": {file}, "header": {header}, "db": {database}}}"#);
        refusal(Format::Aegis, &file)
    };
    assert_eq!(
        (aegis(1, 3), aegis(2, 3), aegis(1, 4)),
        (None, version, version)
    );
    let two_fas = r#"{"services": [], "schemaVersion": 5}"#;
    assert_eq!(refusal(Format::TwoFas, two_fas), version);
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    for format in Format::ALL {
        if format != Format::AndOtp {
            let outcome = import::read_as(format, b"\xff\xfe\x00", &Options::default());
            assert_eq!(outcome.err(), Some(ImportError::NotText), "{format}");
        }
    }
}

#[test]
fn ente_auths_encrypted_list_is_named_as_such() {
    let file = r#"{"version":1,"kdfParams":{"memLimit":1},"encryptedData":"AA"}"#;
    let outcome = import::read(file.as_bytes(), &Options::default());
    let format = Format::UriList;
    assert_eq!(outcome.err(), Some(ImportError::Encryption { format }));
}

#[test]
fn nothing_secret_is_debugged() {
    let import = import::read(&fixture("google_authenticator_totp"), &Options::default()).unwrap();
    let debugged = format!("{import:?} {:?}", unlocked_by(PASSWORD));
    for secret in ["12345678", "AEBAGBAF", "[1, 2, 3", "horse"] {
        assert!(!debugged.contains(secret), "{debugged}");
    }
    assert!(debugged.contains("count: 3"), "{debugged}");
}

#[test]
fn places_and_remarks_read_well() {
    assert_eq!(Place::File.to_string(), "the file");
    assert_eq!(Place::Entry(2).to_string(), "entry 2");
    let place = Place::Token { line: 4, token: 1 };
    assert_eq!(place.to_string(), "line 4, token 1");
}

// Taking over -------------------------------------------------------------------------------------

const NOW: UnixTime = UnixTime::from_seconds(1_800_000_000);

/// An engine that takes weak secrets, and hashes short recovery codes in no time.
fn engine() -> Engine<MemoryStore<u32, 8>> {
    let mut policy = Policy {
        legacy_secrets: LegacySecrets::Accept,
        ..Policy::DEFAULT
    };
    policy.recovery.slow_hash = Some(keyfob::SlowHash::Pbkdf2 {
        iterations: keyfob::Pbkdf2Iterations::new(1).unwrap(),
    });
    Engine::new(MemoryStore::new(), policy)
}

#[test]
fn an_engine_takes_a_token_as_it_was_read() {
    let import = import::read(&fixture("google_authenticator_totp"), &Options::default()).unwrap();
    let [token] = &import.tokens[..] else {
        panic!("one token")
    };
    let mut engine = engine();
    engine.migrate(&1, token, NOW, &mut SystemEntropy).unwrap();
    let status = engine.status(&1, NOW).unwrap();
    assert_eq!((status.recovery_codes, status.drift_steps), (3, -2));
    engine.recover(&1, "12345678", NOW).unwrap();
    assert!(engine.recover(&1, "12345678", NOW).is_err());
}

#[test]
fn a_counter_goes_on_where_it_stood() {
    let import = import::read(&fixture("users.oath"), &Options::default()).unwrap();
    let carol = import.tokens.iter().find(|token| token.account == "carol");
    let carol = carol.unwrap();
    let mut engine = engine();
    engine.migrate(&1, carol, NOW, &mut SystemEntropy).unwrap();
    let hotp = keyfob::Hotp::new(&carol.secret, keyfob::HotpParams::DEFAULT);
    let code = |counter| hotp.code(Step::new(counter));
    assert!(engine.authenticate(&1, &code(41), NOW).is_err());
    assert!(engine.authenticate(&1, &code(42), NOW).is_ok());
}

#[test]
fn what_is_handed_out_can_be_named_and_taken_over() {
    let import = import::read(&fixture("oath.csv"), &Options::default()).unwrap();
    let mut engine = engine();
    engine
        .migrate(&1, &import.tokens[0], NOW, &mut SystemEntropy)
        .unwrap();
    let handed_out = Imported::from(engine.export(&1, NOW).unwrap());
    assert_eq!(handed_out.counter(), import.tokens[0].counter());
    engine
        .migrate(&2, &handed_out, NOW, &mut SystemEntropy)
        .unwrap();
}

/// The present step of a token that goes by 30 seconds.
const STEP: u64 = 60_000_000;

/// The token of a `.google_authenticator` with these options, taken over at `NOW`.
fn taken_over_from_pam(options: &str, policy: Policy) -> (Engine<MemoryStore<u32, 8>>, Totp) {
    let file = format!("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\n{options}\" TOTP_AUTH\n");
    let format = Format::GoogleAuthenticatorPam;
    let import = import::read_as(format, file.as_bytes(), &Options::default()).unwrap();
    assert_eq!(import.left_out, []);
    let mut engine = Engine::new(MemoryStore::new(), policy);
    engine
        .migrate(&1, &import.tokens[0], NOW, &mut SystemEntropy)
        .unwrap();
    let totp = Totp::new(&import.tokens[0].secret, TotpParams::DEFAULT);
    (engine, totp)
}

/// The first step, counted from now, whose code is accepted when it is the present one.
fn first_accepted(engine: &mut Engine<MemoryStore<u32, 8>>, totp: &Totp, drift: i64) -> u64 {
    let accepted = (0..100).find(|away| {
        let now = NOW.saturating_add(30 * away);
        let step = Step::new(STEP + away).checked_add(drift).unwrap();
        match engine.authenticate(&1, &totp.code(step), now) {
            Ok(_) => true,
            Err(error) => {
                let refused = error.rejection();
                assert!(matches!(
                    refused,
                    Some(Rejection::Replayed | Rejection::TooEarly(_))
                ));
                false
            }
        }
    });
    accepted.expect("the token works again")
}

#[test]
fn a_step_that_a_file_says_was_used_is_used() {
    for (options, policy, first) in [
        ("\" DISALLOW_REUSE 60000001\n", Policy::strict(), 2),
        (
            "\" DISALLOW_REUSE 59999999 60000003 60000001\n",
            Policy::DEFAULT,
            4,
        ),
        (
            "\" WINDOW_SIZE 17\n\" DISALLOW_REUSE 60000001 60000008\n",
            Policy::DEFAULT,
            9,
        ),
        (
            "\" DISALLOW_REUSE 60000022\n\" TIME_SKEW 20\n",
            Policy::lenient_for_hardware_tokens(),
            3,
        ),
    ] {
        let (mut engine, totp) = taken_over_from_pam(options, policy);
        let drift = i64::from(engine.status(&1, NOW).unwrap().drift_steps);
        let accepted = first_accepted(&mut engine, &totp, drift);
        assert_eq!(accepted, first, "{options}");
    }
}

/// A file is older than the last code that its system accepted: whatever it could have accepted by
/// now is burned, as far ahead as it looked.
#[test]
fn what_a_system_could_accept_since_its_file_was_written_is_used() {
    let old = "\" DISALLOW_REUSE 59990000\n";
    for (options, policy, first) in [
        (old.to_owned(), Policy::strict(), 2),
        (format!("\" WINDOW_SIZE 1\n{old}"), Policy::strict(), 2),
        (format!("\" WINDOW_SIZE 17\n{old}"), Policy::strict(), 9),
        (format!("\" WINDOW_SIZE 17\n{old}"), Policy::DEFAULT, 9),
        (format!("{old}\" WINDOW_SIZE 100\n"), Policy::DEFAULT, 51),
        (String::new(), Policy::DEFAULT, 2),
    ] {
        let (mut engine, totp) = taken_over_from_pam(&options, policy);
        let accepted = first_accepted(&mut engine, &totp, 0);
        assert_eq!(accepted, first, "{options}");
    }
}

/// Where an option can't be read it is told, and the token is taken over all the same.
#[test]
fn an_option_of_libpam_that_cannot_be_read_is_told() {
    for option in [
        "DISALLOW_REUSE 60000008 x",
        "TIME_SKEW 40000",
        "TIME_SKEW x",
    ] {
        let file = format!("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\n\" TOTP_AUTH\n\" {option}\n");
        let format = Format::GoogleAuthenticatorPam;
        let import = import::read_as(format, file.as_bytes(), &Options::default()).unwrap();
        assert_eq!(import.left_out.len(), 1, "{option}");
        let left_out = &import.left_out[0];
        assert_eq!(
            (left_out.place, left_out.reason),
            (Place::Line(3), Reason::Malformed)
        );
        assert_eq!(import.tokens.len(), 1);
    }
}

/// liboath keeps the last code of a time-based token and not its step, which may lie as far ahead as
/// it looks.
#[test]
fn the_last_code_of_a_users_file_is_used() {
    let secret = "3132333435363738393031323334353637383930";
    let totp = totp_of_ascii_digits();
    let last = totp.code(Step::new(STEP + 18));
    for (fields, first) in [
        (String::new(), 2),
        ("\t0".into(), 2),
        (format!("\t0\t{last}\t2027-01-15T08:00:00L"), 21),
    ] {
        let file = format!("HOTP/T30\talice\t-\t{secret}{fields}\n");
        let import = import::read(file.as_bytes(), &Options::default()).unwrap();
        let mut engine = engine();
        engine
            .migrate(&1, &import.tokens[0], NOW, &mut SystemEntropy)
            .unwrap();
        assert_eq!(first_accepted(&mut engine, &totp, 0), first, "{fields}");
    }
}

fn totp_of_ascii_digits() -> Totp {
    let secret = keyfob::Secret::from_bytes(b"12345678901234567890").unwrap();
    Totp::new(&secret, TotpParams::DEFAULT)
}

/// The skew that libpam remembered is followed back, whatever the policy's cap: the token's clock is
/// put right a step a log-in.
#[test]
fn an_imported_drift_heals() {
    for policy in [Policy::strict(), Policy::DEFAULT] {
        let policy = Policy {
            window: Window::ONE_STEP,
            ..policy
        };
        let (mut engine, totp) = taken_over_from_pam("\" TIME_SKEW 20\n", policy);
        assert_eq!(engine.status(&1, NOW).unwrap().drift_steps, 20);
        for (log_in, drift) in (1..).zip((0..20).rev()) {
            let now = NOW.saturating_add(3_000 * log_in);
            let step = totp.step_at(now).checked_add(drift).unwrap();
            let answer = engine.authenticate(&1, &totp.code(step), now);
            assert!(answer.is_ok(), "at {drift}: {answer:?}");
        }
    }
}

mod properties {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// A file with some bytes changed is read, in part or not at all, and never panics.
        #[test]
        fn damage_never_panics(
            file in 0..28_usize, place in any::<prop::sample::Index>(), byte: u8, cut in any::<prop::sample::Index>()
        ) {
            let files = expected();
            let mut file = fixture(files[file % files.len()].0);
            let place = place.index(file.len());
            file[place] = byte;
            file.truncate(cut.index(file.len()).max(file.len() / 2));
            let options = limited(|limits| {
                limits.pbkdf2_iterations = 100;
                limits.scrypt_work = 1024 * 8;
            });
            for format in Format::ALL {
                let _ = import::read_as(format, &file, &options);
            }
            let _ = import::read(&file, &options);
        }
    }

    /// A row as the csv crate's own reader takes it into a struct.
    #[derive(Debug, serde::Deserialize)]
    struct Row {
        serial: String,
        key: String,
        kind: String,
        digits: u8,
        factor: u64,
    }

    /// Another reader of the same table: serde, and hexadecimal by the standard library.
    fn read_otherwise(table: &[u8]) -> Vec<(String, Vec<u8>, bool, usize, u64)> {
        csv::ReaderBuilder::new()
            .has_headers(false)
            .from_reader(table)
            .deserialize::<Row>()
            .map(|row| {
                let row = row.unwrap();
                let secret = support::unhex(&row.key);
                (
                    row.serial,
                    secret,
                    row.kind == "hotp",
                    row.digits.into(),
                    row.factor,
                )
            })
            .collect()
    }

    fn as_read(token: &Imported) -> (String, Vec<u8>, bool, usize, u64) {
        let (is_hotp, factor) = match token.params {
            Params::Hotp(_) => (true, token.counter().unwrap().number()),
            Params::Totp(params) => (false, params.period.as_seconds().into()),
        };
        let digits = token.params.format().symbols();
        let secret = token.secret.as_bytes().to_vec();
        (token.serial.clone(), secret, is_hotp, digits, factor)
    }

    proptest! {
        #[test]
        fn another_reader_reads_the_same_table(
            rows in prop::collection::vec(
                ("[A-Z0-9,\"][ A-Z0-9,\"]{0,8}[A-Z0-9]", prop::collection::vec(any::<u8>(), 10..=128),
                 any::<bool>(), 6..=8_u8, 1..=86_400_u64),
                1..20,
            )
        ) {
            let mut table = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
            for (serial, secret, is_hotp, digits, factor) in rows {
                let key: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
                let kind = if is_hotp { "hotp" } else { "totp" };
                table.write_record([serial, key, kind.into(), digits.to_string(), factor.to_string()]).unwrap();
            }
            let table = table.into_inner().unwrap();
            let import = import::read_as(Format::OathCsv, &table, &Options::default()).unwrap();
            prop_assert_eq!(import.left_out.len(), 0);
            let ours: Vec<_> = import.tokens.iter().map(as_read).collect();
            prop_assert_eq!(ours, read_otherwise(&table));
        }
    }
}
