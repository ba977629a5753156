//! How a statement is carried out.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use bytes::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Error, Row};

use super::error::is_rolled_back;
use super::{ATTEMPTS, PostgresClients};

/// A value, and its type in the database.
pub(super) type Value<'a> = (&'a (dyn ToSql + Sync), Type);

/// The row that a statement answers with, if it does. What the database undid in favour of another
/// statement is carried out again, as the other is done now; an unknown outcome is an error.
pub(super) async fn row<C: PostgresClients>(
    client: &C::Client,
    statement: &'static str,
    values: &[Value<'_>],
) -> Result<Option<Row>, Error> {
    let mut others = 1..ATTEMPTS;
    loop {
        match row_at_once::<C>(client, statement, values).await {
            Err(error) if is_rolled_back(&error) && others.next().is_some() => {}
            outcome => return outcome,
        }
    }
}

async fn row_at_once<C: PostgresClients>(
    client: &C::Client,
    statement: &'static str,
    values: &[Value<'_>],
) -> Result<Option<Row>, Error> {
    let prepared = C::prepared(client, statement).await?;
    let client = C::borrow(client);
    let Some(prepared) = prepared else {
        return client.query_typed_opt(statement, values).await;
    };
    let values: Vec<_> = values.iter().map(|(value, _)| *value).collect();
    client.query_opt(&prepared, &values).await
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
