//! Stores that wait, for a suite that blocks.

use alloc::sync::Arc;
use alloc::task::Wake;
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use std::thread::{self, Thread};

use crate::{AsyncRegistrationStore, Record, RegistrationStore, Revision, Swap};

/// An [`AsyncRegistrationStore`] as one that blocks, so that the suite can check it.
///
/// ```
/// use keyfob::conformance::{self, Blocking};
/// # use keyfob::{AsyncRegistrationStore, HashMapStore, Record, RegistrationStore, Revision, Swap};
/// # use core::convert::Infallible;
/// # struct MyStore(HashMapStore<str>);
/// # impl AsyncRegistrationStore for &MyStore {
/// #     type Id = str;
/// #     type Error = Infallible;
/// #     async fn load(&self, id: &str) -> Result<Option<Record>, Infallible> {
/// #         (&self.0).load(id)
/// #     }
/// #     async fn compare_and_swap(
/// #         &self, id: &str, expected: Option<Revision>, next: Option<&Record>
/// #     ) -> Result<Swap, Infallible> {
/// #         (&self.0).compare_and_swap(id, expected, next)
/// #     }
/// # }
/// # let store = MyStore(HashMapStore::new());
///
/// conformance::check(|| Blocking::new(&store), |number| number.to_string())?;
/// # Ok::<(), conformance::Violation>(())
/// ```
#[derive(Clone, Debug)]
pub struct Blocking<S, B = ThisThread> {
    store: S,
    executor: B,
}

impl<S> Blocking<S> {
    /// A store whose futures can be polled on any thread.
    pub const fn new(store: S) -> Self {
        Self::on(ThisThread, store)
    }
}

impl<S, B> Blocking<S, B> {
    /// A store whose futures need a runtime around them.
    pub const fn on(executor: B, store: S) -> Self {
        Self { store, executor }
    }
}

impl<S: AsyncRegistrationStore, B: BlockOn> RegistrationStore for Blocking<S, B> {
    type Id = S::Id;
    type Error = S::Error;

    fn load(&mut self, id: &S::Id) -> Result<Option<Record>, S::Error> {
        self.executor.block_on(self.store.load(id))
    }

    fn compare_and_swap(
        &mut self,
        id: &S::Id,
        expected: Option<Revision>,
        next: Option<&Record>,
    ) -> Result<Swap, S::Error> {
        let swap = self.store.compare_and_swap(id, expected, next);
        self.executor.block_on(swap)
    }
}

/// What runs a future to its end while the thread waits. A runtime's handle is wrapped in few
/// lines:
///
/// ```
/// struct Tokio(tokio::runtime::Handle);
///
/// impl keyfob::conformance::BlockOn for Tokio {
///     fn block_on<F: Future>(&self, future: F) -> F::Output {
///         self.0.block_on(future)
///     }
/// }
/// ```
pub trait BlockOn {
    /// Runs `future` to its end.
    fn block_on<F: Future>(&self, future: F) -> F::Output;
}

/// Polls on the thread that waits, without a runtime.
#[derive(Clone, Copy, Debug, Default)]
pub struct ThisThread;

impl BlockOn for ThisThread {
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        loop {
            match future.as_mut().poll(&mut Context::from_waker(&waker)) {
                Poll::Ready(output) => return output,
                Poll::Pending => thread::park(),
            }
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
