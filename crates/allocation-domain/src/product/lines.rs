//! The lines at hand, with what waits and what expires among them.

use super::Product;
use crate::{
    AllocationReason, Batch, BatchReference, DataRequest, DeallocationReason, Event, LineState, MoreNeeded, OrderId,
    Quantity, QueuePosition,
};
use chrono::{DateTime, Utc};

/// What a line is found by when units are free, and when its time is up.
#[derive(PartialEq, Eq)]
struct LineIndexKeys {
    waits: Option<QueuePosition>,
    expires: Option<(DateTime<Utc>, OrderId)>,
}

impl LineIndexKeys {
    fn of(order_id: &OrderId, line: &LineState) -> Self {
        Self {
            waits: (line.waiting > 0).then(|| QueuePosition::of(order_id, line)),
            expires: line.commitment.expires_at().map(|at| (at, order_id.clone())),
        }
    }
}

impl Product {
    pub(super) fn insert_line(&mut self, order_id: OrderId, line: LineState) {
        self.note_line(&order_id);
        self.mark(LineIndexKeys::of(&order_id, &line));
        self.lines.insert(order_id, line);
    }

    /// Changes a line, if it is at hand.
    pub(super) fn edit_line(&mut self, order_id: &OrderId, edit: impl FnOnce(&mut LineState)) {
        self.note_line(order_id);
        if let Some(line) = self.lines.get_mut(order_id) {
            let before = LineIndexKeys::of(order_id, line);
            edit(line);
            let after = LineIndexKeys::of(order_id, line);
            if before != after {
                self.unmark(&before);
                self.mark(after);
            }
        }
    }

    pub(super) fn remove_line(&mut self, order_id: &OrderId) {
        self.note_line(order_id);
        if let Some(line) = self.lines.remove(order_id) {
            self.unmark(&LineIndexKeys::of(order_id, &line));
        }
    }

    fn mark(&mut self, marks: LineIndexKeys) {
        self.queue.extend(marks.waits);
        self.expiries.extend(marks.expires);
    }

    fn unmark(&mut self, marks: &LineIndexKeys) {
        if let Some(position) = &marks.waits {
            self.queue.remove(position);
        }
        if let Some(expiry) = &marks.expires {
            self.expiries.remove(expiry);
        }
    }

    /// Gives a line units of the batch at a place; the caller has checked that they are free, and
    /// that the line is at hand.
    pub(super) fn take(&mut self, place: usize, order_id: &OrderId, part: Quantity, reason: AllocationReason) {
        self.batch_mut(place).take(part);
        let taken = self.allocation(place, part);
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

    /// Frees units that a line holds of a batch; the caller has checked that it does. Those of them
    /// that are on pick lists leave them before.
    pub(super) fn free(
        &mut self,
        order_id: &OrderId,
        reference: &BatchReference,
        units: Quantity,
        reason: DeallocationReason,
    ) -> Result<(), MoreNeeded> {
        let place = self.need_batch(reference)?;
        self.take_off_lists(order_id, reference, units)?;
        self.batch_mut(place).give_back(units);
        let lowered = self.absorb(place, order_id, units);
        self.edit_line(order_id, |line| line.give_back(reference, units));
        self.events.push(Event::Deallocated {
            order_id: order_id.clone(),
            sku: self.sku.clone(),
            reference: reference.clone(),
            quantity: units,
            reason,
        });
        // A step tells once what it comes to.
        let by_step = matches!(reason, DeallocationReason::Move | DeallocationReason::BatchLowered);
        if let Some(before) = lowered.filter(|_| !by_step) {
            self.record_change(&before);
        }
        Ok(())
    }

    /// Units that a line gives back which is still to leave a lowered batch are not free: the batch
    /// has so many less. Tells how the batch was before, if it is so.
    fn absorb(&mut self, place: usize, order_id: &OrderId, units: Quantity) -> Option<Batch> {
        let moving = self.batches[place].moving().filter(|moving| moving.lower_to.is_some())?;
        let position = QueuePosition::of(order_id, self.line(order_id)?);
        if !moving.is_ahead(&position) {
            return None;
        }
        let before = self.batches[place].clone();
        self.batch_mut(place).absorb(units.get());
        Some(before)
    }

    /// The place of a batch, which must be at hand.
    pub(super) fn need_batch(&self, reference: &BatchReference) -> Result<usize, MoreNeeded> {
        self.place(reference).ok_or_else(|| self.needs(DataRequest::Batch(reference.clone())))
    }

    /// Frees all that a line holds, and lets it wait for nothing.
    pub(super) fn free_all(&mut self, order_id: &OrderId, reason: DeallocationReason) -> Result<(), MoreNeeded> {
        let Some(line) = self.lines.get(order_id) else { return Err(self.needs(DataRequest::Line(order_id.clone()))) };
        let held = line.allocations.clone();
        for part in held {
            self.free(order_id, &part.reference, part.quantity, reason)?;
        }
        self.edit_line(order_id, |line| line.waiting = 0);
        Ok(())
    }
}
