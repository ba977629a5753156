//! A Redis server of a test's own, started and killed by it.

#[path = "directory.rs"]
mod directory;

use std::ffi::OsString;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, thread};

use directory::Directory;

/// How long a server has to come up.
const PATIENCE: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(5);

/// A server on a port of this machine, with a directory of its own. It ends when it is dropped.
pub(crate) struct Server {
    process: Child,
    port: u16,
    options: Vec<String>,
    directory: Directory,
}

impl Server {
    /// A server with these options; `None`, and a word about it, where there is no program for it.
    ///
    /// `KEYFOB_TEST_REDIS_SERVER` names another program than `redis-server`, and with
    /// `KEYFOB_REQUIRE_SERVERS=1` there must be one.
    pub(crate) fn start(options: &[&str]) -> Option<Self> {
        let is_there = Command::new(program())
            .arg("--version")
            .stdout(Stdio::null())
            .status();
        if is_there.is_err() {
            let is_required = env::var("KEYFOB_REQUIRE_SERVERS").is_ok_and(|value| value == "1");
            assert!(!is_required, "there is no {}", program().display());
            eprintln!("skipped: there is no {}", program().display());
            return None;
        }
        let options: Vec<String> = options.iter().map(|&option| option.to_owned()).collect();
        loop {
            let (port, directory) = (free_port(), Directory::new());
            let process = spawn(port, &options, &directory);
            let options = options.clone();
            let mut server = Self {
                process,
                port,
                options,
                directory,
            };
            if server.is_up() {
                return Some(server);
            }
        }
    }

    /// A server that has each write on its disk before it answers, with further options.
    pub(crate) fn start_durable(options: &[&str]) -> Option<Self> {
        let durable = ["--appendonly", "yes", "--appendfsync", "always"];
        Self::start(&[&durable, options].concat())
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn client(&self) -> redis::Client {
        redis::Client::open(format!("redis://127.0.0.1:{}/", self.port)).unwrap()
    }

    /// Sends a command, its words parted by spaces.
    pub(crate) fn ask<T: redis::FromRedisValue>(&self, command: &str) -> redis::RedisResult<T> {
        let mut words = command.split(' ');
        let mut command = redis::cmd(words.next().unwrap());
        command.arg(words.collect::<Vec<_>>());
        command.query(&mut self.client().get_connection().unwrap())
    }

    /// Sends a command that must succeed.
    pub(crate) fn tell(&self, command: &str) {
        self.ask::<redis::Value>(command).unwrap();
    }

    /// Kills it at once (SIGKILL).
    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Gives it another option when it is started again.
    pub(crate) fn set(&mut self, option: &str, value: &str) {
        self.options
            .extend([format!("--{option}"), value.to_owned()]);
    }

    /// Starts it again on what it left on its disk, and waits until it answers.
    pub(crate) fn restart(&mut self) {
        self.restart_without_waiting();
        assert!(self.is_up(), "the port is somebody else's by now");
    }

    pub(crate) fn restart_without_waiting(&mut self) {
        self.process = spawn(self.port, &self.options, &self.directory);
    }

    /// Waits until it answers; false if it ended instead, as its port was taken.
    fn is_up(&mut self) -> bool {
        let start = Instant::now();
        while !answers(self.port) {
            if self.process.try_wait().unwrap().is_some() {
                return false;
            }
            assert!(start.elapsed() < PATIENCE, "the server doesn't answer");
            thread::sleep(PAUSE);
        }
        true
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn program() -> OsString {
    env::var_os("KEYFOB_TEST_REDIS_SERVER").unwrap_or_else(|| "redis-server".into())
}

fn spawn(port: u16, options: &[String], directory: &Directory) -> Child {
    Command::new(program())
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
        .args(["--save", "", "--dir"])
        .arg(directory.file(""))
        .args(options)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

fn answers(port: u16) -> bool {
    let ping = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(b"PING\r\n")?;
        let mut answer = [0; 7];
        stream.read_exact(&mut answer)?;
        Ok(answer == *b"+PONG\r\n")
    };
    ping().unwrap_or(false)
}
