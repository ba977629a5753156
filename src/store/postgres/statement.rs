//! How a statement is carried out.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::future::poll_fn;
use core::pin::pin;
use core::task::Poll;

use bytes::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client, Error, Row, Statement};

use super::error::is_rolled_back;
use super::{ATTEMPTS, MARK, PostgresClients};

/// A value, and its type in the database.
pub(super) type Value<'a> = (&'a (dyn ToSql + Sync), Type);

/// The row that a statement answers with. What the database undid in favour of another statement is
/// carried out again, as the other is done now; an unknown outcome is an error.
pub(super) async fn row<C: PostgresClients>(
    client: &C::Client,
    statement: &'static str,
    values: &[Value<'_>],
) -> Result<Row, Error> {
    let mut others = 1..ATTEMPTS;
    loop {
        match row_at_once::<C>(client, statement, values).await {
            Err(error) if is_rolled_back(&error) && others.next().is_some() => {}
            outcome => return outcome,
        }
    }
}

/// Leaves a mark, and carries the statement out. Both are sent at once, so that the mark costs no
/// round trip.
async fn row_at_once<C: PostgresClients>(
    client: &C::Client,
    statement: &'static str,
    values: &[Value<'_>],
) -> Result<Row, Error> {
    let mark = C::prepared(client, MARK).await?;
    let prepared = C::prepared(client, statement).await?;
    let client = C::borrow(client);
    let marking = send(client, MARK, mark, &[]);
    let (marked, row) = in_order(marking, send(client, statement, prepared, values)).await;
    marked.and(row)
}

/// Sends a statement when it is first polled.
async fn send(
    client: &Client,
    statement: &'static str,
    prepared: Option<Statement>,
    values: &[Value<'_>],
) -> Result<Row, Error> {
    let Some(prepared) = prepared else {
        return client.query_typed_one(statement, values).await;
    };
    let values: Vec<_> = values.iter().map(|(value, _)| *value).collect();
    client.query_one(&prepared, &values).await
}

/// Polls the first, then at once the second, and waits for both.
async fn in_order<A: Future, B: Future>(first: A, second: B) -> (A::Output, B::Output) {
    let (mut first, mut second) = (pin!(first), pin!(second));
    let begun = poll_fn(|context| {
        let first = first.as_mut().poll(context);
        Poll::Ready((first, second.as_mut().poll(context)))
    });
    let (one, other) = begun.await;
    (finish(one, first).await, finish(other, second).await)
}

async fn finish<F: Future>(begun: Poll<F::Output>, future: F) -> F::Output {
    match begun {
        Poll::Ready(output) => output,
        Poll::Pending => future.await,
    }
}

/// Bytes that the client's log of statements doesn't show.
pub(super) struct Hidden<'a>(pub(super) &'a [u8]);

impl ToSql for Hidden<'_> {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn core::error::Error + Sync + Send>> {
        self.0.to_sql(kind, out)
    }

    fn accepts(kind: &Type) -> bool {
        <&[u8] as ToSql>::accepts(kind)
    }

    to_sql_checked!();
}

impl fmt::Debug for Hidden<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hidden")
    }
}
