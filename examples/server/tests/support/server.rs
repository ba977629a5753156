//! The server itself, started for a test on a port of its own and ended with it.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};

use tempfile::TempDir;

pub(crate) const PROJECT_ID: &str = "project-of-the-tests";
pub(crate) const SECRET: &str = "a secret that only tests have";

/// A running server. Its data is gone when it is dropped.
pub(crate) struct Server {
    process: Child,
    /// What the shell does before it starts the server.
    before: String,
    arguments: Vec<String>,
    directory: TempDir,
    /// `http://127.0.0.1:…`, without a slash at its end.
    pub(crate) url: String,
    /// The same of the operator's listener, if there is one.
    pub(crate) operations_url: Option<String>,
}

/// The addresses that it names at its start.
struct Greeting {
    url: String,
    operations_url: Option<String>,
}

impl Server {
    /// Starts it on a file of SQLite.
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts it with more arguments, which win over the usual ones: `--database`, say.
    pub(crate) fn start_with(arguments: &[&str]) -> Self {
        Self::start_under("true", arguments)
    }

    /// Starts it in a shell that does something before, such as setting limits.
    pub(crate) fn start_under(before: &str, arguments: &[&str]) -> Self {
        let directory = tempfile::tempdir().expect("a directory for the server's data");
        let arguments: Vec<_> = arguments.iter().map(ToString::to_string).collect();
        let (process, greeting) = begin(before, &directory, &arguments);
        let log = || fs::read_to_string(directory.path().join("log"));
        let greeting = greeting.unwrap_or_else(|| panic!("no address:\n{:?}", log()));
        Self {
            process,
            before: before.to_owned(),
            arguments,
            directory,
            url: greeting.url,
            operations_url: greeting.operations_url,
        }
    }

    /// Starts it on the data that it left.
    pub(crate) fn start_again(&mut self) {
        let (process, greeting) = begin(&self.before, &self.directory, &self.arguments);
        self.process = process;
        self.url = greeting
            .unwrap_or_else(|| panic!("no address:\n{}", self.log()))
            .url;
    }

    /// What it says when it is started on the data that it left, and doesn't.
    pub(crate) fn fail_again(&self) -> String {
        output(command(&self.before, &self.directory, &self.arguments))
    }

    /// What it says when it is started with these arguments, and ends by itself.
    pub(crate) fn fail_with(arguments: &[&str]) -> String {
        let directory = tempfile::tempdir().expect("a directory for the server's data");
        let arguments: Vec<_> = arguments.iter().map(ToString::to_string).collect();
        output(command("true", &directory, &arguments))
    }

    /// A file of its data.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).expect("the log")
    }

    /// Whether this text is in any of its files: the database, the keys, the log.
    pub(crate) fn keeps(&self, text: &[u8]) -> bool {
        let files = fs::read_dir(&self.directory).expect("its files");
        let mut files = files.map(|file| fs::read(file.expect("a file").path()).expect("bytes"));
        files.any(|bytes| bytes.windows(text.len()).any(|part| part == text))
    }

    /// Writes a file that lives as long as the server, and tells its path.
    pub(crate) fn write_file(&self, name: &str, text: &str) -> String {
        let path = self.file(name);
        fs::write(&path, text).expect("the file is written");
        path.display().to_string()
    }

    /// The most memory that it had at once.
    pub(crate) fn most_memory_bytes(&self) -> usize {
        let status = format!("/proc/{}/status", self.process.id());
        let status = fs::read_to_string(status).expect("the state of the process");
        let most = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:")?.strip_suffix("kB"));
        1024 * most
            .expect("its memory")
            .trim()
            .parse::<usize>()
            .expect("a number")
    }

    /// Tells it to stop, and waits until it has.
    pub(crate) fn stop(&mut self) -> ExitStatus {
        let id = self.process.id().to_string();
        let told = Command::new("kill").args(["-TERM", &id]).status();
        assert!(told.expect("kill runs").success());
        self.process.wait().expect("the server ends")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn command(before: &str, directory: &TempDir, arguments: &[String]) -> Command {
    let mut command = Command::new("sh");
    command
        .args(["-c", &format!("{before}; exec \"$0\" \"$@\"")])
        .arg(env!("CARGO_BIN_EXE_keyfob-server"))
        .args(["--listen", "127.0.0.1:0"])
        .args(arguments)
        .current_dir(directory)
        .env_remove("KEYFOB_DATABASE")
        .env_remove("KEYFOB_PUBLIC_URL")
        .env("KEYFOB_PROJECT_ID", PROJECT_ID)
        .env("KEYFOB_SECRET", SECRET)
        .stdin(Stdio::null());
    command
}

fn begin(before: &str, directory: &TempDir, arguments: &[String]) -> (Child, Option<Greeting>) {
    let mut options = File::options();
    let log = options
        .append(true)
        .create(true)
        .open(directory.path().join("log"));
    let mut process = command(before, directory, arguments)
        .stdout(Stdio::piped())
        .stderr(log.expect("a file for the log"))
        .spawn()
        .expect("the server starts");
    let greeting = greeting(&mut process);
    (process, greeting)
}

fn output(mut command: Command) -> String {
    let output = command.output().expect("the server starts");
    let said = [output.stdout, output.stderr].concat();
    String::from_utf8(said).expect("text")
}

/// Reads all that the server says at its start.
fn greeting(process: &mut Child) -> Option<Greeting> {
    let output = BufReader::new(process.stdout.take()?);
    let mut lines = output.lines().map_while(Result::ok);
    let url = lines.next()?.strip_prefix("keyfob-server: ")?.to_owned();
    let mut operations_url = None;
    for line in lines {
        if let Some(status) = line.strip_prefix("  operations   ") {
            operations_url = Some(status.trim_end_matches("/status").to_owned());
        } else if line.starts_with("  data") {
            return Some(Greeting {
                url,
                operations_url,
            });
        }
    }
    None
}
