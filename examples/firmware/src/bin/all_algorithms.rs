//! A token whose algorithm is chosen when its secret comes: SHA-1, SHA-256 or SHA-512.
#![no_std]
#![no_main]

use core::hint::black_box;

use keyfob::{Algorithm, CodeFormat, Secret, Totp, TotpParams, UnixTime};
use keyfob_firmware::{board, measure};

const KEY: &[u8; 64] = b"1234567890123456789012345678901234567890123456789012345678901234";

#[board::entry]
fn main() -> ! {
    measure::stack("SHA-512", &mut || check(Algorithm::Sha512, "90693936"));
    measure::ticks("SHA-256", &mut || check(Algorithm::Sha256, "46119246"));
    measure::ticks("SHA-512", &mut || check(Algorithm::Sha512, "90693936"));
    check(Algorithm::Sha1, "94287082");
    board::finish(true)
}

/// By RFC 6238, appendix B.
#[inline(never)]
fn check(algorithm: Algorithm, expected: &str) {
    let algorithm = black_box(algorithm);
    let bytes = KEY.get(..algorithm.output_bytes()).unwrap_or_default();
    let Ok(secret) = Secret::from_bytes(bytes) else {
        board::finish(false)
    };
    let params = TotpParams {
        algorithm,
        format: CodeFormat::EightDigits,
        ..TotpParams::DEFAULT
    };
    let now = UnixTime::from_seconds(black_box(59));
    let code = Totp::new(&secret, params).code_at(now);
    if code.to_text().as_str() != expected {
        board::finish(false);
    }
}
