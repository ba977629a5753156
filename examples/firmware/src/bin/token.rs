//! The demonstration: a token shows its codes, and a lock takes each of them once, resets included.
#![no_std]
#![no_main]

use keyfob::{Code, Secret, TotpParams, UnixTime};
use keyfob_firmware::chip::Chip;
use keyfob_firmware::token::{self, Token};
use keyfob_firmware::verifier::Verifier;
use keyfob_firmware::{board, self_test};

/// A device has a clock that runs; here two moments are enough.
const BEFORE_RESET: UnixTime = UnixTime::from_seconds(1_800_000_000);
const AFTER_RESET: UnixTime = BEFORE_RESET.saturating_add(30);

#[board::entry]
fn main() -> ! {
    board::finish(run().is_some())
}

/// `None` if anything is not as it should be.
fn run() -> Option<()> {
    let token = Token::new(token::SECRET, TotpParams::DEFAULT).ok()?;
    let mut verifier = Verifier::open(Chip::take()?).ok()?;
    if verifier.knows_a_token().ok()? {
        return after_reset(&token, &mut verifier);
    }
    board::show("the RFCs' vectors: ");
    self_test::passes().then_some(())?;
    board::show("right\n");

    let secret = Secret::from_bytes(token::SECRET).ok()?;
    verifier.register(secret, BEFORE_RESET).ok()?;
    offer(&token, &mut verifier, BEFORE_RESET).then_some(())?;
    board::show("reset\n");
    board::reset()
}

/// The code that was used before is refused still, and the next one is let in.
fn after_reset(token: &Token, verifier: &mut Verifier) -> Option<()> {
    let replayed = offer(token, verifier, BEFORE_RESET);
    let next = offer(token, verifier, AFTER_RESET);
    (!replayed && next).then_some(())
}

/// Shows the token's code, types it at the lock, and tells whether the door opens.
fn offer(token: &Token, verifier: &mut Verifier, now: UnixTime) -> bool {
    board::show("the token shows ");
    token.show(now);
    let shown = token.totp().code_at(now).to_text();
    let is_open = Code::parse(shown.as_str()).is_ok_and(|code| verifier.admit(&code, now).is_ok());
    board::show(if is_open { ": open\n" } else { ": refused\n" });
    is_open
}
