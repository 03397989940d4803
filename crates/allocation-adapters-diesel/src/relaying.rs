//! The checkpoint and the parked events of the relay, for both databases.

use crate::any_connection::{AnyConnection, MultiBackend};
use crate::columns::{Columns, Sql};
use crate::error::{corrupt, store_error};
use crate::parked_row::{ParkedRow, ProgressRows};
use crate::statement::statement;
use crate::{generation, postgres, sequencing, sqlite};
use allocation_ports::{Lease, PageSize, ParkedEvent, RecordError, RelayProgress, StoreError};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use std::time::Duration;

statement! {
    Parked<'a>(after: BigInt => i64, limit: BigInt => i64) on MultiBackend -> Sql<ParkedRow<'static>>,
    "SELECT ", ParkedRow::COLUMNS, " FROM parked_events WHERE position > ? ORDER BY position LIMIT ?"
}

pub(crate) fn checkpoint(connection: &mut AnyConnection) -> Result<u64, StoreError> {
    count(connection, "SELECT checkpoint FROM relay")
}

pub(crate) fn parked_count(connection: &mut AnyConnection) -> Result<u64, StoreError> {
    count(connection, "SELECT count(*) FROM parked_events")
}

pub(crate) fn unsequenced_count(connection: &mut AnyConnection) -> Result<u64, StoreError> {
    count(connection, "SELECT coalesce(sum(event_count), 0) FROM outbox_blocks")
}

/// Returns the single number that a query selects.
pub(crate) fn count(connection: &mut AnyConnection, query: &str) -> Result<u64, StoreError> {
    let number: i64 = sql::<BigInt>(query).get_result(connection).map_err(store_error)?;
    u64::try_from(number).map_err(corrupt)
}

/// Records the progress of the relay, under its lease.
pub(crate) fn record(
    connection: &mut AnyConnection,
    lease: &Lease,
    time: Duration,
    progress: &RelayProgress,
) -> Result<u64, RecordError> {
    let rows = ProgressRows::of(progress)?;
    let lease = sequencing::of(lease, time);
    let forgotten = match connection {
        AnyConnection::Sqlite(connection) => sqlite::record(connection, lease, &rows),
        AnyConnection::Postgres(connection) => postgres::record(connection, lease, &rows),
    };
    Ok(u64::try_from(forgotten?).map_err(corrupt)?)
}

pub(crate) fn parked(
    connection: &mut AnyConnection,
    after: u64,
    page: PageSize,
) -> Result<Vec<ParkedEvent>, StoreError> {
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let statement = Parked { after: &after, limit: &i64::from(page.get()) };
    let rows: Vec<ParkedRow<'_>> = statement.load(connection).map_err(store_error)?;
    rows.into_iter().map(ParkedRow::event).collect()
}

/// Marks some or all parked events for a retry, and returns their number.
pub(crate) fn retry(connection: &mut AnyConnection, positions: Option<&[u64]>) -> Result<u64, StoreError> {
    // A position beyond the column type is not parked.
    let known = |positions: &[u64]| positions.iter().filter_map(|position| i64::try_from(*position).ok()).collect();
    let positions: Option<Vec<i64>> = positions.map(known);
    let marked = match connection {
        AnyConnection::Sqlite(connection) => sqlite::retry(connection, positions.as_deref()),
        AnyConnection::Postgres(connection) => postgres::retry(connection, positions),
    };
    let marked = marked.map_err(store_error)?;
    if marked == 0 {
        // The statements mark nothing in a database that shuts this program out.
        generation::check_in(connection)?;
    }
    u64::try_from(marked).map_err(corrupt)
}
