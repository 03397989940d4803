//! The event log.

use crate::any_connection::{AnyConnection, MultiBackend};
use crate::columns::{Columns, Sql};
use crate::error::{corrupt, store_error};
use crate::event_row::EventRow;
use crate::reads::filtered::filtered;
use crate::statement::statement;
use allocation_ports::{EventFilter, EventPage, LogBounds, LoggedEvent, PageSize, ReadLogError, StoreError};
use diesel::prelude::*;
use diesel::sql_types::BigInt;

/// The number of events that a page scans for a filter by type alone.
const SCAN_LIMIT: u64 = 10_000;

statement! {
    Bounds<'a>(one: BigInt => i64) on MultiBackend -> (BigInt, BigInt),
    "SELECT oldest_position, last_position FROM event_log LIMIT ?"
}

statement! {
    /// Events after a position.
    Events<'a>(after: BigInt => i64, limit: BigInt => i64) on MultiBackend -> Sql<EventRow>,
    "SELECT ", EventRow::COLUMNS, " FROM events WHERE position > ? ORDER BY position LIMIT ?"
}

statement! {
    /// Parked events to retry.
    ToRetry<'a>(limit: BigInt => i64) on MultiBackend -> Sql<EventRow>,
    "SELECT ", EventRow::COLUMNS, " FROM parked_events JOIN events USING (position)
     WHERE retry ORDER BY position LIMIT ?"
}

/// Returns the bounds of the event log.
pub(crate) fn log_bounds(connection: &mut AnyConnection) -> Result<LogBounds, StoreError> {
    let (oldest, last) = Bounds { one: &1 }.get_result::<(i64, i64)>(connection).map_err(store_error)?;
    Ok(LogBounds { oldest: u64::try_from(oldest).map_err(corrupt)?, last: u64::try_from(last).map_err(corrupt)? })
}

/// Returns a page of the event log. All statements must see the same state of the database.
pub(crate) fn events(
    connection: &mut AnyConnection,
    after: u64,
    filter: &EventFilter,
    page: PageSize,
) -> Result<EventPage, ReadLogError> {
    let LogBounds { oldest, last } = log_bounds(connection)?;
    let before_oldest = oldest.saturating_sub(1);
    if after < before_oldest || after > last {
        return Err(ReadLogError::Gone { oldest });
    }
    if after == last {
        return Ok(EventPage { events: Vec::new(), next: after });
    }
    // An index finds an event by its subject, but not by its type.
    let looks_through = filter.subject.is_none() && !filter.is_open();
    let until = if looks_through { last.min(after + SCAN_LIMIT) } else { last };
    let rows = match filter.is_open() {
        true => Events { after: &number(after)?, limit: &i64::from(page.get()) }.load(connection),
        false => filtered(connection, (number(after)?, number(until)?), filter, page),
    };
    let rows: Vec<EventRow> = rows.map_err(store_error)?;
    let is_full = rows.len() >= usize::from(page.get());
    let events = logged(rows)?;
    let next = events.last().filter(|_| is_full).map_or(until, |event| event.position);
    Ok(EventPage { events, next })
}

/// Returns the first parked events to retry.
pub(crate) fn to_retry(connection: &mut AnyConnection, page: PageSize) -> Result<Vec<LoggedEvent>, StoreError> {
    let statement = ToRetry { limit: &i64::from(page.get()) };
    let rows: Vec<EventRow> = statement.load(connection).map_err(store_error)?;
    logged(rows)
}

fn logged(rows: Vec<EventRow>) -> Result<Vec<LoggedEvent>, StoreError> {
    rows.into_iter().map(EventRow::event).collect()
}

fn number(position: u64) -> Result<i64, StoreError> {
    i64::try_from(position).map_err(|error| StoreError::Failed(error.into()))
}
