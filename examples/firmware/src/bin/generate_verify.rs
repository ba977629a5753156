//! A token that also takes codes, and none of them twice, without a store.
#![no_std]
#![no_main]

use core::hint::black_box;

use keyfob::{Burned, Code, Secret, SecretError, Totp, TotpParams, UnixTime, VerifyError, Window};
use keyfob_firmware::{board, measure, token};

const NOW: u64 = 59;

#[board::entry]
fn main() -> ! {
    board::finish(run().is_ok())
}

fn run() -> Result<(), SecretError> {
    let totp = make_ready(&Secret::from_bytes(black_box(token::SECRET))?);
    measure::stack("verify", &mut || check(&totp));
    measure::ticks("verify", &mut || check(&totp));
    measure::ticks("generate", &mut || check_code(&totp));
    Ok(())
}

#[inline(never)]
fn make_ready(secret: &Secret) -> Totp {
    Totp::new(secret, TotpParams::DEFAULT)
}

#[inline(never)]
fn check_code(totp: &Totp) {
    let now = UnixTime::from_seconds(black_box(NOW));
    if totp.code_at(now).to_text().as_str() != "287082" {
        board::finish(false);
    }
}

/// A right code is accepted once.
fn check(totp: &Totp) {
    let mut burned = Burned::NOTHING;
    let first = verify(totp, "287 082", &mut burned);
    let second = verify(totp, "287082", &mut burned);
    if first.is_some() || second != Some(VerifyError::Replayed) {
        board::finish(false);
    }
}

#[inline(never)]
fn verify(totp: &Totp, typed: &str, burned: &mut Burned) -> Option<VerifyError> {
    let Ok(code) = Code::parse(black_box(typed)) else {
        board::finish(false)
    };
    let now = UnixTime::from_seconds(black_box(NOW));
    totp.verify(&code, now, Window::ONE_STEP, burned).err()
}
