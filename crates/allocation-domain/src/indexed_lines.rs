//! Order lines, indexed by the batches in which they hold units.

use crate::{BatchReference, LineState, OrderId};
use std::collections::{BTreeMap, BTreeSet};

/// The lines of a product by order. Every change keeps the index, so no caller searches all lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct IndexedLines {
    by_order: BTreeMap<OrderId, LineState>,
    on_batch: BTreeMap<BatchReference, BTreeSet<OrderId>>,
}

impl IndexedLines {
    /// Adds a line; it replaces the line of that order.
    pub(crate) fn insert(&mut self, order_id: OrderId, line: LineState) {
        self.remove(&order_id);
        for part in &line.allocations {
            self.on_batch.entry(part.reference.clone()).or_default().insert(order_id.clone());
        }
        self.by_order.insert(order_id, line);
    }

    /// Removes a line.
    pub(crate) fn remove(&mut self, order_id: &OrderId) {
        let Some(line) = self.by_order.remove(order_id) else { return };
        for part in &line.allocations {
            if let Some(on) = self.on_batch.get_mut(&part.reference) {
                on.remove(order_id);
                if on.is_empty() {
                    self.on_batch.remove(&part.reference);
                }
            }
        }
    }

    /// Returns a line.
    pub(crate) fn get(&self, order_id: &OrderId) -> Option<&LineState> {
        self.by_order.get(order_id)
    }

    /// Returns all lines, sorted by order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&OrderId, &LineState)> {
        self.by_order.iter()
    }

    /// Returns the lines that hold units of a batch, by order.
    pub(crate) fn on_batch(&self, reference: &BatchReference) -> impl Iterator<Item = &OrderId> {
        self.on_batch.get(reference).into_iter().flatten()
    }
}
