//! Connections that send nothing, or not enough: they cost nobody else, and end.

mod support;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use rustix::process::{Resource, getrlimit, setrlimit};
use support::api::credentials;
use support::server::Server;

/// More than a server with 1,024 file descriptors can have.
const MANY: usize = 1_100;
/// Long enough for whatever the server waits for.
const PATIENCE: Duration = Duration::from_secs(120);

/// What clients send that never comes to an end.
const BEGINNINGS: [&str; 6] = [
    "",
    "G",
    "GET /healthz HTTP/1.1\r\nHost: a\r\n",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST /log-in HTTP/1.1\r\nHost: a\r\nOrigin: http://a\r\n\
     Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\nemail",
];

fn connect(server: &Server, beginning: &str) -> TcpStream {
    let address = server.url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).expect("the server takes connections");
    stream
        .write_all(beginning.as_bytes())
        .expect("it takes bytes");
    stream
}

/// What a client that asks for health reads.
fn ask_for_health(server: &Server) -> String {
    let mut stream = connect(
        server,
        "GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    );
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer
}

fn allow_many_files() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).expect("this process may have more files");
}

#[test]
fn a_thousand_connections_that_say_nothing_cost_nobody_else() {
    allow_many_files();
    for beginning in BEGINNINGS {
        let server = Server::start_under("ulimit -n 1024", &[]);
        let held: Vec<_> = (0..MANY).map(|_| connect(&server, beginning)).collect();
        for _ in 0..3 {
            let answer = ask_for_health(&server);
            assert!(
                answer.starts_with("HTTP/1.1 200 "),
                "{beginning:?}: {answer:?}"
            );
        }
        drop(held);
    }
}

/// Those who keep a connection open and finish nothing are hung up on.
#[test]
fn what_never_comes_to_an_end_is_ended() {
    let server = Server::start();
    thread::scope(|scope| {
        for beginning in BEGINNINGS {
            let server = &server;
            scope.spawn(move || {
                let mut stream = connect(server, beginning);
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                let mut answer = Vec::new();
                let read = stream.read_to_end(&mut answer);
                assert!(is_end(read.as_ref().map(drop)), "{beginning:?}: {read:?}");
            });
        }
        scope.spawn(|| {
            let mut stream = connect(&server, "GET /healthz HTTP/1.1\r\nX-Drops: ");
            let mut drips = (0..PATIENCE.as_secs()).map(|_| {
                thread::sleep(Duration::from_secs(1));
                stream.write_all(b"a")
            });
            assert!(drips.any(|drip| drip.is_err()), "a head may last for ever");
        });
    });
}

/// The other side closed the connection, in whatever way.
fn is_end(read: Result<(), &std::io::Error>) -> bool {
    read.map_or_else(
        |error| error.kind() == std::io::ErrorKind::ConnectionReset,
        |()| true,
    )
}

/// HTTP/2 isn't spoken, and those who offer to change are answered all the same.
#[test]
fn an_offer_of_http_2_is_passed_over() {
    let server = Server::start();
    let mut stream = connect(
        &server,
        "GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings, close\r\n\
         Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
    );
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

/// A request that came whole is answered, however many connections come after it.
#[test]
fn a_whole_request_is_answered_among_many_connections() {
    allow_many_files();
    let server = Server::start_under("ulimit -n 1024", &[]);
    let body = "{\"organization_id\":\"o\",\"email_address\":\"a@b\",\"password\":\"c\"}";
    let authorization = credentials();
    let request = format!(
        "POST /v1/b2b/passwords/authenticate HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\
         Authorization: {authorization}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut asking = connect(&server, &request);
    let held: Vec<_> = (0..MANY).map(|_| connect(&server, "")).collect();
    let mut answer = String::new();
    asking.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
    drop(held);
}
