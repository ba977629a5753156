//! The engine over flash with recovery codes: a registration is created, confirmed and recovered.
#![no_std]
#![no_main]

use keyfob::{Enrollment, NewRegistration, Rejection, Totp, TotpParams, UnixTime};
use keyfob_firmware::chip::Chip;
use keyfob_firmware::entropy::Predictable;
use keyfob_firmware::verifier::Verifier;
use keyfob_firmware::{board, measure};

const NOW: UnixTime = UnixTime::from_seconds(1_800_000_000);

#[board::entry]
fn main() -> ! {
    board::finish(run().is_some())
}

/// `None` if anything is not as it should be.
fn run() -> Option<()> {
    let mut verifier = Verifier::open(Chip::take()?).ok()?;
    let mut enrollment = None;
    measure::stack("create", &mut || enrollment = create(&mut verifier));
    let enrollment = enrollment?;
    let mut outcome = None;
    measure::stack("log in", &mut || {
        outcome = log_in(&mut verifier, &enrollment);
    });
    outcome?;
    measure::stack("recover", &mut || {
        outcome = recover(&mut verifier, &enrollment);
    });
    outcome?;
    recover(&mut verifier, &enrollment).is_none().then_some(())
}

fn create(verifier: &mut Verifier) -> Option<Enrollment> {
    let new = NewRegistration::default();
    let engine = verifier.engine();
    engine.create(&0, &new, NOW, &mut Predictable::new()).ok()
}

fn log_in(verifier: &mut Verifier, enrollment: &Enrollment) -> Option<()> {
    let code = Totp::new(enrollment.secret(), TotpParams::DEFAULT).code_at(NOW);
    verifier.admit(&code, NOW).ok()?.activated().then_some(())?;
    let refused = verifier.admit(&code, NOW).err()?;
    (refused.rejection() == Some(Rejection::Replayed)).then_some(())
}

fn recover(verifier: &mut Verifier, enrollment: &Enrollment) -> Option<()> {
    let code = enrollment.recovery_codes().iter().next()?;
    let recovered = verifier.engine().recover(&0, code.as_str(), NOW).ok()?;
    (recovered.remaining() > 0).then_some(())
}
