//! Decisions that are applied completely or not at all.

use super::Product;
use crate::{Batch, BatchReference, LineState, OrderId, PickLine, PickLineId};
use std::collections::BTreeMap;

/// The state before a decision, of the parts that it has changed. Undoing costs as much as the decision has
/// changed, not as much as is loaded.
#[derive(Debug, Clone)]
pub(super) struct Before {
    lines: BTreeMap<OrderId, Option<LineState>>,
    batches: BTreeMap<BatchReference, Option<Batch>>,
    pick_lines: BTreeMap<(OrderId, PickLineId), Option<PickLine>>,
    events: usize,
    unserved: bool,
}

impl Product {
    /// Applies a decision completely or not at all: after an error, nothing has changed.
    pub(crate) fn atomically<T, E>(&mut self, decide: impl FnOnce(&mut Self) -> Result<T, E>) -> Result<T, E> {
        if self.before.is_some() {
            // The outer decision undoes the changes of this one.
            return decide(self);
        }
        self.begin();
        let decided = decide(self);
        if decided.is_ok() {
            self.keep()
        } else {
            self.undo()
        }
        decided
    }

    /// Begins to record the previous state of changed parts.
    pub(crate) fn begin(&mut self) {
        self.before = Some(Before {
            lines: BTreeMap::new(),
            batches: BTreeMap::new(),
            pick_lines: BTreeMap::new(),
            events: self.events.len(),
            unserved: self.unserved,
        });
    }

    /// Keeps the changes since [`Product::begin`].
    pub(crate) fn keep(&mut self) {
        self.before = None;
    }

    /// Undoes the changes since [`Product::begin`].
    pub(crate) fn undo(&mut self) {
        let Some(before) = self.before.take() else { return };
        for (order_id, line) in before.lines {
            self.remove_line(&order_id);
            if let Some(line) = line {
                self.insert_line(order_id, line);
            }
        }
        for (reference, batch) in before.batches {
            if let Some(place) = self.batches.place(&reference) {
                self.batches.remove(place);
            }
            if let Some(batch) = batch {
                self.batches.insert(batch);
            }
        }
        for ((order_id, id), line) in before.pick_lines {
            match line {
                Some(line) => self.pick_lines.insert(id, line),
                None => self.pick_lines.remove(&order_id, &id),
            }
        }
        self.events.truncate(before.events);
        self.unserved = before.unserved;
    }

    /// Records the state of a line that is about to change.
    pub(super) fn note_line(&mut self, order_id: &OrderId) {
        if let Some(before) = &mut self.before
            && !before.lines.contains_key(order_id)
        {
            before.lines.insert(order_id.clone(), self.lines.get(order_id).cloned());
        }
    }

    /// Records the state of a batch that is about to change.
    pub(super) fn note_batch(&mut self, reference: &BatchReference) {
        if let Some(before) = &mut self.before
            && !before.batches.contains_key(reference)
        {
            before.batches.insert(reference.clone(), self.batches.find(reference).cloned());
        }
    }

    /// Returns the batch at an index, to change its counters.
    pub(super) fn batch_mut(&mut self, place: usize) -> &mut Batch {
        if self.before.is_some() {
            let reference = self.batches[place].reference().clone();
            self.note_batch(&reference);
        }
        self.batches.at_mut(place)
    }

    /// Sets whether lines may wait for free units.
    pub(super) const fn set_unserved(&mut self, unserved: bool) {
        self.unserved = unserved;
    }

    /// Adds a pick line, or replaces the one with the same id.
    pub(super) fn set_pick_line(&mut self, id: PickLineId, line: PickLine) {
        if let Some(before) = &mut self.before {
            let was = || self.pick_lines.get(&line.order_id, &id).cloned();
            before.pick_lines.entry((line.order_id.clone(), id.clone())).or_insert_with(was);
        }
        self.pick_lines.insert(id, line);
    }
}

#[cfg(test)]
mod tests;
