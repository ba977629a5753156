//! The whole life of a registration, with nothing else needed.
//!
//! Without an argument it registers a token (in SQLite with `--features sqlite`, else in memory),
//! confirms it with a code that you type, and shows what is accepted and what is refused. With a
//! key URI it shows that token's code.

use std::error::Error;
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::time::{Duration, SystemTime};
use std::{env, fmt, thread};

use keyfob::{
    Code, Engine, Enrollment, Hotp, KeyUri, LockState, NewRegistration, Params, Policy,
    RegistrationStore, Rejection, Status, StatusState, SystemEntropy, Totp, TotpParams, UnixTime,
};

const HELP: &str = "\
Usage:
  cargo run --example quickstart --features sqlite,qr    register a token and try all that can happen
  cargo run --example quickstart -- 'otpauth://…'        show the code of a key URI

In a terminal the second form counts the code's seconds down; Ctrl-C ends it.";

/// The name of the registration.
const ALICE: &str = "alice@example.com";

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    let outcome = match env::args().nth(1).as_deref() {
        None => live_on_a_store(),
        Some("-h" | "--help") => {
            println!("{HELP}");
            Ok(())
        }
        Some(uri) => show(uri),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn now() -> Outcome<UnixTime> {
    Ok(SystemTime::now().try_into()?)
}

#[cfg(feature = "sqlite")]
fn live_on_a_store() -> Outcome<()> {
    let name = format!("keyfob-quickstart-{}.sqlite", std::process::id());
    let file = env::temp_dir().join(name);
    println!(
        "Registrations are kept in {} while this runs.\n",
        file.display()
    );
    let outcome = live(Engine::new(
        keyfob::SqliteStore::open(&file)?,
        Policy::DEFAULT,
    ));
    for suffix in ["", "-wal", "-shm"] {
        let mut file = file.clone().into_os_string();
        file.push(suffix);
        // SQLite removes its two companions itself when it is closed in good order.
        let _ = std::fs::remove_file(file);
    }
    outcome
}

#[cfg(not(feature = "sqlite"))]
fn live_on_a_store() -> Outcome<()> {
    println!("Registrations are kept in memory; with --features sqlite, in a file.\n");
    let store = keyfob::HashMapStore::<str>::new();
    live(Engine::new(&store, Policy::DEFAULT))
}

/// From the registration to the recovery.
fn live<S>(mut engine: Engine<S>) -> Outcome<()>
where
    S: RegistrationStore<Id = str, Error: fmt::Debug + fmt::Display + Error + 'static>,
{
    let enrollment = engine.create(
        ALICE,
        &NewRegistration::default(),
        now()?,
        &mut SystemEntropy,
    )?;
    let totp = Totp::new(enrollment.secret(), TotpParams::DEFAULT);
    introduce(&enrollment, &totp)?;

    let code = confirm(&mut engine, &totp)?;
    tell(
        "The same code again",
        &engine.authenticate(ALICE, &code, now()?),
    );
    // The window forgives a token that is a step ahead, so nobody has to wait for the next code
    // here.
    let next = totp.code_at(now()?.saturating_add(30));
    tell("The next code", &engine.authenticate(ALICE, &next, now()?));

    guess_until_locked(&mut engine, &totp)?;
    for code in enrollment.recovery_codes().iter().take(1) {
        let recovered = engine.recover(ALICE, code.as_str(), now()?);
        tell("A recovery code, which ends the wait", &recovered);
        tell(
            "The same one again",
            &engine.recover(ALICE, code.as_str(), now()?),
        );
    }
    report(&engine.status(ALICE, now()?)?);
    Ok(())
}

fn introduce(enrollment: &Enrollment, totp: &Totp) -> Outcome<()> {
    let uri = KeyUri::totp(enrollment.secret(), TotpParams::DEFAULT, "keyfob", ALICE)?;
    println!("Add this to an authenticator app:\n\n  {uri}\n");
    show_qr_code(&uri)?;
    println!("Keep these recovery codes; they are shown once:\n");
    for code in enrollment.recovery_codes() {
        println!("  {}", code.as_str());
    }
    println!("\nThe token's code now is {}.\n", code_line(totp, now()?));
    Ok(())
}

#[cfg(feature = "qr")]
fn show_qr_code(uri: &KeyUri<'_>) -> Outcome<()> {
    let mut buffer = keyfob::QrBuffer::new();
    let qr = keyfob::QrCode::new(uri, &mut buffer)?;
    if io::stdout().is_terminal() {
        println!("{}\n", qr.terminal());
    } else {
        println!("{}\n", qr.plain(keyfob::QrBackground::Light));
    }
    Ok(())
}

#[cfg(not(feature = "qr"))]
fn show_qr_code(_: &KeyUri<'_>) -> Outcome<()> {
    println!("With --features qr its QR code is shown here.\n");
    Ok(())
}

/// Asks until a code is accepted. An empty line stands for the code that is shown.
fn confirm<S>(engine: &mut Engine<S>, totp: &Totp) -> Outcome<Code>
where
    S: RegistrationStore<Id = str, Error: Error + 'static>,
{
    loop {
        print!("Type the code to confirm the registration (Enter takes the one above): ");
        io::stdout().flush()?;
        let mut typed = String::new();
        io::stdin().lock().read_line(&mut typed)?;
        if typed.trim().is_empty() {
            typed = totp.code_at(now()?).to_string();
        }
        match try_to_confirm(engine, &typed) {
            Ok(code) => return Ok(code),
            Err(refusal) => println!("Refused: {refusal}."),
        }
    }
}

fn try_to_confirm<S>(engine: &mut Engine<S>, typed: &str) -> Outcome<Code>
where
    S: RegistrationStore<Id = str, Error: Error + 'static>,
{
    let code = Code::parse(typed)?;
    let authenticated = engine.authenticate(ALICE, &code, now()?)?;
    let confirmed = authenticated.activated();
    println!(
        "\n{code}: accepted, {}.",
        if confirmed {
            "the registration is active"
        } else {
            "logged in"
        }
    );
    Ok(code)
}

fn guess_until_locked<S>(engine: &mut Engine<S>, totp: &Totp) -> Outcome<()>
where
    S: RegistrationStore<Id = str, Error: fmt::Debug + Error + 'static>,
{
    let now = now()?;
    let far_away = totp.code_at(now.saturating_add(1_000_000));
    for guess in 1..=6 {
        tell(
            &format!("Wrong code {guess}"),
            &engine.authenticate(ALICE, &far_away, now),
        );
    }
    let right = totp.code_at(now.saturating_add(30));
    tell("Any code now", &engine.authenticate(ALICE, &right, now));
    Ok(())
}

/// What came of a request, in a line.
fn tell<T, E: Error>(what: &str, outcome: &Result<T, E>) {
    match outcome {
        Ok(_) => println!("{what}: accepted."),
        Err(refusal) => println!("{what}: refused, {refusal}."),
    }
}

fn report(status: &Status) {
    let state = match status.state {
        StatusState::Active { .. } => "active",
        StatusState::Pending { .. } => "waits for its first code",
        _ => "lapsed",
    };
    let attempts = match status.codes {
        LockState::Open { failures } => format!("open, {failures} wrong codes in a row"),
        LockState::Locked { wait, .. } => Rejection::Locked(wait).to_string(),
        _ => Rejection::Disabled.to_string(),
    };
    println!("\nThe registration is {state}; attempts are {attempts};");
    println!("{} recovery codes are left.", status.recovery_codes);
}

/// Shows the code of a key URI: once, or in a terminal again and again with what it has left.
fn show(uri: &str) -> Outcome<()> {
    let uri = KeyUri::parse_lenient(uri)?;
    if uri.secret().is_legacy() {
        eprintln!("note: this secret has fewer than 128 bits; replace it when you can");
    }
    match *uri.params() {
        Params::Hotp(params) => {
            let counter = uri.counter().unwrap_or_default();
            println!("{}", Hotp::new(uri.secret(), params).code(counter));
        }
        Params::Totp(params) => show_totp(&Totp::new(uri.secret(), params))?,
    }
    Ok(())
}

fn show_totp(totp: &Totp) -> Outcome<()> {
    if !io::stdout().is_terminal() {
        println!("{}", totp.code_at(now()?));
        return Ok(());
    }
    loop {
        // Back to the line's start, and clear what the last second left.
        print!("\r{}\x1b[K", code_line(totp, now()?));
        io::stdout().flush()?;
        thread::sleep(Duration::from_secs(1));
    }
}

fn code_line(totp: &Totp, now: UnixTime) -> String {
    let remaining = totp.remaining_seconds(now);
    format!("{}, for another {remaining} s", totp.code_at(now))
}
