//! Writes of the relay, each in one statement. A stalled process therefore leaves no transaction open.

use super::sequencing::RENEWED;
use crate::columns::Columns;
use crate::error::store_error;
use crate::generation::MAY_WRITE;
use crate::parked_row::{ParkedRow, ParkedRows, ProgressRows};
use crate::statement::{joined, statement};
use allocation_ports::RecordError;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Text};

statement! {
    /// Records the progress of the relay if the lease is held. The checkpoint never moves back.
    Record<'a>(
        micros: BigInt => i64,
        lease: Text => str,
        holder: Text => str,
        checkpoint: BigInt => i64,
        least: BigInt => i64,
        parked: ParkedRows<'a>,
        delivered: Array<BigInt> => Vec<i64>,
    ) on Pg -> BigInt,
    "WITH ", RENEWED, ", moved AS (
         UPDATE relay SET checkpoint = ? WHERE checkpoint < ? AND EXISTS (SELECT FROM lease)
     ), parked AS (
         INSERT INTO parked_events (", ParkedRow::COLUMNS, ")
         SELECT p.* FROM unnest(?) AS p WHERE EXISTS (SELECT FROM lease)
         ON CONFLICT (position) DO UPDATE
         SET reason = excluded.reason, parked_at = excluded.parked_at, retry = excluded.retry
     ), delivered AS (
         DELETE FROM parked_events WHERE position = ANY (?) AND EXISTS (SELECT FROM lease)
     )
     SELECT count(*) FROM lease"
}

statement! {
    Retry<'a>(positions: Array<BigInt> => Vec<i64>) on Pg,
    "UPDATE parked_events SET retry = true WHERE position = ANY (?) AND ", MAY_WRITE
}

pub(crate) fn record(
    connection: &mut PgConnection,
    (lease, holder, micros): (&str, &str, i64),
    rows: &ProgressRows<'_>,
) -> Result<usize, RecordError> {
    let ProgressRows { checkpoint, parked, delivered } = rows;
    let statement = Record {
        micros: &micros,
        lease,
        holder,
        checkpoint,
        least: checkpoint,
        parked: &parked.iter().collect(),
        delivered,
    };
    if statement.get_result::<i64>(connection).map_err(store_error)? == 0 {
        return Err(RecordError::LeaseLost);
    }
    Ok(prune(connection).map_err(store_error)?)
}

/// Removes parked events that the log has pruned. Any process may do so.
fn prune(connection: &mut PgConnection) -> QueryResult<usize> {
    let gone = "DELETE FROM parked_events WHERE position < (SELECT oldest_position FROM event_log)";
    sql_query(gone).execute(connection)
}

pub(crate) fn retry(connection: &mut PgConnection, positions: Option<Vec<i64>>) -> QueryResult<usize> {
    match positions {
        Some(positions) => Retry { positions: &positions }.execute(connection),
        None => {
            let all = joined!("UPDATE parked_events SET retry = true WHERE ", MAY_WRITE);
            sql_query(all).execute(connection)
        }
    }
}
