//! The event log.

use super::blocks::{blocks, blocks_of_key, lowest_start};
use crate::any_connection::{AnyConnection, MultiBackend};
use crate::block_row::BlockRow;
use crate::error::{corrupt, store_error};
use crate::event_block::subject_key;
use crate::statement::statement;
use allocation_ports::{EventFilter, EventPage, LogBounds, LoggedEvent, PageSize, ReadLogError, StoreError, Subject};
use diesel::prelude::*;
use diesel::sql_types::BigInt;

/// The number of events that a page scans for a filter by type alone.
const SCAN_LIMIT: u64 = 10_000;
/// The number of positions whose blocks are in memory at a time during a scan.
const SCAN_STEP: i64 = 2_000;
/// The number of blocks of a subject in memory at a time.
const SUBJECT_STEP: i64 = 50;
/// The number of such steps of a page.
const SUBJECT_STEPS: usize = 20;

statement! {
    Bounds<'a>(one: BigInt => i64) on MultiBackend -> (BigInt, BigInt),
    "SELECT oldest_position, last_position FROM event_log LIMIT ?"
}

statement! {
    /// Positions of parked events to retry.
    ToRetry<'a>(limit: BigInt => i64) on MultiBackend -> BigInt,
    "SELECT position FROM parked_events WHERE retry ORDER BY position LIMIT ?"
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
    let mut found = Page { after: number(after)?, filter, size: usize::from(page.get()), events: Vec::new() };
    let until = match &filter.subject {
        Some(subject) => found.scan_subject(connection, subject, number(oldest)?)?.unwrap_or(last),
        None => {
            // An index finds an event by its subject, but not by its type.
            let until = if filter.is_open() { last } else { last.min(after + SCAN_LIMIT) };
            found.scan(connection, number(until)?)?;
            until
        }
    };
    let events = found.events;
    let is_full = events.len() >= usize::from(page.get());
    let next = events.last().filter(|_| is_full).map_or(until, |event| event.position);
    Ok(EventPage { events, next })
}

/// The matching events after a position, up to a number.
struct Page<'a> {
    after: i64,
    filter: &'a EventFilter,
    size: usize,
    events: Vec<LoggedEvent>,
}

impl Page<'_> {
    /// Adds matching events up to a position.
    fn scan(&mut self, connection: &mut AnyConnection, until: i64) -> Result<(), StoreError> {
        let step = if self.filter.is_open() { i64::try_from(self.size).map_err(corrupt)? } else { SCAN_STEP };
        let mut from = self.after + 1;
        while from <= until && self.events.len() < self.size {
            let end = until.min(from + step - 1);
            let rows = blocks(connection, (from, end), &self.filter.types).map_err(store_error)?;
            // A block may reach beyond the step; the next step must not add its events again.
            self.add(&rows, from, end)?;
            from = end + 1;
        }
        Ok(())
    }

    /// Adds matching events of a subject. Returns the position up to which it has looked, unless that is the end.
    fn scan_subject(
        &mut self,
        connection: &mut AnyConnection,
        subject: &Subject,
        oldest: i64,
    ) -> Result<Option<u64>, StoreError> {
        let key = subject_key(subject);
        let mut from = lowest_start(self.after + 1).max(oldest);
        let mut end = self.after;
        for _ in 0..SUBJECT_STEPS {
            let (rows, next) = blocks_of_key(connection, key, from, SUBJECT_STEP).map_err(store_error)?;
            self.add(&rows, self.after + 1, i64::MAX)?;
            let (Some(next), Some(last)) = (next, rows.last()) else { return Ok(None) };
            if self.events.len() >= self.size {
                break;
            }
            from = next;
            end = last.events()?.last().map_or(end, |event| event.position.max(end));
        }
        Ok(Some(u64::try_from(end).map_err(corrupt)?))
    }

    /// Adds the matching events of some blocks from a position up to another.
    fn add(&mut self, rows: &[BlockRow], from: i64, until: i64) -> Result<(), StoreError> {
        let types = &self.filter.types;
        for row in rows {
            for event in row.events()? {
                let fits = types.is_empty() || types.contains(&event.name.as_str());
                if !fits || event.position < from || event.position > until || self.events.len() >= self.size {
                    continue;
                }
                let event = event.logged()?;
                if self.filter.fits(&event) {
                    self.events.push(event);
                }
            }
        }
        Ok(())
    }
}

/// Returns the first parked events to retry.
pub(crate) fn to_retry(connection: &mut AnyConnection, page: PageSize) -> Result<Vec<LoggedEvent>, StoreError> {
    let statement = ToRetry { limit: &i64::from(page.get()) };
    let positions: Vec<i64> = statement.load(connection).map_err(store_error)?;
    let mut positions = positions.into_iter().peekable();
    let mut found = Vec::new();
    while let Some(first) = positions.peek().copied() {
        let Some(block) = blocks(connection, (first, first), &[]).map_err(store_error)?.pop() else {
            // The event was pruned.
            positions.next();
            continue;
        };
        let events = block.events()?;
        let end = events.last().map_or(first, |event| event.position).max(first);
        let mut wanted = Vec::new();
        while let Some(position) = positions.next_if(|position| *position <= end) {
            wanted.push(position);
        }
        for event in events {
            if wanted.binary_search(&event.position).is_ok() {
                found.push(event.logged()?);
            }
        }
    }
    Ok(found)
}

fn number(position: u64) -> Result<i64, StoreError> {
    i64::try_from(position).map_err(|error| StoreError::Failed(error.into()))
}
