//! A PostgreSQL server of the tests' own, or the one at `KEYFOB_TEST_POSTGRES_URL`, and clients.
//!
//! With `KEYFOB_REQUIRE_SERVERS=1` a machine without PostgreSQL is a failure.
#![allow(dead_code)] // the benchmark needs less of it than the tests

use std::collections::BTreeSet;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;
use std::{env, fs, process, thread};

use deadpool_postgres::{Manager, Pool, PoolError};
use keyfob::{PostgresClients, PostgresStore};
use tokio::runtime;
use tokio_postgres::{Client, Config, Error, NoTls, Statement};

use super::directory::Directory;

const URL: &str = "KEYFOB_TEST_POSTGRES_URL";
const REQUIRE: &str = "KEYFOB_REQUIRE_SERVERS";

// ---- Servers

/// A server of our own, on a socket in a directory of its own. Its `fsync` is on.
pub(crate) struct Server {
    binaries: PathBuf,
    directory: Directory,
    /// Stops the server when its input ends, so also when this process is killed.
    keeper: Option<Child>,
}

/// Arguments: the binaries, the directory, the server's options.
const KEEP: &str = r#"
    "$0/pg_ctl" -D "$1/data" -l "$1/log" -o "$2" -w -s start && echo started
    cat >/dev/null
    "$0/pg_ctl" -D "$1/data" -m immediate -s stop
"#;

impl Server {
    /// Starts a new one; `None`, and a word about it, where there is no PostgreSQL.
    pub(crate) fn start(settings: &[&str]) -> Option<Self> {
        Self::start_in(Directory::new(), settings)
    }

    /// The same with its files in that directory.
    pub(crate) fn start_in(directory: Directory, settings: &[&str]) -> Option<Self> {
        let Some(binaries) = binaries() else {
            skip();
            return None;
        };
        let mut server = Self {
            binaries,
            directory,
            keeper: None,
        };
        server.make(settings);
        server.start_again();
        Some(server)
    }

    /// Gives the directory to the user as whom the server runs.
    fn own_directory(&self) {
        if is_root() {
            let mut chown = Command::new("chown");
            succeed(chown.arg("postgres").arg(self.directory.path()));
        }
    }

    fn make(&self, settings: &[&str]) {
        self.own_directory();
        let data = self.directory.file("data");
        let options = "-U keyfob -A trust -E UTF8 --no-locale --no-sync".split(' ');
        let mut initdb = as_postgres(&self.binaries.join("initdb"));
        succeed(initdb.arg("-D").arg(&data).args(options));
        let file = data.join("postgresql.auto.conf");
        fs::write(file, settings.join("\n") + "\n").unwrap();
    }

    pub(crate) fn start_again(&mut self) {
        let options = format!(
            "-c listen_addresses='' -c unix_socket_directories={} -c max_connections=200",
            self.directory.path().display()
        );
        let mut keeper = as_postgres(Path::new("sh"))
            .args(["-c", KEEP])
            .args([&self.binaries, self.directory.path()])
            .arg(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let output = keeper.stdout.take().unwrap();
        BufReader::new(output).read_line(&mut line).unwrap();
        assert_eq!(line, "started\n", "{}", self.log());
        self.keeper = Some(keeper);
    }

    /// Starts a standby that follows this server, and whose writes nobody waits for.
    pub(crate) fn start_standby(&self) -> Self {
        let mut standby = Self {
            binaries: self.binaries.clone(),
            directory: Directory::new(),
            keeper: None,
        };
        standby.own_directory();
        let mut copy = as_postgres(&self.binaries.join("pg_basebackup"));
        copy.arg("-h").arg(self.directory.path());
        copy.arg("-D").arg(standby.directory.file("data"));
        succeed(copy.args("-U keyfob -R -X stream -c fast --no-sync".split(' ')));
        standby.start_again();
        standby
    }

    /// Makes a standby a server that can be written to.
    pub(crate) fn promote(&self) {
        let mut promote = as_postgres(&self.binaries.join("pg_ctl"));
        promote.arg("-D").arg(self.directory.file("data"));
        succeed(promote.args(["-w", "-s", "promote"]));
    }

    /// Stops what sends this server's writes to standbys: what is written from now on, they won't
    /// have. A server that is told to stop would wait for it without end, so kill it.
    pub(crate) fn cut_off_standbys(&self) {
        let is_sender = |process: &u32| {
            let name = fs::read_to_string(format!("/proc/{process}/cmdline"));
            name.is_ok_and(|name| name.contains("walsender"))
        };
        let senders = children(self.postmaster()).filter(is_sender);
        let names: Vec<_> = senders.map(|process| process.to_string()).collect();
        assert!(!names.is_empty(), "no standby follows");
        succeed(Command::new("kill").arg("-STOP").args(names));
    }

    /// Stops it at once, without writing anything more.
    pub(crate) fn stop(&mut self) {
        if let Some(mut keeper) = self.keeper.take() {
            drop(keeper.stdin.take());
            let _ = keeper.wait();
        }
    }

    /// Kills the server's process and all of its children, and waits for their end.
    pub(crate) fn kill(&mut self) {
        let postmaster = self.postmaster();
        // First of all it makes no more children: one that outlived it could wait without end for a
        // lock of another's.
        let stop = ["-STOP", &postmaster.to_string()];
        succeed(Command::new("kill").args(stop));
        let mut processes = BTreeSet::from([postmaster]);
        processes.extend(children(postmaster));
        let names = processes.iter().map(u32::to_string);
        let _ = Command::new("kill").arg("-KILL").args(names).output();
        while processes.iter().any(|process| is_running(*process)) {
            thread::sleep(Duration::from_millis(1));
        }
        self.stop();
    }

    fn postmaster(&self) -> u32 {
        let pid_file = fs::read_to_string(self.directory.file("data/postmaster.pid")).unwrap();
        pid_file.lines().next().unwrap().parse().unwrap()
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.directory.file("log")).unwrap_or_default()
    }

    pub(crate) fn config(&self) -> Config {
        let mut config = Config::new();
        config.host_path(self.directory.path());
        config.user("keyfob").dbname("postgres");
        config
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.directory.file(".s.PGSQL.5432")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

fn skip() {
    assert!(
        env::var_os(REQUIRE).is_none(),
        "{REQUIRE} is set, and there is no PostgreSQL here"
    );
    // Not by `eprintln!`, which a test that passes doesn't show.
    let skipped = b"skipped: there is no PostgreSQL here (Debian: apt-get install postgresql)\n";
    io::stderr().write_all(skipped).unwrap();
}

/// Where the programs are that belong to the first `initdb` in the path, or where Debian puts them,
/// the latest first.
fn binaries() -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut versions: Vec<_> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .map(|version| version.unwrap().path().join("bin"))
        .collect();
    versions.sort();
    env::split_paths(&path)
        .chain(versions.into_iter().rev())
        .find_map(|directory| fs::canonicalize(directory.join("initdb")).ok())
        .map(|initdb| initdb.with_file_name(""))
}

fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

/// The program as the user `postgres` if we are root, as which PostgreSQL doesn't run.
fn as_postgres(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("runuser");
    command.args(["-u", "postgres", "--"]).arg(program);
    command
}

fn succeed(command: &mut Command) {
    let output = command.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {errors}");
}

fn children(parent: u32) -> impl Iterator<Item = u32> {
    let processes = fs::read_dir("/proc").unwrap();
    let numbers = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    numbers.filter(move |process| {
        status(*process).is_some_and(|fields| fields[1] == parent.to_string())
    })
}

fn is_running(process: u32) -> bool {
    status(process).is_some_and(|fields| fields[0] != "Z")
}

/// A process's state and its parent.
fn status(process: u32) -> Option<[String; 2]> {
    let status = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, fields) = status.rsplit_once(") ")?;
    let mut fields = fields.split(' ').map(str::to_owned);
    Some([fields.next()?, fields.next()?])
}

// ---- Databases

/// A new, empty database, on a server that all tests of a program share.
pub(crate) struct Database {
    config: Config,
    server: Option<Arc<Server>>,
}

impl Database {
    /// `None`, and a word about it, where there is no PostgreSQL.
    pub(crate) async fn new() -> Option<Self> {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let (server, mut config) = if let Ok(url) = env::var(URL) {
            (None, url.parse().unwrap())
        } else {
            let server = shared_server()?;
            let config = server.config();
            (Some(server), config)
        };
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let name = format!("keyfob_test_{}_{number}", process::id());
        let administrator = connect(&config).await;
        let create = format!("CREATE DATABASE {name}");
        administrator.batch_execute(&create).await.unwrap();
        config.dbname(&name);
        Some(Self { config, server })
    }

    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    pub(crate) fn name(&self) -> &str {
        self.config.get_dbname().unwrap()
    }

    pub(crate) async fn client(&self) -> Client {
        connect(&self.config).await
    }

    pub(crate) async fn store(&self) -> PostgresStore<Arc<Client>> {
        let client = self.client().await;
        PostgresStore::connect(Arc::new(client)).await.unwrap()
    }

    pub(crate) fn clients(&self) -> Clients {
        Clients::new(&self.config)
    }
}

/// Leaves nothing behind on somebody else's server.
impl Drop for Database {
    fn drop(&mut self) {
        if self.server.is_some() {
            return;
        }
        let mut config = self.config.clone();
        config.dbname("postgres");
        let drop = format!("DROP DATABASE {} WITH (FORCE)", self.name());
        let runtime = || runtime::Builder::new_current_thread().enable_all().build();
        let dropping = thread::spawn(move || {
            let drop = async { connect(&config).await.batch_execute(&drop).await };
            runtime().unwrap().block_on(drop)
        });
        let _ = dropping.join();
    }
}

/// The server, as long as somebody has it.
fn shared_server() -> Option<Arc<Server>> {
    static SHARED: Mutex<Weak<Server>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap();
    if let Some(server) = shared.upgrade() {
        return Some(server);
    }
    let server = Arc::new(Server::start(&[])?);
    *shared = Arc::downgrade(&server);
    Some(server)
}

pub(crate) async fn connect(config: &Config) -> Client {
    let (client, connection) = config.connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

// ---- Clients

/// A pool of up to 64 clients, which keep their prepared statements.
#[derive(Clone)]
pub(crate) struct Clients(Pool);

impl Clients {
    pub(crate) fn new(config: &Config) -> Self {
        let manager = Manager::new(config.clone(), NoTls);
        Self(Pool::builder(manager).max_size(64).build().unwrap())
    }
}

impl PostgresClients for Clients {
    type Client = deadpool_postgres::Client;
    type Error = PoolError;

    async fn client(&self) -> Result<Self::Client, PoolError> {
        self.0.get().await
    }

    fn borrow(client: &Self::Client) -> &Client {
        client
    }

    async fn prepared(
        client: &Self::Client,
        statement: &'static str,
    ) -> Result<Option<Statement>, Error> {
        client.prepare_cached(statement).await.map(Some)
    }
}
