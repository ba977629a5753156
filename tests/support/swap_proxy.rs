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
    /// So many bytes of the answer arrive, then both sides are cut.
    CutAfter(usize),
    /// Nothing of the answer arrives.
    Stall,
}

#[derive(Clone)]
struct Link {
    plan: Arc<Mutex<Plan>>,
    /// How many bytes the server's last answer to a swap had.
    answered: watch::Sender<usize>,
}

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
        let mut is_swap = false;
        loop {
            tokio::select! {
                Ok(length) = client.read(&mut question) => {
                    let question = &question[..length];
                    is_swap = question.windows(6).any(|word| word == b"UPDATE");
                    if length == 0 || is_swap && self.now() == Plan::CutBefore {
                        return;
                    }
                    server.write_all(question).await.unwrap();
                }
                Ok(length) = server.read(&mut answer) => {
                    let given = if is_swap { self.given(length) } else { length };
                    let _ = client.write_all(&answer[..given]).await;
                    if length == 0 || given < length && self.now() != Plan::Stall {
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

    /// How much the client gets of an answer to a swap.
    fn given(&self, length: usize) -> usize {
        self.answered.send_replace(length);
        match self.now() {
            Plan::CutAfter(given) => given.min(length),
            Plan::Stall => 0,
            Plan::Pass | Plan::CutBefore => length,
        }
    }
}
