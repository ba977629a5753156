//! The least of a token: a secret, and the code of the moment, by SHA-1.
#![no_std]
#![no_main]

use core::hint::black_box;

use keyfob::{Secret, Totp, TotpParams, UnixTime};
use keyfob_firmware::{board, measure, token};

#[board::entry]
fn main() -> ! {
    board::finish(run().is_some())
}

/// `None` if the secret is too short or too long.
fn run() -> Option<()> {
    let secret = Secret::from_bytes(black_box(token::SECRET)).ok()?;
    let mut afresh = || check_code(&make_ready(&secret));
    measure::stack("fresh key", &mut afresh);
    measure::ticks("fresh key", &mut afresh);
    let totp = make_ready(&secret);
    measure::ticks("kept key", &mut || check_code(&totp));
    Some(())
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
