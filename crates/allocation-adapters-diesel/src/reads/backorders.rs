//! Waiting lines in the order in which they are served.

use crate::any_connection::{AnyConnection, MultiBackend};
use crate::error::{corrupt, store_error};
use crate::row;
use crate::statement::statement;
use allocation_domain::{QueuePosition, Sku};
use allocation_ports::{Backorder, BackorderCursor, BackorderFilter, PageSize, StoreError};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Text};

type WaitingSql = (Text, Integer, BigInt, Text, Integer);

statement! {
    /// The queue of a product after a position. Lines whose hold has expired no longer wait.
    QueueAfter<'a>(
        sku: Text => str,
        precedence: Integer => i32,
        placed_at: BigInt => i64,
        order_id: Text => str,
        now: BigInt => i64,
        limit: BigInt => i64,
    ) on MultiBackend -> WaitingSql,
    "SELECT sku, precedence, placed_at, order_id, waiting FROM order_lines
     WHERE sku = ? AND waiting > 0 AND (precedence, placed_at, order_id) > (?, ?, ?)
       AND (expires_at IS NULL OR expires_at > ?)
     ORDER BY precedence, placed_at, order_id LIMIT ?"
}

statement! {
    /// The queues of the products after a SKU, one after another.
    QueuesAfter<'a>(sku: Text => str, now: BigInt => i64, limit: BigInt => i64) on MultiBackend -> WaitingSql,
    "SELECT sku, precedence, placed_at, order_id, waiting FROM order_lines
     WHERE sku > ? AND waiting > 0 AND (expires_at IS NULL OR expires_at > ?)
     ORDER BY sku, precedence, placed_at, order_id LIMIT ?"
}

/// Returns a page of waiting lines, in one snapshot.
pub(crate) fn backorders(
    connection: &mut AnyConnection,
    filter: &BackorderFilter,
    after: Option<&BackorderCursor>,
    page: PageSize,
    now: DateTime<Utc>,
) -> Result<Vec<Backorder>, StoreError> {
    let page = usize::from(page.get());
    let mut rows = match (&filter.sku, after) {
        (Some(sku), Some(after)) if *sku < after.sku => return Ok(Vec::new()),
        (Some(sku), after) => queue(connection, sku, after.filter(|after| after.sku == *sku), page, now)?,
        (None, Some(after)) => queue(connection, &after.sku, Some(after), page, now)?,
        (None, None) => Vec::new(),
    };
    if filter.sku.is_none() && rows.len() < page {
        let sku = after.map_or(super::FIRST, |after| after.sku.as_str());
        let limit = limit(page - rows.len())?;
        let statement = QueuesAfter { sku, now: &now.timestamp_micros(), limit: &limit };
        rows.extend(read(statement.load(connection))?);
    }
    numbered(rows, after)
}

/// Returns the queue of a product after a position.
fn queue(
    connection: &mut AnyConnection,
    sku: &Sku,
    after: Option<&BackorderCursor>,
    page: usize,
    now: DateTime<Utc>,
) -> Result<Vec<Waiting>, StoreError> {
    let statement = QueueAfter {
        sku: sku.as_str(),
        precedence: &after.map_or(i32::MIN, |after| !after.queued.priority()),
        placed_at: &after.map_or(i64::MIN, |after| after.queued.placed_at().timestamp_micros()),
        order_id: after.map_or(super::FIRST, |after| after.queued.order_id().as_str()),
        now: &now.timestamp_micros(),
        limit: &limit(page)?,
    };
    read(statement.load(connection))
}

/// A waiting line without its place in the queue.
#[derive(Debug)]
struct Waiting {
    sku: Sku,
    queued: QueuePosition,
    waiting: i32,
}

/// The SKU, the precedence, the instant at which the line was placed, the order id, and the waiting units.
type WaitingRow = (String, i32, i64, String, i32);

fn read(rows: QueryResult<Vec<WaitingRow>>) -> Result<Vec<Waiting>, StoreError> {
    let line = |(sku, precedence, placed_at, order_id, waiting): WaitingRow| {
        let queued = QueuePosition::new(row::order_id(order_id)?, !precedence, row::instant(placed_at)?);
        Ok(Waiting { sku: row::sku(sku)?, queued, waiting })
    };
    rows.map_err(store_error)?.into_iter().map(line).collect()
}

/// Numbers the lines by their places in their queues; lines of the cursor's SKU continue from the cursor.
fn numbered(rows: Vec<Waiting>, after: Option<&BackorderCursor>) -> Result<Vec<Backorder>, StoreError> {
    let mut last = after.map(|after| (after.sku.clone(), after.position));
    let number = |Waiting { sku, queued, waiting }| {
        let before = last.take().filter(|(before, _)| *before == sku).map_or(0, |(_, position)| position);
        let position = before.saturating_add(1);
        last = Some((sku.clone(), position));
        Ok(Backorder { sku, position, queued, waiting: row::quantity(waiting)? })
    };
    rows.into_iter().map(number).collect()
}

fn limit(rows: usize) -> Result<i64, StoreError> {
    i64::try_from(rows).map_err(corrupt)
}
