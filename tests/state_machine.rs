//! The engine against a model that remembers nothing but sets and counts: any sequence of requests,
//! wrong codes, clock jumps, restarts, rollbacks and fences must come out the same.
#![cfg(all(feature = "std", feature = "sha2"))]

use std::collections::BTreeSet;

use keyfob::{
    Authenticated, Code, Engine, Entropy, EntropyError, Error, LockState, MemoryStore, Migration,
    NewRegistration, Params, Policy, Proof, Proposal, RegistrationStore as _, Rejection, Secret,
    Step, Swap, Throttle, Totp, TotpParams, UnixTime, Wait,
    transition::{self, Context},
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
    /// A request with a code loads the record and decides, and is held up before it swaps.
    Hold {
        token: usize,
        away: i64,
    },
    /// The request that was held up swaps.
    Release,
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
        3 => (0..3_usize, -2..=2_i64).prop_map(|(token, away)| Event::Hold { token, away }),
        3 => Just(Event::Release),
    ]
}

/// Why a token of the model refuses a code. Of two refusals the greater one is told.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Refusal {
    Mismatch,
    TooEarly(UnixTime),
    Replayed,
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
    fn verify(&self, code: &Code, now: UnixTime) -> Result<u64, Refusal> {
        let expected = self.totp.step_at(now).number();
        let last = expected.saturating_add(1);
        let matching = (expected.saturating_sub(1)..=last)
            .rev()
            .find(|step| self.totp.code(Step::new(*step)) == *code);
        match (matching, self.refused_up_to) {
            (None, _) => Err(Refusal::Mismatch),
            (Some(step), Some(refused)) if step <= refused && refused > last => {
                Err(Refusal::TooEarly(self.start_of(refused.saturating_add(1))))
            }
            (Some(step), Some(refused)) if step <= refused => Err(Refusal::Replayed),
            (Some(step), _) => Ok(step),
        }
    }

    fn start_of(&self, step: u64) -> UnixTime {
        let seconds = step.saturating_mul(30);
        self.totp.params().epoch.saturating_add(seconds)
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
    /// Whether an attempt may be made that costs so many failures. Tells too whether a wait that no
    /// clock can have meant was shortened.
    fn admit(&mut self, now: u64, cost: u8) -> (bool, Outcome<()>) {
        let longest = now.saturating_add(3_600);
        let healed = self.wait_until > longest;
        self.wait_until = self.wait_until.min(longest);
        (healed, self.lock(now, cost))
    }

    fn lock(&self, now: u64, cost: u8) -> Outcome<()> {
        if self.failures.saturating_add(cost) > 100 {
            return Err(Rejection::Disabled);
        }
        let waits = (0..cost).map(|more| Throttle::DEFAULT.wait_seconds(self.failures + more));
        let waits: Vec<u64> = waits.collect();
        let until = self.wait_until.saturating_add(waits[1..].iter().sum());
        if waits.iter().sum::<u64>() > 0 && now < until {
            let [now, until] = [now, until].map(UnixTime::from_seconds);
            return Err(Rejection::Locked(Wait::between(now, until)));
        }
        Ok(())
    }

    fn count(&mut self, now: u64, cost: u8) -> Rejection {
        self.failures = self.failures.saturating_add(cost);
        let wait = Throttle::DEFAULT.wait_seconds(self.failures);
        self.wait_until = now.saturating_add(wait);
        let failures = self.failures;
        let lock = match self.lock(now, cost) {
            Ok(()) => LockState::Open { failures },
            Err(Rejection::Locked(wait)) => LockState::Locked { failures, wait },
            Err(_) => LockState::Disabled,
        };
        Rejection::Mismatch { lock }
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
        waits_at(now.as_seconds(), *until).then_some(token)
    }

    /// What is written forgets a replacement that lapsed; a replayed code writes nothing.
    fn forget_lapsed(&mut self, now: UnixTime) {
        if self.waiting_at(now).is_none() {
            self.waiting = None;
        }
    }
}

/// Whether what waits until then waits now. What would wait for more than an hour, and half a minute
/// more, was made by a clock that was ahead.
fn waits_at(now: u64, until: u64) -> bool {
    now < until && until - now <= 3_630
}

/// A request that was held up, and what it means if its swap is stored.
struct Held {
    loaded: Vec<u8>,
    proposal: Proposal<Authenticated>,
    at: UnixTime,
    outcome: Outcome<(u64, bool, bool)>,
    model: Option<Model>,
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
    held: Option<Held>,
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
            held: None,
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
            Event::Hold { token, away } => self.hold(token, away),
            Event::Release => self.release(),
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
            Some(until) if !waits_at(self.seconds(), until) => Err(Rejection::Expired),
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
    fn code_of(&self, token: usize, away: i64) -> Option<Code> {
        let totp = &self.tokens.iter().rev().nth(token)?.totp;
        let step = totp.step_at(self.now).number().saturating_add_signed(away);
        Some(totp.code(Step::new(step)))
    }

    fn submit_of(&mut self, token: usize, away: i64) {
        if let Some(code) = self.code_of(token, away) {
            self.submit(&code);
        }
    }

    fn submit(&mut self, code: &Code) {
        let expected = model_submit(&mut self.model, code, self.now);
        let outcome = rejected(self.engine.authenticate(&ALICE, code, self.now));
        self.compare(outcome, expected, self.now);
    }

    /// Compares what was answered to a code with what the model says.
    fn compare(
        &mut self,
        outcome: Outcome<Authenticated>,
        expected: Outcome<(u64, bool, bool)>,
        at: UnixTime,
    ) {
        let told = outcome.as_ref().map(|authenticated| {
            (
                authenticated.step().number(),
                authenticated.activated(),
                authenticated.replaced(),
            )
        });
        assert_eq!(told, expected.as_ref().map(|told| *told));
        if let Ok(authenticated) = outcome {
            let model = self.model.as_ref().unwrap();
            let token = format!("{:p}", std::rc::Rc::as_ptr(&model.token.totp));
            let step = authenticated.step().number();
            assert!(
                self.accepted.insert((token, step)),
                "step {step} was accepted twice"
            );
            self.proof = Some((model.number, at, authenticated.into()));
        }
    }

    fn hold(&mut self, token: usize, away: i64) {
        let (Some(code), Some(record)) = (
            self.code_of(token, away),
            self.engine.store().load(&ALICE).unwrap(),
        ) else {
            return;
        };
        let context = Context::new(self.now, &Policy::DEFAULT);
        let mut model = self.model.clone();
        self.held = Some(Held {
            loaded: record.as_bytes().to_vec(),
            proposal: transition::authenticate(Some(&record), &code, &context).unwrap(),
            at: self.now,
            outcome: model_submit(&mut model, &code, self.now),
            model,
        });
    }

    /// The swap is stored only over the very record that was loaded.
    fn release(&mut self) {
        let Some(held) = self.held.take() else { return };
        let swap = held.proposal.write().map(|write| {
            let stored = self.engine.store().load(&ALICE).unwrap();
            let same = stored.is_some_and(|record| record.as_bytes() == held.loaded);
            let store = self.engine.store();
            let swap = store.compare_and_swap(&ALICE, write.expected(), write.next());
            assert!(same || swap == Ok(Swap::Conflict));
            swap.unwrap()
        });
        if let Ok(outcome) = held.proposal.settle(swap) {
            if swap.is_some() {
                self.model = held.model;
            }
            self.compare(outcome, held.outcome, held.at);
        }
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
        model.recovery_throttle.admit(now, 1).1?;
        if !model.codes.iter().any(|known| known == code) {
            if model.used.len() == model.codes.len() {
                return Err(Rejection::NoRecoveryCodes);
            }
            return Err(model.recovery_throttle.count(now, 1));
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
            let model = self.model.as_ref();
            let same = model.is_some_and(|model| model.number == number);
            let age = i128::from(self.seconds()) - i128::from(at.as_seconds());
            match age {
                -30..=300 if same => Ok(()),
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

fn model_submit(
    model: &mut Option<Model>,
    code: &Code,
    now: UnixTime,
) -> Outcome<(u64, bool, bool)> {
    let model = model.as_mut().ok_or(Rejection::Unknown)?;
    let seconds = now.as_seconds();
    let cost = 1 + u8::from(model.waiting_at(now).is_some());
    let (healed, admitted) = model.throttle.admit(seconds, cost);
    admitted?;
    if model
        .pending_until
        .is_some_and(|until| !waits_at(seconds, until))
    {
        return Err(Rejection::Expired);
    }
    let of_waiting = model.waiting_at(now).map(|token| token.verify(code, now));
    if let Some(Ok(step)) = of_waiting {
        model.token = model.waiting.take().unwrap().1;
        return Ok(model_accept(model, step, false, true));
    }
    let refused = match model.token.verify(code, now) {
        Ok(step) => {
            let activated = model.pending_until.take().is_some();
            model.forget_lapsed(now);
            return Ok(model_accept(model, step, activated, false));
        }
        Err(refusal) => of_waiting.and_then(Result::err).max(Some(refusal)),
    };
    if healed || refused == Some(Refusal::Mismatch) {
        model.forget_lapsed(now);
    }
    Err(match refused {
        Some(Refusal::Replayed) => Rejection::Replayed,
        Some(Refusal::TooEarly(until)) => Rejection::TooEarly(Wait::between(now, until)),
        _ => model.throttle.count(seconds, cost),
    })
}

fn model_accept(
    model: &mut Model,
    step: u64,
    activated: bool,
    replaced: bool,
) -> (u64, bool, bool) {
    model.token.refused_up_to = Some(step);
    model.throttle = ModelThrottle::default();
    (step, activated, replaced)
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
