//! A token moves, by every way out and in: no code that was accepted where it was is accepted again
//! where it comes to.
#![cfg(feature = "import")]

use std::collections::BTreeSet;

use keyfob::export::{self, Omission, Omitted, Protection};
use keyfob::import::{self, Format, Imported, Options, Unlock};
use keyfob::{
    Algorithm, Burned, Code, CodeFormat, DriftCap, Engine, Hotp, HotpParams, LegacySecrets,
    MemoryStore, Migration, OtherSystem, Params, Pbkdf2Iterations, Period, Policy, RecoveryCount,
    Secret, Step, SystemEntropy, Totp, TotpParams, UnixTime,
};
use proptest::prelude::*;

/// The built-in policies, with secrets of any length and no recovery codes, which take time.
fn policies() -> [Policy; 3] {
    [
        Policy::strict(),
        Policy::DEFAULT,
        Policy::lenient_for_hardware_tokens(),
    ]
    .map(|mut policy| {
        policy.legacy_secrets = LegacySecrets::Accept;
        policy.recovery.count = RecoveryCount::new(0).unwrap();
        policy
    })
}

/// The token itself, which knows every code.
enum Token {
    Totp(Totp),
    Hotp(Hotp),
}

impl Token {
    fn new(secret: &Secret, params: Params) -> Self {
        match params {
            Params::Totp(params) => Self::Totp(Totp::new(secret, params)),
            Params::Hotp(params) => Self::Hotp(Hotp::new(secret, params)),
        }
    }

    fn code(&self, step: Step) -> Code {
        match self {
            Self::Totp(totp) => totp.code(step),
            Self::Hotp(hotp) => hotp.code(step),
        }
    }
}

/// Where a token is registered, and the time there.
struct Desk {
    engine: Engine<MemoryStore<u32, 1>>,
    token: Token,
    params: Params,
    now: UnixTime,
}

impl Desk {
    fn new(migration: &Migration<'_>, policy: Policy, now: UnixTime) -> Self {
        let mut engine = Engine::new(MemoryStore::new(), policy);
        engine
            .migrate(&1, migration, now, &mut SystemEntropy)
            .unwrap();
        Self {
            engine,
            token: Token::new(&migration.secret, migration.params),
            params: migration.params,
            now,
        }
    }

    fn period(&self) -> u64 {
        match self.params {
            Params::Totp(params) => params.period.as_seconds().into(),
            Params::Hotp(_) => 30,
        }
    }

    /// The step that is expected: that of the clock and the drift, or the next counter.
    fn expected(&mut self) -> Step {
        let handed_out = self.engine.export(&1, self.now).unwrap();
        match self.params {
            Params::Totp(params) => {
                let step = params.step_at(self.now).number();
                Step::new(step.saturating_add_signed(handed_out.drift_steps.into()))
            }
            Params::Hotp(_) => handed_out.burned.unwrap().next().unwrap(),
        }
    }

    /// The step that is accepted for the code of `step`, if any. A wrong code locks nothing.
    fn submit(&mut self, step: Step) -> Option<Step> {
        let code = self.token.code(step);
        let answer = self.engine.authenticate(&1, &code, self.now);
        self.engine.unlock(&1).unwrap();
        answer.ok().map(|accepted| accepted.step())
    }

    fn wait(&mut self, periods: u64) {
        self.now = self.now.saturating_add(periods * self.period());
    }
}

/// What a person does: waits so many periods, and types the code so far from the expected one.
type LogIn = (u64, i64);

/// Logs in as told, and answers what was accepted.
fn log_in(desk: &mut Desk, log_ins: &[LogIn]) -> BTreeSet<Step> {
    let mut accepted = BTreeSet::new();
    for (periods, away) in log_ins {
        desk.wait(*periods);
        let step = desk.expected().checked_add(*away);
        accepted.extend(step.and_then(|step| desk.submit(step)));
    }
    accepted
}

/// Logs in with a token whose clock goes on evenly.
fn log_in_meanwhile(desk: &mut Desk, (ahead, waits): &(i64, Vec<u64>)) -> BTreeSet<Step> {
    let mut accepted = BTreeSet::new();
    let mut shown = desk.expected().checked_add(*ahead);
    for periods in waits {
        desk.wait(*periods);
        shown = shown.and_then(|step| step.checked_add(periods.cast_signed()));
        accepted.extend(shown.and_then(|step| desk.submit(step)));
    }
    accepted
}

/// The ways that a token goes from one engine to another.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// What `export` answers is given to `migrate`.
    Direct,
    /// Written as PSKC under a key, and read.
    PskcByKey,
    /// Written as PSKC under a password, and read.
    PskcByPassword,
    /// Written as a key URI, and read.
    UriList,
}

impl Way {
    const ALL: [Self; 4] = [
        Self::Direct,
        Self::PskcByKey,
        Self::PskcByPassword,
        Self::UriList,
    ];

    /// What comes in; nothing where the format has no such tokens and says so.
    fn go(self, out: Migration<'_>) -> Option<Imported> {
        let named = Imported::from(out);
        let key = [0x5a; 32];
        let password = "correct horse";
        let iterations = Pbkdf2Iterations::new(1).unwrap();
        match self {
            Self::Direct => Some(named),
            Self::PskcByKey => through_pskc(&named, Protection::Key(&key), Unlock::Key(&key)),
            Self::PskcByPassword => {
                let protection = Protection::Password {
                    password,
                    iterations,
                };
                through_pskc(&named, protection, Unlock::Password(password))
            }
            Self::UriList => through_uri_list(named),
        }
    }
}

fn through_pskc(
    token: &Imported,
    protection: Protection<'_>,
    unlock: Unlock<'_>,
) -> Option<Imported> {
    let tokens = std::slice::from_ref(token);
    let written = export::pskc(tokens, protection, &mut SystemEntropy).unwrap();
    if !written.omitted.is_empty() {
        assert!(
            written
                .omitted
                .iter()
                .all(|omitted| omitted.what.is_token())
        );
        return None;
    }
    let options = Options {
        unlock,
        ..Options::default()
    };
    let import = import::read_as(Format::Pskc, written.text.as_bytes(), &options).unwrap();
    assert_eq!(import.left_out, []);
    import.tokens.into_iter().next()
}

/// What a list has no room for is told, so whoever moves the token passes it on.
fn through_uri_list(mut token: Imported) -> Option<Imported> {
    token.account = "alice".into();
    let mut list = String::new();
    let omitted = export::uri_list(std::slice::from_ref(&token), &mut list).unwrap();
    let is_told = |wanted| omitted.iter().any(|Omitted { what, .. }| *what == wanted);
    if omitted.iter().any(|omitted| omitted.what.is_token()) {
        return None;
    }
    let import = import::read_as(Format::UriList, list.as_bytes(), &Options::default()).unwrap();
    assert_eq!(import.left_out, []);
    let mut read = import.tokens.into_iter().next()?;
    if is_told(Omission::LastStep) {
        read.burned = token.burned;
    }
    if is_told(Omission::Drift) {
        read.drift_steps = token.drift_steps;
    }
    Some(read)
}

/// A code that is accepted although it was accepted before, at any time until none of them can be
/// accepted any more.
fn replayed(desk: &mut Desk, accepted: &BTreeSet<Step>) -> Option<Step> {
    let last = accepted.last()?.number();
    let drift = desk.engine.status(&1, desk.now).unwrap().drift_steps;
    for _ in 0..last_period(desk, last, drift) {
        for step in accepted {
            if let Some(again) = desk.submit(*step).filter(|step| accepted.contains(step)) {
                return Some(again);
            }
        }
        desk.wait(1);
    }
    None
}

/// How many periods it takes until the window has left `last` behind, with the drift or without.
fn last_period(desk: &Desk, last: u64, drift: i16) -> u64 {
    match desk.params {
        Params::Hotp(_) => 1,
        Params::Totp(params) => {
            let now = params.step_at(desk.now).number();
            let ahead = last.saturating_sub(now);
            ahead + u64::from(drift.unsigned_abs()) + 15
        }
    }
}

/// A registration, and all that happens to it before it moves.
#[derive(Clone, Debug)]
struct Story {
    secret: Vec<u8>,
    params: Params,
    used: Option<u64>,
    drift: i16,
    from: usize,
    to: usize,
    log_ins: Vec<LogIn>,
    /// While a token moves from engine to engine: so far ahead of the expected step it stands, and so
    /// many periods pass before each log-in. Where it goes through a file, log-ins stop first.
    meanwhile: (i64, Vec<u64>),
}

fn now() -> UnixTime {
    UnixTime::from_seconds(1_800_000_000)
}

impl Story {
    fn migration(&self) -> Migration<'static> {
        let secret = Secret::from_legacy_bytes(&self.secret).unwrap();
        let used = match self.params {
            // About now, on either side.
            Params::Totp(params) => self.used.map(|away| {
                let step = params.step_at(now()).number();
                (step + away % 40).saturating_sub(20)
            }),
            Params::Hotp(_) => self.used,
        };
        Migration {
            burned: Some(used.map_or(Burned::NOTHING, |step| Burned::up_to(Step::new(step)))),
            other_system: OtherSystem::Stopped,
            drift_steps: self.drift,
            ..Migration::new(secret, self.params)
        }
    }

    /// What happens at the desk that the token comes from: the desk, and what was accepted there,
    /// the last step that it came with included.
    fn begin(&self) -> (Desk, BTreeSet<Step>) {
        let migration = self.migration();
        let mut desk = Desk::new(&migration, policies()[self.from], now());
        let mut accepted = log_in(&mut desk, &self.log_ins);
        accepted.extend(migration.burned.and_then(Burned::last));
        (desk, accepted)
    }

    /// A code that is accepted twice if the token goes this way, changed on it by `change`.
    fn replayed(&self, way: Way, change: impl FnOnce(&mut Imported)) -> Option<Step> {
        let (mut from, mut accepted) = self.begin();
        let out = from.engine.export(&1, from.now).unwrap();
        let mut token = way.go(out)?;
        change(&mut token);
        if matches!((way, self.params), (Way::Direct, Params::Totp(_))) {
            accepted.extend(log_in_meanwhile(&mut from, &self.meanwhile));
        }
        let migration = Migration::from(&token);
        let mut to = Desk::new(&migration, policies()[self.to], from.now);
        replayed(&mut to, &accepted)
    }
}

fn params() -> impl Strategy<Value = Params> {
    let algorithms = vec![Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512];
    let formats = vec![
        CodeFormat::SixDigits,
        CodeFormat::SevenDigits,
        CodeFormat::EightDigits,
        CodeFormat::Steam,
    ];
    (
        prop::sample::select(algorithms),
        prop::sample::select(formats),
        prop_oneof![Just(30), Just(60), 1..=86_400_u32],
        prop_oneof![Just(0), 0..1_800_000_000_u64],
        any::<bool>(),
    )
        .prop_map(|(algorithm, format, seconds, epoch, counts)| {
            if counts && format != CodeFormat::Steam {
                return Params::Hotp(HotpParams { algorithm, format });
            }
            Params::Totp(TotpParams {
                algorithm,
                format,
                period: Period::from_seconds(seconds).unwrap(),
                epoch: UnixTime::from_seconds(epoch),
            })
        })
}

fn log_ins(most: usize) -> impl Strategy<Value = Vec<LogIn>> {
    prop::collection::vec((0..4_u64, -2..=3_i64), 0..most)
}

prop_compose! {
    fn story()(
        secret in prop::collection::vec(any::<u8>(), 10..=64),
        params in params(),
        used in prop::option::of(0..1_000_000_u64),
        drift in prop_oneof![Just(0), -25..=25_i16],
        from in 0..3_usize,
        to in 0..3_usize,
        log_ins in log_ins(8),
        meanwhile in (-2..=3_i64, prop::collection::vec(0..4_u64, 0..4)),
    ) -> Story {
        let drift = match params {
            Params::Totp(_) => drift,
            Params::Hotp(_) => 0,
        };
        Story { secret, params, used, drift, from, to, log_ins, meanwhile }
    }
}

proptest! {
    #[test]
    fn no_code_is_accepted_where_it_was_and_where_it_comes_to(story in story()) {
        for way in Way::ALL {
            prop_assert_eq!(story.replayed(way, |_| ()), None, "{:?}", way);
        }
    }
}

/// A person who logged in with a code from the far end of a wide window, just before the token
/// went to where there is none.
fn at_the_far_end() -> Story {
    Story {
        secret: b"12345678901234567890".to_vec(),
        params: Params::default(),
        used: None,
        drift: 0,
        from: 2,
        to: 0,
        log_ins: vec![(0, 2)],
        meanwhile: (0, vec![]),
    }
}

/// The control: ways that drop what was used are found out.
#[test]
fn a_way_that_drops_the_last_step_is_found_out() {
    let story = at_the_far_end();
    for way in Way::ALL {
        assert_eq!(story.replayed(way, |_| ()), None, "{way:?}");
        let dropped = story.replayed(way, |token| {
            *token = Imported::new(token.secret.clone(), token.params);
        });
        assert_eq!(dropped, Some(Step::new(60_000_002)), "{way:?}");
    }
}

/// The control for counters: the one that an app showed last, taken for the next.
#[test]
fn a_way_that_drops_a_counter_is_found_out() {
    let params = Params::Hotp(HotpParams::DEFAULT);
    let story = Story {
        params,
        ..at_the_far_end()
    };
    for way in Way::ALL {
        assert_eq!(story.replayed(way, |_| ()), None, "{way:?}");
        let dropped = story.replayed(way, |token| {
            token.burned = Some(Burned::before(Step::new(2)));
        });
        assert_eq!(dropped, Some(Step::new(2)), "{way:?}");
    }
}

/// The control for what happens on the way: a system that goes on accepting, and is said to have
/// stopped.
#[test]
fn a_system_that_did_not_stop_is_found_out() {
    let story = Story {
        meanwhile: (2, vec![0]),
        log_ins: vec![],
        ..at_the_far_end()
    };
    assert_eq!(story.replayed(Way::Direct, |_| ()), None);
    let stopped = |token: &mut Imported| token.other_system = OtherSystem::Stopped;
    let replayed = story.replayed(Way::Direct, stopped);
    assert_eq!(replayed, Some(Step::new(60_000_002)));
}

// Files of other systems --------------------------------------------------------------------------

/// google-authenticator-libpam as its source has it: what it accepts, and the file that it writes.
struct Libpam {
    window: i64,
    skew: i64,
    used: Vec<Step>,
}

impl Libpam {
    /// Lets a code in that lies so far from the expected one.
    fn accept(&mut self, at: Step, away: i64) -> bool {
        let accepted = -((self.window - 1) / 2)..=self.window / 2;
        let step = at.checked_add(self.skew + away).unwrap();
        if !accepted.contains(&away) || self.used.contains(&step) {
            return false;
        }
        let window = self.window.unsigned_abs();
        self.used
            .retain(|used| used.number().abs_diff(step.number()) < window);
        self.used.push(step);
        true
    }

    fn file(&self) -> String {
        let used: Vec<_> = self
            .used
            .iter()
            .map(|step| step.number().to_string())
            .collect();
        let (window, skew, used) = (self.window, self.skew, used.join(" "));
        format!(
            "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\n\" WINDOW_SIZE {window}\n\" DISALLOW_REUSE {used}\n\
             \" TIME_SKEW {skew}\n\" TOTP_AUTH\n"
        )
    }
}

/// The HOTP entry of an app's backup, whose counter is that of the code it showed last, or as the
/// app keeps it.
fn app_backup(format: Format, last_shown: u64) -> String {
    let secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
    let counter = last_shown;
    match format {
        Format::Aegis => format!(
            r#"{{"version":1,"header":{{"slots":null,"params":null}},"db":{{"version":3,"entries":[{{"type":"hotp",
            "name":"a","issuer":"b","info":{{"secret":"{secret}","algo":"SHA1","digits":6,"counter":{counter}}}}}]}}}}"#
        ),
        Format::TwoFas => format!(
            r#"{{"schemaVersion":4,"services":[{{"name":"b","secret":"{secret}","otp":{{"account":"a",
            "tokenType":"HOTP","digits":6,"algorithm":"SHA1","counter":{counter}}}}}]}}"#
        ),
        Format::AndOtp => format!(
            r#"[{{"secret":"{secret}","issuer":"b","label":"a","digits":6,"type":"HOTP","algorithm":"SHA1","counter":{counter}}}]"#
        ),
        Format::Stratum => format!(
            r#"{{"Authenticators":[{{"Type":1,"Issuer":"b","Username":"a","Secret":"{secret}","Algorithm":0,
            "Digits":6,"Period":30,"Counter":{counter}}}]}}"#
        ),
        Format::Raivo => format!(
            r#"[{{"kind":"HOTP","algorithm":"SHA1","timer":"30","digits":"6","issuer":"b","secret":"{secret}",
            "account":"a","counter":"{counter}"}}]"#
        ),
        // Ente Auth's list.
        Format::UriList => {
            format!(
                "otpauth://hotp/b:a?secret={secret}&issuer=b&counter={counter}&codeDisplay=%7B%7D\n"
            )
        }
        // What follows counts up after a code was shown or accepted.
        Format::FreeOtpPlus => {
            let bytes: Vec<_> = b"12345678901234567890".iter().map(u8::to_string).collect();
            let (bytes, next) = (bytes.join(","), last_shown + 1);
            format!(
                r#"{{"tokenOrder":[],"tokens":[{{"algo":"SHA1","counter":{next},"digits":6,"issuerExt":"b",
                "label":"a","period":30,"secret":[{bytes}],"type":"HOTP"}}]}}"#
            )
        }
        Format::GoogleAuthenticatorPam => {
            format!("{secret}\n\" HOTP_COUNTER {}\n", last_shown + 1)
        }
        Format::OathUsers => format!(
            "HOTP/E/6\ta\t-\t3132333435363738393031323334353637383930\t{last_shown}\t123456\t2027-01-15T08:00:00L\n"
        ),
        format => unreachable!("{format} has no counters of its own"),
    }
}

const WITH_COUNTERS: [Format; 9] = [
    Format::Aegis,
    Format::TwoFas,
    Format::AndOtp,
    Format::Stratum,
    Format::Raivo,
    Format::UriList,
    Format::FreeOtpPlus,
    Format::GoogleAuthenticatorPam,
    Format::OathUsers,
];

/// The token of a file, taken over.
fn taken_over(format: Format, file: &str, policy: Policy, change: fn(&mut Imported)) -> Desk {
    let import = import::read_as(format, file.as_bytes(), &Options::default()).unwrap();
    assert_eq!(import.left_out, [], "{format}");
    let mut token = import.tokens.into_iter().next().unwrap();
    change(&mut token);
    Desk::new(&Migration::from(&token), policy, now())
}

proptest! {
    #[test]
    fn no_code_that_libpam_accepted_is_accepted_again(
        window in 1..=100_i64, skew in -30..=30_i64, to in 0..3_usize,
        log_ins in prop::collection::vec((0..4_u64, -50..=50_i64), 1..8), cap in 0..=30_u8,
    ) {
        let mut libpam = Libpam { window, skew, used: Vec::new() };
        let mut accepted = BTreeSet::new();
        let periods: u64 = log_ins.iter().map(|(periods, _)| periods).sum();
        let mut clock = Step::new(60_000_000 - periods);
        for (periods, away) in log_ins {
            clock = Step::new(clock.number() + periods);
            if libpam.accept(clock, away) {
                accepted.extend(clock.checked_add(skew + away));
            }
        }
        let mut policy = policies()[to];
        policy.drift = DriftCap::from_steps(cap).unwrap();
        let format = Format::GoogleAuthenticatorPam;
        let mut desk = taken_over(format, &libpam.file(), policy, |_| ());
        prop_assert_eq!(replayed(&mut desk, &accepted), None);
    }

    #[test]
    fn no_counter_of_a_backup_is_accepted_again(last_shown in 0..1_000_000_u64, to in 0..3_usize) {
        for format in WITH_COUNTERS {
            let file = app_backup(format, last_shown);
            let mut desk = taken_over(format, &file, policies()[to], |_| ());
            let (last, next) = (Step::new(last_shown), Step::new(last_shown + 1));
            prop_assert_eq!(replayed(&mut desk, &[last].into()), None, "{}", format);
            prop_assert_eq!(desk.submit(next), Some(next), "{}", format);
        }
    }
}

/// The control: the file's last step is dropped, as a reader would that looks at the clock alone.
#[test]
fn a_reader_that_drops_the_last_step_is_found_out() {
    let mut libpam = Libpam {
        window: 17,
        skew: 0,
        used: Vec::new(),
    };
    let used = Step::new(60_000_008);
    assert!(libpam.accept(Step::new(60_000_000), 8));
    let format = Format::GoogleAuthenticatorPam;
    let mut desk = taken_over(format, &libpam.file(), Policy::DEFAULT, |token| {
        token.burned = None;
        token.other_system = OtherSystem::Unknown;
    });
    assert_eq!(replayed(&mut desk, &[used].into()), Some(used));
}
