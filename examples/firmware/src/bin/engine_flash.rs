//! The engine over flash: a token is registered and let in, and after a reset its code is a replay.
#![no_std]
#![no_main]

use keyfob::{Code, Rejection, Secret, UnixTime};
use keyfob_firmware::chip::Chip;
use keyfob_firmware::verifier::Verifier;
use keyfob_firmware::{board, measure, token};

const NOW: UnixTime = UnixTime::from_seconds(59);
const NEXT: UnixTime = UnixTime::from_seconds(89);

#[board::entry]
fn main() -> ! {
    board::finish(run().is_some())
}

/// `None` if anything is not as it should be.
fn run() -> Option<()> {
    let mut verifier = Verifier::open(Chip::take()?).ok()?;
    if verifier.knows_a_token().ok()? {
        return after_reset(&mut verifier);
    }
    let mut outcome = None;
    measure::stack("register", &mut || outcome = register(&mut verifier));
    outcome?;
    measure::stack("log in", &mut || {
        outcome = log_in(&mut verifier, NOW, "287082");
    });
    outcome?;
    measure::ticks_once("log in", &mut || {
        outcome = log_in(&mut verifier, NEXT, "359152");
    });
    outcome?;
    board::reset()
}

fn register(verifier: &mut Verifier) -> Option<()> {
    let secret = Secret::from_bytes(token::SECRET).ok()?;
    verifier.register(secret, NOW).ok()
}

fn log_in(verifier: &mut Verifier, now: UnixTime, typed: &str) -> Option<()> {
    let code = Code::parse(typed).ok()?;
    verifier.admit(&code, now).ok()?;
    Some(())
}

fn after_reset(verifier: &mut Verifier) -> Option<()> {
    let used = Code::parse("359152").ok()?;
    let refused = verifier.admit(&used, NEXT).err()?;
    (refused.rejection() == Some(Rejection::Replayed)).then_some(())?;
    log_in(verifier, UnixTime::from_seconds(119), "969429")
}
