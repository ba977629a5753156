//! A one-time password from end to end, with nothing else needed.
//!
//! Without an argument it makes a secret, shows it as a key URI, and verifies the code that you
//! type. With a key URI it shows that token's code.

use std::error::Error;
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::time::{Duration, SystemTime};
use std::{env, thread};

use keyfob::{
    Algorithm, Burned, Code, Hotp, KeyUri, Params, Secret, SystemEntropy, Totp, TotpParams,
    UnixTime, Window,
};

const HELP: &str = "\
Usage:
  cargo run --example quickstart                     make a secret, then verify the code you type
  cargo run --example quickstart -- 'otpauth://…'    show the code of a key URI

In a terminal the second form counts the code's seconds down; Ctrl-C ends it.";

fn main() -> ExitCode {
    let outcome = match env::args().nth(1).as_deref() {
        None => enrol(),
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

fn now() -> Result<UnixTime, Box<dyn Error>> {
    Ok(SystemTime::now().try_into()?)
}

/// Makes a secret, verifies a typed code against it, and tries that code a second time.
fn enrol() -> Result<(), Box<dyn Error>> {
    let secret = Secret::generate(Algorithm::Sha1, &mut SystemEntropy)?;
    let totp = Totp::new(&secret, TotpParams::DEFAULT);
    let uri = KeyUri::totp(&secret, TotpParams::DEFAULT, "keyfob", "quickstart")?;
    println!("Add this to an authenticator app:\n\n  {uri}\n");
    println!("Its code now is {}.\n", code_line(&totp, now()?));

    // What a server keeps with the secret: without it the same code would be accepted again.
    let mut burned = Burned::NOTHING;
    let code = accepted_code(&totp, &mut burned)?;
    let again = totp.verify(&code, now()?, Window::default(), &mut burned);
    match again {
        Ok(_) => Err("the same code was accepted twice".into()),
        Err(refusal) => {
            println!("The same code again: refused, {refusal}.");
            Ok(())
        }
    }
}

/// Asks until a code is accepted. An empty line stands for the code that is shown.
fn accepted_code(totp: &Totp, burned: &mut Burned) -> Result<Code, Box<dyn Error>> {
    loop {
        print!("Type the code (Enter takes the one above): ");
        io::stdout().flush()?;
        let mut typed = String::new();
        io::stdin().lock().read_line(&mut typed)?;
        if typed.trim().is_empty() {
            typed = totp.code_at(now()?).to_string();
        }
        match verify(totp, &typed, burned) {
            Ok(code) => {
                println!("{code}: accepted.");
                return Ok(code);
            }
            Err(refusal) => println!("Refused: {refusal}."),
        }
    }
}

fn verify(totp: &Totp, typed: &str, burned: &mut Burned) -> Result<Code, Box<dyn Error>> {
    let code = Code::parse(typed)?;
    totp.verify(&code, now()?, Window::default(), burned)?;
    Ok(code)
}

/// Shows the code of a key URI: once, or in a terminal again and again with what it has left.
fn show(uri: &str) -> Result<(), Box<dyn Error>> {
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

fn show_totp(totp: &Totp) -> Result<(), Box<dyn Error>> {
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
