//! New positions for all events, after a restore.

use crate::any_connection::AnyConnection;
use crate::postgres::SEGMENT;
use crate::{BackupError, Store, migrations, transaction};
use allocation_ports::LogBounds;
use diesel::connection::{AnsiTransactionManager, Connection, SimpleConnection};
use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::query_dsl::LoadQuery;
use diesel::sql_types::BigInt;

/// The tables whose positions move on both databases. Positions of the index are last, and differ.
const MOVES: &str = "
    UPDATE event_blocks SET first_position = first_position + {by};
    UPDATE parked_events SET position = position + {by};
    UPDATE relay SET checkpoint = {by} + CASE
        WHEN checkpoint < (SELECT oldest_position - 1 FROM event_log) THEN (SELECT oldest_position - 1 FROM event_log)
        ELSE checkpoint
    END;
";
const MOVES_ON_SQLITE: &str = "
    UPDATE event_keys SET first_position = first_position + {by};
    UPDATE event_log SET last_position = last_position + {by}, oldest_position = oldest_position + {by};
    DELETE FROM leases;
";
const MOVES_ON_POSTGRES: &str = "
    UPDATE event_causes SET first_position = first_position + {by};
    UPDATE event_keys SET segment = segment + {segments}, positions = ARRAY(
        SELECT p + {by} FROM unnest(positions) WITH ORDINALITY AS u (p, n) ORDER BY n
    );
    UPDATE event_log SET last_position = last_position + {by}, oldest_position = oldest_position + {by},
                         indexed_position = indexed_position + {by};
    DELETE FROM leases;
";

impl Store {
    /// Moves all events to positions that no event has had before, and returns the new bounds of the log.
    ///
    /// A restored log would assign positions again that readers have already seen with other events. The new positions
    /// begin at the current time in microseconds since 1970. An earlier log had fewer than a million events a second,
    /// so it never came that far. A reader with a position of the earlier log is thus behind the oldest event, and is
    /// told so.
    ///
    /// # Errors
    ///
    /// Returns [`BackupError`], and nothing has changed, if a server is running, the database is newer than this program
    /// or fails. A server that was killed counts as running for ten seconds.
    pub fn renumber_events(&self) -> Result<LogBounds, BackupError> {
        self.migrations().expect_known()?;
        let mut connection = self.migrations().connect()?;
        let now = self.time(&mut connection)?;
        match &mut connection {
            AnyConnection::Sqlite(connection) => in_transaction(connection, "BEGIN IMMEDIATE", |connection| {
                refuse(migrations::SQLITE_LEASES.live(connection)?)?;
                shift(connection, now, MOVES_ON_SQLITE)
            }),
            AnyConnection::Postgres(connection) => in_transaction(connection, "BEGIN", |connection| {
                connection.batch_execute(migrations::LOCK_SERVERS_OUT)?;
                refuse(migrations::POSTGRES_LEASES.live(connection)?)?;
                shift(connection, now, MOVES_ON_POSTGRES)
            }),
        }
    }
}

/// Moves the events of a copied file, which no server uses, to new positions that are also above `floor`.
pub(crate) fn renumber_copy(connection: &mut SqliteConnection, floor: i64) -> Result<LogBounds, BackupError> {
    let now = sql::<BigInt>("SELECT CAST(unixepoch('subsec') * 1000000 AS INTEGER)").get_result::<i64>(connection)?;
    in_transaction(connection, "BEGIN IMMEDIATE", |connection| shift(connection, now.max(floor), MOVES_ON_SQLITE))
}

fn in_transaction<C>(
    connection: &mut C,
    begin: &str,
    work: impl FnOnce(&mut C) -> Result<LogBounds, BackupError>,
) -> Result<LogBounds, BackupError>
where
    C: Connection<TransactionManager = AnsiTransactionManager> + SimpleConnection,
{
    AnsiTransactionManager::begin_transaction_sql(connection, begin)?;
    let done = work(connection);
    transaction::end(connection, done, BackupError::from)
}

/// Returns an error if servers hold leases.
pub(crate) fn refuse(leases: Vec<String>) -> Result<(), BackupError> {
    if leases.is_empty() { Ok(()) } else { Err(BackupError::InUse(leases)) }
}

/// Moves all positions, by a multiple of the segments of the index.
fn shift<C>(connection: &mut C, now: i64, more: &str) -> Result<LogBounds, BackupError>
where
    C: Connection + SimpleConnection,
    SqlLiteral<BigInt>: for<'query> LoadQuery<'query, C, i64>,
{
    let mut position = |of: &str| sql::<BigInt>(&format!("SELECT {of} FROM event_log")).get_result::<i64>(connection);
    let (oldest, last) = (position("oldest_position")?, position("last_position")?);
    let segments = (now.max(last) - oldest + 1).div_euclid(SEGMENT) + 1;
    let by = segments * SEGMENT;
    for moves in [MOVES, more] {
        let moves = moves.replace("{by}", &by.to_string()).replace("{segments}", &segments.to_string());
        connection.batch_execute(&moves)?;
    }
    let number = |position: i64| u64::try_from(position + by).map_err(|error| BackupError::Failed(error.into()));
    Ok(LogBounds { oldest: number(oldest)?, last: number(last)? })
}
