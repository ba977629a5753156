//! Constant time, checked by valgrind's memcheck: the secret is marked undefined, and every branch
//! and every address that depends on it is reported.
//!
//! Only an optimised build is worth checking: `cargo test --release --test constant_time`. Without
//! valgrind the checks say that they were skipped, unless `KEYFOB_REQUIRE_VALGRIND` is set.
//! Memcheck doesn't see that a division takes longer for larger operands; `otp/truncate.rs` has
//! none.
#![cfg(all(
    feature = "sha2",
    target_arch = "x86_64",
    target_os = "linux",
    not(debug_assertions)
))]
#![allow(unsafe_code)] // a client request to valgrind is five instructions that do nothing else

use std::hint::black_box;
use std::process::Command;

use keyfob::{
    Algorithm, Burned, Code, CodeFormat, OtpKey, Secret, Step, Totp, TotpParams, UnixTime, Window,
};

const SUBJECT: &str = "KEYFOB_CONSTANT_TIME_SUBJECT";
const FORMATS: [CodeFormat; 4] = [
    CodeFormat::SixDigits,
    CodeFormat::SevenDigits,
    CodeFormat::EightDigits,
    CodeFormat::Steam,
];
const ALGORITHMS: [Algorithm; 3] = [Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512];

/// What memcheck reported, a list of stacks; `None` without valgrind.
fn errors_of(subject: &str) -> Option<Vec<String>> {
    let this = std::env::current_exe().unwrap();
    let run = Command::new("valgrind")
        .args(["--quiet", "--error-limit=no"])
        .arg(this)
        .args(["--exact", "subject", "--ignored", "--nocapture"])
        .env(SUBJECT, subject)
        .output();
    let Ok(output) = run else {
        assert!(
            std::env::var_os("KEYFOB_REQUIRE_VALGRIND").is_none(),
            "valgrind is missing: install it"
        );
        println!("skipped: valgrind is not installed");
        return None;
    };
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(
        printed.contains("1 passed"),
        "the subject didn't run: {printed}"
    );
    let report = String::from_utf8_lossy(&output.stderr).into_owned();
    let stacks = report
        .split("depends on uninitialised value")
        .skip(1)
        .chain(report.split("Use of uninitialised value").skip(1));
    Some(stacks.map(str::to_owned).collect())
}

fn assert_clean(subject: &str) {
    if let Some(errors) = errors_of(subject) {
        assert!(
            errors.is_empty(),
            "{subject} depends on the secret: {errors:#?}"
        );
    }
}

fn assert_reported(subject: &str) {
    if let Some(errors) = errors_of(subject) {
        assert!(!errors.is_empty(), "memcheck missed what {subject} does");
    }
}

#[test]
fn codes_are_computed_and_compared_in_constant_time() {
    assert_clean("codes");
}

/// A wrong code: the one branch that may depend on the secret is the verdict itself.
#[test]
fn a_window_is_verified_in_constant_time() {
    let verdict = include_str!("../src/otp/verify.rs")
        .lines()
        .position(|line| line.contains("if !bool::from(found)"))
        .expect("the verdict's line");
    let verdict = format!("(verify.rs:{})", verdict + 1);
    let Some(errors) = errors_of("verification") else {
        return;
    };
    assert!(!errors.is_empty(), "memcheck missed the verdict itself");
    for error in errors {
        let stack = error.split("==\n").next().unwrap_or_default();
        assert!(
            stack.contains(&verdict),
            "not the verdict at {verdict}: {error}"
        );
    }
}

#[test]
fn control_an_early_exit_is_reported() {
    assert_reported("early exit");
}

#[test]
fn control_a_load_from_a_secret_address_is_reported() {
    assert_reported("plain truncation");
}

/// Runs under valgrind only, as a child of the tests above.
#[test]
#[ignore = "a child of the other tests"]
fn subject() {
    match std::env::var(SUBJECT).as_deref() {
        Ok("codes") => codes(),
        Ok("verification") => verification(),
        Ok("early exit") => early_exit(),
        Ok("plain truncation") => plain_truncation(),
        other => panic!("no such subject: {other:?}"),
    }
}

fn codes() {
    let guess = Code::parse("123456").unwrap();
    for algorithm in ALGORITHMS {
        let key = OtpKey::new(algorithm, &undefined_secret());
        for format in FORMATS {
            let mut same = key.code(Step::new(1), format) == guess;
            set_defined(&mut same, true);
            black_box(same);
        }
    }
}

fn verification() {
    for algorithm in ALGORITHMS {
        let params = TotpParams {
            algorithm,
            ..TotpParams::DEFAULT
        };
        let totp = Totp::new(&undefined_secret(), params);
        let (wrong, now) = (
            Code::parse("000000").unwrap(),
            UnixTime::from_seconds(1_000_000),
        );
        let window = Window::new(10, 10).unwrap();
        assert!(
            totp.verify(&wrong, now, window, &mut Burned::default())
                .is_err()
        );
    }
}

/// What a peer did (CVE-2022-29185).
fn early_exit() {
    let secret = undefined_bytes();
    let same = secret
        .iter()
        .zip(b"12345678")
        .all(|(one, other)| black_box(one) == other);
    black_box(same);
}

/// What RFC 4226's own example does.
fn plain_truncation() {
    let mac = undefined_bytes();
    black_box(mac[usize::from(mac[19] & 15)]);
}

fn undefined_secret() -> Secret {
    Secret::from_bytes(&undefined_bytes()).unwrap()
}

fn undefined_bytes() -> [u8; 20] {
    let mut bytes = *b"12345678901234567890";
    set_defined(&mut bytes, false);
    bytes
}

/// Tells memcheck whether `value` counts as known. Outside valgrind it does nothing.
fn set_defined<T>(value: &mut T, defined: bool) {
    const MAKE_MEMORY_UNDEFINED: usize = 0x4d43_0001;
    const MAKE_MEMORY_DEFINED: usize = 0x4d43_0002;
    let request = if defined {
        MAKE_MEMORY_DEFINED
    } else {
        MAKE_MEMORY_UNDEFINED
    };
    let arguments = [request, (&raw mut *value).addr(), size_of::<T>(), 0, 0, 0];
    // SAFETY: the rotations add up to 128 bits and the exchange is of a register with itself, so
    // nothing changes; valgrind recognises the sequence and reads the six words that rax points to.
    unsafe {
        std::arch::asm!(
            "rol rdi, 3", "rol rdi, 13", "rol rdi, 61", "rol rdi, 51", "xchg rbx, rbx",
            in("rax") &raw const arguments,
            inout("rdx") 0_usize => _,
            inout("rdi") 0_usize => _,
        );
    }
    black_box(value);
}
