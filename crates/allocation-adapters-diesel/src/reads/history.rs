//! The history of an order, a batch or a product.

use super::blocks::{blocks_of_key, more_wait_than, waiting_blocks_of_key};
use super::events::log_bounds;
use crate::any_connection::AnyConnection;
use crate::block_row::BlockRow;
use crate::error::{corrupt, store_error};
use crate::event_block::subject_key;
use allocation_ports::{EventCursor, PageSize, RecordedEvent, StoreError, Subject};
use std::collections::BTreeMap;

/// The number of blocks in memory at a time.
const STEP: i64 = 50;

/// The maximum number of blocks without a position that a history scans. A sequencer that runs leaves far fewer.
const MAX_WAITING: i64 = 20_000;

#[derive(Debug, thiserror::Error)]
#[error("more than {MAX_WAITING} blocks of events wait for a position: does a server sequence events?")]
struct Unsequenced;

/// The key by which a history is sorted: instant, SKU, version and ordinal.
type Place = (i64, String, i64, i32);

/// Returns a page of the retained events of a subject, with a position or without. All statements must see the same
/// state of the database.
///
/// Fails as unavailable if too many events have no position.
pub(crate) fn history(
    connection: &mut AnyConnection,
    subject: &Subject,
    after: Option<&EventCursor>,
    page: PageSize,
) -> Result<Vec<RecordedEvent>, StoreError> {
    if more_wait_than(connection, MAX_WAITING).map_err(store_error)? {
        return Err(StoreError::Unavailable(Unsequenced.into()));
    }
    let key = subject_key(subject);
    let mut first =
        First { subject, after: after.map(place_of), size: usize::from(page.get()), events: BTreeMap::new() };
    let mut from = Some(i64::try_from(log_bounds(connection)?.oldest).map_err(corrupt)?);
    while let Some(start) = from {
        let (rows, next) = blocks_of_key(connection, key, start, STEP).map_err(store_error)?;
        first.add(&rows)?;
        from = next;
    }
    let mut after = Some(0);
    while let Some(start) = after {
        let (rows, next) = waiting_blocks_of_key(connection, key, start, STEP).map_err(store_error)?;
        first.add(&rows)?;
        after = next;
    }
    Ok(first.events.into_values().collect())
}

/// The first events of a subject after a place, up to a number.
struct First<'a> {
    subject: &'a Subject,
    after: Option<Place>,
    size: usize,
    events: BTreeMap<Place, RecordedEvent>,
}

impl First<'_> {
    /// Adds the events of some blocks that are among the first.
    fn add(&mut self, rows: &[BlockRow]) -> Result<(), StoreError> {
        for row in rows {
            for event in row.events()? {
                let place = (event.occurred_at, event.sku.clone(), event.version, event.ordinal);
                let is_late = self.events.len() >= self.size
                    && self.events.last_key_value().is_some_and(|(last, _)| *last <= place);
                if !event.is_about(self.subject) || is_late || self.after.as_ref().is_some_and(|after| place <= *after)
                {
                    continue;
                }
                self.events.insert(place, event.recorded()?);
                if self.events.len() > self.size {
                    self.events.pop_last();
                }
            }
        }
        Ok(())
    }
}

/// Returns the place of a cursor. No stored event has numbers beyond the column types.
fn place_of(after: &EventCursor) -> Place {
    let version = i64::try_from(after.version).unwrap_or(i64::MAX);
    let ordinal = i32::try_from(after.ordinal).unwrap_or(i32::MAX);
    (after.occurred_at.timestamp_micros(), after.sku.as_str().to_owned(), version, ordinal)
}
