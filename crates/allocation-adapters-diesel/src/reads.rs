//! Queries that both databases run as they are.

mod after;
#[cfg(test)]
mod plans;

use crate::any_connection::{AnyConnection, MultiBackend};
use crate::error::store_error;
use crate::row::{self, BATCH_COLUMNS, BatchColumns, BatchRow};
use crate::schema::{allocations, batch_references, batches};
use after::After;
use allocation_domain::{Batch, BatchReference, Sku};
use allocation_ports::{
    AllocationCursor, AllocationFilter, AllocationRow, BatchCursor, BatchFilter, PageSize, StoreError,
};
use diesel::dsl::{IntoBoxed, Select, sql};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};

/// Which SKU a batch holds.
pub(crate) fn sku_of(connection: &mut AnyConnection, reference: &BatchReference) -> Result<Option<Sku>, StoreError> {
    let sku = batch_references::table
        .find(reference.as_str())
        .select(batch_references::sku)
        .first::<String>(connection)
        .optional()
        .map_err(store_error)?;
    sku.map(row::sku).transpose()
}

/// A batch by its reference.
pub(crate) fn batch(connection: &mut AnyConnection, reference: &BatchReference) -> Result<Option<Batch>, StoreError> {
    let found = batch_references::table
        .inner_join(
            batches::table
                .on(batches::sku.eq(batch_references::sku).and(batches::reference.eq(batch_references::reference))),
        )
        .filter(batch_references::reference.eq(reference.as_str()))
        .select((batches::sku, BATCH_COLUMNS))
        .first::<(String, BatchRow)>(connection)
        .optional()
        .map_err(store_error)?;
    found.map(|(sku, batch)| batch.batch(row::sku(sku)?)).transpose()
}

/// All batches of a SKU that have free units.
pub(crate) fn open_batches(connection: &mut AnyConnection, sku: &Sku) -> Result<Vec<Batch>, StoreError> {
    let rows = batches::table
        .filter(batches::sku.eq(sku.as_str()))
        .filter(batches::is_open)
        .select(BATCH_COLUMNS)
        .load::<BatchRow>(connection)
        .map_err(store_error)?;
    rows.into_iter().map(|batch| batch.batch(sku.clone())).collect()
}

/// A page of batches in the order in which they were added.
pub(crate) fn batches(
    connection: &mut AnyConnection,
    filter: &BatchFilter,
    after: Option<&BatchCursor>,
    page: PageSize,
) -> Result<Vec<Batch>, StoreError> {
    let query = batches_query(filter, after, page);
    let rows = query.load::<(String, BatchRow)>(connection).map_err(store_error)?;
    rows.into_iter().map(|(sku, batch)| batch.batch(row::sku(sku)?)).collect()
}

type BatchesQuery<'a> = IntoBoxed<'a, Select<batches::table, (batches::sku, BatchColumns)>, MultiBackend>;

fn batches_query<'a>(filter: &'a BatchFilter, after: Option<&'a BatchCursor>, page: PageSize) -> BatchesQuery<'a> {
    let mut query = batches::table
        .select((batches::sku, BATCH_COLUMNS))
        .into_boxed()
        .order((batches::added_at, batches::reference))
        .limit(i64::from(page.get()));
    if let Some(sku) = &filter.sku {
        query = query.filter(batches::sku.eq(sku.as_str()));
    }
    if let Some(after) = after {
        // Both databases find the place in the index by a comparison of rows, and only by that.
        query = query.filter(
            sql::<Bool>("(batches.added_at, batches.reference) > (")
                .bind::<BigInt, _>(after.added_at.timestamp_micros())
                .sql(", ")
                .bind::<Text, _>(after.reference.as_str())
                .sql(")"),
        );
    }
    query
}

/// A page of allocations by SKU, order and batch.
pub(crate) fn allocations(
    connection: &mut AnyConnection,
    filter: &AllocationFilter,
    after: Option<&AllocationCursor>,
    page: PageSize,
) -> Result<Vec<AllocationRow>, StoreError> {
    let Some(filter) = with_sku_of_batch(connection, filter)? else {
        return Ok(Vec::new());
    };
    let Some(query) = allocations_query(&filter, after, page) else {
        return Ok(Vec::new());
    };
    let rows = query.load::<(String, String, String, i32)>(connection).map_err(store_error)?;
    rows.into_iter().map(allocation).collect()
}

type AllocationsQuery<'a> = IntoBoxed<'a, allocations::table, MultiBackend>;

/// `None` when nothing can come after the cursor.
fn allocations_query<'a>(
    filter: &'a AllocationFilter,
    after: Option<&'a AllocationCursor>,
    page: PageSize,
) -> Option<AllocationsQuery<'a>> {
    let mut query = allocations::table.into_boxed().limit(i64::from(page.get()));
    query = match (&filter.reference, &filter.sku) {
        // A reference has one SKU. Saying so would suggest an index that begins with the SKU.
        (Some(reference), _) => {
            query.filter(allocations::reference.eq(reference.as_str())).order(allocations::order_id)
        }
        (None, Some(sku)) => {
            query.filter(allocations::sku.eq(sku.as_str())).order((allocations::order_id, allocations::reference))
        }
        (None, None) => query.order((allocations::sku, allocations::order_id, allocations::reference)),
    };
    if let Some(order_id) = &filter.order_id {
        query = query.filter(allocations::order_id.eq(order_id.as_str()));
    }
    match after.map(|after| After::new(filter, after)) {
        None | Some(After::Everything) => Some(query),
        Some(After::Rows(condition)) => Some(query.filter(condition)),
        Some(After::Nothing) => None,
    }
}

/// The filter with the SKU that a batch it names holds, `None` when nothing can fit it.
fn with_sku_of_batch(
    connection: &mut AnyConnection,
    filter: &AllocationFilter,
) -> Result<Option<AllocationFilter>, StoreError> {
    let Some(reference) = &filter.reference else {
        return Ok(Some(filter.clone()));
    };
    let held = sku_of(connection, reference)?;
    let fits = held.filter(|held| filter.sku.as_ref().is_none_or(|asked| asked == held));
    Ok(fits.map(|sku| AllocationFilter { sku: Some(sku), ..filter.clone() }))
}

fn allocation(row: (String, String, String, i32)) -> Result<AllocationRow, StoreError> {
    let (sku, order_id, reference, quantity) = row;
    Ok(AllocationRow {
        sku: row::sku(sku)?,
        order_id: row::order_id(order_id)?,
        reference: row::reference(reference)?,
        quantity: row::quantity(quantity)?,
    })
}
