//! Sequencing and retention of the event log, each step in one statement. A stalled process therefore
//! leaves no transaction open.

use crate::error::store_error;
use crate::event_block::LOOK_AHEAD;
use crate::generation::MAY_WRITE;
use crate::statement::{joined, statement};
use allocation_ports::{SequenceError, StoreError};
use diesel::connection::SimpleConnection;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

/// The wall-clock time of the server in microseconds since 1970, not the start of the transaction.
pub(crate) const NOW: &str = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint";

/// Renews the lease and keeps its row locked until the statement ends, so that no other process can take
/// it. If the row is missing, the statement does nothing else.
pub(super) const RENEWED: &str = joined!(
    "lease AS (UPDATE leases SET expires_at = ",
    NOW,
    " + ? WHERE name = ? AND holder = ? AND ",
    MAY_WRITE,
    " RETURNING 1)"
);

statement! {
    /// Counts the unexpired leases of other holders; `micros` is the usual duration of the lease.
    ///
    /// An end later than any current lease can have was written before the clock was set back, and counts as expired.
    IsTaken<'a>(name: Text => str, holder: Text => str, micros: BigInt => i64) on Pg -> BigInt,
    "SELECT count(*) FROM leases WHERE name = ? AND holder <> ? AND expires_at BETWEEN ", NOW, " AND ", NOW, " + 2 * ?"
}

statement! {
    /// Takes or renews a lease that no other process has, by the condition of [`IsTaken`].
    ///
    /// The clock is read once, for the new end: Citus allows no volatile function in a condition of ON CONFLICT.
    Take<'a>(
        name: Text => str,
        holder: Text => str,
        micros: BigInt => i64,
        since: BigInt => i64,
        beyond: BigInt => i64,
    ) on Pg,
    "INSERT INTO leases (name, holder, expires_at) SELECT ?, ?, ", NOW, " + ? WHERE ", MAY_WRITE, "
         ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
         WHERE leases.holder = excluded.holder
            OR leases.expires_at NOT BETWEEN excluded.expires_at - ? AND excluded.expires_at + ?"
}

statement! {
    /// Moves blocks from `outbox_blocks` to the log in the order of their ids, and assigns their positions.
    ///
    /// Blocks are moved until they have enough events. Small blocks that are next to each other become one, which
    /// PostgreSQL compresses; the text of a large block stays as it is. A block from the future stays alone, so
    /// that it can be repaired. Blocks that another transaction removes meanwhile are not moved.
    ///
    /// Returns whether the lease is held, the number of events, the last position, and the position up to which blocks
    /// are indexed.
    Sequence<'a>(
        micros: BigInt => i64,
        lease: Text => str,
        holder: Text => str,
        blocks: BigInt => i64,
        most: BigInt => i64,
    ) on Pg -> (BigInt, BigInt, BigInt, BigInt),
    "WITH ", RENEWED, ", moved AS (
             DELETE FROM outbox_blocks WHERE id <= (
                 SELECT max(id) FROM (
                     SELECT id, sum(event_count) OVER (ORDER BY id ROWS UNBOUNDED PRECEDING) - event_count AS earlier
                     FROM (SELECT id, event_count FROM outbox_blocks ORDER BY id LIMIT ?) AS first
                 ) AS counted
                 WHERE earlier < ?
             ) AND EXISTS (SELECT FROM lease)
             RETURNING *
         ), placed AS (
             SELECT *, sum(event_count) OVER following - event_count AS earlier,
                    count(*) FILTER (WHERE alone) OVER following AS run
             FROM (
                 SELECT *, event_count > 8 OR octet_length(events) > 2000 OR occurred_at > (SELECT ", NOW, ") AS alone
                 FROM moved
             ) AS sized
             WINDOW following AS (ORDER BY id ROWS UNBOUNDED PRECEDING)
         ), merged AS (
             SELECT min(earlier) AS earlier, sum(event_count) AS event_count, max(occurred_at) AS occurred_at,
                    string_agg(DISTINCT types, ',') AS types, all_keys(keys) AS keys, all_keys(causes) AS causes,
                    string_agg(occurred_at || events, E'\n' ORDER BY id) AS events
             FROM placed WHERE NOT alone GROUP BY run, id / 32
         ), total AS (
             SELECT coalesce(sum(event_count), 0)::bigint AS events FROM moved
         ), counted AS (
             UPDATE event_log SET last_position = last_position + (SELECT events FROM total)
             WHERE EXISTS (SELECT FROM moved) RETURNING last_position
         ), logged AS (
             INSERT INTO event_blocks (first_position, event_count, occurred_at, types, keys, causes, events)
             SELECT c.last_position - t.events + 1 + m.earlier, m.event_count, m.occurred_at, m.types, m.keys,
                    m.causes, m.events
             FROM (
                 SELECT earlier, event_count, occurred_at, types, keys, causes, events FROM placed WHERE alone
                 UNION ALL SELECT * FROM merged
             ) AS m CROSS JOIN counted AS c CROSS JOIN total AS t
             RETURNING first_position, causes
         ), caused AS (
             INSERT INTO event_causes (cause, first_position)
             SELECT DISTINCT unnest(causes), first_position FROM logged WHERE causes IS NOT NULL
         )
         SELECT (SELECT count(*) FROM lease), t.events,
                coalesce((SELECT last_position FROM counted), l.last_position), l.indexed_position
         FROM total AS t CROSS JOIN event_log AS l"
}

statement! {
    /// Adds the blocks that begin in the next segment of the log to the index by key. A merged block may have several
    /// entries for a key, because making keys distinct costs more than reading a block twice.
    IndexSegment<'a>(
        micros: BigInt => i64,
        lease: Text => str,
        holder: Text => str,
        length: BigInt => i64,
        indexed: BigInt => i64,
        segment: BigInt => i64,
        after: BigInt => i64,
        until: BigInt => i64,
    ) on Pg,
    "WITH ", RENEWED, ", counted AS (
             UPDATE event_log SET indexed_position = indexed_position + ?
             WHERE indexed_position = ? AND EXISTS (SELECT FROM lease) RETURNING 1
         )
         INSERT INTO event_keys (bucket, segment, keys, positions)
         SELECT (key >> 22) & 1023, ?, array_agg(key), array_agg(first_position)
         FROM event_blocks CROSS JOIN LATERAL unnest(keys) AS key
         WHERE first_position > ? AND first_position <= ? AND EXISTS (SELECT FROM counted)
         GROUP BY 1"
}

statement! {
    /// Advances the retention time. Returns whether the lease is held, the retention time and the clock.
    AdvanceRetentionTime<'a>(micros: BigInt => i64, lease: Text => str, holder: Text => str, step: BigInt => i64) on Pg
        -> (BigInt, Nullable<BigInt>, BigInt),
    "WITH ", RENEWED, ", moved AS (
             UPDATE event_log SET retention_time = least(
                 coalesce(
                     retention_time,
                     (SELECT occurred_at FROM event_blocks ORDER BY first_position DESC LIMIT 1),
                     ", NOW, "
                 ) + ?,
                 ", NOW, "
             )
             WHERE EXISTS (SELECT FROM lease) RETURNING retention_time
         )
         SELECT (SELECT count(*) FROM lease), (SELECT retention_time FROM moved), ", NOW
}

statement! {
    /// Removes the oldest blocks. Returns whether the lease is held and the number of removed events.
    ///
    /// The first block at or after `before` that is not in the future stays, with all blocks behind it. The
    /// blocks in front of it are removed up to the last one before `before`. A block from the future is
    /// thus removed with an old block behind it.
    ///
    /// While it waits for the lease, another statement of the same holder may remove more, so the oldest position
    /// is compared when it is written.
    Prune<'a>(
        micros: BigInt => i64,
        lease: Text => str,
        holder: Text => str,
        beyond: BigInt => i64,
        scanned: BigInt => i64,
        young: BigInt => i64,
        before: BigInt => i64,
        most: BigInt => i64,
        segment: BigInt => i64,
        last_segment: BigInt => i64,
    ) on Pg -> (BigInt, BigInt),
    "WITH ", RENEWED, ", bounds AS (
             SELECT oldest_position AS oldest, least(oldest_position + ?, last_position + 1) AS beyond, coalesce(
                 (SELECT first_position FROM event_blocks
                  WHERE first_position BETWEEN oldest_position AND least(oldest_position + ? - 1, last_position)
                    AND occurred_at BETWEEN ? AND ", NOW, " ORDER BY first_position LIMIT 1),
                 last_position + 1
             ) AS young
             FROM event_log WHERE EXISTS (SELECT FROM lease)
         ), old AS (
             SELECT oldest, (
                 SELECT first_position FROM event_blocks
                 WHERE first_position >= oldest AND first_position < least(young, beyond) AND occurred_at < ?
                 ORDER BY first_position DESC LIMIT 1
             ) AS last_old
             FROM bounds
         ), log AS (
             SELECT oldest, (
                 SELECT first_position + event_count FROM event_blocks
                 WHERE first_position >= oldest AND first_position <= last_old AND first_position < oldest + ?
                 ORDER BY first_position DESC LIMIT 1
             ) AS stays
             FROM old
         ), segments AS (
             SELECT (oldest - 1) / ? AS oldest, (stays - 1) / ? AS stays FROM log
         ), gone AS (
             DELETE FROM event_blocks USING log WHERE first_position >= oldest AND first_position < stays
             RETURNING first_position, event_count, causes
         ), effects AS (
             DELETE FROM event_causes
             WHERE cause = ANY (ARRAY(SELECT unnest(causes) FROM gone WHERE causes IS NOT NULL))
               AND first_position < (SELECT stays FROM log)
         ), forgotten AS (
             DELETE FROM event_keys
             WHERE bucket = ANY (ARRAY(SELECT generate_series(0, 1023) FROM segments WHERE oldest < stays))
               AND segment < (SELECT stays FROM segments)
         ), moved AS (
             UPDATE event_log SET oldest_position = stays FROM log WHERE oldest_position < stays RETURNING 1
         )
         SELECT (SELECT count(*) FROM lease), (SELECT coalesce(sum(event_count), 0)::bigint FROM gone)"
}

/// The number of positions of a segment of the index by key.
pub(crate) const SEGMENT: i64 = 32_768;

/// Returns the bucket of a segment that has the blocks of a key.
pub(crate) const fn bucket_of(key: i32) -> i32 {
    (key >> 22) & 1023
}

pub(crate) fn take(connection: &mut PgConnection, name: &str, holder: &str, micros: i64) -> QueryResult<bool> {
    // A rejected attempt writes nothing and waits for no lock.
    if (IsTaken { name, holder, micros: &micros }).get_result::<i64>(connection)? > 0 {
        return Ok(false);
    }
    Ok(Take { name, holder, micros: &micros, since: &micros, beyond: &micros }.execute(connection)? == 1)
}

pub(crate) fn sequence(
    connection: &mut PgConnection,
    lease: (&str, &str, i64),
    most: i64,
) -> Result<(i64, i64), SequenceError> {
    let (name, holder, micros) = lease;
    let statement = Sequence { micros: &micros, lease: name, holder, blocks: &most, most: &most };
    let (held, events, last, indexed): (i64, i64, i64, i64) = statement.get_result(connection).map_err(store_error)?;
    if held == 0 {
        return Err(SequenceError::LeaseLost);
    }
    if last - indexed >= SEGMENT
        && let Err(error) = index_segment(connection, lease, indexed)
    {
        // The events have their positions, and the next step tries again.
        tracing::warn!(?error, "a segment of events was not added to their index by key");
    }
    Ok((events, last))
}

/// Adds the segment after an indexed position to the index. Without the lease, it does nothing.
fn index_segment(
    connection: &mut PgConnection,
    (lease, holder, micros): (&str, &str, i64),
    indexed: i64,
) -> Result<usize, StoreError> {
    let (after, until) = (&indexed, &(indexed + SEGMENT));
    let (micros, length, segment) = (&micros, &SEGMENT, &(indexed / SEGMENT));
    let statement = IndexSegment { micros, lease, holder, length, indexed: after, segment, after, until };
    statement.execute(connection).map_err(store_error)
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
    let scanned = &most.saturating_mul(LOOK_AHEAD);
    let (before, most) = (&before, &most);
    let statement = Prune {
        micros: &micros,
        lease: name,
        holder,
        beyond: scanned,
        scanned,
        young: before,
        before,
        most,
        segment: &SEGMENT,
        last_segment: &SEGMENT,
    };
    let (held, gone) = statement.get_result::<(i64, i64)>(connection).map_err(store_error)?;
    if held == 0 { Err(SequenceError::LeaseLost) } else { Ok(gone) }
}

/// Vacuums `outbox_blocks` to reclaim the space of moved rows.
///
/// Until then, a search for the first row passes the index entries of all earlier rows. Autovacuum runs
/// only once a minute. No request waits for this.
pub(crate) fn vacuum(connection: &mut PgConnection) -> Result<(), StoreError> {
    connection.batch_execute("VACUUM (INDEX_CLEANUP on, TRUNCATE off) outbox_blocks").map_err(store_error)
}
