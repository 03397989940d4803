//! Storage of changed products, row by row with prepared statements.

use super::pick_lines::save_pick_lines;
use super::rows::{
    AddAllocation, AddBatch, AddEvent, AddLine, AddPlainLine, AddReference, ChangeAllocation, ChangeBatch,
    ChangeCounter, ChangeLine, ChangeProduct, CountBatch, MarkUnserved, RemoveAllocation, RemoveBatch, RemoveLine,
    RemoveReference,
};
use crate::error::store_error;
use crate::saving::{
    AddedLine, AllocationKey, AllocationValues, BatchKey, Counts, LineKey, RowChanges, exists, expect_rows,
};
use allocation_ports::StoreError;
use diesel::prelude::*;
use diesel::query_builder::{QueryFragment, QueryId};
use diesel::sqlite::Sqlite;

pub(crate) fn save(connection: &mut SqliteConnection, rows: &RowChanges<'_>) -> Result<(), StoreError> {
    remove(connection, rows)?;
    add_batches(connection, rows)?;
    change_products(connection, rows)?;
    change_lines(connection, rows)?;
    add_lines(connection, rows)?;
    save_pick_lines(connection, rows)?;
    add_events(connection, rows)
}

/// Runs a statement that adds a row.
pub(super) fn add_row<S>(connection: &mut SqliteConnection, statement: S) -> Result<(), StoreError>
where
    S: QueryFragment<Sqlite> + QueryId + RunQueryDsl<SqliteConnection>,
{
    statement.execute(connection).map(drop).map_err(store_error)
}

/// Runs a statement that must change exactly one row; otherwise the named invariant is broken.
pub(super) fn one_row<S>(
    connection: &mut SqliteConnection,
    invariant: &'static str,
    statement: S,
) -> Result<(), StoreError>
where
    S: QueryFragment<Sqlite> + QueryId + RunQueryDsl<SqliteConnection>,
{
    expect_rows(invariant, 1, statement.execute(connection).map_err(store_error)?)
}

fn remove(connection: &mut SqliteConnection, rows: &RowChanges<'_>) -> Result<(), StoreError> {
    for AllocationKey { sku, order_id, reference } in &rows.removed_allocations {
        one_row(connection, exists::ALLOCATION, RemoveAllocation { sku, order_id, reference })?;
    }
    for LineKey { sku, order_id } in &rows.removed_lines {
        one_row(connection, exists::LINE, RemoveLine { sku, order_id })?;
    }
    for BatchKey { sku, reference } in &rows.removed_batches {
        one_row(connection, exists::BATCH, RemoveBatch { sku, reference })?;
        one_row(connection, exists::BATCH_REFERENCE, RemoveReference { sku, reference })?;
    }
    Ok(())
}

fn add_batches(connection: &mut SqliteConnection, rows: &RowChanges<'_>) -> Result<(), StoreError> {
    for batch in &rows.added_batches {
        let BatchKey { sku, reference } = batch.key;
        let (purchased_quantity, eta) = (&batch.added_quantity, &batch.added_eta);
        add_row(connection, AddReference { sku, reference, purchased_quantity, eta })?;
        let statement = AddBatch {
            sku,
            reference,
            purchased_quantity: &batch.purchased_quantity,
            allocated_quantity: &batch.counts.allocated,
            eta: &batch.eta,
            added_at: &batch.added_at,
            revision: &batch.revision,
            picked_quantity: &batch.counts.picked,
            shipped_quantity: &batch.counts.shipped,
            missing_quantity: &batch.counts.missing,
        };
        add_row(connection, statement)?;
    }
    Ok(())
}

fn change_products(connection: &mut SqliteConnection, rows: &RowChanges<'_>) -> Result<(), StoreError> {
    for batch in &rows.changed_batches {
        let statement = ChangeBatch {
            purchased_quantity: &batch.purchased_quantity,
            eta: &batch.eta,
            revision: &batch.revision,
            moving: &batch.moving.as_deref(),
            allocated: &batch.deltas.allocated,
            picked: &batch.deltas.picked,
            shipped: &batch.deltas.shipped,
            missing: &batch.deltas.missing,
            sku: batch.key.sku,
            reference: batch.key.reference,
        };
        one_row(connection, exists::BATCH, statement)?;
    }
    for (BatchKey { sku, reference }, delta) in &rows.counters {
        one_row(connection, exists::BATCH, ChangeCounter { delta, sku, reference })?;
    }
    for (BatchKey { sku, reference }, Counts { allocated, picked, shipped, missing }) in &rows.counted_batches {
        one_row(connection, exists::BATCH, CountBatch { allocated, picked, shipped, missing, sku, reference })?;
    }
    for (sku, unserved) in &rows.unserved {
        one_row(connection, exists::PRODUCT, MarkUnserved { unserved, sku })?;
    }
    for (sku, totals) in &rows.products {
        let statement = ChangeProduct {
            in_stock: &totals.in_stock,
            on_its_way: &totals.on_its_way,
            held: &totals.held,
            backordered: &totals.backordered,
            held_lines: &totals.held_lines,
            waiting_lines: &totals.waiting_lines,
            picked: &totals.picked,
            sku,
        };
        one_row(connection, exists::PRODUCT, statement)?;
    }
    Ok(())
}

fn change_lines(connection: &mut SqliteConnection, rows: &RowChanges<'_>) -> Result<(), StoreError> {
    for (LineKey { sku, order_id }, line) in &rows.changed_lines {
        let statement = ChangeLine {
            quantity: &line.quantity,
            placed_at: &line.placed_at,
            of_order: &line.of_order,
            priority: &line.priority,
            backorders: &line.backorders,
            allow_split: &line.allow_split,
            waiting: &line.waiting,
            expires_at: &line.expires_at,
            ended: &line.ended,
            listed: &line.listed,
            picked: &line.picked,
            shipped: &line.shipped,
            sku,
            order_id,
        };
        one_row(connection, exists::LINE, statement)?;
    }
    for (AllocationKey { sku, order_id, reference }, values) in &rows.changed_allocations {
        let AllocationValues { quantity, precedence, placed_at } = values;
        let statement = ChangeAllocation { quantity, precedence, placed_at, sku, order_id, reference };
        one_row(connection, exists::ALLOCATION, statement)?;
    }
    Ok(())
}

fn add_lines(connection: &mut SqliteConnection, rows: &RowChanges<'_>) -> Result<(), StoreError> {
    for line in &rows.added_plain_lines {
        let LineKey { sku, order_id } = line.key;
        add_row(connection, AddPlainLine { sku, order_id, quantity: &line.quantity, placed_at: &line.placed_at })?;
    }
    for AddedLine { key: LineKey { sku, order_id }, values: line, .. } in &rows.added_lines {
        let statement = AddLine {
            sku,
            order_id,
            quantity: &line.quantity,
            placed_at: &line.placed_at,
            of_order: &line.of_order,
            priority: &line.priority,
            backorders: &line.backorders,
            allow_split: &line.allow_split,
            waiting: &line.waiting,
            expires_at: &line.expires_at,
            ended: &line.ended,
            listed: &line.listed,
            picked: &line.picked,
            shipped: &line.shipped,
        };
        add_row(connection, statement)?;
    }
    for (AllocationKey { sku, order_id, reference }, values) in &rows.added_allocations {
        let AllocationValues { quantity, precedence, placed_at } = values;
        add_row(connection, AddAllocation { sku, order_id, reference, quantity, precedence, placed_at })?;
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
            occurred_at: &event.occurred_at,
            traceparent: &event.traceparent(),
            causation_id: &event.causation_id(),
        };
        add_row(connection, statement)?;
    }
    Ok(())
}
