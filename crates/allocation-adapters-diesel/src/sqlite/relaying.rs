//! Writes of the relay, in transactions that are the only writers.

use super::numbering::renew;
use crate::error::store_error;
use crate::relaying::ProgressRows;
use crate::statement::statement;
use allocation_ports::{RecordError, SequenceError};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};
use diesel::sqlite::Sqlite;

statement! {
    /// Advances the checkpoint, which never moves back.
    Advance<'a>(bookmark: BigInt => i64, least: BigInt => i64) on Sqlite,
    "UPDATE relay SET bookmark = ? WHERE bookmark < ?"
}

statement! {
    Park<'a>(position: BigInt => i64, reason: Text => str, parked_at: BigInt => i64, retry: Bool => bool) on Sqlite,
    "INSERT INTO parked_events (position, reason, parked_at, retry) VALUES (?, ?, ?, ?)
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
    "UPDATE parked_events SET retry = 1 WHERE position = ?"
}

statement! {
    RetryAll<'a>(from: BigInt => i64) on Sqlite,
    "UPDATE parked_events SET retry = 1 WHERE position >= ?"
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
    Advance { bookmark: &rows.bookmark, least: &rows.bookmark }.execute(connection)?;
    let columns = rows.positions.iter().zip(&rows.reasons).zip(&rows.parked_at).zip(&rows.retry);
    for (((position, reason), parked_at), retry) in columns {
        Park { position, reason, parked_at, retry }.execute(connection)?;
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
