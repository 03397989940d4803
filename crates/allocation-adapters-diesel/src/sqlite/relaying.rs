//! Writes of the relay, in transactions that are the only writers.

use super::sequencing::renew;
use crate::columns::Columns;
use crate::error::store_error;
use crate::generation::MAY_WRITE;
use crate::parked_row::{ParkedRow, ProgressRows};
use crate::statement::statement;
use allocation_ports::{RecordError, SequenceError};
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use diesel::sqlite::Sqlite;

statement! {
    /// Advances the checkpoint, which never moves back.
    Advance<'a>(checkpoint: BigInt => i64, least: BigInt => i64) on Sqlite,
    "UPDATE relay SET checkpoint = ? WHERE checkpoint < ?"
}

statement! {
    Park<'a>(event: ParkedRow<'a>) on Sqlite,
    "INSERT INTO parked_events (", ParkedRow::COLUMNS, ") VALUES (?)
     ON CONFLICT (position) DO UPDATE
     SET reason = excluded.reason, parked_at = excluded.parked_at, retry = excluded.retry"
}

statement! {
    Unpark<'a>(position: BigInt => i64) on Sqlite,
    "DELETE FROM parked_events WHERE position = ?"
}

statement! {
    /// Removes parked events that the log has pruned.
    Prune<'a>(from: BigInt => i64) on Sqlite,
    "DELETE FROM parked_events WHERE position >= ? AND position < (SELECT oldest_position FROM event_log)"
}

statement! {
    Retry<'a>(position: BigInt => i64) on Sqlite,
    "UPDATE parked_events SET retry = 1 WHERE position = ? AND ", MAY_WRITE
}

statement! {
    RetryAll<'a>(from: BigInt => i64) on Sqlite,
    "UPDATE parked_events SET retry = 1 WHERE position >= ? AND ", MAY_WRITE
}

pub(crate) fn record(
    connection: &mut SqliteConnection,
    lease: (&str, &str, i64),
    rows: &ProgressRows<'_>,
) -> Result<usize, RecordError> {
    renew(connection, lease).map_err(|error| match error {
        SequenceError::LeaseLost => RecordError::LeaseLost,
        SequenceError::Store(error) => RecordError::Store(error),
    })?;
    Ok(write(connection, rows).map_err(store_error)?)
}

fn write(connection: &mut SqliteConnection, rows: &ProgressRows<'_>) -> QueryResult<usize> {
    Advance { checkpoint: &rows.checkpoint, least: &rows.checkpoint }.execute(connection)?;
    for event in &rows.parked {
        Park { event }.execute(connection)?;
    }
    for position in &rows.delivered {
        Unpark { position }.execute(connection)?;
    }
    Prune { from: &0 }.execute(connection)
}

pub(crate) fn retry(connection: &mut SqliteConnection, positions: Option<&[i64]>) -> QueryResult<usize> {
    let Some(positions) = positions else { return RetryAll { from: &0 }.execute(connection) };
    let mut marked = 0;
    for position in positions {
        marked += Retry { position }.execute(connection)?;
    }
    Ok(marked)
}
