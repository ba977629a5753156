//! Connections: so many at once and no more, so that those who keep one open and send nothing can't
//! use up the server's file descriptors.
//!
//! Where one too many comes, the one that has waited longest for its client is closed. A request that
//! has arrived whole is answered.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use axum::body::Body;
use http_body::{Body as _, Frame, SizeHint};
use rustix::process::{Resource, getrlimit};
use tokio::sync::Notify;

/// For the database, its files, the log, and the listeners with what the operator asks.
const KEPT_DESCRIPTORS: u64 = 128;
/// More would only take memory, some 20 KB each.
const MOST: u64 = 8_192;

/// How many connections the process can have: as its limit of file descriptors allows.
pub(crate) fn most_connections() -> usize {
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let most = limit - KEPT_DESCRIPTORS.min(limit / 2);
    usize::try_from(most.clamp(1, MOST)).unwrap_or(1)
}

/// All connections of a listener.
#[derive(Clone)]
pub(crate) struct Connections {
    most: usize,
    table: Arc<Mutex<Table>>,
}

#[derive(Default)]
struct Table {
    /// A number for each change of a connection's state, ever higher.
    clock: u64,
    /// Those whose client is waited for, by when that began: the next to be closed first.
    waiting: BTreeMap<u64, Arc<Notify>>,
    /// Those whose request is being answered.
    working: usize,
}

impl Connections {
    pub(crate) fn at_most(most: usize) -> Self {
        let table = Arc::default();
        Self { most, table }
    }

    /// Takes a connection in. If there are too many now, another one is closed.
    pub(crate) fn add(&self) -> Connection {
        let closing = Arc::new(Notify::new());
        let mut table = self.lock();
        let since = AtomicU64::new(table.wait(Arc::clone(&closing)));
        if table.waiting.len() + table.working > self.most {
            table.close_oldest();
        }
        drop(table);
        Connection(Arc::new(State {
            since,
            closing,
            connections: self.clone(),
        }))
    }

    /// Closes the one that has waited longest, to have its descriptor.
    pub(crate) fn close_oldest(&self) {
        self.lock().close_oldest();
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn wait(&mut self, closing: Arc<Notify>) -> u64 {
        self.clock += 1;
        self.waiting.insert(self.clock, closing);
        self.clock
    }

    fn close_oldest(&mut self) {
        if let Some((_, closing)) = self.waiting.pop_first() {
            closing.notify_one();
        }
    }
}

/// One connection, until it is dropped.
#[derive(Clone)]
pub(crate) struct Connection(Arc<State>);

struct State {
    /// When the wait for its client began; zero while its request is being answered.
    since: AtomicU64,
    closing: Arc<Notify>,
    connections: Connections,
}

impl Connection {
    /// Waits until it is to be closed.
    pub(crate) async fn closed(&self) {
        self.0.closing.notified().await;
    }

    /// Its request came whole: the server's turn.
    fn works(&self) {
        let mut table = self.0.connections.lock();
        let since = self.0.since.swap(0, Ordering::Relaxed);
        if table.waiting.remove(&since).is_some() {
            table.working += 1;
        } else {
            self.0.since.store(since, Ordering::Relaxed); // it is being closed
        }
    }

    /// It was answered: the client's turn.
    fn waits(&self) {
        let mut table = self.0.connections.lock();
        if self.0.since.load(Ordering::Relaxed) == 0 {
            table.working -= 1;
            let since = table.wait(Arc::clone(&self.0.closing));
            self.0.since.store(since, Ordering::Relaxed);
        }
    }

    /// The body of a request. While some of it is missing, the connection waits for its client.
    pub(crate) fn watch(&self, body: Body) -> Body {
        if body.is_end_stream() {
            self.works();
            return body;
        }
        let connection = self.clone();
        Body::new(Watched { body, connection })
    }

    /// What is done with a request, after which the connection waits again.
    pub(crate) async fn answer<T>(self, answer: impl Future<Output = T>) -> T {
        let answer = answer.await;
        self.waits();
        answer
    }
}

impl Drop for State {
    fn drop(&mut self) {
        let mut table = self.connections.lock();
        match self.since.load(Ordering::Relaxed) {
            0 => table.working -= 1,
            since => _ = table.waiting.remove(&since),
        }
    }
}

/// A body that tells when it is there.
struct Watched {
    body: Body,
    connection: Connection,
}

impl http_body::Body for Watched {
    type Data = <Body as http_body::Body>::Data;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if frame.is_none() || self.body.is_end_stream() {
            self.connection.works();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_closed(connection: &Connection) -> bool {
        let closed = std::pin::pin!(connection.closed());
        let mut context = Context::from_waker(std::task::Waker::noop());
        closed.poll(&mut context).is_ready()
    }

    #[test]
    fn the_one_that_has_waited_longest_is_closed() {
        let connections = Connections::at_most(2);
        let [first, second] = [connections.add(), connections.add()];
        assert!(!is_closed(&first));
        let third = connections.add();
        assert!(is_closed(&first));
        assert!(!is_closed(&second) && !is_closed(&third));
        drop(first);
        drop(second);
        let fourth = connections.add();
        assert!(!is_closed(&third) && !is_closed(&fourth));
    }

    #[test]
    fn a_whole_request_is_answered_and_a_half_one_is_not_waited_for() {
        let connections = Connections::at_most(2);
        let [whole, half] = [connections.add(), connections.add()];
        drop(whole.watch(Body::empty()));
        drop(half.watch(Body::from("a part")));
        let third = connections.add();
        assert!(is_closed(&half) && !is_closed(&whole));
        drop(half);
        whole.waits();
        let fourth = connections.add();
        assert!(
            is_closed(&third),
            "it has waited longer than the answered one"
        );
        assert!(!is_closed(&whole) && !is_closed(&fourth));
    }

    #[test]
    fn what_ends_is_forgotten() {
        let connections = Connections::at_most(1);
        for _ in 0..10 {
            let connection = connections.add();
            drop(connection.watch(Body::empty()));
            drop(connection);
        }
        let table = connections.lock();
        assert_eq!((table.waiting.len(), table.working), (0, 0));
    }
}
