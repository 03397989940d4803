//! Loading of lines with their allocations.

use super::pick_lines::load_pick_lines;
use super::statements::{LoadLines, LoadOrders};
use crate::error::{corrupt, store_error};
use crate::line_row::{AllocationPart, LineValues, Lines, OrderLineRow};
use crate::row;
use allocation_domain::{OrderId, Sku};
use allocation_ports::StoreError;
use diesel::prelude::*;
use std::collections::BTreeMap;

/// Lines to load, each with the index of its product in a list.
#[derive(Debug, Default)]
pub(super) struct LineKeys<'a> {
    index: Vec<i32>,
    sku: Vec<&'a str>,
    order_id: Vec<&'a str>,
}

impl<'a> LineKeys<'a> {
    /// Adds a line that is not in the set yet.
    pub(super) fn push(&mut self, index: i32, sku: &'a Sku, order_id: &'a OrderId) {
        self.index.push(index);
        self.sku.push(sku.as_str());
        self.order_id.push(order_id.as_str());
    }

    /// Loads the existing lines, and passes each to `take` with the index of its product.
    pub(super) fn load(
        &self,
        connection: &mut PgConnection,
        mut take: impl FnMut(i32, OrderId, LineValues, Vec<AllocationPart>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        if self.index.is_empty() {
            return Ok(());
        }
        let statement = LoadLines { index: &self.index, sku: &self.sku, order_id: &self.order_id };
        let rows: Vec<(i32, OrderLineRow)> = statement.load(connection).map_err(store_error)?;
        let mut lines: BTreeMap<(i32, String), (LineValues, Vec<AllocationPart>)> = BTreeMap::new();
        for (index, OrderLineRow { order_id, line, part, .. }) in rows {
            let (_, parts) = lines.entry((index, order_id)).or_insert_with(|| (line, Vec::new()));
            parts.extend(part);
        }
        for ((index, order_id), (line, parts)) in lines {
            take(index, row::order_id(order_id)?, line, parts)?;
        }
        Ok(())
    }
}

/// Loads the existing lines with their batches and pick lines. The order ids must be distinct.
pub(crate) fn lines(connection: &mut PgConnection, sku: &Sku, order_ids: &[OrderId]) -> Result<Lines, StoreError> {
    let mut keys = LineKeys::default();
    for order_id in order_ids {
        keys.push(0, sku, order_id);
    }
    let mut lines = Lines::default();
    keys.load(connection, |_, order_id, line, parts| lines.add(sku, order_id, line, parts))?;
    lines.pick_lines = load_pick_lines(connection, lines.with_pick_lines().map(|order_id| (sku, order_id)))?;
    Ok(lines)
}

/// Loads the lines of orders.
pub(crate) fn order_lines(connection: &mut PgConnection, order_ids: &[&str]) -> QueryResult<Vec<OrderLineRow>> {
    LoadOrders { order_ids: &order_ids.to_vec() }.load(connection)
}

/// Converts the index of a product in a list.
pub(super) fn index_of(number: usize) -> Result<i32, StoreError> {
    row::integer(number)
}

/// Returns the element at an index of a list.
pub(super) fn at<T>(list: &[T], index: i32) -> Result<&T, StoreError> {
    let found = usize::try_from(index).ok().and_then(|index| list.get(index));
    found.ok_or_else(|| corrupt(NoSuchIndex(index)))
}

/// Returns the element at an index of a list, mutably.
pub(super) fn at_mut<T>(list: &mut [T], index: i32) -> Result<&mut T, StoreError> {
    let found = usize::try_from(index).ok().and_then(|index| list.get_mut(index));
    found.ok_or_else(|| corrupt(NoSuchIndex(index)))
}

#[derive(Debug, thiserror::Error)]
#[error("no product was requested at index {0}")]
struct NoSuchIndex(i32);
