//! The event log.

use crate::any_connection::{AnyConnection, MultiBackend};
use crate::error::{corrupt, store_error};
use crate::reads::fitting::fitting;
use crate::row;
use crate::statement::statement;
use allocation_ports::{
    CausationId, EventContext, EventFilter, EventPage, LogBounds, LoggedEvent, PageSize, ReadLogError, StoreError,
    TraceParent,
};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

/// The number of events that a page scans for a filter by type alone.
const SCAN_LIMIT: u64 = 10_000;

statement! {
    Bounds<'a>(one: BigInt => i64) on MultiBackend -> (BigInt, BigInt),
    "SELECT oldest_position, last_position FROM event_log LIMIT ?"
}

statement! {
    /// Events after a position.
    Events<'a>(after: BigInt => i64, limit: BigInt => i64) on MultiBackend -> (
        BigInt, Text, BigInt, Text, Nullable<Text>, Nullable<Text>,
    ),
    "SELECT position, sku, occurred_at, payload, traceparent, causation_id FROM events
     WHERE position > ? ORDER BY position LIMIT ?"
}

statement! {
    /// Parked events to retry.
    ToRetry<'a>(limit: BigInt => i64) on MultiBackend -> (
        BigInt, Text, BigInt, Text, Nullable<Text>, Nullable<Text>,
    ),
    "SELECT e.position, e.sku, e.occurred_at, e.payload, e.traceparent, e.causation_id
     FROM parked_events AS p JOIN events AS e ON e.position = p.position
     WHERE p.retry ORDER BY p.position LIMIT ?"
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
        false => fitting(connection, (number(after)?, number(until)?), filter, page),
    };
    let rows: Vec<EventRow> = rows.map_err(store_error)?;
    let is_full = rows.len() >= usize::from(page.get());
    let found = rows.len();
    let events = readable(rows)?;
    let ends_early = is_full || events.len() < found;
    let next = events.last().filter(|_| ends_early).map_or(until, |event| event.position);
    Ok(EventPage { events, next })
}

/// Returns the first parked events to retry.
pub(crate) fn to_retry(connection: &mut AnyConnection, page: PageSize) -> Result<Vec<LoggedEvent>, ReadLogError> {
    let statement = ToRetry { limit: &i64::from(page.get()) };
    let rows: Vec<EventRow> = statement.load(connection).map_err(store_error)?;
    readable(rows)
}

/// Returns the events before the first unreadable one, or an error if that is the first of all.
fn readable(rows: Vec<EventRow>) -> Result<Vec<LoggedEvent>, ReadLogError> {
    let mut events = Vec::with_capacity(rows.len());
    for row in rows {
        let position = u64::try_from(row.position).map_err(corrupt)?;
        match row.event() {
            Ok(event) => events.push(event),
            Err(source) if events.is_empty() => return Err(ReadLogError::Unreadable { position, source }),
            Err(_) => break,
        }
    }
    Ok(events)
}

fn number(position: u64) -> Result<i64, StoreError> {
    i64::try_from(position).map_err(|error| StoreError::Failed(error.into()))
}

/// The selected columns of a row of `events`.
#[derive(Debug, Queryable)]
pub(super) struct EventRow {
    position: i64,
    sku: String,
    occurred_at: i64,
    payload: String,
    traceparent: Option<String>,
    causation_id: Option<String>,
}

#[derive(Debug, thiserror::Error)]
#[error("the context of an event is none")]
struct NoOrigin;

impl EventRow {
    fn event(self) -> Result<LoggedEvent, StoreError> {
        let no_origin = || corrupt(NoOrigin);
        let traceparent = self.traceparent.map(|text| TraceParent::parse(&text).ok_or_else(no_origin));
        let causation_id = self.causation_id.map(|text| CausationId::parse(&text).ok_or_else(no_origin));
        Ok(LoggedEvent {
            position: u64::try_from(self.position).map_err(corrupt)?,
            sku: row::sku(self.sku)?,
            occurred_at: row::instant(self.occurred_at)?,
            event: serde_json::from_str(&self.payload).map_err(corrupt)?,
            context: EventContext { traceparent: traceparent.transpose()?, causation_id: causation_id.transpose()? },
        })
    }
}
