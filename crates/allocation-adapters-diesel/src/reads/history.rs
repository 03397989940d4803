//! The history of an order.

use crate::any_connection::{AnyConnection, MultiBackend};
use crate::error::{corrupt, store_error};
use crate::planner::SEPARATE;
use crate::row;
use crate::statement::statement;
use allocation_domain::OrderId;
use allocation_ports::{EventCursor, PageSize, RecordedEvent, StoreError};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Text};

statement! {
    /// The sorted events of an order after a cursor; an order has few. Sequenced events are found by their
    /// order id. The others are found among the events of the products in which the order has lines, or had
    /// lines that have been removed.
    HistoryOnPostgres<'a>(
        order_id: Text => str,
        occurred_at: BigInt => i64,
        sku: Text => str,
        version: BigInt => i64,
        ordinal: Integer => i32,
        line_order_id: Text => str,
        departed_order_id: Text => str,
        waiting_order_id: Text => str,
        waiting_occurred_at: BigInt => i64,
        waiting_sku: Text => str,
        waiting_version: BigInt => i64,
        waiting_ordinal: Integer => i32,
        limit: BigInt => i64,
    ) on MultiBackend -> (Text, BigInt, Integer, BigInt, Text),
    "SELECT sku, version, ordinal, occurred_at, payload FROM events
     WHERE order_id = ? AND (occurred_at, sku, version, ordinal) > (?, ?, ?, ?)
     UNION ALL
     SELECT o.sku, o.version, o.ordinal, o.occurred_at, o.payload
     FROM (
         SELECT sku FROM order_lines WHERE order_id = ?
         UNION
         SELECT sku FROM outbox WHERE order_id = ? AND type IN ('deallocated', 'wait_ended')
     ) AS s
     CROSS JOIN LATERAL (
         SELECT sku, version, ordinal, occurred_at, payload FROM outbox
         WHERE outbox.sku = s.sku AND order_id = ? AND (occurred_at, sku, version, ordinal) > (?, ?, ?, ?)
         ORDER BY version, ordinal", SEPARATE, "
     ) AS o
     ORDER BY occurred_at, sku, version, ordinal LIMIT ?"
}

statement! {
    /// The sorted events of an order after a cursor; an order has few. Sequenced events are found by their
    /// order id; the few others are scanned.
    HistoryOnSqlite<'a>(
        order_id: Text => str,
        occurred_at: BigInt => i64,
        sku: Text => str,
        version: BigInt => i64,
        ordinal: Integer => i32,
        waiting_order_id: Text => str,
        waiting_occurred_at: BigInt => i64,
        waiting_sku: Text => str,
        waiting_version: BigInt => i64,
        waiting_ordinal: Integer => i32,
        limit: BigInt => i64,
    ) on MultiBackend -> (Text, BigInt, Integer, BigInt, Text),
    "SELECT sku, version, ordinal, occurred_at, payload FROM events
     WHERE order_id = ? AND (occurred_at, sku, version, ordinal) > (?, ?, ?, ?)
     UNION ALL
     SELECT sku, version, ordinal, occurred_at, payload FROM outbox
     WHERE order_id = ? AND (occurred_at, sku, version, ordinal) > (?, ?, ?, ?)
     ORDER BY occurred_at, sku, version, ordinal LIMIT ?"
}

/// Returns a page of the retained events of an order.
pub(crate) fn history(
    connection: &mut AnyConnection,
    order_id: &OrderId,
    after: Option<&EventCursor>,
    page: PageSize,
) -> Result<Vec<RecordedEvent>, StoreError> {
    let order_id = order_id.as_str();
    let occurred_at = &after.map_or(i64::MIN, |after| after.occurred_at.timestamp_micros());
    let sku = after.map_or(super::FIRST, |after| after.sku.as_str());
    // No stored event has numbers beyond the column types.
    let version = &after.map_or(0, |after| i64::try_from(after.version).unwrap_or(i64::MAX));
    let ordinal = &after.map_or(0, |after| i32::try_from(after.ordinal).unwrap_or(i32::MAX));
    let limit = &i64::from(page.get());
    let rows: QueryResult<Vec<EventRow>> = match connection {
        AnyConnection::Sqlite(_) => HistoryOnSqlite {
            order_id,
            occurred_at,
            sku,
            version,
            ordinal,
            waiting_order_id: order_id,
            waiting_occurred_at: occurred_at,
            waiting_sku: sku,
            waiting_version: version,
            waiting_ordinal: ordinal,
            limit,
        }
        .load(connection),
        AnyConnection::Postgres(_) => HistoryOnPostgres {
            order_id,
            occurred_at,
            sku,
            version,
            ordinal,
            line_order_id: order_id,
            departed_order_id: order_id,
            waiting_order_id: order_id,
            waiting_occurred_at: occurred_at,
            waiting_sku: sku,
            waiting_version: version,
            waiting_ordinal: ordinal,
            limit,
        }
        .load(connection),
    };
    rows.map_err(store_error)?.into_iter().map(EventRow::event).collect()
}

/// The selected columns of an event.
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
