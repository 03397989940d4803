//! Writing changed products, row by row with prepared statements.

use super::rows::{
    AddAllocation, AddBatch, AddEvent, AddLine, AddReference, ChangeAllocation, ChangeCounter, ChangeLine,
    RemoveAllocation, RemoveBatch, RemoveLine, RemoveReference,
};
use crate::error::store_error;
use crate::saving::{AllocationKey, BatchKey, LineKey, RowChanges, expect_rows};
use allocation_ports::StoreError;
use diesel::prelude::*;
use diesel::query_builder::{QueryFragment, QueryId};
use diesel::sqlite::Sqlite;

pub(crate) fn save(connection: &mut SqliteConnection, rows: &RowChanges<'_>) -> Result<(), StoreError> {
    remove(connection, rows)?;
    add_batches(connection, rows)?;
    change(connection, rows)?;
    add_allocations(connection, rows)?;
    add_events(connection, rows)
}

/// Runs a statement that is to change one row.
fn one_row<S>(connection: &mut SqliteConnection, statement: S) -> Result<(), StoreError>
where
    S: QueryFragment<Sqlite> + QueryId + RunQueryDsl<SqliteConnection>,
{
    expect_rows(1, statement.execute(connection).map_err(store_error)?)
}

fn remove(connection: &mut SqliteConnection, rows: &RowChanges<'_>) -> Result<(), StoreError> {
    for AllocationKey { sku, order_id, reference } in &rows.removed_allocations {
        one_row(connection, RemoveAllocation { sku, order_id, reference })?;
    }
    for LineKey { sku, order_id } in &rows.removed_lines {
        one_row(connection, RemoveLine { sku, order_id })?;
    }
    for BatchKey { sku, reference } in &rows.removed_batches {
        one_row(connection, RemoveBatch { sku, reference })?;
        one_row(connection, RemoveReference { sku, reference })?;
    }
    Ok(())
}

fn add_batches(connection: &mut SqliteConnection, rows: &RowChanges<'_>) -> Result<(), StoreError> {
    for batch in &rows.added_batches {
        let BatchKey { sku, reference } = batch.key;
        one_row(connection, AddReference { sku, reference })?;
        let statement = AddBatch {
            sku,
            reference,
            purchased_quantity: &batch.purchased_quantity,
            allocated_quantity: &batch.allocated_quantity,
            eta: &batch.eta,
            added_at: &batch.added_at,
        };
        one_row(connection, statement)?;
    }
    Ok(())
}

fn change(connection: &mut SqliteConnection, rows: &RowChanges<'_>) -> Result<(), StoreError> {
    for (BatchKey { sku, reference }, delta) in &rows.counters {
        one_row(connection, ChangeCounter { delta, sku, reference })?;
    }
    for (LineKey { sku, order_id }, quantity) in &rows.changed_lines {
        one_row(connection, ChangeLine { quantity, sku, order_id })?;
    }
    for (AllocationKey { sku, order_id, reference }, quantity) in &rows.changed_allocations {
        one_row(connection, ChangeAllocation { quantity, sku, order_id, reference })?;
    }
    Ok(())
}

fn add_allocations(connection: &mut SqliteConnection, rows: &RowChanges<'_>) -> Result<(), StoreError> {
    for (LineKey { sku, order_id }, quantity) in &rows.added_lines {
        one_row(connection, AddLine { sku, order_id, quantity })?;
    }
    for (AllocationKey { sku, order_id, reference }, quantity) in &rows.added_allocations {
        one_row(connection, AddAllocation { sku, order_id, reference, quantity })?;
    }
    Ok(())
}

fn add_events(connection: &mut SqliteConnection, rows: &RowChanges<'_>) -> Result<(), StoreError> {
    for event in &rows.events {
        let statement = AddEvent {
            sku: event.sku,
            version: &event.version,
            ordinal: &event.ordinal,
            event_type: event.event_type,
            order_id: &event.order_id,
            payload: &event.payload,
            occurred_at: &rows.at,
        };
        one_row(connection, statement)?;
    }
    Ok(())
}
