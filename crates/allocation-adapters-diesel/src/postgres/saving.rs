//! Storage of changed products, one set of rows at a time.

use super::pick_lines::save_pick_lines;
use super::sets::{
    AddBatches, AddLines, AddReferences, AddTracedEvents, ChangeBatches, ChangeLines, ChangeProducts, CountBatches,
    MarkUnserved, Record, Remove,
};
use crate::error::store_error;
use crate::saving::{RowChanges, exists, expect_rows};
use allocation_ports::StoreError;
use diesel::prelude::*;

pub(crate) fn save(connection: &mut PgConnection, rows: &RowChanges<'_>) -> Result<(), StoreError> {
    remove(connection, rows)?;
    mark_unserved(connection, rows)?;
    add_batches(connection, rows)?;
    change_batches(connection, rows)?;
    count_batches(connection, rows)?;
    change_products(connection, rows)?;
    change_lines(connection, rows)?;
    add_lines(connection, rows)?;
    save_pick_lines(connection, rows)?;
    add_traced_events(connection, rows)?;
    record(connection, rows)
}

/// Collects one column of a set of rows.
pub(super) fn column<'a, R, T>(rows: &'a [R], value: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(value).collect()
}

pub(super) fn count_of<R>(rows: &[R]) -> Result<i64, StoreError> {
    i64::try_from(rows.len()).map_err(|error| StoreError::Failed(error.into()))
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
    expect_rows(exists::ALLOCATION, allocations.len(), rows_of(counts.0)?)?;
    expect_rows(exists::LINE, lines.len(), rows_of(counts.1)?)?;
    expect_rows(exists::BATCH, batches.len(), rows_of(counts.2)?)?;
    expect_rows(exists::BATCH_REFERENCE, batches.len(), rows_of(counts.3)?)
}

/// Runs one statement per product: few at a time have a queue that one unit of work cannot serve.
fn mark_unserved(connection: &mut PgConnection, rows: &RowChanges<'_>) -> Result<(), StoreError> {
    for (sku, unserved) in &rows.unserved {
        expect_rows(exists::PRODUCT, 1, MarkUnserved { unserved, sku }.execute(connection).map_err(store_error)?)?;
    }
    Ok(())
}

fn add_batches(connection: &mut PgConnection, rows: &RowChanges<'_>) -> Result<(), StoreError> {
    let batches = &rows.added_batches;
    if batches.is_empty() {
        return Ok(());
    }
    let (sku, reference) = (&column(batches, |batch| batch.key.sku), &column(batches, |batch| batch.key.reference));
    let added = AddReferences {
        sku,
        reference,
        purchased_quantity: &column(batches, |batch| batch.added_quantity),
        eta: &column(batches, |batch| batch.added_eta),
    };
    added.execute(connection).map_err(store_error)?;
    let statement = AddBatches {
        sku,
        reference,
        purchased_quantity: &column(batches, |batch| batch.purchased_quantity),
        allocated_quantity: &column(batches, |batch| batch.counts.allocated),
        eta: &column(batches, |batch| batch.eta),
        added_at: &column(batches, |batch| batch.added_at),
        revision: &column(batches, |batch| batch.revision),
        picked_quantity: &column(batches, |batch| batch.counts.picked),
        shipped_quantity: &column(batches, |batch| batch.counts.shipped),
        missing_quantity: &column(batches, |batch| batch.counts.missing),
    };
    statement.execute(connection).map_err(store_error)?;
    Ok(())
}

fn change_batches(connection: &mut PgConnection, rows: &RowChanges<'_>) -> Result<(), StoreError> {
    let batches = &rows.changed_batches;
    if batches.is_empty() {
        return Ok(());
    }
    let statement = ChangeBatches {
        sku: &column(batches, |batch| batch.key.sku),
        reference: &column(batches, |batch| batch.key.reference),
        purchased_quantity: &column(batches, |batch| batch.purchased_quantity),
        eta: &column(batches, |batch| batch.eta),
        revision: &column(batches, |batch| batch.revision),
        allocated: &column(batches, |batch| batch.deltas.allocated),
        picked: &column(batches, |batch| batch.deltas.picked),
        shipped: &column(batches, |batch| batch.deltas.shipped),
        missing: &column(batches, |batch| batch.deltas.missing),
        moving: &column(batches, |batch| batch.moving.as_deref()),
        batches: &count_of(batches)?,
    };
    expect_rows(exists::BATCH, batches.len(), statement.execute(connection).map_err(store_error)?)
}

fn count_batches(connection: &mut PgConnection, rows: &RowChanges<'_>) -> Result<(), StoreError> {
    let batches = &rows.counted_batches;
    if batches.is_empty() {
        return Ok(());
    }
    let statement = CountBatches {
        sku: &column(batches, |(key, _)| key.sku),
        reference: &column(batches, |(key, _)| key.reference),
        allocated: &column(batches, |(_, deltas)| deltas.allocated),
        picked: &column(batches, |(_, deltas)| deltas.picked),
        shipped: &column(batches, |(_, deltas)| deltas.shipped),
        missing: &column(batches, |(_, deltas)| deltas.missing),
        batches: &count_of(batches)?,
    };
    expect_rows(exists::BATCH, batches.len(), statement.execute(connection).map_err(store_error)?)
}

fn change_products(connection: &mut PgConnection, rows: &RowChanges<'_>) -> Result<(), StoreError> {
    let products = &rows.products;
    if products.is_empty() {
        return Ok(());
    }
    let statement = ChangeProducts {
        sku: &column(products, |(sku, _)| *sku),
        in_stock: &column(products, |(_, change)| change.in_stock),
        on_its_way: &column(products, |(_, change)| change.on_its_way),
        held: &column(products, |(_, change)| change.held),
        backordered: &column(products, |(_, change)| change.backordered),
        held_lines: &column(products, |(_, change)| change.held_lines),
        waiting_lines: &column(products, |(_, change)| change.waiting_lines),
        picked: &column(products, |(_, change)| change.picked),
        products: &count_of(products)?,
    };
    expect_rows(exists::PRODUCT, products.len(), statement.execute(connection).map_err(store_error)?)
}

fn change_lines(connection: &mut PgConnection, rows: &RowChanges<'_>) -> Result<(), StoreError> {
    let (lines, allocations) = (&rows.changed_lines, &rows.changed_allocations);
    if lines.is_empty() && allocations.is_empty() {
        return Ok(());
    }
    let statement = ChangeLines {
        line_sku: &column(lines, |(key, _)| key.sku),
        line_order_id: &column(lines, |(key, _)| key.order_id),
        quantity: &column(lines, |(_, line)| line.quantity),
        placed_at: &column(lines, |(_, line)| line.placed_at),
        of_order: &column(lines, |(_, line)| line.of_order),
        priority: &column(lines, |(_, line)| line.priority),
        backorders: &column(lines, |(_, line)| line.backorders),
        allow_split: &column(lines, |(_, line)| line.allow_split),
        waiting: &column(lines, |(_, line)| line.waiting),
        expires_at: &column(lines, |(_, line)| line.expires_at),
        ended: &column(lines, |(_, line)| line.ended),
        listed: &column(lines, |(_, line)| line.listed),
        picked: &column(lines, |(_, line)| line.picked),
        shipped: &column(lines, |(_, line)| line.shipped),
        allocation_sku: &column(allocations, |(key, _)| key.sku),
        allocation_order_id: &column(allocations, |(key, _)| key.order_id),
        allocation_reference: &column(allocations, |(key, _)| key.reference),
        allocation_quantity: &column(allocations, |(_, values)| values.quantity),
        allocation_precedence: &column(allocations, |(_, values)| values.precedence),
        allocation_placed_at: &column(allocations, |(_, values)| values.placed_at),
    };
    let counts = statement.get_result::<(i64, i64)>(connection).map_err(store_error)?;
    expect_rows(exists::LINE, lines.len(), rows_of(counts.0)?)?;
    expect_rows(exists::ALLOCATION, allocations.len(), rows_of(counts.1)?)
}

fn add_lines(connection: &mut PgConnection, rows: &RowChanges<'_>) -> Result<(), StoreError> {
    let lines = &rows.added_lines;
    if lines.is_empty() {
        return Ok(());
    }
    let statement = AddLines {
        sku: &column(lines, |line| line.key.sku),
        order_id: &column(lines, |line| line.key.order_id),
        quantity: &column(lines, |line| line.values.quantity),
        placed_at: &column(lines, |line| line.values.placed_at),
        of_order: &column(lines, |line| line.values.of_order),
        priority: &column(lines, |line| line.values.priority),
        backorders: &column(lines, |line| line.values.backorders),
        allow_split: &column(lines, |line| line.values.allow_split),
        waiting: &column(lines, |line| line.values.waiting),
        expires_at: &column(lines, |line| line.values.expires_at),
        ended: &column(lines, |line| line.values.ended),
        listed: &column(lines, |line| line.values.listed),
        picked: &column(lines, |line| line.values.picked),
        shipped: &column(lines, |line| line.values.shipped),
        order_slot: &column(lines, |line| line.slot),
    };
    statement.execute(connection).map_err(store_error)?;
    Ok(())
}

/// Adds the events that have a context; almost all events have none.
fn add_traced_events(connection: &mut PgConnection, rows: &RowChanges<'_>) -> Result<(), StoreError> {
    let events: Vec<_> = rows.events.iter().filter(|event| event.context.is_some()).collect();
    if events.is_empty() {
        return Ok(());
    }
    let statement = AddTracedEvents {
        occurred_at: &column(&events, |event| event.occurred_at),
        sku: &column(&events, |event| event.sku),
        version: &column(&events, |event| event.version),
        ordinal: &column(&events, |event| event.ordinal),
        event_type: &column(&events, |event| event.event_type),
        order_id: &column(&events, |event| event.order_id),
        payload: &column(&events, |event| event.payload.as_str()),
        traceparent: &column(&events, |event| event.traceparent()),
        causation_id: &column(&events, |event| event.causation_id()),
    };
    statement.execute(connection).map_err(store_error)?;
    Ok(())
}

fn record(connection: &mut PgConnection, rows: &RowChanges<'_>) -> Result<(), StoreError> {
    let (lines, allocations, counters) = (&rows.added_plain_lines, &rows.added_allocations, &rows.counters);
    if rows.events.is_empty() {
        return Ok(());
    }
    let events: Vec<_> = rows.events.iter().filter(|event| event.context.is_none()).collect();
    let statement = Record {
        line_sku: &column(lines, |line| line.key.sku),
        line_order_id: &column(lines, |line| line.key.order_id),
        line_quantity: &column(lines, |line| line.quantity),
        line_placed_at: &column(lines, |line| line.placed_at),
        allocation_sku: &column(allocations, |(key, _)| key.sku),
        allocation_order_id: &column(allocations, |(key, _)| key.order_id),
        allocation_reference: &column(allocations, |(key, _)| key.reference),
        allocation_quantity: &column(allocations, |(_, values)| values.quantity),
        allocation_precedence: &column(allocations, |(_, values)| values.precedence),
        allocation_placed_at: &column(allocations, |(_, values)| values.placed_at),
        event_occurred_at: &column(&events, |event| event.occurred_at),
        event_sku: &column(&events, |event| event.sku),
        event_version: &column(&events, |event| event.version),
        event_ordinal: &column(&events, |event| event.ordinal),
        event_type: &column(&events, |event| event.event_type),
        event_order_id: &column(&events, |event| event.order_id),
        event_payload: &column(&events, |event| event.payload.as_str()),
        counter_sku: &column(counters, |(key, _)| key.sku),
        counter_reference: &column(counters, |(key, _)| key.reference),
        counter_delta: &column(counters, |(_, delta)| *delta),
        counters: &count_of(counters)?,
    };
    expect_rows(exists::BATCH, counters.len(), statement.execute(connection).map_err(store_error)?)
}

#[cfg(test)]
mod tests {
    use super::super::explain::{connect, migrated, plan};
    use super::*;

    /// PostgreSQL keeps a plan while tables grow, so it must also be right for tables known to be empty.
    /// The index by batch would scan all lines of a batch.
    #[test]
    fn allocations_are_removed_and_changed_by_their_key_on_postgres() {
        let database = migrated();
        for setup in ["SELECT 1", "ANALYZE"] {
            database.execute(setup);
            let mut connection = connect(&database);
            let (none, text, number, units) = (&Vec::new(), &vec!["A"], &Vec::new(), &vec![1]);
            let removed = Remove {
                allocation_sku: text,
                allocation_order_id: text,
                allocation_reference: text,
                line_sku: none,
                line_order_id: none,
                batch_sku: none,
                batch_reference: none,
                named_sku: none,
                named_reference: none,
            };
            let changed = ChangeLines {
                line_sku: none,
                line_order_id: none,
                quantity: number,
                placed_at: &Vec::new(),
                of_order: &Vec::new(),
                priority: number,
                backorders: &Vec::new(),
                allow_split: &Vec::new(),
                waiting: number,
                expires_at: &Vec::new(),
                ended: &Vec::new(),
                listed: number,
                picked: number,
                shipped: number,
                allocation_sku: text,
                allocation_order_id: text,
                allocation_reference: text,
                allocation_quantity: units,
                allocation_precedence: units,
                allocation_placed_at: &vec![1],
            };
            for plan in [plan(&mut connection, removed), plan(&mut connection, changed)] {
                assert!(plan.contains("Index Scan using allocations_pkey on"), "{setup}\n{plan}");
                assert!(plan.contains("Tid Scan on allocations"), "{setup}\n{plan}");
                assert!(!plan.contains("allocations_by_batch"), "{setup}\n{plan}");
            }
        }
    }
}
