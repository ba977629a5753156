//! Verification against a model that knows the codes of single steps and nothing else.
//!
//! A seed holds the fields of [`Input`] in their order: numbers in little-endian, `None` as 0,
//! `Some` as 1 and the value, and the secret as all that is left.

#![no_main]

use arbitrary::Arbitrary;
use keyfob::{
    Algorithm, Burned, Code, CodeFormat, Period, Secret, Step, Totp, TotpParams, UnixTime,
    VerifyError, Window,
};
use libfuzzer_sys::{Corpus, fuzz_target};

/// Every value makes a valid case; what is out of range is wrapped into it.
#[derive(Arbitrary, Debug)]
struct Input<'a> {
    algorithm: u8,
    format: u8,
    period: u32,
    epoch: u64,
    now: u64,
    past: u8,
    future: u8,
    /// How far the step of the typed code lies from the one of `now`.
    typed_offset: i8,
    /// How the code is typed; mostly not the token's format.
    typed_format: u8,
    /// How far the last burned step lies from the one of `now`.
    burned_offset: Option<i8>,
    secret: &'a [u8],
}

fuzz_target!(|input: Input| -> Corpus {
    match input.check() {
        Some(()) => Corpus::Keep,
        None => Corpus::Reject,
    }
});

impl Input<'_> {
    /// Compares keyfob with the model; `None` if the input makes no secret or no step.
    fn check(&self) -> Option<()> {
        let secret = Secret::from_legacy_bytes(self.secret).ok()?;
        let totp = Totp::new(&secret, self.params());
        let typed = self.typed(&secret)?;
        let before = self.burned()?;

        let mut burned = before;
        let answer = totp.verify(&typed, self.now(), self.window(), &mut burned);
        assert_eq!(
            answer.map(|found| found.step()),
            self.model(&totp, &typed, before)
        );

        let Ok(found) = answer else {
            assert_eq!(burned, before, "a refused code burns nothing");
            return Some(());
        };
        assert_eq!(self.step_at_offset(found.offset()), Some(found.step()));
        assert_eq!(burned, Burned::up_to(found.step()));
        assert!(burned > before, "what is burned stays burned");
        let replay = totp.verify(&typed, self.now(), self.window(), &mut burned);
        assert_eq!(replay, Err(VerifyError::Replayed));
        Some(())
    }

    /// What the documentation promises, step by step.
    fn model(&self, totp: &Totp, typed: &Code, burned: Burned) -> Result<Step, VerifyError> {
        let expected = self.params().format;
        if typed.format() != expected {
            return Err(VerifyError::Format { expected });
        }
        let (past, future) = (self.window().past(), self.window().future());
        let highest = (-past.cast_signed()..=future.cast_signed())
            .rev()
            .filter_map(|offset| self.step_at_offset(offset))
            .find(|step| totp.code(*step).to_text().as_str() == typed.to_text().as_str())
            .ok_or(VerifyError::Mismatch)?;
        match burned.last() {
            Some(last) if highest <= last => Err(VerifyError::Replayed),
            _ => Ok(highest),
        }
    }

    /// The step so far from the one that `now` falls in, if there is such a step.
    fn step_at_offset(&self, offset: i8) -> Option<Step> {
        let elapsed = self.now.saturating_sub(self.epoch);
        let expected = elapsed / u64::from(self.params().period.as_seconds());
        let number = i128::from(expected) + i128::from(offset);
        u64::try_from(number).ok().map(Step::new)
    }

    fn typed(&self, secret: &Secret) -> Option<Code> {
        let step = self.step_at_offset(self.typed_offset)?;
        let params = TotpParams {
            format: format(self.typed_format),
            ..self.params()
        };
        Some(Totp::new(secret, params).code(step))
    }

    fn burned(&self) -> Option<Burned> {
        let Some(offset) = self.burned_offset else {
            return Some(Burned::NOTHING);
        };
        self.step_at_offset(offset).map(Burned::up_to)
    }

    fn params(&self) -> TotpParams {
        TotpParams {
            algorithm: algorithm(self.algorithm),
            format: format(self.format),
            period: Period::from_seconds(self.period % 86_400 + 1).unwrap(),
            epoch: UnixTime::from_seconds(self.epoch),
        }
    }

    fn now(&self) -> UnixTime {
        UnixTime::from_seconds(self.now)
    }

    fn window(&self) -> Window {
        let steps = |side: u8| side % (Window::MAX_STEPS + 1);
        Window::new(steps(self.past), steps(self.future)).unwrap()
    }
}

fn algorithm(index: u8) -> Algorithm {
    [Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512][usize::from(index % 3)]
}

fn format(index: u8) -> CodeFormat {
    match index % 4 {
        0 => CodeFormat::SixDigits,
        1 => CodeFormat::SevenDigits,
        2 => CodeFormat::EightDigits,
        _ => CodeFormat::Steam,
    }
}
