//! Databases that speak TLS, each with a certificate for `localhost` of an authority of its own.

use std::any::Any;
use std::fs::{self, Permissions};
use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::process::{Child, Command, Stdio};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tempfile::TempDir;

use super::databases;

/// An authority with a certificate that it has signed, as files.
pub(crate) struct Authority(TempDir);

impl Authority {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory for certificates");
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new([]).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let own = params.self_signed(&key).expect("an authority");
        let issuer = Issuer::new(params, key);
        let server_key = KeyPair::generate().expect("a key");
        let server = CertificateParams::new(["localhost".to_owned()]).expect("parameters");
        let server = server
            .signed_by(&server_key, &issuer)
            .expect("a certificate");
        let write = |name, text| fs::write(directory.path().join(name), text).expect(name);
        write("ca.pem", own.pem());
        write("server.pem", server.pem());
        write("server.key", server_key.serialize_pem());
        // The server may be another user's.
        let all_may_read = Permissions::from_mode(0o755);
        fs::set_permissions(directory.path(), all_may_read).expect("permissions");
        Self(directory)
    }

    /// The file that `--database-ca` is to name.
    pub(crate) fn file(&self) -> String {
        self.path("ca.pem")
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }
}

/// A database on a port of its own, which ends when it is dropped.
pub(crate) struct TlsDatabase {
    pub(crate) port: u16,
    pub(crate) authority: Authority,
    _server: Box<dyn Any>,
}

impl TlsDatabase {
    /// One that takes nobody in clear; `None`, and a word about it, where there is no PostgreSQL.
    pub(crate) fn postgres() -> Option<Self> {
        databases::postgres()?; // or it says that there is none
        let (authority, port) = (Authority::new(), free_port());
        Some(Self {
            port,
            _server: Box::new(Postgres::start(&authority, port)),
            authority,
        })
    }

    /// `None`, and a word about it, where there is no Redis.
    pub(crate) fn redis() -> Option<Self> {
        let (authority, port) = (Authority::new(), free_port());
        let options = [
            ("--tls-port", port.to_string()),
            ("--tls-auth-clients", "no".to_owned()),
            ("--tls-cert-file", authority.path("server.pem")),
            ("--tls-key-file", authority.path("server.key")),
            ("--tls-ca-cert-file", authority.path("ca.pem")),
        ];
        let options = options.each_ref().map(|(name, value)| [*name, value]);
        Some(Self {
            port,
            _server: Box::new(databases::redis_with(options.as_flattened())?),
            authority,
        })
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    listener.local_addr().expect("its number").port()
}

/// Runs until its input ends. Arguments: the directory with the certificates, the port.
const POSTGRES: &str = r#"
    set -e
    PATH=$PATH:$(ls -d /usr/lib/postgresql/*/bin | tail -n 1)
    data=$(mktemp -d)
    trap 'rm -rf "$data"' EXIT
    initdb -D "$data" -U keyfob -A trust -E UTF8 --no-locale --no-sync >"$data.log"
    install -m 600 "$0/server.key" "$data/own.key"
    printf 'hostssl all all %s trust\n' 127.0.0.1/32 ::1/128 >"$data/pg_hba.conf"
    pg_ctl -D "$data" -l "$data.log" -w -s start -o "-c listen_addresses=localhost -c port=$1 \
        -c unix_socket_directories= -c ssl=on -c ssl_cert_file=$0/server.pem -c ssl_key_file=own.key"
    echo started
    cat >/dev/null
    pg_ctl -D "$data" -m immediate -s stop
    rm "$data.log"
"#;

/// A server of PostgreSQL.
struct Postgres(Child);

impl Postgres {
    fn start(authority: &Authority, port: u16) -> Self {
        let mut process = as_postgres()
            .args(["-c", POSTGRES])
            .arg(authority.0.path())
            .arg(port.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell");
        let mut line = String::new();
        let output = process.stdout.take().expect("its output");
        let read = BufReader::new(output).read_line(&mut line);
        read.expect("a line");
        assert_eq!(line, "started\n");
        Self(process)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// A shell as the user `postgres` if we are root, as which PostgreSQL doesn't run.
fn as_postgres() -> Command {
    let is_root = fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
    if !is_root {
        return Command::new("sh");
    }
    let mut command = Command::new("runuser");
    command.args(["-u", "postgres", "--", "sh"]);
    command
}
