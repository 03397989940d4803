//! What a decision turns out to need of a locked product.

use crate::any_connection::AnyConnection;
use crate::error::store_error;
use crate::line::Lines;
use crate::schema::{allocations, order_lines};
use crate::{postgres, reads, row, sqlite};
use allocation_domain::{BatchReference, Needed, OrderId, PickLine, PickLineId, Product, QueuePosition, Sku};
use allocation_ports::StoreError;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};
use std::slice;

/// How many waiting lines are loaded at least: what a batch of some size serves.
const PAGE: usize = 100;

#[derive(Debug, thiserror::Error)]
#[error("a product that was not locked cannot be loaded")]
struct NotLocked;

/// Loads into a product what a decision lacks.
pub(crate) fn load(connection: &mut AnyConnection, product: &mut Product, needed: &Needed) -> Result<(), StoreError> {
    match needed {
        Needed::Batches => product.complete(reads::open_batches(connection, product.sku())?),
        Needed::Batch(reference) => {
            product.load_batches(reads::find_batch(connection, reference)?.map(|found| found.batch));
        }
        Needed::LinesOn(reference) => {
            let order_ids = orders_on(connection, product.sku(), reference)?;
            let Lines { lines, batches, pick_lines, .. } = lines(connection, product.sku(), &order_ids)?;
            product.load_batches(batches);
            product.load_lines(lines);
            product.load_pick_lines(pick_lines);
        }
        Needed::WaitingLines { after } => {
            // Every page has the decision made anew. As many lines again as are at hand keep what a long
            // queue costs in proportion to its length.
            let page = product.waiting().count().max(PAGE);
            // One more tells whether the queue goes on.
            let mut order_ids = waiting(connection, product.sku(), after.as_ref(), page + 1)?;
            let more = order_ids.len() > page;
            order_ids.truncate(page);
            let Lines { mut lines, batches, pick_lines, .. } = lines(connection, product.sku(), &order_ids)?;
            lines.sort_by_cached_key(|(order_id, line)| QueuePosition::of(order_id, line));
            product.load_batches(batches);
            product.load_waiting(lines, more);
            product.load_pick_lines(pick_lines);
        }
        Needed::Line(order_id) => {
            let Lines { lines, batches, pick_lines, .. } = lines(connection, product.sku(), slice::from_ref(order_id))?;
            product.load_batches(batches);
            product.load_lines(lines);
            product.load_pick_lines(pick_lines);
        }
        Needed::PickLinesOf(order_id) => product.load_pick_lines(pick_lines(connection, product.sku(), order_id)?),
        Needed::Product => return Err(StoreError::Failed(NotLocked.into())),
    }
    Ok(())
}

/// The pick lines of a line, but for those that are withdrawn or missing.
fn pick_lines(
    connection: &mut AnyConnection,
    sku: &Sku,
    order_id: &OrderId,
) -> Result<Vec<(PickLineId, PickLine)>, StoreError> {
    match connection {
        AnyConnection::Sqlite(connection) => sqlite::load_pick_lines(connection, sku, order_id),
        AnyConnection::Postgres(connection) => postgres::load_pick_lines(connection, [(sku, order_id)]),
    }
}

/// Those of the lines that exist, with their batches and pick lines.
pub(crate) fn lines(connection: &mut AnyConnection, sku: &Sku, order_ids: &[OrderId]) -> Result<Lines, StoreError> {
    match connection {
        AnyConnection::Sqlite(connection) => sqlite::lines(connection, sku, order_ids),
        AnyConnection::Postgres(connection) => postgres::lines(connection, sku, order_ids),
    }
}

/// The orders whose lines hold units of a batch.
fn orders_on(
    connection: &mut AnyConnection,
    sku: &Sku,
    reference: &BatchReference,
) -> Result<Vec<OrderId>, StoreError> {
    // The SKU is left out: saying it would suggest an index that leads through all lines of it.
    let rows = allocations::table
        .filter(allocations::reference.eq(reference.as_str()))
        .select((allocations::sku, allocations::order_id))
        .load::<(String, String)>(connection)
        .map_err(store_error)?;
    let of_product = rows.into_iter().filter(|(held, _)| held == sku.as_str());
    of_product.map(|(_, order_id)| row::order_id(order_id)).collect()
}

/// The orders whose lines wait after a place in the queue, in the order of the queue; so many, unless
/// these are the last.
fn waiting(
    connection: &mut AnyConnection,
    sku: &Sku,
    after: Option<&QueuePosition>,
    count: usize,
) -> Result<Vec<OrderId>, StoreError> {
    let mut found = match after {
        None => first_waiting(connection, sku, None, count)?,
        Some(after) => next_waiting(connection, sku, after, count)?,
    };
    let missing = count - found.len();
    if let Some(after) = after
        && missing > 0
    {
        found.extend(first_waiting(connection, sku, Some(after.priority()), missing)?);
    }
    found.into_iter().map(row::order_id).collect()
}

/// The first waiting lines, or the first of those whose priority is lower than another.
fn first_waiting(
    connection: &mut AnyConnection,
    sku: &Sku,
    lower_than: Option<i32>,
    count: usize,
) -> Result<Vec<String>, StoreError> {
    let mut query = order_lines::table
        .select(order_lines::order_id)
        .into_boxed()
        .filter(order_lines::sku.eq(sku.as_str()))
        .filter(waits())
        .order((order_lines::priority.desc(), order_lines::placed_at, order_lines::order_id))
        .limit(limit(count)?);
    if let Some(priority) = lower_than {
        query = query.filter(order_lines::priority.lt(priority));
    }
    query.load(connection).map_err(store_error)
}

/// The waiting lines after a place in the queue that have the priority of that place.
fn next_waiting(
    connection: &mut AnyConnection,
    sku: &Sku,
    after: &QueuePosition,
    count: usize,
) -> Result<Vec<String>, StoreError> {
    order_lines::table
        .filter(order_lines::sku.eq(sku.as_str()))
        .filter(waits())
        .filter(order_lines::priority.eq(after.priority()))
        // Both databases find the place in the index by a comparison of rows, and only by that.
        .filter(
            sql::<Bool>("(placed_at, order_id) > (")
                .bind::<BigInt, _>(after.placed_at().timestamp_micros())
                .sql(", ")
                .bind::<Text, _>(after.order_id().as_str())
                .sql(")"),
        )
        .order((order_lines::placed_at, order_lines::order_id))
        .limit(limit(count)?)
        .select(order_lines::order_id)
        .load(connection)
        .map_err(store_error)
}

fn limit(count: usize) -> Result<i64, StoreError> {
    i64::try_from(count).map_err(|error| StoreError::Failed(error.into()))
}

/// The condition of the index, which a parameter in place of the number would hide.
fn waits() -> diesel::expression::SqlLiteral<Bool> {
    sql("waiting > 0")
}
