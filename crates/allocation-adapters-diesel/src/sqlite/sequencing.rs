//! Sequencing and retention of the event log, in transactions that are the only writers.

use crate::error::store_error;
use crate::event_block::LOOK_AHEAD;
use crate::generation::MAY_WRITE;
use crate::planner::LIMIT;
use crate::statement::{joined, statement};
use allocation_ports::SequenceError;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel::sqlite::Sqlite;

/// The time in microseconds since 1970.
const NOW: &str = "CAST(unixepoch('subsec') * 1000000 AS INTEGER)";

/// The condition that a lease has not ended. An end later than any current lease can have was written before the clock
/// was set back, and counts as expired.
const WITHIN: &str = joined!("BETWEEN ", NOW, " AND ", NOW, " + 2 * ?");

statement! {
    /// Counts the unexpired leases of other holders; `micros` is the usual duration of the lease.
    IsTaken<'a>(name: Text => str, holder: Text => str, micros: BigInt => i64) on Sqlite -> BigInt,
    "SELECT count(*) FROM leases WHERE name = ? AND holder <> ? AND expires_at ", WITHIN
}

statement! {
    /// Takes or renews a lease that no other process has.
    Take<'a>(name: Text => str, holder: Text => str, micros: BigInt => i64, time: BigInt => i64) on Sqlite,
    "INSERT INTO leases (name, holder, expires_at) SELECT ?, ?, ", NOW, " + ? WHERE ", MAY_WRITE, "
         ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
         WHERE leases.holder = excluded.holder OR leases.expires_at NOT ", WITHIN
}

statement! {
    Renew<'a>(micros: BigInt => i64, name: Text => str, holder: Text => str) on Sqlite,
    "UPDATE leases SET expires_at = ", NOW, " + ? WHERE name = ? AND holder = ? AND ", MAY_WRITE
}

statement! {
    /// Finds the oldest blocks that together have enough events. Returns the id of the last one, the number of
    /// their events and the last position of the log.
    Next<'a>(blocks: BigInt => i64, most: BigInt => i64) on Sqlite -> (BigInt, BigInt, BigInt),
    "SELECT coalesce(max(id), 0), coalesce(sum(event_count), 0), (SELECT last_position FROM event_log)
     FROM (
         SELECT id, event_count, sum(event_count) OVER (ORDER BY id) - event_count AS earlier
         FROM (SELECT id, event_count FROM outbox_blocks ORDER BY id", LIMIT, ")
     )
     WHERE earlier < ?"
}

statement! {
    /// Copies blocks to the log in the order in which they were written, and assigns their positions.
    Copy<'a>(last: BigInt => i64, id: BigInt => i64) on Sqlite,
    "INSERT INTO event_blocks (first_position, event_count, occurred_at, types, keys, causes, events)
     SELECT ? + 1 + sum(event_count) OVER (ORDER BY id) - event_count, event_count, occurred_at, types, keys, causes,
            events
     FROM outbox_blocks WHERE id <= ? ORDER BY id"
}

/// The hashes by which the index finds a block: those of its subjects and of its causes.
const ALL_KEYS: &str = "json_each(rtrim(b.keys, ']') || coalesce(',' || ltrim(b.causes, '['), ']'))";

statement! {
    /// Adds the blocks after a position to the index by key. A subject and a cause may have the same hash.
    AddKeys<'a>(after: BigInt => i64) on Sqlite,
    "INSERT OR IGNORE INTO event_keys (key, first_position)
     SELECT k.value, b.first_position FROM event_blocks AS b CROSS JOIN ", ALL_KEYS, " AS k
     WHERE b.first_position > ?"
}

statement! {
    /// Removes the copied blocks from the outbox.
    RemoveCopied<'a>(id: BigInt => i64) on Sqlite,
    "DELETE FROM outbox_blocks WHERE id <= ?"
}

statement! {
    Count<'a>(events: BigInt => i64) on Sqlite,
    "UPDATE event_log SET last_position = last_position + ?"
}

statement! {
    /// Returns the oldest position, and the first scanned block at or after an instant and not in the future.
    Young<'a>(scanned: BigInt => i64, before: BigInt => i64, now: BigInt => i64, beyond: BigInt => i64)
        on Sqlite -> (BigInt, BigInt),
    "SELECT oldest_position, coalesce(
         (SELECT first_position FROM event_blocks
          WHERE first_position BETWEEN oldest_position AND min(oldest_position + ? - 1, last_position)
            AND occurred_at BETWEEN ? AND ? ORDER BY first_position LIMIT 1),
         min(oldest_position + ?, last_position + 1)
     ) FROM event_log"
}

statement! {
    /// Returns the last block before an instant in a range of positions. Blocks from the future in front of
    /// it are removed with it.
    LastOld<'a>(oldest: BigInt => i64, young: BigInt => i64, before: BigInt => i64) on Sqlite -> BigInt,
    "SELECT first_position FROM event_blocks WHERE first_position >= ? AND first_position < ? AND occurred_at < ?
     ORDER BY first_position DESC LIMIT 1"
}

statement! {
    /// Returns the position behind the last block that begins at or before a position.
    Behind<'a>(last: BigInt => i64) on Sqlite -> BigInt,
    "SELECT first_position + event_count FROM event_blocks WHERE first_position <= ?
     ORDER BY first_position DESC LIMIT 1"
}

statement! {
    /// Advances the retention time.
    AdvanceRetentionTime<'a>(now: BigInt => i64, step: BigInt => i64, most: BigInt => i64) on Sqlite -> BigInt,
    "UPDATE event_log SET retention_time = min(
         coalesce(retention_time, (SELECT occurred_at FROM event_blocks ORDER BY first_position DESC LIMIT 1), ?) + ?, ?
     ) RETURNING retention_time"
}

statement! {
    /// Removes blocks from the index by key.
    RemoveKeys<'a>(oldest: BigInt => i64, stays: BigInt => i64) on Sqlite,
    "DELETE FROM event_keys WHERE (key, first_position) IN (
         SELECT k.value, b.first_position FROM event_blocks AS b CROSS JOIN ", ALL_KEYS, " AS k
         WHERE b.first_position >= ? AND b.first_position < ?
     )"
}

statement! {
    RemoveOldest<'a>(oldest: BigInt => i64, stays: BigInt => i64) on Sqlite,
    "DELETE FROM event_blocks WHERE first_position >= ? AND first_position < ?"
}

statement! {
    SetOldest<'a>(oldest: BigInt => i64) on Sqlite,
    "UPDATE event_log SET oldest_position = ?"
}

pub(crate) fn is_taken(connection: &mut SqliteConnection, name: &str, holder: &str, micros: i64) -> QueryResult<bool> {
    Ok(IsTaken { name, holder, micros: &micros }.get_result::<i64>(connection)? > 0)
}

pub(crate) fn take(connection: &mut SqliteConnection, name: &str, holder: &str, micros: i64) -> QueryResult<bool> {
    Ok(Take { name, holder, micros: &micros, time: &micros }.execute(connection)? == 1)
}

pub(crate) fn sequence(
    connection: &mut SqliteConnection,
    lease: (&str, &str, i64),
    most: i64,
) -> Result<(i64, i64), SequenceError> {
    renew(connection, lease)?;
    let next = Next { blocks: &most, most: &most };
    let (id, events, last) = next.get_result::<(i64, i64, i64)>(connection).map_err(store_error)?;
    if events > 0 {
        Copy { last: &last, id: &id }.execute(connection).map_err(store_error)?;
        AddKeys { after: &last }.execute(connection).map_err(store_error)?;
        RemoveCopied { id: &id }.execute(connection).map_err(store_error)?;
        Count { events: &events }.execute(connection).map_err(store_error)?;
    }
    Ok((events, last + events))
}

/// Advances the retention time by `step` microseconds and returns it.
pub(crate) fn retention_time(
    connection: &mut SqliteConnection,
    lease: (&str, &str, i64),
    step: i64,
    now: i64,
) -> Result<i64, SequenceError> {
    renew(connection, lease)?;
    Ok(AdvanceRetentionTime { now: &now, step: &step, most: &now }.get_result(connection).map_err(store_error)?)
}

pub(crate) fn prune(
    connection: &mut SqliteConnection,
    lease: (&str, &str, i64),
    before: i64,
    most: i64,
    now: i64,
) -> Result<i64, SequenceError> {
    renew(connection, lease)?;
    let scanned = &most.saturating_mul(LOOK_AHEAD);
    let statement = Young { scanned, before: &before, now: &now, beyond: scanned };
    let (oldest, young) = statement.get_result::<(i64, i64)>(connection).map_err(store_error)?;
    let last_old = LastOld { oldest: &oldest, young: &young, before: &before };
    let last_old = last_old.get_result::<i64>(connection).optional().map_err(store_error)?;
    let Some(last_old) = last_old else { return Ok(0) };
    let last = &last_old.min(oldest.saturating_add(most) - 1);
    let stays = Behind { last }.get_result::<i64>(connection).map_err(store_error)?;
    if stays > oldest {
        RemoveKeys { oldest: &oldest, stays: &stays }.execute(connection).map_err(store_error)?;
        RemoveOldest { oldest: &oldest, stays: &stays }.execute(connection).map_err(store_error)?;
        SetOldest { oldest: &stays }.execute(connection).map_err(store_error)?;
    }
    Ok(stays - oldest)
}

/// Renews the lease; no other process can take it until the transaction ends.
pub(super) fn renew(
    connection: &mut SqliteConnection,
    (name, holder, micros): (&str, &str, i64),
) -> Result<(), SequenceError> {
    match (Renew { micros: &micros, name, holder }).execute(connection).map_err(store_error)? {
        0 => Err(SequenceError::LeaseLost),
        _ => Ok(()),
    }
}
