//! Sequencing and retention of the event log, each step in one statement. A stalled process therefore
//! leaves no transaction open.

use crate::error::store_error;
use crate::generation::SAME_GENERATION;
use crate::sequenced_row::{LOOK_AHEAD, Place, SequencedRow};
use crate::statement::{joined, statement};
use allocation_ports::{SequenceError, StoreError};
use diesel::connection::SimpleConnection;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Nullable, Text};

/// The wall-clock time of the server in microseconds since 1970, not the start of the transaction.
pub(crate) const NOW: &str = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint";

/// The condition that a lease has not ended. An end later than any current lease can have was written
/// before the clock was set back, and counts as passed.
const WITHIN: &str = joined!("BETWEEN ", NOW, " AND ", NOW, " + 2 * ?");

/// Renews the lease and keeps its row locked until the statement ends, so that no other process can take
/// it. If the row is missing, the statement does nothing else.
pub(super) const RENEWED: &str = joined!(
    "lease AS (UPDATE leases SET expires_at = ",
    NOW,
    " + ? WHERE name = ? AND holder = ? AND ",
    SAME_GENERATION,
    " RETURNING 1)"
);

statement! {
    /// Counts the unexpired leases of other holders; `micros` is the usual duration of the lease.
    IsTaken<'a>(name: Text => str, holder: Text => str, micros: BigInt => i64) on Pg -> BigInt,
    "SELECT count(*) FROM leases WHERE name = ? AND holder <> ? AND expires_at ", WITHIN
}

statement! {
    /// Takes or renews a lease that no other process has.
    Take<'a>(name: Text => str, holder: Text => str, micros: BigInt => i64, time: BigInt => i64) on Pg,
    "INSERT INTO leases (name, holder, expires_at) SELECT ?, ?, ", NOW, " + ? WHERE ", SAME_GENERATION, "
         ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
         WHERE leases.holder = excluded.holder OR leases.expires_at NOT ", WITHIN
}

statement! {
    /// Moves events from `outbox` to the log in the order of the primary key, and assigns their positions.
    ///
    /// Rows are selected by `ctid`, so that the index is walked once. Rows that another transaction removes
    /// meanwhile are not moved.
    Sequence<'a>(
        micros: BigInt => i64,
        lease: Text => str,
        holder: Text => str,
        sku: Text => str,
        version: BigInt => i64,
        ordinal: Integer => i32,
        most: BigInt => i64,
    ) on Pg -> (BigInt, BigInt, BigInt, Nullable<Text>, Nullable<BigInt>, Nullable<Integer>),
    "WITH ", RENEWED, ", moved AS (
             DELETE FROM outbox WHERE ctid = ANY (ARRAY(
                 SELECT ctid FROM outbox WHERE (sku, version, ordinal) > (?, ?, ?)
                 ORDER BY sku, version, ordinal LIMIT ?
             )) AND EXISTS (SELECT FROM lease)
             RETURNING *
         ), counted AS (
             UPDATE event_log SET last_position = last_position + (SELECT count(*) FROM moved)
             WHERE EXISTS (SELECT FROM moved) RETURNING last_position
         ), numbered AS (
             INSERT INTO events (position, sku, version, ordinal, type, order_id, reference, payload, occurred_at,
                                 traceparent, causation_id)
             SELECT c.last_position - (SELECT count(*) FROM moved)
                        + row_number() OVER (ORDER BY m.sku, m.version, m.ordinal),
                    m.sku, m.version, m.ordinal, m.type, m.order_id,
                    CASE WHEN m.order_id IS NULL AND m.type LIKE 'batch%' THEN m.payload::json ->> 'reference' END,
                    m.payload, m.occurred_at, m.traceparent, m.causation_id
             FROM moved AS m CROSS JOIN counted AS c
         )
         SELECT (SELECT count(*) FROM lease), (SELECT count(*) FROM moved),
                coalesce((SELECT last_position FROM counted), (SELECT last_position FROM event_log)), p.*
         FROM (VALUES (1)) AS one
         LEFT JOIN LATERAL (
             SELECT sku, version, ordinal FROM moved ORDER BY sku DESC, version DESC, ordinal DESC LIMIT 1
         ) AS p ON true"
}

statement! {
    /// Advances the retention time. Returns whether the lease is held, the retention time and the clock.
    AdvanceRetentionTime<'a>(micros: BigInt => i64, lease: Text => str, holder: Text => str, step: BigInt => i64) on Pg
        -> (BigInt, Nullable<BigInt>, BigInt),
    "WITH ", RENEWED, ", moved AS (
             UPDATE event_log SET retention_time = least(
                 coalesce(
                     retention_time,
                     (SELECT occurred_at FROM events ORDER BY position DESC LIMIT 1),
                     ", NOW, "
                 ) + ?,
                 ", NOW, "
             )
             WHERE EXISTS (SELECT FROM lease) RETURNING retention_time
         )
         SELECT (SELECT count(*) FROM lease), (SELECT retention_time FROM moved), ", NOW
}

statement! {
    /// Removes the oldest events. Returns whether the lease is held and the number of removed events.
    ///
    /// The first event at or after `before` that is not in the future stays, with all events behind it. The
    /// events in front of it are removed up to the last one before `before`. An event from the future is
    /// thus removed with an old event behind it.
    Prune<'a>(
        micros: BigInt => i64,
        lease: Text => str,
        holder: Text => str,
        beyond: BigInt => i64,
        looked_through: BigInt => i64,
        young: BigInt => i64,
        before: BigInt => i64,
        most: BigInt => i64,
    ) on Pg -> (BigInt, BigInt),
    "WITH ", RENEWED, ", bounds AS (
             SELECT oldest_position AS oldest, least(oldest_position + ?, last_position + 1) AS beyond, coalesce(
                 (SELECT position FROM events
                  WHERE position BETWEEN oldest_position AND least(oldest_position + ? - 1, last_position)
                    AND occurred_at BETWEEN ? AND ", NOW, " ORDER BY position LIMIT 1),
                 last_position + 1
             ) AS young
             FROM event_log WHERE EXISTS (SELECT FROM lease)
         ), log AS (
             SELECT oldest, least(coalesce(1 + (
                 SELECT position FROM events
                 WHERE position >= oldest AND position < least(young, beyond) AND occurred_at < ?
                 ORDER BY position DESC LIMIT 1
             ), oldest), oldest + ?) AS stays
             FROM bounds
         ), gone AS (
             DELETE FROM events USING log WHERE position >= oldest AND position < stays RETURNING 1
         ), moved AS (
             UPDATE event_log SET oldest_position = stays FROM log WHERE stays > oldest RETURNING 1
         )
         SELECT (SELECT count(*) FROM lease), (SELECT count(*) FROM gone)"
}

pub(crate) fn take(connection: &mut PgConnection, name: &str, holder: &str, micros: i64) -> QueryResult<bool> {
    // A rejected attempt writes nothing and waits for no lock.
    if (IsTaken { name, holder, micros: &micros }).get_result::<i64>(connection)? > 0 {
        return Ok(false);
    }
    Ok(Take { name, holder, micros: &micros, time: &micros }.execute(connection)? == 1)
}

pub(crate) fn sequence(
    connection: &mut PgConnection,
    lease: (&str, &str, i64),
    after: &Place,
    most: i64,
) -> Result<SequencedRow, SequenceError> {
    let (name, holder, micros) = lease;
    let statement = Sequence {
        micros: &micros,
        lease: name,
        holder,
        sku: &after.sku,
        version: &after.version,
        ordinal: &after.ordinal,
        most: &most,
    };
    let row: (i64, i64, i64, Option<String>, Option<i64>, Option<i32>) =
        statement.get_result(connection).map_err(store_error)?;
    let (held, events, last, sku, version, ordinal) = row;
    if held == 0 {
        return Err(SequenceError::LeaseLost);
    }
    let place = sku.zip(version).zip(ordinal).map(|((sku, version), ordinal)| Place { sku, version, ordinal });
    Ok(SequencedRow { events, last, place })
}

/// Advances the retention time by `step` microseconds, and returns it and the clock.
pub(crate) fn retention_time(
    connection: &mut PgConnection,
    (name, holder, micros): (&str, &str, i64),
    step: i64,
) -> Result<(i64, i64), SequenceError> {
    let statement = AdvanceRetentionTime { micros: &micros, lease: name, holder, step: &step };
    let (_, trusted, now) = statement.get_result::<(i64, Option<i64>, i64)>(connection).map_err(store_error)?;
    trusted.map(|trusted| (trusted, now)).ok_or(SequenceError::LeaseLost)
}

pub(crate) fn prune(
    connection: &mut PgConnection,
    lease: (&str, &str, i64),
    before: i64,
    most: i64,
) -> Result<i64, SequenceError> {
    let (name, holder, micros) = lease;
    let looked_through = &most.saturating_mul(LOOK_AHEAD);
    let (before, most) = (&before, &most);
    let statement = Prune {
        micros: &micros,
        lease: name,
        holder,
        beyond: looked_through,
        looked_through,
        young: before,
        before,
        most,
    };
    let (held, gone) = statement.get_result::<(i64, i64)>(connection).map_err(store_error)?;
    if held == 0 { Err(SequenceError::LeaseLost) } else { Ok(gone) }
}

/// Vacuums `outbox` to reclaim the space of moved rows.
///
/// Until then, a search for the first row passes the index entries of all earlier rows. Autovacuum runs
/// only once a minute. No request waits for this.
pub(crate) fn vacuum(connection: &mut PgConnection) -> Result<(), StoreError> {
    connection.batch_execute("VACUUM (INDEX_CLEANUP on, TRUNCATE off) outbox").map_err(store_error)
}
