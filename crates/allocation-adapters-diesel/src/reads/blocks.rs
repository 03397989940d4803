//! Blocks of events, found by position or by key.
//!
//! An index finds the blocks with events about a subject by a hash of its name. On PostgreSQL, the newest blocks are
//! not in the index, and are scanned. Because hashes collide, a block that is found may have no such event.

use crate::any_connection::{AnyConnection, MultiBackend};
use crate::block_row::BlockRow;
use crate::columns::{Columns, Sql};
use crate::event_block::MAX_EVENTS;
use crate::planner::SEPARATE;
use crate::postgres::{SEGMENT, bucket_of};
use crate::statement::statement;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Integer, Text};
use diesel::sqlite::Sqlite;

statement! {
    /// Blocks with events from a position up to another.
    Blocks<'a>(from: BigInt => i64, until: BigInt => i64, limit: BigInt => i64) on MultiBackend -> Sql<BlockRow>,
    "SELECT ", BlockRow::COLUMNS, " FROM event_blocks
     WHERE first_position >= (
         SELECT first_position FROM event_blocks WHERE first_position <= ? ORDER BY first_position DESC LIMIT 1
     ) AND first_position <= ? ORDER BY first_position LIMIT ?"
}

/// Defines the statement for blocks with events of some types; the databases differ in the condition.
macro_rules! of_types {
    ($name:ident, $has_type:literal) => {
        statement! {
            $name<'a>(from: BigInt => i64, until: BigInt => i64, types: Text => str, limit: BigInt => i64)
                on MultiBackend -> Sql<BlockRow>,
            "SELECT ", BlockRow::COLUMNS, " FROM event_blocks
             WHERE first_position >= (
                 SELECT first_position FROM event_blocks WHERE first_position <= ? ORDER BY first_position DESC LIMIT 1
             ) AND first_position <= ? AND ", $has_type, " ORDER BY first_position LIMIT ?"
        }
    };
}

of_types!(OfTypesOnPostgres, "string_to_array(types, ',') && string_to_array(?, ',')");
of_types!(
    OfTypesOnSqlite,
    "EXISTS (SELECT 1 FROM json_each(?) AS t WHERE instr(',' || types || ',', ',' || t.value || ',') > 0)"
);

statement! {
    /// Blocks of the log with a key, from a position on.
    OfKeyOnPostgres<'a>(
        bucket: Integer => i32,
        segment: BigInt => i64,
        bucket_key: Integer => i32,
        key: Integer => i32,
        from: BigInt => i64,
        new_from: BigInt => i64,
        new_key: Integer => i32,
        limit: BigInt => i64,
    ) on MultiBackend -> Sql<BlockRow>,
    "SELECT b.* FROM (
         SELECT e.place FROM event_keys AS k
         CROSS JOIN LATERAL unnest(k.keys, k.positions) AS e (key, place)
         WHERE k.bucket = ? AND k.segment >= ? AND ? = ANY (k.keys) AND e.key = ? AND e.place >= ?
         UNION
         SELECT first_position FROM event_blocks
         WHERE first_position > (SELECT indexed_position FROM event_log) AND first_position >= ? AND ? = ANY (keys)
         ORDER BY place LIMIT ?
     ) AS found
     CROSS JOIN LATERAL (
         SELECT ", BlockRow::COLUMNS, " FROM event_blocks WHERE first_position = found.place", SEPARATE, "
     ) AS b
     ORDER BY found.place"
}

statement! {
    /// Blocks of the log with a key, from a position on.
    OfKeyOnSqlite<'a>(key: Integer => i32, from: BigInt => i64, limit: BigInt => i64)
        on MultiBackend -> Sql<BlockRow>,
    "SELECT ", BlockRow::COLUMNS, " FROM (
         SELECT first_position AS place FROM event_keys
         WHERE key = ? AND first_position >= ? ORDER BY first_position LIMIT ?
     ) AS found
     CROSS JOIN event_blocks ON event_blocks.first_position = found.place ORDER BY found.place"
}

/// Defines the statement for blocks of the outbox with a key; the databases differ in the condition.
macro_rules! waiting_of_key {
    ($name:ident, $has_key:literal) => {
        statement! {
            $name<'a>(after: BigInt => i64, key: Integer => i32, limit: BigInt => i64)
                on MultiBackend -> Sql<BlockRow>,
            "SELECT -id, occurred_at, events FROM outbox_blocks WHERE id > ? AND ", $has_key, " ORDER BY id LIMIT ?"
        }
    };
}

waiting_of_key!(WaitingOfKeyOnPostgres, "? = ANY (keys)");
waiting_of_key!(WaitingOfKeyOnSqlite, "EXISTS (SELECT 1 FROM json_each(keys) AS k WHERE k.value = ?)");

statement! {
    /// Finds a block of the outbox behind many others.
    WaitingBehind<'a>(many: BigInt => i64) on MultiBackend -> BigInt,
    "SELECT id FROM outbox_blocks WHERE id > 0 ORDER BY id LIMIT 1 OFFSET ?"
}

statement! {
    /// All blocks with events that commands have caused, a block once for each of them.
    CausedOnPostgres<'a>(causes: Array<Integer> => Vec<i32>, waiting: Array<Integer> => Vec<i32>)
        on Pg -> Sql<BlockRow>,
    "SELECT b.* FROM unnest(?) AS w (cause)
     CROSS JOIN LATERAL (SELECT first_position FROM event_causes WHERE cause = w.cause", SEPARATE, ") AS c
     CROSS JOIN LATERAL (
         SELECT ", BlockRow::COLUMNS, " FROM event_blocks WHERE first_position = c.first_position", SEPARATE, "
     ) AS b
     UNION ALL
     SELECT -id, occurred_at, events FROM outbox_blocks WHERE causes IS NOT NULL AND causes && ?"
}

statement! {
    /// The same on SQLite, for one command.
    CausedOnSqlite<'a>(key: Integer => i32, waiting_key: Integer => i32) on Sqlite -> Sql<BlockRow>,
    "SELECT ", BlockRow::COLUMNS, " FROM (
         SELECT first_position AS place FROM event_keys WHERE key = ?
     ) AS found
     CROSS JOIN event_blocks ON event_blocks.first_position = found.place
     UNION ALL
     SELECT -id, occurred_at, events FROM outbox_blocks
     WHERE causes IS NOT NULL AND EXISTS (SELECT 1 FROM json_each(causes) AS k WHERE k.value = ?)"
}

/// Loads the blocks with events from a position up to another; with types, only blocks that have such events.
pub(super) fn blocks(
    connection: &mut AnyConnection,
    (from, until): (i64, i64),
    types: &[&str],
) -> QueryResult<Vec<BlockRow>> {
    let (from, until, limit) = (&from, &until, &(until - from + 1));
    if types.is_empty() {
        return Blocks { from, until, limit }.load(connection);
    }
    match connection {
        AnyConnection::Sqlite(_) => {
            let types = &*serde_json::to_string(types)
                .map_err(|error| diesel::result::Error::QueryBuilderError(error.into()))?;
            OfTypesOnSqlite { from, until, types, limit }.load(connection)
        }
        AnyConnection::Postgres(_) => {
            OfTypesOnPostgres { from, until, types: &types.join(","), limit }.load(connection)
        }
    }
}

/// Loads blocks of the log that may have events with a key from a position on, in order, each once. The position
/// must not precede the oldest block: the index may still have pruned ones.
///
/// Returns the position to continue from as well, if there may be more blocks.
pub(super) fn blocks_of_key(
    connection: &mut AnyConnection,
    key: i32,
    from: i64,
    limit: i64,
) -> QueryResult<(Vec<BlockRow>, Option<i64>)> {
    let (key, limit) = (&key, &limit);
    let rows: Vec<BlockRow> = match connection {
        AnyConnection::Sqlite(_) => OfKeyOnSqlite { key, from: &from, limit }.load(connection),
        AnyConnection::Postgres(_) => {
            let (bucket, segment) = (&bucket_of(*key), &((from - 1).max(0) / SEGMENT));
            let (from, new_from) = (&from, &from);
            OfKeyOnPostgres { bucket, segment, bucket_key: key, key, from, new_from, new_key: key, limit }
                .load(connection)
        }
    }?;
    let next = rows.last().filter(|_| is_full(&rows, *limit)).map(|last| last.first_position + 1);
    Ok((rows, next))
}

/// Returns the lowest position at which a block with an event at a position can begin.
pub(super) fn lowest_start(position: i64) -> i64 {
    let before = i64::try_from(MAX_EVENTS).unwrap_or(i64::MAX) - 1;
    (position - before).max(1)
}

/// Returns whether more than `many` blocks wait for a position.
pub(super) fn more_wait_than(connection: &mut AnyConnection, many: i64) -> QueryResult<bool> {
    WaitingBehind { many: &many }.get_result::<i64>(connection).optional().map(|found| found.is_some())
}

/// Loads blocks of the outbox that may have events with a key, after the one with a number, in order.
///
/// Returns the number to continue after as well, if there may be more blocks.
pub(super) fn waiting_blocks_of_key(
    connection: &mut AnyConnection,
    key: i32,
    after: i64,
    limit: i64,
) -> QueryResult<(Vec<BlockRow>, Option<i64>)> {
    let (key, after, limit) = (&key, &after, &limit);
    let rows: Vec<BlockRow> = match connection {
        AnyConnection::Sqlite(_) => WaitingOfKeyOnSqlite { after, key, limit }.load(connection),
        AnyConnection::Postgres(_) => WaitingOfKeyOnPostgres { after, key, limit }.load(connection),
    }?;
    let next = rows.last().filter(|_| is_full(&rows, *limit)).map(|last| -last.first_position);
    Ok((rows, next))
}

/// Returns whether as many rows were found as were requested, so there may be more.
fn is_full(rows: &[BlockRow], limit: i64) -> bool {
    i64::try_from(rows.len()).is_ok_and(|rows| rows >= limit)
}

/// Loads all blocks that may have events with one of these causes, each once.
pub(super) fn blocks_caused(connection: &mut AnyConnection, causes: &Vec<i32>) -> QueryResult<Vec<BlockRow>> {
    let mut rows = Vec::new();
    match connection {
        AnyConnection::Sqlite(connection) => {
            for key in causes {
                rows.extend(CausedOnSqlite { key, waiting_key: key }.load::<BlockRow>(connection)?);
            }
        }
        AnyConnection::Postgres(connection) => rows = CausedOnPostgres { causes, waiting: causes }.load(connection)?,
    }
    Ok(distinct(rows))
}

/// Returns each block once. The index may have several entries of a merged block for a key.
fn distinct(mut rows: Vec<BlockRow>) -> Vec<BlockRow> {
    rows.sort_unstable_by_key(|row| row.first_position);
    rows.dedup_by_key(|row| row.first_position);
    rows
}
