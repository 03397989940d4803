//! Storage of changed products, one set of rows at a time.

use super::pick_lines::save_pick_lines;
use super::statements::{
    AddBatches, AddLines, AddReferences, ChangeBatches, ChangeLines, ChangeProducts, Remove, SetFlags, WriteGroup,
};
use crate::error::store_error;
use crate::row::integer;
use crate::saving::{RowChanges, exists, expect_rows};
use allocation_domain::{ProductFlags, Promises};
use allocation_ports::StoreError;
use diesel::prelude::*;

pub(crate) fn save(connection: &mut PgConnection, rows: &RowChanges<'_>) -> Result<(), StoreError> {
    change_lines(connection, rows)?;
    remove(connection, rows)?;
    set_flags(connection, rows)?;
    add_batches(connection, rows)?;
    change_batches(connection, rows)?;
    change_products(connection, rows)?;
    add_lines(connection, rows)?;
    save_pick_lines(connection, rows)?;
    write_group(connection, rows)
}

/// Collects one column of a set of rows.
pub(super) fn column<'a, R, T>(rows: &'a [R], value: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(value).collect()
}

/// Collects the keys of rows.
fn keys<'a, K: 'a, V: 'a, S: FromIterator<&'a K>>(rows: &'a [(K, V)]) -> S {
    rows.iter().map(|(key, _)| key).collect()
}

/// Collects the rows without their keys.
fn values<'a, K: 'a, V: 'a, S: FromIterator<&'a V>>(rows: &'a [(K, V)]) -> S {
    rows.iter().map(|(_, values)| values).collect()
}

fn remove(connection: &mut PgConnection, rows: &RowChanges<'_>) -> Result<(), StoreError> {
    let (parts, lines, batches) = (&rows.removed_parts, &rows.removed_lines, &rows.removed_batches);
    if parts.is_empty() && lines.is_empty() && batches.is_empty() {
        return Ok(());
    }
    let keys = &batches.iter().collect();
    let statement =
        Remove { parts: &parts.iter().collect(), lines: &lines.iter().collect(), batches: keys, references: keys };
    let counts = statement.get_result::<(i64, i64, i64, i64)>(connection).map_err(store_error)?;
    expect_rows(exists::PART, parts.len(), integer(counts.0)?)?;
    expect_rows(exists::LINE, lines.len(), integer(counts.1)?)?;
    expect_rows(exists::BATCH, batches.len(), integer(counts.2)?)?;
    expect_rows(exists::BATCH_REFERENCE, batches.len(), integer(counts.3)?)
}

/// Runs one statement per product: few at a time are sold out, or have a queue that one unit of work cannot serve.
fn set_flags(connection: &mut PgConnection, rows: &RowChanges<'_>) -> Result<(), StoreError> {
    for (sku, ProductFlags { unserved, promises, sold_out }) in &rows.flags {
        let statement = SetFlags { unserved, stable: &(*promises == Promises::Stable), sold_out, sku };
        expect_rows(exists::PRODUCT, 1, statement.execute(connection).map_err(store_error)?)?;
    }
    Ok(())
}

fn add_batches(connection: &mut PgConnection, rows: &RowChanges<'_>) -> Result<(), StoreError> {
    if rows.added_batches.is_empty() {
        return Ok(());
    }
    let batches = &rows.added_batches.iter().map(|batch| &batch.key).collect();
    let added_with = &rows.added_batches.iter().map(|batch| &batch.added_with).collect();
    AddReferences { batches, added_with }.execute(connection).map_err(store_error)?;
    let values = &rows.added_batches.iter().map(|batch| &batch.values).collect();
    AddBatches { batches, values }.execute(connection).map_err(store_error)?;
    Ok(())
}

fn change_batches(connection: &mut PgConnection, rows: &RowChanges<'_>) -> Result<(), StoreError> {
    let batches = &rows.changed_batches;
    if batches.is_empty() {
        return Ok(());
    }
    let statement =
        ChangeBatches { batches: &keys(batches), values: &values(batches), count: &integer(batches.len())? };
    expect_rows(exists::BATCH, batches.len(), statement.execute(connection).map_err(store_error)?)
}

fn change_products(connection: &mut PgConnection, rows: &RowChanges<'_>) -> Result<(), StoreError> {
    let products = &rows.products;
    if products.is_empty() {
        return Ok(());
    }
    let statement = ChangeProducts {
        sku: &column(products, |(sku, _)| *sku),
        totals: &values(products),
        products: &integer(products.len())?,
    };
    expect_rows(exists::PRODUCT, products.len(), statement.execute(connection).map_err(store_error)?)
}

fn change_lines(connection: &mut PgConnection, rows: &RowChanges<'_>) -> Result<(), StoreError> {
    let (lines, parts) = (&rows.changed_lines, &rows.changed_parts);
    if lines.is_empty() && parts.is_empty() {
        return Ok(());
    }
    let statement = ChangeLines {
        lines: &lines.iter().map(|(key, ..)| key).collect(),
        line_values: &lines.iter().map(|(_, values, _)| values).collect(),
        wholes: &lines.iter().map(|(.., whole)| whole).collect(),
        parts: &keys(parts),
        part_values: &values(parts),
    };
    let counts = statement.get_result::<(i64, i64)>(connection).map_err(store_error)?;
    expect_rows(exists::LINE, lines.len(), integer(counts.0)?)?;
    expect_rows(exists::PART, parts.len(), integer(counts.1)?)
}

fn add_lines(connection: &mut PgConnection, rows: &RowChanges<'_>) -> Result<(), StoreError> {
    let lines = &rows.added_lines;
    if lines.is_empty() {
        return Ok(());
    }
    let statement = AddLines {
        lines: &lines.iter().map(|line| &line.key).collect(),
        values: &lines.iter().map(|line| &line.values).collect(),
        wholes: &lines.iter().map(|line| &line.whole).collect(),
        slots: &column(lines, |line| line.slot),
    };
    statement.execute(connection).map_err(store_error)?;
    Ok(())
}

fn write_group(connection: &mut PgConnection, rows: &RowChanges<'_>) -> Result<(), StoreError> {
    let (lines, parts, counters) = (&rows.added_plain_lines, &rows.added_parts, &rows.counters);
    if rows.blocks.is_empty() {
        return Ok(());
    }
    let statement = WriteGroup {
        lines: &lines.iter().map(|(key, ..)| key).collect(),
        line_values: &lines.iter().map(|(_, values, _)| values).collect(),
        wholes: &lines.iter().map(|(.., whole)| whole).collect(),
        parts: &keys(parts),
        part_values: &values(parts),
        blocks: &rows.blocks.iter().collect(),
        batches: &keys(counters),
        deltas: &column(counters, |(_, delta)| *delta),
        counters: &integer(counters.len())?,
    };
    expect_rows(exists::BATCH, counters.len(), statement.execute(connection).map_err(store_error)?)
}
