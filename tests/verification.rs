//! Verification: the window, replay, and the steps at the edges of time.

mod support;

use keyfob::{
    Burned, Code, CodeFormat, Hotp, HotpParams, Period, Secret, Step, Totp, TotpParams, UnixTime,
    VerifyError, Window,
};
use proptest::prelude::*;
use support::rows;

fn secret() -> Secret {
    Secret::from_bytes(b"12345678901234567890").unwrap()
}

fn totp() -> Totp {
    Totp::new(&secret(), TotpParams::DEFAULT)
}

fn at_step(step: u64) -> UnixTime {
    UnixTime::from_seconds(step * 30)
}

#[test]
fn a_code_is_accepted_once() {
    let (totp, now, mut burned) = (totp(), at_step(1_000), Burned::NOTHING);
    let code = totp.code_at(now);
    let found = totp
        .verify(&code, now, Window::ONE_STEP, &mut burned)
        .unwrap();
    assert_eq!((found.step(), found.offset()), (Step::new(1_000), 0));
    assert_eq!(burned, Burned::up_to(Step::new(1_000)));
    let again = totp.verify(&code, now, Window::ONE_STEP, &mut burned);
    assert_eq!(again, Err(VerifyError::Replayed));
}

/// CVE-2015-7225: the next interval let the same code in.
#[test]
fn a_code_is_not_accepted_again_in_the_next_interval() {
    let (totp, mut burned) = (totp(), Burned::NOTHING);
    let code = totp.code_at(at_step(1_000));
    totp.verify(&code, at_step(1_000), Window::ONE_STEP, &mut burned)
        .unwrap();
    let later = totp.verify(&code, at_step(1_001), Window::ONE_STEP, &mut burned);
    assert_eq!(later, Err(VerifyError::Replayed));
}

/// CVE-2021-43177: an older code of the same window was accepted after a newer one.
#[test]
fn an_older_code_is_burned_with_a_newer_one() {
    let (totp, now, mut burned) = (totp(), at_step(1_000), Burned::NOTHING);
    let older = totp.code(Step::new(999));
    totp.verify(&totp.code_at(now), now, Window::ONE_STEP, &mut burned)
        .unwrap();
    let outcome = totp.verify(&older, now, Window::ONE_STEP, &mut burned);
    assert_eq!(outcome, Err(VerifyError::Replayed));
}

#[test]
fn a_wrong_guess_burns_nothing() {
    let (totp, now, mut burned) = (totp(), at_step(1_000), Burned::NOTHING);
    let wrong = totp.code(Step::new(2_000));
    let outcome = totp.verify(&wrong, now, Window::ONE_STEP, &mut burned);
    assert_eq!(outcome, Err(VerifyError::Mismatch));
    assert_eq!(burned, Burned::NOTHING);
}

#[test]
fn of_two_steps_with_the_same_digits_the_higher_is_burned() {
    for (line, row) in rows(include_str!("vectors/colliding_steps.tsv")) {
        let (lower, mut burned) = (row[0].parse().unwrap(), Burned::NOTHING);
        let (code, now) = (Code::parse(row[1]).unwrap(), at_step(lower));
        let found = totp()
            .verify(&code, now, Window::ONE_STEP, &mut burned)
            .unwrap();
        assert_eq!(
            (found.step(), found.offset()),
            (Step::new(lower + 1), 1),
            "line {line}"
        );
        let again = totp().verify(&code, now, Window::ONE_STEP, &mut burned);
        assert_eq!(again, Err(VerifyError::Replayed), "line {line}");
    }
}

#[test]
fn a_code_of_another_format_is_no_attempt() {
    let mut burned = Burned::NOTHING;
    for typed in ["1234567", "12345678", "FR8RV", "23456"] {
        let code = Code::parse(typed).unwrap();
        let outcome = totp().verify(&code, at_step(1), Window::ONE_STEP, &mut burned);
        let expected = CodeFormat::SixDigits;
        assert_eq!(outcome, Err(VerifyError::Format { expected }));
    }
}

#[test]
fn an_asymmetric_window() {
    let (totp, now) = (totp(), at_step(1_000));
    let window = Window::new(3, 0).unwrap();
    let accepted: Vec<u64> = (990..1_010)
        .filter(|step| {
            let code = totp.code(Step::new(*step));
            totp.verify(&code, now, window, &mut Burned::NOTHING.clone())
                .is_ok()
        })
        .collect();
    assert_eq!(accepted, [997, 998, 999, 1_000]);
}

#[test]
fn windows_at_the_edges_of_time() {
    let widest = Window::new(10, 10).unwrap();
    let second = Period::from_seconds(1).unwrap();
    let totp = Totp::new(
        &secret(),
        TotpParams {
            period: second,
            ..TotpParams::DEFAULT
        },
    );
    for now in [0, 1, 1 << 31, 1 << 32, u64::MAX - 1, u64::MAX] {
        let now = UnixTime::from_seconds(now);
        let mut burned = Burned::NOTHING;
        let found = totp
            .verify(&totp.code_at(now), now, widest, &mut burned)
            .unwrap();
        assert_eq!(found.step(), totp.step_at(now));
    }
}

#[test]
fn a_counter_looks_ahead_and_never_back() {
    let hotp = Hotp::new(&secret(), HotpParams::DEFAULT);
    let mut burned = Burned::before(Step::new(5));
    let code = |counter| hotp.code(Step::new(counter));
    let mut verify = |code: &Code| hotp.verify(code, Window::LOOK_AHEAD, &mut burned);
    assert_eq!(verify(&code(16)), Err(VerifyError::Mismatch));
    assert_eq!(verify(&code(4)), Err(VerifyError::Replayed));
    assert_eq!(verify(&code(15)).unwrap().step(), Step::new(15));
    assert_eq!(verify(&code(15)), Err(VerifyError::Replayed));
    assert_eq!(verify(&code(14)), Err(VerifyError::Mismatch));
    assert_eq!(burned.next(), Some(Step::new(16)));
}

#[test]
fn the_last_counter_is_accepted_and_then_none() {
    let hotp = Hotp::new(&secret(), HotpParams::DEFAULT);
    let mut burned = Burned::before(Step::new(u64::MAX));
    let last = Code::parse("094451").unwrap();
    assert!(hotp.verify(&last, Window::LOOK_AHEAD, &mut burned).is_ok());
    assert_eq!(burned.next(), None);
    let again = hotp.verify(&last, Window::LOOK_AHEAD, &mut burned);
    assert_eq!(again, Err(VerifyError::Replayed));
}

#[test]
fn the_first_counter_is_not_burned_by_its_name() {
    assert_eq!(Burned::before(Step::new(0)), Burned::NOTHING);
    assert_eq!(Burned::NOTHING.next(), Some(Step::new(0)));
    assert_eq!(Burned::before(Step::new(1)), Burned::up_to(Step::new(0)));
}

/// What the window should do, a single step at a time.
fn model(
    totp: &Totp,
    code: &Code,
    now: UnixTime,
    window: Window,
    burned: Burned,
) -> Result<Step, VerifyError> {
    let expected = i128::from(totp.step_at(now).number());
    let first = expected - i128::from(window.past());
    let last = expected + i128::from(window.future());
    let highest = (first..=last)
        .filter_map(|step| u64::try_from(step).ok())
        .map(Step::new)
        .rfind(|step| totp.code(*step) == *code);
    match highest {
        None => Err(VerifyError::Mismatch),
        Some(step) if burned.contains(step) => Err(VerifyError::Replayed),
        Some(step) => Ok(step),
    }
}

fn windows() -> impl Strategy<Value = Window> {
    (0..=10_u8, 0..=10_u8).prop_map(|(past, future)| Window::new(past, future).unwrap())
}

/// Times that are often at an edge.
fn times() -> impl Strategy<Value = u64> {
    let edges = prop::sample::select(vec![0_u64, 1 << 31, 1 << 32, u64::MAX]);
    prop_oneof![
        any::<u64>(),
        (edges, -400..400_i64).prop_map(|(edge, by)| edge.saturating_add_signed(by))
    ]
}

proptest! {
    #[test]
    fn a_window_is_its_single_steps(
        now in times(), window in windows(), seconds in 1..120_u32, away in -12..=12_i64,
        burned in prop::option::of(-12..=12_i64),
    ) {
        let period = Period::from_seconds(seconds).unwrap();
        let totp = Totp::new(&secret(), TotpParams { period, ..TotpParams::DEFAULT });
        let now = UnixTime::from_seconds(now);
        let near = |away| Step::new(totp.step_at(now).number().saturating_add_signed(away));
        let code = totp.code(near(away));
        let before = burned.map_or(Burned::NOTHING, |away| Burned::up_to(near(away)));
        let mut after = before;
        let outcome = totp.verify(&code, now, window, &mut after).map(|found| found.step());
        prop_assert_eq!(outcome, model(&totp, &code, now, window, before));
        prop_assert_eq!(after, outcome.map_or(before, Burned::up_to));
    }

    #[test]
    fn the_replay_floor_only_rises(steps in prop::collection::vec((0..40_u64, 0..40_u64), 1..60)) {
        let (totp, mut burned) = (totp(), Burned::NOTHING);
        let mut accepted = Vec::new();
        for (now, coded) in steps {
            let before = burned;
            let code = totp.code(Step::new(coded));
            if let Ok(found) = totp.verify(&code, at_step(now), Window::ONE_STEP, &mut burned) {
                prop_assert!(!accepted.contains(&found.step()));
                accepted.push(found.step());
            }
            prop_assert!(burned >= before);
        }
        prop_assert!(accepted.is_sorted());
    }

    #[test]
    fn any_time_and_parameters_verify_without_panic(
        now: u64, epoch: u64, seconds in 1..=86_400_u32, window in windows(), value in 0..1_000_000_u32,
    ) {
        let period = Period::from_seconds(seconds).unwrap();
        let params = TotpParams { period, epoch: UnixTime::from_seconds(epoch), ..TotpParams::DEFAULT };
        let code = Code::parse(&format!("{value:06}")).unwrap();
        let now = UnixTime::from_seconds(now);
        let _ = Totp::new(&secret(), params).verify(&code, now, window, &mut Burned::NOTHING.clone());
    }

    #[test]
    fn a_counter_burns_all_before_it(start: u64, ahead in 0..=10_u64) {
        let hotp = Hotp::new(&secret(), HotpParams::DEFAULT);
        let mut burned = Burned::before(Step::new(start));
        let counter = Step::new(start.saturating_add(ahead));
        prop_assert!(hotp.verify(&hotp.code(counter), Window::LOOK_AHEAD, &mut burned).is_ok());
        prop_assert!(burned.contains(counter));
    }
}
