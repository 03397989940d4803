//! Storage of changed products, row by row with prepared statements.

use super::execution::{add_row, one_row};
use super::pick_lines::save_pick_lines;
use super::statements::{
    AddBatch, AddBlock, AddLine, AddPart, AddPlainLine, AddReference, ChangeBatch, ChangeCounter, ChangeLine,
    ChangePart, ChangeProduct, RemoveBatch, RemoveLine, RemovePart, RemoveReference, SetFlags,
};
use crate::batch_row::BatchKey;
use crate::line_row::LineKey;
use crate::part_row::PartKey;
use crate::saving::{AddedLine, NewBatch, RowChanges, exists};
use allocation_domain::{ProductFlags, Promises};
use allocation_ports::StoreError;
use diesel::prelude::*;

pub(crate) fn save(connection: &mut SqliteConnection, rows: &RowChanges<'_>) -> Result<(), StoreError> {
    change_lines(connection, rows)?;
    remove(connection, rows)?;
    add_batches(connection, rows)?;
    change_products(connection, rows)?;
    add_lines(connection, rows)?;
    save_pick_lines(connection, rows)?;
    add_events(connection, rows)
}

fn remove(connection: &mut SqliteConnection, rows: &RowChanges<'_>) -> Result<(), StoreError> {
    for PartKey { sku, order_id, reference } in &rows.removed_parts {
        one_row(connection, exists::PART, RemovePart { sku, order_id, reference })?;
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
    for NewBatch { key: batch, added_with, values } in &rows.added_batches {
        add_row(connection, AddReference { batch, added_with })?;
        add_row(connection, AddBatch { batch, values })?;
    }
    Ok(())
}

fn change_products(connection: &mut SqliteConnection, rows: &RowChanges<'_>) -> Result<(), StoreError> {
    for (BatchKey { sku, reference }, values) in &rows.changed_batches {
        one_row(connection, exists::BATCH, ChangeBatch { values, sku, reference })?;
    }
    for (BatchKey { sku, reference }, delta) in &rows.counters {
        one_row(connection, exists::BATCH, ChangeCounter { delta, sku, reference })?;
    }
    for (sku, ProductFlags { unserved, promises, sold_out }) in &rows.flags {
        let stable = &(*promises == Promises::Stable);
        one_row(connection, exists::PRODUCT, SetFlags { unserved, stable, sold_out, sku })?;
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
    for (LineKey { sku, order_id }, values, whole) in &rows.changed_lines {
        one_row(connection, exists::LINE, ChangeLine { values, whole, sku, order_id })?;
    }
    for (PartKey { sku, order_id, reference }, values) in &rows.changed_parts {
        one_row(connection, exists::PART, ChangePart { values, sku, order_id, reference })?;
    }
    Ok(())
}

fn add_lines(connection: &mut SqliteConnection, rows: &RowChanges<'_>) -> Result<(), StoreError> {
    for (line, values, whole) in &rows.added_plain_lines {
        add_row(connection, AddPlainLine { line, values, whole })?;
    }
    for AddedLine { key: line, values, whole, .. } in &rows.added_lines {
        add_row(connection, AddLine { line, values, whole })?;
    }
    for (part, values) in &rows.added_parts {
        add_row(connection, AddPart { part, values })?;
    }
    Ok(())
}

fn add_events(connection: &mut SqliteConnection, rows: &RowChanges<'_>) -> Result<(), StoreError> {
    for block in &rows.blocks {
        add_row(connection, AddBlock { block })?;
    }
    Ok(())
}
