//! Reads what other systems export, shows what it found, and moves it into an SQLite store.

use std::error::Error;
use std::fs::File;
use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, iter};

use keyfob::import::{self, Format, Import, Imported, LeftOut, Options, Unlock};
use keyfob::{Base32Buffer, Params};
use zeroize::Zeroizing;

const HELP: &str = "\
Reads what other systems export: key URIs, backups of authenticator apps, files of hardware tokens.

Usage:
  cargo run --example import --features import -- FILE [OPTIONS]

Options:
  --format NAME        read FILE as this format; without it, the format is detected
  --password-file F    the password of FILE, in the first line of F
  --key-file F         the pre-shared key of a PSKC file, in F in hexadecimal
  --account NAME       the account of tokens that have neither account nor serial number
  --show-secrets       show secrets and recovery codes, which are hidden otherwise
  --into FILE.sqlite   move all tokens into this SQLite store, made if it isn't there
                       (build with --features import,sqlite)
  -h, --help           show this

Formats: ";

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if arguments.is_empty() || arguments.iter().any(|it| it == "-h" || it == "--help") {
        println!("{HELP}{}", Format::ALL.map(Format::name).join(", "));
        return ExitCode::SUCCESS;
    }
    match Arguments::read(arguments).and_then(|arguments| run(&arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What was asked for.
#[derive(Default)]
struct Arguments {
    file: PathBuf,
    format: Option<Format>,
    password_file: Option<PathBuf>,
    key_file: Option<PathBuf>,
    account: String,
    show_secrets: bool,
    into: Option<PathBuf>,
}

impl Arguments {
    fn read(words: Vec<String>) -> Outcome<Self> {
        let (mut read, mut files) = (Self::default(), Vec::new());
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or(format!("{word} needs a value"));
            match word.as_str() {
                "--format" => read.format = Some(format_named(&value()?)?),
                "--password-file" => read.password_file = Some(value()?.into()),
                "--key-file" => read.key_file = Some(value()?.into()),
                "--account" => read.account = value()?,
                "--show-secrets" => read.show_secrets = true,
                "--into" => read.into = Some(value()?.into()),
                option if option.starts_with('-') => {
                    return Err(format!("unknown option {option}: --help lists them").into());
                }
                file => files.push(PathBuf::from(file)),
            }
        }
        match <[PathBuf; 1]>::try_from(files) {
            Ok([file]) => Ok(Self { file, ..read }),
            Err(_) => Err("name one file to read: --help tells how".into()),
        }
    }
}

fn format_named(name: &str) -> Outcome<Format> {
    Format::from_name(name)
        .ok_or_else(|| format!("unknown format {name}: --help lists them").into())
}

fn run(arguments: &Arguments) -> Outcome<()> {
    let mut import = read(arguments)?;
    for token in &mut import.tokens {
        if account(token).is_empty() {
            token.account.clone_from(&arguments.account);
        }
    }
    println!("Read as {}.\n", import.format);
    show_tokens(&import.tokens, arguments.show_secrets)?;
    show_left_out(&import.left_out)?;
    if let Some(store) = &arguments.into {
        return migrate(&import, store);
    }
    if import.tokens.is_empty() {
        return Err("no token was read".into());
    }
    Ok(())
}

fn read(arguments: &Arguments) -> Outcome<Import> {
    let most = Options::default().limits.file_bytes;
    let file = read_file(&arguments.file, most.saturating_add(1))?;
    let password = match &arguments.password_file {
        Some(file) => Some(first_line(file)?),
        None => None,
    };
    let key = match &arguments.key_file {
        Some(file) => Some(unhex(&first_line(file)?)?),
        None => None,
    };
    let options = Options {
        unlock: match (&password, &key) {
            (Some(password), _) => Unlock::Password(password),
            (None, Some(key)) => Unlock::Key(key),
            (None, None) => Unlock::Nothing,
        },
        ..Options::default()
    };
    Ok(match arguments.format {
        None => import::read(&file, &options)?,
        Some(format) => import::read_as(format, &file, &options)?,
    })
}

/// Reads so many bytes of a file at most.
fn read_file(path: &Path, most: usize) -> Outcome<Zeroizing<Vec<u8>>> {
    let fail = |error: io::Error| format!("{}: {error}", path.display());
    let file = File::open(path).map_err(fail)?;
    let length = file.metadata().map_err(fail)?.len();
    // All of the room at once, so that no copy is left behind when it grows.
    let room = usize::try_from(length).unwrap_or(most).min(most);
    let mut bytes = Zeroizing::new(Vec::with_capacity(room.saturating_add(1)));
    let most = u64::try_from(most)?;
    file.take(most).read_to_end(&mut bytes).map_err(fail)?;
    Ok(bytes)
}

fn first_line(path: &Path) -> Outcome<Zeroizing<String>> {
    let file = read_file(path, 4096)?;
    let text = std::str::from_utf8(&file)?;
    Ok(Zeroizing::new(
        text.lines().next().unwrap_or_default().into(),
    ))
}

fn unhex(text: &str) -> Outcome<Zeroizing<Vec<u8>>> {
    let pairs = text.trim().as_bytes().chunks(2);
    let bytes = pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
    let bytes: Option<Vec<u8>> = bytes.collect();
    let bytes = bytes.ok_or("the key must be in hexadecimal, two digits a byte")?;
    Ok(Zeroizing::new(bytes))
}

// What is shown ---------------------------------------------------------------------------------

fn show_tokens(tokens: &[Imported], show_secrets: bool) -> io::Result<()> {
    let header = [
        "issuer",
        "account",
        "type",
        "parameters",
        "recovery codes",
        "secret",
        "place",
    ];
    let rows = tokens.iter().map(|token| {
        [
            printable(&token.issuer),
            printable(account(token)),
            kind(token).into(),
            parameters(token),
            recovery_codes(token, show_secrets),
            secret(token, show_secrets),
            place(token),
        ]
    });
    if !tokens.is_empty() {
        show_table(&header.map(String::from), &rows.collect::<Vec<_>>())?;
    }
    println!("{}\n", counted(tokens.len(), "token"));
    Ok(())
}

fn show_left_out(left_out: &[LeftOut]) -> io::Result<()> {
    if left_out.is_empty() {
        return Ok(());
    }
    let rows = left_out.iter().map(|it| {
        [
            it.place.to_string(),
            printable(&it.name),
            it.reason.to_string(),
        ]
    });
    show_table(
        &["left out", "name", "why"].map(String::from),
        &rows.collect::<Vec<_>>(),
    )?;
    println!("{} left out\n", left_out.len());
    Ok(())
}

/// Shows a table, its header in bold on a terminal.
fn show_table<const COLUMNS: usize>(
    header: &[String; COLUMNS],
    rows: &[[String; COLUMNS]],
) -> io::Result<()> {
    let letters = |row: &[String; COLUMNS], column: usize| row[column].chars().count();
    let widths: Vec<usize> = (0..COLUMNS)
        .map(|column| {
            let rows = rows.iter().chain(iter::once(header));
            rows.map(|row| letters(row, column)).max().unwrap_or(0)
        })
        .collect();
    let mut out = io::stdout().lock();
    let (bold, plain) = if out.is_terminal() {
        ("\x1b[1m", "\x1b[0m")
    } else {
        ("", "")
    };
    writeln!(out, "{bold}{}{plain}", line(header, &widths))?;
    rows.iter()
        .try_for_each(|row| writeln!(out, "{}", line(row, &widths)))
}

fn line(cells: &[String], widths: &[usize]) -> String {
    let cells = cells.iter().zip(widths);
    let padded = cells.map(|(cell, width)| format!("{cell:width$}  "));
    padded.collect::<String>().trim_end().into()
}

/// The text without what would move a terminal's cursor.
fn printable(text: &str) -> String {
    text.chars()
        .map(|letter| {
            if letter.is_control() {
                '\u{fffd}'
            } else {
                letter
            }
        })
        .collect()
}

fn account(token: &Imported) -> &str {
    [&token.account, &token.serial]
        .into_iter()
        .find(|name| !name.is_empty())
        .map_or("", |name| name)
}

const fn kind(token: &Imported) -> &'static str {
    match token.params {
        Params::Totp(_) => "TOTP",
        Params::Hotp(_) => "HOTP",
    }
}

fn parameters(token: &Imported) -> String {
    let factor = match (token.params, token.counter()) {
        (Params::Totp(params), _) => format!("{} s", params.period.as_seconds()),
        (Params::Hotp(_), Some(counter)) => format!("counter {}", counter.number()),
        (Params::Hotp(_), None) => "used up".into(),
    };
    let (algorithm, format) = (token.params.algorithm().name(), token.params.format());
    format!("{algorithm}, {format}, {factor}")
}

fn recovery_codes(token: &Imported, show_secrets: bool) -> String {
    match token.recovery_codes.len() {
        0 => String::new(),
        _ if show_secrets => token.recovery_codes.iter().collect::<Vec<_>>().join(" "),
        count => count.to_string(),
    }
}

fn secret(token: &Imported, show_secrets: bool) -> String {
    let bits = token.secret.as_bytes().len() * 8;
    match show_secrets {
        true => token.secret.to_base32(&mut Base32Buffer::new()).into(),
        false if token.secret.is_legacy() => format!("{bits} bits, weak"),
        false => format!("{bits} bits"),
    }
}

/// The place, and what should be known about the reading.
fn place(token: &Imported) -> String {
    let remarks = token.remarks.iter().map(|remark| format!("; {remark}"));
    let place = token.place.to_string();
    printable(&iter::once(place).chain(remarks).collect::<String>())
}

fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

// Moving in -------------------------------------------------------------------------------------

#[cfg(not(feature = "sqlite"))]
fn migrate(_: &Import, _: &Path) -> Outcome<()> {
    Err("--into needs SQLite: run it with --features import,sqlite".into())
}

#[cfg(feature = "sqlite")]
use moving_in::migrate;

#[cfg(feature = "sqlite")]
mod moving_in {
    use std::collections::BTreeMap;
    use std::time::SystemTime;

    use indicatif::{ProgressBar, ProgressStyle};
    use keyfob::{
        Engine, Error, LegacySecrets, Migrated, Policy, RecoveryCount, RecoveryPolicy, SqliteStore,
        SystemEntropy, UnixTime,
    };

    use super::{Import, Imported, Outcome, Path, counted, printable};

    /// Weak secrets come in as they are, and nobody is given recovery codes that they don't see.
    const POLICY: Policy = Policy {
        legacy_secrets: LegacySecrets::Accept,
        recovery: RecoveryPolicy {
            count: RecoveryCount::new(0).unwrap(),
            ..RecoveryPolicy::DEFAULT
        },
        ..Policy::DEFAULT
    };

    pub(super) fn migrate(import: &Import, store: &Path) -> Outcome<()> {
        let mut engine = Engine::new(SqliteStore::open(store)?, POLICY);
        let bar = ProgressBar::new(u64::try_from(import.tokens.len())?);
        bar.set_style(ProgressStyle::with_template(
            "{bar:40} {pos}/{len} tokens, {eta} left",
        )?);
        let mut report = Report::default();
        for token in bar.wrap_iter(import.tokens.iter()) {
            let now = UnixTime::try_from(SystemTime::now())?;
            let id = id(token);
            if id.is_empty() {
                report.note(
                    "it has no name: give one with --account",
                    &token.place.to_string(),
                );
                continue;
            }
            match engine.migrate(&id, token, now, &mut SystemEntropy) {
                Ok(migrated) => report.take_over(&migrated, &id),
                Err(Error::Rejected(rejection)) => report.note(&rejection.to_string(), &id),
                Err(error) => return Err(error.into()),
            }
        }
        bar.finish_and_clear();
        report.show(import, store);
        Ok(())
    }

    /// What the registration is called: the serial number, or issuer and account.
    fn id(token: &Imported) -> String {
        match (token.serial.as_str(), token.issuer.as_str()) {
            ("", "") => token.account.clone(),
            ("", issuer) => format!("{issuer}:{}", token.account),
            (serial, _) => serial.into(),
        }
    }

    #[derive(Default)]
    struct Report {
        taken_over: usize,
        /// By the reason, the names.
        refused: BTreeMap<String, Vec<String>>,
        /// What of tokens that were taken over was not.
        skipped: Vec<String>,
    }

    impl Report {
        fn take_over(&mut self, migrated: &Migrated, id: &str) {
            self.taken_over += 1;
            let skipped = migrated.skipped_recovery_codes();
            if skipped.total() > 0 {
                self.skipped.push(format!("{}: {skipped}", printable(id)));
            }
        }

        fn note(&mut self, reason: &str, id: &str) {
            let names = self.refused.entry(reason.into()).or_default();
            names.push(printable(id));
        }

        fn show(&self, import: &Import, store: &Path) {
            println!(
                "{} moved into {}; {} left out of the file.",
                counted(self.taken_over, "token"),
                store.display(),
                import.left_out.len(),
            );
            for (reason, names) in &self.refused {
                println!("{} refused: {reason}:", names.len());
                for name in names {
                    println!("  {name}");
                }
            }
            for skipped in &self.skipped {
                println!("{skipped}");
            }
            println!(
                "Registrations are called by serial number or issuer:account. Those without recovery codes \
                 got none: make some with rotate_recovery_codes once their owners log in."
            );
        }
    }
}
