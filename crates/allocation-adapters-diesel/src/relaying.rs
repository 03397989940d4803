//! The bookmark of the relay and the events that it has parked, on either database.

use crate::any_connection::{AnyConnection, MultiBackend};
use crate::error::{corrupt, store_error};
use crate::statement::statement;
use crate::{keeping, row};
use allocation_ports::{Lease, PageSize, ParkedEvent, RecordError, RelayProgress, StoreError};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};
use std::time::Duration;

statement! {
    /// Moves the bookmark, never back.
    Advance<'a>(bookmark: BigInt => i64, least: BigInt => i64) on MultiBackend,
    "UPDATE relay SET bookmark = ? WHERE bookmark < ?"
}

statement! {
    Park<'a>(position: BigInt => i64, reason: Text => str, parked_at: BigInt => i64, retry: Bool => bool) on MultiBackend,
    "INSERT INTO parked_events (position, reason, parked_at, retry) VALUES (?, ?, ?, ?)
     ON CONFLICT (position) DO UPDATE
     SET reason = excluded.reason, parked_at = excluded.parked_at, retry = excluded.retry"
}

statement! {
    Unpark<'a>(position: BigInt => i64) on MultiBackend,
    "DELETE FROM parked_events WHERE position = ?"
}

statement! {
    /// Forgets parked events that the log has forgotten.
    Prune<'a>(least: BigInt => i64) on MultiBackend,
    "DELETE FROM parked_events WHERE position >= ? AND position < (SELECT oldest_position FROM event_log)"
}

statement! {
    Parked<'a>(after: BigInt => i64, limit: BigInt => i64) on MultiBackend -> (BigInt, Text, BigInt, Bool),
    "SELECT position, reason, parked_at, retry FROM parked_events WHERE position > ? ORDER BY position LIMIT ?"
}

statement! {
    ToRetry<'a>(limit: BigInt => i64) on MultiBackend -> BigInt,
    "SELECT position FROM parked_events WHERE retry ORDER BY position LIMIT ?"
}

statement! {
    Retry<'a>(retry: Bool => bool, position: BigInt => i64) on MultiBackend,
    "UPDATE parked_events SET retry = ? WHERE position = ?"
}

statement! {
    RetryAll<'a>(retry: Bool => bool) on MultiBackend,
    "UPDATE parked_events SET retry = ?"
}

pub(crate) fn bookmark(connection: &mut AnyConnection) -> Result<u64, StoreError> {
    count(connection, "SELECT bookmark FROM relay")
}

pub(crate) fn parked_count(connection: &mut AnyConnection) -> Result<u64, StoreError> {
    count(connection, "SELECT count(*) FROM parked_events")
}

pub(crate) fn unnumbered(connection: &mut AnyConnection) -> Result<u64, StoreError> {
    count(connection, "SELECT count(*) FROM outbox")
}

/// The one number that a query answers.
fn count(connection: &mut AnyConnection, query: &str) -> Result<u64, StoreError> {
    let number: i64 = sql::<BigInt>(query).get_result(connection).map_err(store_error)?;
    u64::try_from(number).map_err(corrupt)
}

/// Writes down what the relay has done, under its lease. It must be all of a transaction.
pub(crate) fn record(
    connection: &mut AnyConnection,
    lease: &Lease,
    time: Duration,
    progress: &RelayProgress,
) -> Result<(), RecordError> {
    if !keeping::renew(connection, lease, time)? {
        return Err(RecordError::LeaseLost);
    }
    let bookmark = &number(progress.bookmark)?;
    Advance { bookmark, least: bookmark }.execute(connection).map_err(store_error)?;
    for parked in &progress.parked {
        let (position, parked_at) = (&number(parked.position)?, &parked.parked_at.timestamp_micros());
        let park = Park { position, reason: &parked.reason, parked_at, retry: &parked.retry };
        park.execute(connection).map_err(store_error)?;
    }
    for position in &progress.delivered {
        Unpark { position: &number(*position)? }.execute(connection).map_err(store_error)?;
    }
    Prune { least: &0 }.execute(connection).map_err(store_error)?;
    Ok(())
}

/// No position of the log is out of range here.
fn number(position: u64) -> Result<i64, StoreError> {
    i64::try_from(position).map_err(|error| StoreError::Failed(error.into()))
}

pub(crate) fn parked(
    connection: &mut AnyConnection,
    after: u64,
    page: PageSize,
) -> Result<Vec<ParkedEvent>, StoreError> {
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let statement = Parked { after: &after, limit: &i64::from(page.get()) };
    let rows: Vec<(i64, String, i64, bool)> = statement.load(connection).map_err(store_error)?;
    let event = |(position, reason, parked_at, retry)| {
        let position = u64::try_from(position).map_err(corrupt)?;
        Ok(ParkedEvent { position, reason, parked_at: row::instant(parked_at)?, retry })
    };
    rows.into_iter().map(event).collect()
}

pub(crate) fn to_retry(connection: &mut AnyConnection, page: PageSize) -> Result<Vec<u64>, StoreError> {
    let rows: Vec<i64> = ToRetry { limit: &i64::from(page.get()) }.load(connection).map_err(store_error)?;
    rows.into_iter().map(|position| u64::try_from(position).map_err(corrupt)).collect()
}

/// Marks parked events, and answers how many. It must be all of a transaction.
pub(crate) fn retry(connection: &mut AnyConnection, positions: Option<&[u64]>) -> Result<u64, StoreError> {
    let Some(positions) = positions else {
        let marked = RetryAll { retry: &true }.execute(connection).map_err(store_error)?;
        return Ok(u64::try_from(marked).unwrap_or(u64::MAX));
    };
    let mut marked = 0;
    for position in positions.iter().filter_map(|position| i64::try_from(*position).ok()) {
        let rows = Retry { retry: &true, position: &position }.execute(connection).map_err(store_error)?;
        marked += u64::try_from(rows).unwrap_or(u64::MAX);
    }
    Ok(marked)
}
