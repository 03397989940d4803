//! Locking and loading products.
//!
//! The transaction has the lock of the whole file from its beginning; what is left is to count the
//! versions.

use super::rows::{CountUp, InsertMissing};
use crate::error::{corrupt, store_error};
use crate::row::{self, AllocationPart, BATCH_COLUMNS, BatchRow};
use crate::schema::{allocations, batches, order_lines, products};
use crate::unit::{ONE_MORE, OPEN_BATCHES};
use allocation_domain::{Allocation, Batch, BatchReference, LineState, OrderId, Product, ProductState, Sku};
use allocation_ports::{StoreError, Wanted};
use diesel::prelude::*;

pub(crate) fn lock(connection: &mut SqliteConnection, wanted: &[Wanted]) -> Result<Vec<Product>, StoreError> {
    let products = wanted.iter().map(|wanted| lock_one(connection, wanted));
    products.filter_map(Result::transpose).collect()
}

fn lock_one(connection: &mut SqliteConnection, wanted: &Wanted) -> Result<Option<Product>, StoreError> {
    let sku = wanted.sku.as_str();
    if wanted.create {
        InsertMissing { sku }.execute(connection).map_err(store_error)?;
    }
    let counted = CountUp { sku }.execute(connection).map_err(store_error)?;
    if counted == 0 {
        return Ok(None);
    }
    let version: i64 = products::table.find(sku).select(products::version).first(connection).map_err(store_error)?;
    let mut open_batches = if wanted.open_batches { open_batches(connection, &wanted.sku)? } else { Vec::new() };
    let more_open_batches = open_batches.len() > OPEN_BATCHES;
    open_batches.truncate(OPEN_BATCHES);
    let mut state = ProductState {
        sku: wanted.sku.clone(),
        version: u64::try_from(version).map_err(corrupt)?,
        open_batches,
        more_open_batches,
        named_batches: Vec::new(),
        lines: Vec::new(),
    };
    for reference in &wanted.batches {
        state.named_batches.extend(batch(connection, &wanted.sku, reference)?);
    }
    for order_id in &wanted.order_ids {
        if let Some(line) = line(connection, &wanted.sku, order_id)? {
            state.lines.push((order_id.clone(), line));
        }
    }
    Ok(Some(Product::restore(state)))
}

/// The most preferred batches with free units, and one more when there are more.
fn open_batches(connection: &mut SqliteConnection, sku: &Sku) -> Result<Vec<Batch>, StoreError> {
    let rows = batches::table
        .filter(batches::sku.eq(sku.as_str()))
        .filter(batches::is_open)
        .order((batches::eta, batches::added_at, batches::reference))
        .limit(ONE_MORE)
        .select(BATCH_COLUMNS)
        .load::<BatchRow>(connection)
        .map_err(store_error)?;
    rows.into_iter().map(|batch| batch.batch(sku.clone())).collect()
}

fn batch(
    connection: &mut SqliteConnection,
    sku: &Sku,
    reference: &BatchReference,
) -> Result<Option<Batch>, StoreError> {
    let found = batches::table
        .find((sku.as_str(), reference.as_str()))
        .select(BATCH_COLUMNS)
        .first::<BatchRow>(connection)
        .optional()
        .map_err(store_error)?;
    found.map(|batch| batch.batch(sku.clone())).transpose()
}

fn line(connection: &mut SqliteConnection, sku: &Sku, order_id: &OrderId) -> Result<Option<LineState>, StoreError> {
    let found = order_lines::table
        .find((sku.as_str(), order_id.as_str()))
        .select(order_lines::quantity)
        .first::<i32>(connection)
        .optional()
        .map_err(store_error)?;
    let Some(quantity) = found else { return Ok(None) };
    let parts = allocations::table
        .inner_join(
            batches::table.on(batches::sku.eq(allocations::sku).and(batches::reference.eq(allocations::reference))),
        )
        .filter(allocations::sku.eq(sku.as_str()))
        .filter(allocations::order_id.eq(order_id.as_str()))
        .select((allocations::reference, allocations::quantity, batches::eta, batches::added_at))
        .load::<AllocationPart>(connection)
        .map_err(store_error)?;
    let mut allocations = parts.into_iter().map(AllocationPart::allocation).collect::<Result<Vec<_>, _>>()?;
    allocations.sort_by_cached_key(Allocation::preference);
    Ok(Some(LineState { quantity: row::quantity(quantity)?, allocations }))
}
