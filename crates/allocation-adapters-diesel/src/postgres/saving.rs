//! Writing changed products, a set of rows at a time.

use super::sets::{AddBatches, AddReferences, ChangeQuantities, Record, Remove};
use crate::error::store_error;
use crate::saving::{RowChanges, expect_rows};
use allocation_ports::StoreError;
use diesel::prelude::*;

pub(crate) fn save(connection: &mut PgConnection, rows: &RowChanges<'_>) -> Result<(), StoreError> {
    remove(connection, rows)?;
    add_batches(connection, rows)?;
    change_quantities(connection, rows)?;
    record(connection, rows)
}

/// A column of a set of rows.
fn column<'a, R, T>(rows: &'a [R], value: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(value).collect()
}

fn rows_of(count: i64) -> Result<usize, StoreError> {
    usize::try_from(count).map_err(|error| StoreError::Failed(error.into()))
}

fn remove(connection: &mut PgConnection, rows: &RowChanges<'_>) -> Result<(), StoreError> {
    let (allocations, lines, batches) = (&rows.removed_allocations, &rows.removed_lines, &rows.removed_batches);
    if allocations.is_empty() && lines.is_empty() && batches.is_empty() {
        return Ok(());
    }
    let (batch_sku, batch_reference) = (&column(batches, |key| key.sku), &column(batches, |key| key.reference));
    let statement = Remove {
        allocation_sku: &column(allocations, |key| key.sku),
        allocation_order_id: &column(allocations, |key| key.order_id),
        allocation_reference: &column(allocations, |key| key.reference),
        line_sku: &column(lines, |key| key.sku),
        line_order_id: &column(lines, |key| key.order_id),
        batch_sku,
        batch_reference,
        named_sku: batch_sku,
        named_reference: batch_reference,
    };
    let counts = statement.get_result::<(i64, i64, i64, i64)>(connection).map_err(store_error)?;
    expect_rows(allocations.len(), rows_of(counts.0)?)?;
    expect_rows(lines.len(), rows_of(counts.1)?)?;
    expect_rows(batches.len(), rows_of(counts.2)?)?;
    expect_rows(batches.len(), rows_of(counts.3)?)
}

fn add_batches(connection: &mut PgConnection, rows: &RowChanges<'_>) -> Result<(), StoreError> {
    let batches = &rows.added_batches;
    if batches.is_empty() {
        return Ok(());
    }
    let (sku, reference) = (&column(batches, |batch| batch.key.sku), &column(batches, |batch| batch.key.reference));
    AddReferences { sku, reference }.execute(connection).map_err(store_error)?;
    let statement = AddBatches {
        sku,
        reference,
        purchased_quantity: &column(batches, |batch| batch.purchased_quantity),
        allocated_quantity: &column(batches, |batch| batch.allocated_quantity),
        eta: &column(batches, |batch| batch.eta),
        added_at: &column(batches, |batch| batch.added_at),
    };
    statement.execute(connection).map_err(store_error)?;
    Ok(())
}

fn change_quantities(connection: &mut PgConnection, rows: &RowChanges<'_>) -> Result<(), StoreError> {
    let (lines, allocations) = (&rows.changed_lines, &rows.changed_allocations);
    if lines.is_empty() && allocations.is_empty() {
        return Ok(());
    }
    let statement = ChangeQuantities {
        line_sku: &column(lines, |(key, _)| key.sku),
        line_order_id: &column(lines, |(key, _)| key.order_id),
        line_quantity: &column(lines, |(_, quantity)| *quantity),
        allocation_sku: &column(allocations, |(key, _)| key.sku),
        allocation_order_id: &column(allocations, |(key, _)| key.order_id),
        allocation_reference: &column(allocations, |(key, _)| key.reference),
        allocation_quantity: &column(allocations, |(_, quantity)| *quantity),
    };
    let counts = statement.get_result::<(i64, i64)>(connection).map_err(store_error)?;
    expect_rows(lines.len(), rows_of(counts.0)?)?;
    expect_rows(allocations.len(), rows_of(counts.1)?)
}

fn record(connection: &mut PgConnection, rows: &RowChanges<'_>) -> Result<(), StoreError> {
    let (lines, allocations, counters) = (&rows.added_lines, &rows.added_allocations, &rows.counters);
    let events = &rows.events;
    if events.is_empty() {
        return Ok(());
    }
    let statement = Record {
        line_sku: &column(lines, |(key, _)| key.sku),
        line_order_id: &column(lines, |(key, _)| key.order_id),
        line_quantity: &column(lines, |(_, quantity)| *quantity),
        allocation_sku: &column(allocations, |(key, _)| key.sku),
        allocation_order_id: &column(allocations, |(key, _)| key.order_id),
        allocation_reference: &column(allocations, |(key, _)| key.reference),
        allocation_quantity: &column(allocations, |(_, quantity)| *quantity),
        occurred_at: &rows.at,
        event_sku: &column(events, |event| event.sku),
        event_version: &column(events, |event| event.version),
        event_ordinal: &column(events, |event| event.ordinal),
        event_type: &column(events, |event| event.event_type),
        event_order_id: &column(events, |event| event.order_id),
        event_payload: &column(events, |event| event.payload.as_str()),
        counter_sku: &column(counters, |(key, _)| key.sku),
        counter_reference: &column(counters, |(key, _)| key.reference),
        counter_delta: &column(counters, |(_, delta)| *delta),
        counters: &i64::try_from(counters.len()).map_err(|error| StoreError::Failed(error.into()))?,
    };
    expect_rows(counters.len(), statement.execute(connection).map_err(store_error)?)
}
