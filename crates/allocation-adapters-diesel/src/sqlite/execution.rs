//! Statements that write one row.

use crate::error::store_error;
use crate::saving::expect_rows;
use allocation_ports::StoreError;
use diesel::prelude::*;
use diesel::query_builder::{QueryFragment, QueryId};
use diesel::sqlite::Sqlite;

/// Runs a statement that adds a row.
pub(super) fn add_row<S>(connection: &mut SqliteConnection, statement: S) -> Result<(), StoreError>
where
    S: QueryFragment<Sqlite> + QueryId + RunQueryDsl<SqliteConnection>,
{
    statement.execute(connection).map(drop).map_err(store_error)
}

/// Runs a statement that must change exactly one row; otherwise the named invariant is broken.
pub(super) fn one_row<S>(
    connection: &mut SqliteConnection,
    invariant: &'static str,
    statement: S,
) -> Result<(), StoreError>
where
    S: QueryFragment<Sqlite> + QueryId + RunQueryDsl<SqliteConnection>,
{
    expect_rows(invariant, 1, statement.execute(connection).map_err(store_error)?)
}
