//! A connection in between, which stalls or cuts the answer to a swap.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;
use tokio_postgres::Config;

/// Carries connections to a server, according to plan.
pub(crate) struct Proxy {
    config: Config,
    link: Link,
}

/// What becomes of a swap.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plan {
    Pass,
    /// Both sides are cut before the server hears of it.
    CutBefore,
    /// So many bytes of the answer arrive; both sides are cut when the server has said all of it.
    CutAfter(usize),
    /// Nothing of the answer arrives.
    Stall,
}

#[derive(Clone)]
struct Link {
    plan: Arc<Mutex<Plan>>,
    /// How many bytes the server's last answer to a swap had, once all of it was there.
    answered: watch::Sender<usize>,
}

/// Ends the answer to a statement. A swap is sent together with one more.
const READY: &[u8] = b"Z\0\0\0\x05I";
const STATEMENTS: usize = 2;

impl Proxy {
    /// Carries what comes to a port of its own to the server's socket.
    pub(crate) async fn start(socket: PathBuf) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut config = Config::new();
        config.user("keyfob").dbname("postgres").host("127.0.0.1");
        config.port(listener.local_addr().unwrap().port());
        let link = Link {
            plan: Arc::new(Mutex::new(Plan::Pass)),
            answered: watch::Sender::default(),
        };
        tokio::spawn(link.clone().listen(listener, socket));
        Self { config, link }
    }

    /// How to reach it.
    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    pub(crate) fn plan(&self, plan: Plan) {
        *self.link.plan.lock().unwrap() = plan;
    }

    /// How many bytes the server's last answer to a swap had.
    pub(crate) fn answered(&self) -> usize {
        *self.link.answered.borrow()
    }

    /// Waits until the server has answered a swap.
    pub(crate) async fn has_answer(&self) {
        let mut answered = self.link.answered.subscribe();
        answered.wait_for(|length| *length > 0).await.unwrap();
    }
}

impl Link {
    async fn listen(self, listener: TcpListener, socket: PathBuf) {
        while let Ok((client, _)) = listener.accept().await {
            let server = UnixStream::connect(&socket).await.unwrap();
            tokio::spawn(self.clone().carry(client, server));
        }
    }

    async fn carry(self, mut client: TcpStream, mut server: UnixStream) {
        let (mut question, mut answer) = ([0; 16_384], [0; 16_384]);
        // The answer to a swap, as far as it is there.
        let mut to_swap: Option<Vec<u8>> = None;
        loop {
            tokio::select! {
                Ok(length) = client.read(&mut question) => {
                    let question = &question[..length];
                    let is_swap = question.windows(6).any(|word| word == b"UPDATE");
                    if length == 0 || is_swap && self.now() == Plan::CutBefore {
                        return;
                    }
                    to_swap = is_swap.then(Vec::new);
                    server.write_all(question).await.unwrap();
                }
                Ok(length) = server.read(&mut answer) => {
                    let answer = &answer[..length];
                    let given = to_swap.as_mut().map_or(length, |all| self.given(all, answer));
                    let _ = client.write_all(&answer[..given]).await;
                    if length == 0 || to_swap.as_ref().is_some_and(|all| self.is_cut(all)) {
                        return;
                    }
                }
                else => return,
            }
        }
    }

    fn now(&self) -> Plan {
        *self.plan.lock().unwrap()
    }

    /// How much the client gets of the next part of an answer to a swap.
    fn given(&self, all: &mut Vec<u8>, part: &[u8]) -> usize {
        let before = all.len();
        all.extend(part);
        if is_whole(all) {
            self.answered.send_replace(all.len());
        }
        match self.now() {
            Plan::CutAfter(given) => given.saturating_sub(before).min(part.len()),
            Plan::Stall => 0,
            Plan::Pass | Plan::CutBefore => part.len(),
        }
    }

    /// Whether the server has said all, and the client didn't get it.
    fn is_cut(&self, all: &[u8]) -> bool {
        matches!(self.now(), Plan::CutAfter(given) if given < all.len()) && is_whole(all)
    }
}

fn is_whole(answer: &[u8]) -> bool {
    let ends = answer.windows(READY.len()).filter(|end| *end == READY);
    ends.count() == STATEMENTS
}
