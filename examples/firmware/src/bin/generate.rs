//! The least of a token: a secret, and the code of the moment, by SHA-1.
#![no_std]
#![no_main]

use core::hint::black_box;

use keyfob::{Secret, SecretError, Totp, TotpParams, UnixTime};
use keyfob_firmware::{board, measure, token};

#[board::entry]
fn main() -> ! {
    board::finish(run().is_ok())
}

fn run() -> Result<(), SecretError> {
    let secret = Secret::from_bytes(black_box(token::SECRET))?;
    measure::stack("fresh key", &mut || check_code(&make_ready(&secret)));
    measure::ticks("fresh key", &mut || check_code(&make_ready(&secret)));
    let totp = make_ready(&secret);
    measure::ticks("kept key", &mut || check_code(&totp));
    Ok(())
}

#[inline(never)]
fn make_ready(secret: &Secret) -> Totp {
    Totp::new(secret, TotpParams::DEFAULT)
}

/// By RFC 4226, as it is counter 1.
#[inline(never)]
fn check_code(totp: &Totp) {
    let now = UnixTime::from_seconds(black_box(59));
    if totp.code_at(now).to_text().as_str() != "287082" {
        board::finish(false);
    }
}
