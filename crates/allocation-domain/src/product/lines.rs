//! Changes of the loaded lines.

use super::Product;
use crate::{
    AllocationReason, Batch, BatchReference, DataRequest, DeallocationReason, Event, LineState, LoadRequest, OrderId,
    PickStatus, Quantity, QueuePosition,
};

impl Product {
    pub(super) fn insert_line(&mut self, order_id: OrderId, line: LineState) {
        self.note_line(&order_id);
        self.lines.insert(order_id, line);
    }

    /// Changes a line, if it is loaded.
    pub(super) fn edit_line(&mut self, order_id: &OrderId, edit: impl FnOnce(&mut LineState)) {
        self.note_line(order_id);
        self.lines.edit(order_id, edit);
    }

    pub(super) fn remove_line(&mut self, order_id: &OrderId) {
        self.note_line(order_id);
        self.lines.remove(order_id);
    }

    /// Allocates units of the batch at `index` to a line. The caller has checked that they are free,
    /// and that the line is loaded.
    pub(super) fn take(&mut self, index: usize, order_id: &OrderId, part: Quantity, reason: AllocationReason) {
        self.batch_mut(index).take(part);
        let taken = self.allocation(index, part);
        let reference = taken.reference.clone();
        let mut line_quantity = part;
        self.edit_line(order_id, |line| {
            line.add(taken);
            line_quantity = line.quantity;
            if reason == AllocationReason::Backorder {
                line.waiting -= part.get();
            }
        });
        self.events.push(Event::Allocated {
            order_id: order_id.clone(),
            sku: self.sku.clone(),
            reference,
            quantity: part,
            line_quantity,
            reason,
        });
    }

    /// Releases units of a batch from a line, and from its pick lists. The caller has checked that the line
    /// has them.
    pub(super) fn free(
        &mut self,
        order_id: &OrderId,
        reference: &BatchReference,
        units: Quantity,
        reason: DeallocationReason,
    ) -> Result<(), LoadRequest> {
        let index = self.need_batch(reference)?;
        self.take_off_lists(order_id, reference, units)?;
        self.batch_mut(index).release(units);
        let lowered = self.absorb(index, order_id, units);
        self.edit_line(order_id, |line| line.release(reference, units));
        self.events.push(Event::Deallocated {
            order_id: order_id.clone(),
            sku: self.sku.clone(),
            reference: reference.clone(),
            quantity: units,
            reason,
        });
        // A step records the change of the batch once, at its end.
        let by_step = matches!(reason, DeallocationReason::Move | DeallocationReason::BatchLowered);
        if let Some(before) = lowered.filter(|_| !by_step) {
            self.record_change(&before);
        }
        Ok(())
    }

    /// Lowers a batch by units released by a line that had yet to leave it: such units are not free.
    /// Returns the batch as it was before, if it is such a batch.
    fn absorb(&mut self, index: usize, order_id: &OrderId, units: Quantity) -> Option<Batch> {
        let moving = self.batches[index].moving().filter(|moving| moving.lower_to.is_some())?;
        let position = QueuePosition::of(order_id, self.line(order_id)?);
        if !moving.is_ahead(&position) {
            return None;
        }
        let before = self.batches[index].clone();
        self.batch_mut(index).absorb(units.get());
        Some(before)
    }

    /// Checks that every row is loaded that another one counts or names.
    pub(crate) fn check_rows(&self) -> Result<(), LoadRequest> {
        for (order_id, line) in self.lines.iter() {
            line.allocations.iter().try_for_each(|part| self.need_batch(&part.reference).map(drop))?;
            self.need_pick_lines(order_id, line)?;
        }
        for batch in self.batches.iter() {
            self.next_on(batch, None)?;
        }
        let named = self.pick_lines.iter().filter(|(_, pick)| pick.is_open() || pick.status == PickStatus::Picked);
        named.map(|(_, pick)| pick).try_for_each(|pick| self.need_both(pick).map(drop))
    }

    /// Returns the index of a batch, which must be loaded.
    pub(super) fn need_batch(&self, reference: &BatchReference) -> Result<usize, LoadRequest> {
        self.batch_index(reference).ok_or_else(|| self.needs(DataRequest::Batch(reference.clone())))
    }

    /// Releases all units of a line, and ends its backorder.
    pub(super) fn free_all(&mut self, order_id: &OrderId, reason: DeallocationReason) -> Result<(), LoadRequest> {
        let Some(line) = self.lines.get(order_id) else { return Err(self.needs(DataRequest::Line(order_id.clone()))) };
        let held = line.allocations.clone();
        for part in held {
            self.free(order_id, &part.reference, part.quantity, reason)?;
        }
        self.edit_line(order_id, |line| line.waiting = 0);
        Ok(())
    }
}
