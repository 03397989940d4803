//! Orders that are complete, moved out of the tables of current orders.

use crate::any_connection::{AnyConnection, MultiBackend};
use crate::error::store_error;
use crate::generation;
use crate::shut_out::shut_out_before;
use crate::statement::statement;
use crate::{postgres, sqlite};
use allocation_domain::{OrderId, Sku};
use allocation_ports::StoreError;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_types::BigInt;

/// The condition that a line is complete. It repeats that of its index, by which these lines are found.
pub(crate) const IS_COMPLETE: &str = "reference IS NULL AND waiting = 0 AND listed = 0 AND picked = 0
    AND expires_at IS NULL AND (shipped = quantity OR ended IS NOT NULL OR closed)";

/// How far in the future a clock may have been for a completion to stay as it was recorded.
const TOLERANCE: TimeDelta = TimeDelta::seconds(5);

/// Selects the rows of lines for an update, except for those that are locked: this unit has no lock on their products,
/// so it must not wait.
const ON_POSTGRES: &str = " LIMIT ? FOR NO KEY UPDATE SKIP LOCKED))";

statement! {
    DateOnPostgres<'a>(now: BigInt => i64, limit: BigInt => i64) on MultiBackend,
    "UPDATE order_lines SET completed_at = ? WHERE ctid = ANY (ARRAY(
         SELECT ctid FROM order_lines WHERE completed_at IS NULL AND ", IS_COMPLETE, " ORDER BY completed_at, order_id", ON_POSTGRES
}

statement! {
    DateBackOnPostgres<'a>(now: BigInt => i64, future: BigInt => i64, limit: BigInt => i64) on MultiBackend,
    "UPDATE order_lines SET completed_at = ? WHERE ctid = ANY (ARRAY(
         SELECT ctid FROM order_lines WHERE completed_at > ? AND ", IS_COMPLETE, " ORDER BY completed_at, order_id", ON_POSTGRES
}

statement! {
    DateOnSqlite<'a>(now: BigInt => i64, limit: BigInt => i64) on MultiBackend,
    "UPDATE order_lines SET completed_at = ? WHERE (order_id, sku) IN (
         SELECT order_id, sku FROM order_lines WHERE completed_at IS NULL AND ", IS_COMPLETE, "
         ORDER BY completed_at, order_id LIMIT ?)"
}

statement! {
    DateBackOnSqlite<'a>(now: BigInt => i64, future: BigInt => i64, limit: BigInt => i64) on MultiBackend,
    "UPDATE order_lines SET completed_at = ? WHERE (order_id, sku) IN (
         SELECT order_id, sku FROM order_lines WHERE completed_at > ? AND ", IS_COMPLETE, "
         ORDER BY completed_at, order_id LIMIT ?)"
}

/// Shuts out programs that do not look into the archive, and dates complete lines without a date, or with one in the
/// future; returns their number.
pub(crate) fn prepare(connection: &mut AnyConnection, now: DateTime<Utc>, limit: u16) -> Result<usize, StoreError> {
    shut_out_before(connection, generation::READS_ARCHIVE)?;
    let future = &now.checked_add_signed(TOLERANCE).unwrap_or(now).timestamp_micros();
    let (now, limit) = (&now.timestamp_micros(), &i64::from(limit));
    let dated = match connection {
        AnyConnection::Sqlite(_) => DateOnSqlite { now, limit }.execute(connection),
        AnyConnection::Postgres(_) => DateOnPostgres { now, limit }.execute(connection),
    };
    let dated = dated.map_err(store_error)?;
    let left = &(limit - i64::try_from(dated).map_err(crate::error::corrupt)?);
    let dated_back = match connection {
        AnyConnection::Sqlite(_) => DateBackOnSqlite { now, future, limit: left }.execute(connection),
        AnyConnection::Postgres(_) => DateBackOnPostgres { now, future, limit: left }.execute(connection),
    };
    Ok(dated + dated_back.map_err(store_error)?)
}

/// An attempt to archive while programs may write that do not look into the archive.
#[derive(Debug, thiserror::Error)]
#[error("the archive was not prepared")]
struct NotPrepared;

#[derive(Debug, thiserror::Error)]
#[error("the completion of {moved} of {expected} lines is recorded")]
struct NotRecorded {
    expected: usize,
    moved: usize,
}

/// Moves orders with the SKUs of all their lines to the archive, and returns the number of lines.
pub(crate) fn archive(connection: &mut AnyConnection, orders: &[(OrderId, Vec<Sku>)]) -> Result<u64, StoreError> {
    if generation::oldest(connection)? < generation::READS_ARCHIVE {
        return Err(StoreError::Failed(NotPrepared.into()));
    }
    let moved = match connection {
        AnyConnection::Sqlite(connection) => sqlite::archive(connection, orders),
        AnyConnection::Postgres(connection) => postgres::archive(connection, orders),
    };
    let (moved, expected) = (moved.map_err(store_error)?, orders.iter().map(|(_, skus)| skus.len()).sum());
    if moved != expected {
        return Err(StoreError::Conflict(NotRecorded { expected, moved }.into()));
    }
    u64::try_from(moved).map_err(crate::error::corrupt)
}
