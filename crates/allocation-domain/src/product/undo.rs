//! Decisions that are applied completely or not at all.

use super::Product;
use crate::originals::Originals;
use crate::{Batch, BatchReference, OrderId, PickLine, PickLineId, ProductFlags};

/// The state before a decision, of the parts that it has changed.
#[derive(Debug, Clone)]
pub(super) struct Before {
    pub(super) rows: Originals,
    events: usize,
    flags: ProductFlags,
    moved: usize,
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
        let (rows, events) = (Originals::default(), self.events.len());
        self.before = Some(Before { rows, events, flags: self.flags, moved: self.in_transit.moved });
    }

    /// Keeps the changes since [`Product::begin`].
    pub(crate) fn keep(&mut self) {
        self.before = None;
    }

    /// Undoes the changes since [`Product::begin`].
    pub(crate) fn undo(&mut self) {
        let Some(before) = self.before.take() else { return };
        self.stored.remove_undone(&before.rows);
        for (order_id, line) in before.rows.lines {
            match line {
                Some(line) => self.lines.insert(order_id, *line),
                None => self.lines.remove(&order_id),
            }
        }
        for (reference, batch) in before.rows.batches {
            if let Some(index) = self.batches.index_of(&reference) {
                self.batches.remove(index);
            }
            if let Some(batch) = batch {
                self.batches.insert(*batch);
            }
        }
        for (id, line) in before.rows.pick_lines {
            match line {
                Some(line) => self.pick_lines.insert(id, *line),
                None => self.pick_lines.remove(&id),
            }
        }
        self.events.truncate(before.events);
        (self.flags, self.in_transit.moved) = (before.flags, before.moved);
    }

    /// Records the state of a line that is about to change.
    pub(super) fn note_line(&mut self, order_id: &OrderId) {
        let line = || self.lines.get(order_id);
        // Everything recorded for a decision is also recorded for the store.
        if self.before.as_mut().is_none_or(|before| before.rows.note_line(order_id, line)) {
            self.stored.note_line(order_id, line);
        }
    }

    /// Records the state of a batch that is about to change.
    pub(super) fn note_batch(&mut self, reference: &BatchReference) {
        let batch = || self.batches.find(reference);
        if self.before.as_mut().is_none_or(|before| before.rows.note_batch(reference, batch)) {
            self.stored.note_batch(reference, batch);
        }
    }

    /// Returns the batch at an index, to change its counters.
    pub(super) fn batch_mut(&mut self, index: usize) -> &mut Batch {
        let reference = self.batches[index].reference().clone();
        self.note_batch(&reference);
        self.batches.at_mut(index)
    }

    /// Sets whether lines may wait for free units.
    pub(super) const fn set_unserved(&mut self, unserved: bool) {
        self.flags.unserved = unserved;
    }

    /// Adds a pick line, or replaces the one with the same id.
    pub(super) fn set_pick_line(&mut self, id: PickLineId, line: PickLine) {
        let now = || self.pick_lines.get(&id);
        if self.before.as_mut().is_none_or(|before| before.rows.note_pick_line(&id, now)) {
            self.stored.note_pick_line(&id, now);
        }
        self.pick_lines.insert(id, line);
    }
}

#[cfg(test)]
mod tests;
