//! What has happened to an order.

use crate::any_connection::{AnyConnection, MultiBackend};
use crate::error::{corrupt, store_error};
use crate::row;
use crate::statement::statement;
use allocation_domain::OrderId;
use allocation_ports::{EventCursor, PageSize, RecordedEvent, StoreError};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Text};

statement! {
    /// The events of an order after a place. All events of the order are found by an index, and
    /// sorted: an order has few.
    History<'a>(
        order_id: Text => str,
        occurred_at: BigInt => i64,
        sku: Text => str,
        version: BigInt => i64,
        ordinal: Integer => i32,
        limit: BigInt => i64,
    ) on MultiBackend -> (Text, BigInt, Integer, BigInt, Text),
    "SELECT sku, version, ordinal, occurred_at, payload FROM outbox
     WHERE order_id = ? AND (occurred_at, sku, version, ordinal) > (?, ?, ?, ?)
     ORDER BY occurred_at, sku, version, ordinal LIMIT ?"
}

/// A page of the events of an order.
pub(crate) fn history(
    connection: &mut AnyConnection,
    order_id: &OrderId,
    after: Option<&EventCursor>,
    page: PageSize,
) -> Result<Vec<RecordedEvent>, StoreError> {
    let statement = History {
        order_id: order_id.as_str(),
        occurred_at: &after.map_or(i64::MIN, |after| after.occurred_at.timestamp_micros()),
        sku: after.map_or(super::FIRST, |after| after.sku.as_str()),
        // Nothing is stored with a number that is out of range here.
        version: &after.map_or(0, |after| i64::try_from(after.version).unwrap_or(i64::MAX)),
        ordinal: &after.map_or(0, |after| i32::try_from(after.ordinal).unwrap_or(i32::MAX)),
        limit: &i64::from(page.get()),
    };
    let rows: Vec<EventRow> = statement.load(connection).map_err(store_error)?;
    rows.into_iter().map(EventRow::event).collect()
}

/// A row of `outbox`, as far as it is read.
#[derive(Debug, Queryable)]
struct EventRow {
    sku: String,
    version: i64,
    ordinal: i32,
    occurred_at: i64,
    payload: String,
}

impl EventRow {
    fn event(self) -> Result<RecordedEvent, StoreError> {
        Ok(RecordedEvent {
            sku: row::sku(self.sku)?,
            version: u64::try_from(self.version).map_err(corrupt)?,
            ordinal: u32::try_from(self.ordinal).map_err(corrupt)?,
            occurred_at: row::instant(self.occurred_at)?,
            event: serde_json::from_str(&self.payload).map_err(corrupt)?,
        })
    }
}
