//! What stands between a client and a server, and loses answers when it is told to.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;

/// What becomes of an answer that isn't passed on.
#[derive(Clone, Copy)]
pub(crate) enum Loss {
    /// It is kept back, and the connection stays.
    Silence,
    /// The connection is cut instead.
    Cut,
}

/// Passes one connection on. Its threads end with it, or with the test.
pub(crate) struct Proxy {
    port: u16,
    remaining: Arc<AtomicUsize>,
}

impl Proxy {
    /// Passes everything on to a port of this machine, until it is told otherwise.
    pub(crate) fn start(to: u16, loss: Loss) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let remaining = Arc::new(AtomicUsize::new(usize::MAX));
        let proxy = Self {
            port,
            remaining: remaining.clone(),
        };
        thread::spawn(move || {
            let (client, _) = listener.accept().unwrap();
            let server = TcpStream::connect((Ipv4Addr::LOCALHOST, to)).unwrap();
            pass_questions(&client, &server);
            pass_answers(&server, &client, &remaining, loss);
        });
        proxy
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// Passes so many answers on, and loses what follows.
    pub(crate) fn lose_after(&self, answers: usize) {
        self.remaining.store(answers, SeqCst);
    }
}

/// In a thread of its own. Once the client has hung up, so does the server.
fn pass_questions(client: &TcpStream, server: &TcpStream) {
    let (mut client, mut server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    thread::spawn(move || {
        let _ = io::copy(&mut client, &mut server);
        let _ = server.shutdown(Shutdown::Both);
    });
}

/// What comes in one piece is one answer, as long as one question is sent at a time.
fn pass_answers(
    mut server: &TcpStream,
    mut client: &TcpStream,
    remaining: &AtomicUsize,
    loss: Loss,
) {
    let mut answer = [0; 4096];
    while let Ok(length @ 1..) = server.read(&mut answer) {
        let passes = remaining.fetch_update(SeqCst, SeqCst, |remaining| remaining.checked_sub(1));
        match loss {
            _ if passes.is_ok() => client.write_all(&answer[..length]).unwrap(),
            Loss::Silence => {}
            Loss::Cut => break,
        }
    }
    let _ = client.shutdown(Shutdown::Both);
}
