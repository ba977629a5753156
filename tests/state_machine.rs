//! The engine against a model that remembers nothing but sets and counts: any sequence of requests,
//! wrong codes, clock jumps, restarts, rollbacks and fences must come out the same.
#![cfg(all(feature = "std", feature = "sha2"))]

use std::collections::BTreeSet;

use keyfob::{
    Code, Engine, Entropy, EntropyError, Error, MemoryStore, Migration, NewRegistration, Params,
    Policy, Proof, Rejection, Secret, Step, Throttle, Totp, TotpParams, UnixTime,
};
use proptest::prelude::*;

const ALICE: u8 = 1;

/// What can happen to a registration.
#[derive(Debug, Clone)]
enum Event {
    Create,
    /// A token whose steps count from this second.
    Migrate {
        epoch: u64,
    },
    /// A code of a token, so many steps away from now: of the current, the waiting or an older one.
    Submit {
        token: usize,
        away: i64,
    },
    SubmitWrong,
    Recover {
        code: usize,
    },
    RecoverWrong,
    /// Starts a replacement with the last proof.
    Replace,
    Rotate,
    Unlock,
    Delete,
    /// The clock jumps, ahead or back.
    Jump {
        seconds: i64,
    },
    /// The clock goes to a place of its own: an edge.
    Set {
        seconds: u64,
    },
    /// The process restarts: only the store stays.
    Restart,
    /// The store is set back to an older state, and fenced.
    RollBackAndFence,
}

fn events() -> impl Strategy<Value = Event> {
    prop_oneof![
        2 => Just(Event::Create),
        1 => prop::sample::select(vec![0, 1_500_000_000, u64::MAX])
            .prop_map(|epoch| Event::Migrate { epoch }),
        12 => (0..3_usize, -3..=3_i64).prop_map(|(token, away)| Event::Submit { token, away }),
        4 => Just(Event::SubmitWrong),
        3 => (0..12_usize).prop_map(|code| Event::Recover { code }),
        2 => Just(Event::RecoverWrong),
        2 => Just(Event::Replace),
        1 => Just(Event::Rotate),
        1 => Just(Event::Unlock),
        1 => Just(Event::Delete),
        6 => prop::sample::select(vec![1, 15, 30, 31, 60, 301, 3_600, -30, -1, -600])
            .prop_map(|seconds| Event::Jump { seconds }),
        1 => prop::sample::select(vec![0, 1 << 31, 1 << 32, u64::MAX, 1_800_000_000])
            .prop_map(|seconds| Event::Set { seconds }),
        1 => Just(Event::Restart),
        1 => Just(Event::RollBackAndFence),
    ]
}

/// A token as the model knows it.
#[derive(Clone)]
struct ModelToken {
    totp: std::rc::Rc<Totp>,
    /// Every step that must never be accepted.
    refused_up_to: Option<u64>,
}

impl ModelToken {
    fn new(secret: &Secret, params: Params) -> Self {
        let Params::Totp(params) = params else {
            panic!("time-based tokens only")
        };
        Self {
            totp: std::rc::Rc::new(Totp::new(secret, params)),
            refused_up_to: None,
        }
    }

    /// Verifies by trying the window a step at a time.
    fn verify(&self, code: &Code, now: UnixTime) -> Result<u64, Rejection> {
        let expected = self.totp.step_at(now).number();
        let window = expected.saturating_sub(1)..=expected.saturating_add(1);
        let matching = window
            .rev()
            .find(|step| self.totp.code(Step::new(*step)) == *code);
        match matching {
            None => Err(Rejection::Mismatch),
            Some(step) if self.refused_up_to.is_some_and(|last| step <= last) => {
                Err(Rejection::Replayed)
            }
            Some(step) => Ok(step),
        }
    }

    fn refuse_window(&mut self, now: UnixTime) {
        let last = self.totp.step_at(now).number().saturating_add(1);
        self.refused_up_to = self.refused_up_to.max(Some(last));
    }
}

#[derive(Clone, Default)]
struct ModelThrottle {
    failures: u8,
    wait_until: u64,
}

impl ModelThrottle {
    fn admit(&self, now: u64) -> Result<(), Rejection> {
        if self.failures >= 100 {
            return Err(Rejection::Disabled);
        }
        if now < self.wait_until {
            let until = UnixTime::from_seconds(self.wait_until);
            return Err(Rejection::Locked { until });
        }
        Ok(())
    }

    fn count(&mut self, now: u64) {
        self.failures = self.failures.saturating_add(1);
        let wait = Throttle::DEFAULT.wait_seconds(self.failures);
        self.wait_until = if wait == 0 {
            0
        } else {
            now.saturating_add(wait)
        };
    }
}

/// A registration as the model knows it.
#[derive(Clone)]
struct Model {
    number: u32,
    pending_until: Option<u64>,
    token: ModelToken,
    waiting: Option<(u64, ModelToken)>,
    codes: Vec<String>,
    used: BTreeSet<String>,
    throttle: ModelThrottle,
    recovery_throttle: ModelThrottle,
}

impl Model {
    /// The token that could replace the present one now.
    fn waiting_at(&self, now: UnixTime) -> Option<&ModelToken> {
        let (until, token) = self.waiting.as_ref()?;
        (now.as_seconds() < *until).then_some(token)
    }

    /// What is written forgets a replacement that lapsed; a replayed code writes nothing.
    fn forget_lapsed(&mut self, now: UnixTime) {
        if self.waiting_at(now).is_none() {
            self.waiting = None;
        }
    }
}

/// The engine, the model, and what the person holds.
struct World {
    engine: Engine<MemoryStore<u8, 1>>,
    backup: (MemoryStore<u8, 1>, Option<Model>),
    model: Option<Model>,
    now: UnixTime,
    /// The latest time at which anything happened.
    latest: UnixTime,
    entropy: Counting,
    registrations: u32,
    tokens: Vec<ModelToken>,
    proof: Option<(u32, UnixTime, Proof)>,
    /// Registration and step of everything that was ever accepted.
    accepted: BTreeSet<(String, u64)>,
}

/// Deterministic and never twice the same.
struct Counting(u64);

impl Entropy for Counting {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        for byte in bytes {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            *byte = self.0.to_be_bytes()[0];
        }
        Ok(())
    }
}

type Outcome<T> = Result<T, Rejection>;

fn rejected<T, E: std::fmt::Debug>(outcome: Result<T, Error<E>>) -> Outcome<T> {
    outcome.map_err(|error| error.rejection().unwrap_or_else(|| panic!("{error:?}")))
}

impl World {
    fn new() -> Self {
        Self {
            engine: Engine::new(MemoryStore::new(), Policy::DEFAULT),
            backup: (MemoryStore::new(), None),
            model: None,
            now: UnixTime::from_seconds(1_800_000_000),
            latest: UnixTime::EPOCH,
            entropy: Counting(1),
            registrations: 0,
            tokens: Vec::new(),
            proof: None,
            accepted: BTreeSet::new(),
        }
    }

    fn seconds(&self) -> u64 {
        self.now.as_seconds()
    }

    fn step(&mut self, event: &Event) {
        self.latest = self.latest.max(self.now);
        match *event {
            Event::Create => self.create(),
            Event::Migrate { epoch } => self.migrate(UnixTime::from_seconds(epoch)),
            Event::Submit { token, away } => self.submit_of(token, away),
            Event::SubmitWrong => self.submit(&Code::parse("000000").unwrap()),
            Event::Recover { code } => self.recover_with(code),
            Event::RecoverWrong => self.recover(&"7".repeat(24)),
            Event::Replace => self.replace(),
            Event::Rotate => self.rotate(),
            Event::Unlock => self.unlock(),
            Event::Delete => self.delete(),
            Event::Jump { seconds } => {
                let now = self.seconds().saturating_add_signed(seconds);
                self.now = UnixTime::from_seconds(now);
            }
            Event::Set { seconds } => self.now = UnixTime::from_seconds(seconds),
            Event::Restart => self.restart(),
            Event::RollBackAndFence => self.roll_back_and_fence(),
        }
    }

    /// Refuses what the model says an active registration forbids.
    fn model_is_free(&self) -> Outcome<()> {
        match &self.model {
            Some(model) if model.pending_until.is_none() => Err(Rejection::AlreadyRegistered),
            _ => Ok(()),
        }
    }

    fn model_is_active(&self) -> Outcome<()> {
        match self.model.as_ref().ok_or(Rejection::Unknown)?.pending_until {
            None => Ok(()),
            Some(until) if self.seconds() >= until => Err(Rejection::Expired),
            Some(_) => Err(Rejection::Pending),
        }
    }

    fn register(&mut self, pending_until: Option<u64>, token: ModelToken, codes: Vec<String>) {
        self.registrations += 1;
        self.tokens.push(token.clone());
        self.model = Some(Model {
            number: self.registrations,
            pending_until,
            token,
            waiting: None,
            codes,
            used: BTreeSet::new(),
            throttle: ModelThrottle::default(),
            recovery_throttle: ModelThrottle::default(),
        });
    }

    fn create(&mut self) {
        let expected = self.model_is_free();
        let new = NewRegistration::default();
        let outcome = self
            .engine
            .create(&ALICE, &new, self.now, &mut self.entropy);
        let outcome = rejected(outcome);
        assert_eq!(outcome.as_ref().map(drop), expected.as_ref().map(drop));
        if let Ok(enrollment) = outcome {
            let codes = enrollment
                .recovery_codes()
                .iter()
                .map(|code| code.as_str().into())
                .collect();
            let until = enrollment.pending_until().as_seconds();
            self.register(
                Some(until),
                ModelToken::new(enrollment.secret(), *enrollment.params()),
                codes,
            );
        }
    }

    fn migrate(&mut self, epoch: UnixTime) {
        let expected = self.model_is_free();
        let mut bytes = [0; 20];
        self.entropy.fill(&mut bytes).unwrap();
        let secret = Secret::from_bytes(&bytes).unwrap();
        let params = Params::Totp(TotpParams {
            epoch,
            ..TotpParams::DEFAULT
        });
        let migration = Migration::new(secret.clone(), params);
        let outcome = self
            .engine
            .migrate(&ALICE, &migration, self.now, &mut self.entropy);
        let outcome = rejected(outcome);
        assert_eq!(outcome.as_ref().map(drop), expected.as_ref().map(drop));
        if let Ok(migrated) = outcome {
            let codes = migrated
                .recovery_codes()
                .iter()
                .map(|code| code.as_str().into())
                .collect();
            let mut token = ModelToken::new(&secret, params);
            token.refuse_window(self.now);
            self.register(None, token, codes);
        }
    }

    /// A code of one of the last tokens.
    fn submit_of(&mut self, token: usize, away: i64) {
        let Some(token) = self.tokens.iter().rev().nth(token) else {
            return;
        };
        let step = token
            .totp
            .step_at(self.now)
            .number()
            .saturating_add_signed(away);
        let code = token.totp.code(Step::new(step));
        self.submit(&code);
    }

    fn submit(&mut self, code: &Code) {
        let expected = self.model_submit(code);
        let outcome = rejected(self.engine.authenticate(&ALICE, code, self.now));
        let told = outcome.as_ref().map(|authenticated| {
            (
                authenticated.step().number(),
                authenticated.activated(),
                authenticated.replaced(),
            )
        });
        assert_eq!(told, expected.as_ref().map(|told| *told));
        if let Ok(authenticated) = outcome {
            let number = self.model.as_ref().unwrap().number;
            self.proof = Some((number, self.now, authenticated.into()));
        }
    }

    fn model_submit(&mut self, code: &Code) -> Outcome<(u64, bool, bool)> {
        let now = self.now;
        let model = self.model.as_mut().ok_or(Rejection::Unknown)?;
        model.throttle.admit(now.as_seconds())?;
        if model
            .pending_until
            .is_some_and(|until| now.as_seconds() >= until)
        {
            return Err(Rejection::Expired);
        }
        let outcome_of_waiting = model.waiting_at(now).map(|token| token.verify(code, now));
        if let Some(Ok(step)) = outcome_of_waiting {
            model.token = model.waiting.take().unwrap().1;
            return Ok(self.model_accept(step, false, true));
        }
        match model.token.verify(code, now) {
            Err(_) if outcome_of_waiting == Some(Err(Rejection::Replayed)) => {
                Err(Rejection::Replayed)
            }
            Ok(step) => {
                let activated = model.pending_until.take().is_some();
                model.forget_lapsed(now);
                Ok(self.model_accept(step, activated, false))
            }
            Err(Rejection::Mismatch) => {
                model.forget_lapsed(now);
                model.throttle.count(now.as_seconds());
                Err(Rejection::Mismatch)
            }
            Err(rejection) => Err(rejection),
        }
    }

    fn model_accept(&mut self, step: u64, activated: bool, replaced: bool) -> (u64, bool, bool) {
        let model = self.model.as_mut().unwrap();
        model.token.refused_up_to = Some(step);
        model.throttle = ModelThrottle::default();
        let token = format!("{:p}", std::rc::Rc::as_ptr(&model.token.totp));
        assert!(
            self.accepted.insert((token, step)),
            "step {step} was accepted twice"
        );
        (step, activated, replaced)
    }

    fn recover_with(&mut self, code: usize) {
        let code = self
            .model
            .as_ref()
            .and_then(|model| model.codes.get(code))
            .cloned();
        if let Some(code) = code {
            self.recover(&code);
        }
    }

    fn recover(&mut self, code: &str) {
        let expected = self.model_recover(code);
        let outcome = rejected(self.engine.recover(&ALICE, code, self.now));
        assert_eq!(
            outcome.as_ref().map(keyfob::Recovered::remaining),
            expected.as_ref().map(|left| *left)
        );
        if let Ok(recovered) = outcome {
            let number = self.model.as_ref().unwrap().number;
            self.proof = Some((number, self.now, recovered.into()));
        }
    }

    fn model_recover(&mut self, code: &str) -> Outcome<usize> {
        self.model_is_active()?;
        let now = self.seconds();
        let model = self.model.as_mut().ok_or(Rejection::Unknown)?;
        model.recovery_throttle.admit(now)?;
        if model.used.len() == model.codes.len() {
            return Err(Rejection::NoRecoveryCodes);
        }
        if !model.codes.iter().any(|known| known == code) {
            model.recovery_throttle.count(now);
            return Err(Rejection::Mismatch);
        }
        if !model.used.insert(code.into()) {
            return Err(Rejection::Replayed);
        }
        model.throttle = ModelThrottle::default();
        model.recovery_throttle = ModelThrottle::default();
        Ok(model.codes.len() - model.used.len())
    }

    fn replace(&mut self) {
        let Some((number, at, proof)) = self.proof.take() else {
            return;
        };
        let expected = self.model_is_active().and_then(|()| {
            let age = self.seconds().checked_sub(at.as_seconds());
            let same = self
                .model
                .as_ref()
                .is_some_and(|model| model.number == number);
            match age {
                Some(0..=300) if same => Ok(()),
                _ => Err(Rejection::StaleProof),
            }
        });
        let new = NewRegistration::default();
        let outcome = self
            .engine
            .replace(&ALICE, proof, &new, self.now, &mut self.entropy);
        let outcome = rejected(outcome);
        assert_eq!(outcome.as_ref().map(drop), expected.as_ref().map(drop));
        if let Ok(enrollment) = outcome {
            let token = ModelToken::new(enrollment.secret(), *enrollment.params());
            self.tokens.push(token.clone());
            let until = enrollment.pending_until().as_seconds();
            self.model.as_mut().unwrap().waiting = Some((until, token));
        }
    }

    fn rotate(&mut self) {
        let expected = self.model_is_active();
        let outcome = self
            .engine
            .rotate_recovery_codes(&ALICE, self.now, &mut self.entropy);
        let outcome = rejected(outcome);
        assert_eq!(outcome.as_ref().map(drop), expected.as_ref().map(drop));
        if let (Ok(codes), Some(model)) = (outcome, self.model.as_mut()) {
            model.codes = codes.iter().map(|code| code.as_str().into()).collect();
            model.used.clear();
            model.recovery_throttle = ModelThrottle::default();
        }
    }

    fn unlock(&mut self) {
        let outcome = rejected(self.engine.unlock(&ALICE));
        assert_eq!(outcome.is_ok(), self.model.is_some());
        if let Some(model) = self.model.as_mut() {
            model.throttle = ModelThrottle::default();
            model.recovery_throttle = ModelThrottle::default();
        }
    }

    fn delete(&mut self) {
        let outcome = rejected(self.engine.delete(&ALICE));
        assert_eq!(outcome.is_ok(), self.model.take().is_some());
    }

    /// A new engine over the same store. The backup of before can be rolled back to.
    fn restart(&mut self) {
        let store = self.engine.store().clone();
        self.backup = (store.clone(), self.model.clone());
        self.engine = Engine::new(store, Policy::DEFAULT);
    }

    /// The fence must refuse what was accepted since the backup. Where the clock went back meanwhile,
    /// that lies ahead of now, so the operator fences at the latest time that was ever seen.
    fn roll_back_and_fence(&mut self) {
        let now = self.latest;
        self.engine = Engine::new(self.backup.0.clone(), Policy::DEFAULT);
        self.model = self.backup.1.clone();
        self.proof = None;
        let outcome = rejected(self.engine.fence(&ALICE, now));
        assert_eq!(outcome.is_ok(), self.model.is_some());
        if let Some(model) = self.model.as_mut() {
            model.token.refuse_window(now);
            if let Some((_, token)) = model.waiting.as_mut() {
                token.refuse_window(now);
            }
        }
    }
}

fn live_through(events: &[Event]) {
    let mut world = World::new();
    for event in events {
        world.step(event);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn the_engine_does_what_the_model_says(events in prop::collection::vec(events(), 1..80)) {
        live_through(&events);
    }
}

/// A replayed code is refused without a write, so the replacement that had lapsed by then is there
/// again when the clock goes back.
#[test]
fn a_lapsed_replacement_waits_again_when_the_clock_goes_back() {
    live_through(&[
        Event::Migrate { epoch: u64::MAX },
        Event::Recover { code: 0 },
        Event::Replace,
        Event::Set { seconds: u64::MAX },
        Event::Recover { code: 1 },
        Event::Replace,
        Event::Submit { token: 2, away: 0 },
        Event::Jump { seconds: -30 },
        Event::Submit { token: 0, away: 0 },
    ]);
}
