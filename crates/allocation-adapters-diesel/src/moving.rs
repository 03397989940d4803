//! Lines of a batch in the order in which they are served, and batches with a pending correction.

use crate::any_connection::{AnyConnection, MultiBackend};
use crate::error::store_error;
use crate::planner::LIMIT;
use crate::row;
use crate::statement::statement;
use allocation_domain::{BatchReference, FirstToLeave, MAX_MOVED_LINES, OrderId, Quantity, QueuePosition, Sku};
use allocation_ports::StoreError;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Text};

/// The number of lines that one statement returns for the sum.
const PAGE: i64 = 10_000;

/// The number of rows to request, to detect whether there are more than [`MAX_MOVED_LINES`].
const PAGE_PLUS_ONE: i64 = 1_001;
const _: () = assert!(MAX_MOVED_LINES == 1_000, "the limit of the statements");

type Columns = (Text, Integer, BigInt, Integer);

/// The order id, the precedence of the line, the instant at which it was placed, and the units.
type Row = (String, i32, i64, i32);

statement! {
    /// The lines on a batch after a position.
    ///
    /// The SKU is omitted: it would suggest an index that scans all lines of the SKU.
    LinesAfter<'a>(
        reference: Text => str,
        precedence: Integer => i32,
        placed_at: BigInt => i64,
        order_id: Text => str,
        limit: BigInt => i64,
    ) on MultiBackend -> Columns,
    "SELECT order_id, precedence, placed_at, quantity FROM allocations
     WHERE reference = ? AND (precedence, placed_at, order_id) > (?, ?, ?)
     ORDER BY precedence, placed_at, order_id", LIMIT
}

statement! {
    /// The last lines on a batch, in reverse order.
    LastLines<'a>(reference: Text => str, limit: BigInt => i64) on MultiBackend -> Columns,
    "SELECT order_id, precedence, placed_at, quantity FROM allocations
     WHERE reference = ? ORDER BY precedence DESC, placed_at DESC, order_id DESC", LIMIT
}

statement! {
    /// The lines on a batch before a position, in reverse order.
    LinesBefore<'a>(
        reference: Text => str,
        precedence: Integer => i32,
        placed_at: BigInt => i64,
        order_id: Text => str,
        limit: BigInt => i64,
    ) on MultiBackend -> Columns,
    "SELECT order_id, precedence, placed_at, quantity FROM allocations
     WHERE reference = ? AND (precedence, placed_at, order_id) < (?, ?, ?)
     ORDER BY precedence DESC, placed_at DESC, order_id DESC", LIMIT
}

statement! {
    /// Batches with a pending correction, after a batch.
    Moving<'a>(sku: Text => str, reference: Text => str, limit: BigInt => i64) on MultiBackend -> (Text, Text),
    "SELECT sku, reference FROM batches
     WHERE moving IS NOT NULL AND (sku, reference) > (?, ?) ORDER BY sku, reference", LIMIT
}

/// Returns the order ids of the next lines on a batch after a position, and whether there are more.
pub(crate) fn next_on(
    connection: &mut AnyConnection,
    reference: &BatchReference,
    after: Option<&QueuePosition>,
) -> Result<(Vec<OrderId>, bool), StoreError> {
    let rows: Vec<Row> = LinesAfter {
        reference: reference.as_str(),
        precedence: &after.map_or(i32::MIN, |after| !after.priority()),
        placed_at: &after.map_or(i64::MIN, |after| after.placed_at().timestamp_micros()),
        order_id: after.map_or("", |after| after.order_id().as_str()),
        limit: &PAGE_PLUS_ONE,
    }
    .load(connection)
    .map_err(store_error)?;
    let more = rows.len() > MAX_MOVED_LINES;
    let lines = rows.into_iter().take(MAX_MOVED_LINES).map(|(order_id, ..)| row::order_id(order_id));
    Ok((lines.collect::<Result<_, _>>()?, more))
}

/// Returns the order ids of the last lines on a batch that together have at least `units`, or of all its
/// lines. Returns `None` if they are too many to leave in one step.
pub(crate) fn last_on(
    connection: &mut AnyConnection,
    reference: &BatchReference,
    units: u32,
) -> Result<Option<Vec<OrderId>>, StoreError> {
    let statement = LastLines { reference: reference.as_str(), limit: &PAGE_PLUS_ONE };
    let rows: Vec<Row> = statement.load(connection).map_err(store_error)?;
    let (mut lines, mut sum) = (Vec::new(), 0);
    for (order_id, .., quantity) in rows {
        if sum >= i64::from(units) {
            break;
        }
        sum += i64::from(quantity);
        lines.push(row::order_id(order_id)?);
    }
    Ok((lines.len() <= MAX_MOVED_LINES).then_some(lines))
}

/// Returns the first line that leaves a batch when `units` have to leave it; the first of all its lines if
/// they hold fewer. It sums up lines from the last one on, a page at a time and without locks.
pub(crate) fn first_to_leave(
    connection: &mut AnyConnection,
    reference: &BatchReference,
    units: u32,
) -> Result<Option<FirstToLeave>, StoreError> {
    let name = reference.as_str();
    let (mut left, mut first) = (units, None::<(String, i32, i64, Quantity)>);
    while left > 0 {
        let rows: QueryResult<Vec<Row>> = match &first {
            None => LastLines { reference: name, limit: &PAGE }.load(connection),
            Some((order_id, precedence, placed_at, _)) => {
                LinesBefore { reference: name, precedence, placed_at, order_id, limit: &PAGE }.load(connection)
            }
        };
        let rows = rows.map_err(store_error)?;
        if rows.is_empty() {
            break;
        }
        for (order_id, precedence, placed_at, quantity) in rows {
            let Some(part) = row::quantity(quantity)?.at_most(left) else { break };
            left -= part.get();
            first = Some((order_id, precedence, placed_at, part));
        }
    }
    let Some((order_id, precedence, placed_at, part)) = first else { return Ok(None) };
    let position = QueuePosition::new(row::order_id(order_id)?, !precedence, row::instant(placed_at)?);
    Ok(Some(FirstToLeave { position, part, units: units - left }))
}

/// Returns batches with a pending correction after a batch, up to a limit.
pub(crate) fn batches(
    connection: &mut AnyConnection,
    after: Option<&(Sku, BatchReference)>,
    most: u16,
) -> Result<Vec<(Sku, BatchReference)>, StoreError> {
    let (sku, reference) = after.map_or(("", ""), |(sku, reference)| (sku.as_str(), reference.as_str()));
    let rows: Vec<(String, String)> =
        Moving { sku, reference, limit: &i64::from(most) }.load(connection).map_err(store_error)?;
    rows.into_iter().map(|(sku, reference)| Ok((row::sku(sku)?, row::reference(reference)?))).collect()
}
