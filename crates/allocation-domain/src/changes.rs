//! The rows that a store has to write.

use crate::{
    Batch, BatchCounts, BatchReference, Eta, Event, LineState, OrderId, PickLine, PickLineId, Product, ProductFlags,
    ReservationState, Sku,
};

/// The difference between a product and what its store holds, row by row.
///
/// A store writes removals before additions: one unit of work may remove a line and add it again.
#[derive(Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Changes<'a> {
    /// The SKU.
    pub sku: &'a Sku,
    /// The number of units of work that have locked the product.
    pub version: u64,
    /// Batches to add, with all their counters.
    pub added_batches: Vec<&'a Batch>,
    /// Batches to remove.
    pub removed_batches: Vec<&'a BatchReference>,
    /// Stored batches of which more than the allocated units has changed, as they are now.
    pub changed_batches: Vec<&'a Batch>,
    /// Changes of the allocated units of the other stored batches.
    pub batch_deltas: Vec<(&'a BatchReference, i64)>,
    /// Lines to add, remove or change, in no order.
    pub lines: Vec<LineChange<'a>>,
    /// Pick lines to add or change, in no order. They are never removed, and may outlive their
    /// order line and their batch.
    pub pick_lines: Vec<PickLineChange<'a>>,
    /// Changes of the product's totals, for a store that keeps them.
    pub totals: TotalsChange,
    /// The flags, or `None` if the stored ones are current. A store restores them as
    /// [`ProductState::flags`](crate::ProductState::flags).
    pub flags: Option<ProductFlags>,
    /// Events, oldest first. Empty if only the flags or the progress of moving lines has changed.
    pub events: &'a [Event],
    /// Whether there is anything to write.
    #[cfg_attr(feature = "serde", serde(skip))]
    is_changed: bool,
}

/// A pick line that is new or has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct PickLineChange<'a> {
    /// The list and the line number.
    pub id: &'a PickLineId,
    /// The stored pick line, `None` for an addition.
    pub before: Option<&'a PickLine>,
    /// The new pick line.
    pub after: &'a PickLine,
}

/// A line that is added, removed or changed, with its allocations.
///
/// A line of which only the ETA of an allocation differs has not changed: the ETA is the batch's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct LineChange<'a> {
    /// The order that the line belongs to.
    pub order_id: &'a OrderId,
    /// The stored line, `None` for an addition.
    pub before: Option<&'a LineState>,
    /// The new line, `None` for a removal.
    pub after: Option<&'a LineState>,
}

/// Changes of the totals of a product.
///
/// A hold counts until it is released, so `held` and `allocated` include expired holds that are not
/// released yet. The totals at an instant are the stored ones plus the changes of a decision that
/// consists of [`Product::release_expired`] alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct TotalsChange {
    /// Units of batches in stock, neither shipped nor missing.
    pub in_stock: i64,
    /// Units of batches in transit.
    pub on_its_way: i64,
    /// Units allocated and not picked yet, including held ones.
    pub allocated: i64,
    /// Units picked and not shipped yet.
    pub picked: i64,
    /// Units allocated to lines on hold.
    pub held: i64,
    /// Units for which lines wait.
    pub backordered: i64,
    /// Lines on hold. Without any, nothing can have expired.
    pub held_lines: i64,
    /// Lines that wait. Without any, no line has to be served.
    pub waiting_lines: i64,
}

impl Changes<'_> {
    /// Returns whether there is nothing to write.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        !self.is_changed
    }
}

impl Product {
    /// Returns the rows that a store has to write.
    #[must_use]
    pub fn changes(&self) -> Changes<'_> {
        let mut changes = Changes {
            sku: self.sku(),
            version: self.version(),
            added_batches: Vec::new(),
            removed_batches: Vec::new(),
            changed_batches: Vec::new(),
            batch_deltas: Vec::new(),
            lines: Vec::new(),
            pick_lines: Vec::new(),
            totals: TotalsChange::default(),
            flags: self.changed_flags(),
            events: self.events(),
            is_changed: self.has_changed(),
        };
        if !changes.is_empty() {
            self.compare_batches(&mut changes);
            self.compare_lines(&mut changes);
            self.compare_pick_lines(&mut changes);
        }
        changes
    }

    fn compare_batches<'a>(&'a self, changes: &mut Changes<'a>) {
        for (reference, stored) in &self.stored.batches {
            let now = self.batch(reference);
            if let Some(stored) = stored {
                changes.totals.count_batch(stored, -1);
                if !now.is_some_and(|now| same_row(now, stored)) {
                    changes.removed_batches.push(reference);
                }
            }
            if let Some(now) = now {
                changes.totals.count_batch(now, 1);
                match stored.as_ref().filter(|stored| same_row(now, stored)) {
                    None => changes.added_batches.push(now),
                    Some(stored) => changes.push_batch(now, stored),
                }
            }
        }
    }

    fn compare_lines<'a>(&'a self, changes: &mut Changes<'a>) {
        for (order_id, stored) in &self.stored.lines {
            changes.push_line(order_id, stored.as_deref(), self.lines.get(order_id));
        }
    }

    fn compare_pick_lines<'a>(&'a self, changes: &mut Changes<'a>) {
        for (id, before) in &self.stored.pick_lines {
            if let Some(after) = self.pick_lines.get(id).filter(|after| before.as_deref() != Some(after)) {
                changes.pick_lines.push(PickLineChange { id, before: before.as_deref(), after });
            }
        }
    }
}

/// Returns whether a batch is the stored one, corrected or not, rather than a new one with its
/// reference.
///
/// A new batch that was added at the same instant overwrites the stored row.
fn same_row(batch: &Batch, stored: &Batch) -> bool {
    batch.added_at() == stored.added_at()
}

impl<'a> Changes<'a> {
    fn push_line(&mut self, order_id: &'a OrderId, before: Option<&'a LineState>, after: Option<&'a LineState>) {
        if let Some(before) = before {
            self.totals.count_line(before, -1);
        }
        if let Some(after) = after {
            self.totals.count_line(after, 1);
        }
        let is_same = before.zip(after).is_some_and(|(before, after)| before.has_same_rows(after));
        if !is_same && (before.is_some() || after.is_some()) {
            self.lines.push(LineChange { order_id, before, after });
        }
    }

    fn push_batch(&mut self, batch: &'a Batch, stored: &Batch) {
        let (now, before) = (batch.counts(), stored.counts());
        let only_allocated = BatchCounts { allocated: now.allocated, ..before } == now
            && batch.revision() == stored.revision()
            && batch.same_purchase(stored)
            && batch.adjustments() == stored.adjustments()
            && batch.moving() == stored.moving();
        if !only_allocated {
            self.changed_batches.push(batch);
        } else if now.allocated != before.allocated {
            self.batch_deltas.push((batch.reference(), i64::from(now.allocated) - i64::from(before.allocated)));
        }
    }
}

impl TotalsChange {
    fn count_batch(&mut self, batch: &Batch, sign: i64) {
        let present = sign * i64::from(batch.on_hand());
        match batch.eta() {
            Eta::InStock => self.in_stock += present,
            Eta::Due(_) => self.on_its_way += present,
        }
        self.allocated += sign * i64::from(batch.allocated());
        self.picked += sign * i64::from(batch.counts().picked);
    }

    fn count_line(&mut self, line: &LineState, sign: i64) {
        if matches!(line.commitment, ReservationState::Held { .. }) {
            self.held += sign * i64::from(line.allocated());
            self.held_lines += sign;
        }
        self.backordered += sign * i64::from(line.waiting);
        self.waiting_lines += sign * i64::from(line.waiting > 0);
    }
}
