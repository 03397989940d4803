//! Instants in the lines of merged blocks, which only PostgreSQL has.

use crate::any_connection::AnyConnection;
use crate::statement::statement;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt};

/// The blocks of the log, each with the latest of its own instant and those of its lines.
const DATED: &str = "(
    SELECT first_position, left(events, 1) <> '[' AS merged, CASE
               WHEN left(events, 1) = '[' THEN occurred_at
               ELSE greatest(occurred_at, (
                   SELECT max(split_part(line, '[', 1)::bigint) FROM unnest(string_to_array(events, E'\n')) AS l (line)
               ))
           END AS occurred_at
    FROM event_blocks
) AS blocks";

statement! {
    /// Finds the merged blocks behind a position with an instant beyond a limit, in order.
    MergedAfter<'a>(position: BigInt => i64, instant: BigInt => i64, limit: BigInt => i64) on Pg -> BigInt,
    "SELECT first_position FROM ", DATED, " WHERE merged AND first_position > ? AND occurred_at > ?
     ORDER BY first_position LIMIT ?"
}

statement! {
    /// Sets the instants of lines that are beyond a limit, and the instant of each block to the latest of its lines.
    DateLines<'a>(limit: BigInt => i64, now: BigInt => i64, positions: Array<BigInt> => Vec<i64>) on Pg,
    "UPDATE event_blocks AS b SET occurred_at = m.occurred_at, events = m.events
     FROM (
         SELECT f.first_position, max(l.at) AS occurred_at,
                string_agg(l.at || substr(l.line, strpos(l.line, '[')), E'\n' ORDER BY l.n) AS events
         FROM event_blocks AS f CROSS JOIN LATERAL (
             SELECT n, line, CASE WHEN instant > ? THEN ? ELSE instant END AS at
             FROM (
                 SELECT n, line, split_part(line, '[', 1)::bigint AS instant
                 FROM unnest(string_to_array(f.events, E'\n')) WITH ORDINALITY AS u (line, n)
             ) AS i
         ) AS l
         WHERE f.first_position = ANY (?)
         GROUP BY f.first_position
     ) AS m
     WHERE b.first_position = m.first_position"
}

/// Returns where to search for the instants of a table.
pub(super) fn dated<'a>(connection: &AnyConnection, table: &'a str) -> &'a str {
    match connection {
        AnyConnection::Postgres(_) if table == "event_blocks" => DATED,
        _ => table,
    }
}

/// Returns the positions of merged blocks behind a position that have an instant beyond a limit, in order.
pub(super) fn merged_after(
    connection: &mut AnyConnection,
    position: i64,
    instant: i64,
    limit: i64,
) -> QueryResult<Vec<i64>> {
    match connection {
        AnyConnection::Sqlite(_) => Ok(Vec::new()),
        AnyConnection::Postgres(connection) => {
            MergedAfter { position: &position, instant: &instant, limit: &limit }.load(connection)
        }
    }
}

/// Sets the instants beyond a limit to now, in the lines of merged blocks. Returns the number of blocks.
pub(super) fn date_lines(
    connection: &mut AnyConnection,
    positions: &Vec<i64>,
    limit: i64,
    now: i64,
) -> QueryResult<usize> {
    match connection {
        AnyConnection::Sqlite(_) => Ok(0),
        AnyConnection::Postgres(connection) => DateLines { limit: &limit, now: &now, positions }.execute(connection),
    }
}
