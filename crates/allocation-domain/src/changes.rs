//! What a store has to write down.

use crate::{Batch, BatchReference, Event, LineState, OrderId, Product, Quantity, Sku};

/// The difference between a product and what its store holds, row by row.
///
/// Removals are to be written before additions: a line may leave and come back in one unit of work.
#[derive(Debug)]
pub struct Changes<'a> {
    /// The SKU.
    pub sku: &'a Sku,
    /// Counts the units of work that have locked the product.
    pub version: u64,
    /// Batches to add, with what is allocated of them.
    pub added_batches: Vec<&'a Batch>,
    /// Batches to remove.
    pub removed_batches: Vec<&'a BatchReference>,
    /// By how many units the allocated quantity of a stored batch rises or falls.
    pub batch_deltas: Vec<(&'a BatchReference, i64)>,
    /// Lines to add, remove or change, in no order.
    pub lines: Vec<LineChange<'a>>,
    /// Allocations to add, remove or change, in no order.
    pub allocations: Vec<AllocationChange<'a>>,
    /// What has happened, oldest first.
    pub events: &'a [Event],
}

/// The change of what a line has ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineChange<'a> {
    /// The order that the line belongs to.
    pub order_id: &'a OrderId,
    /// How many units the store has, `None` for a line to add.
    pub before: Option<Quantity>,
    /// How many units there are now, `None` for a line to remove.
    pub after: Option<Quantity>,
}

/// The change of what a line holds in a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AllocationChange<'a> {
    /// The order that the line belongs to.
    pub order_id: &'a OrderId,
    /// The batch.
    pub reference: &'a BatchReference,
    /// How many units the store has, `None` for an allocation to add.
    pub before: Option<Quantity>,
    /// How many units there are now, `None` for an allocation to remove.
    pub after: Option<Quantity>,
}

impl Changes<'_> {
    /// Whether there is nothing to write.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.events.is_empty()
    }
}

impl Product {
    /// What a store has to write down so that it holds this product.
    #[must_use]
    pub fn changes(&self) -> Changes<'_> {
        let mut changes = Changes {
            sku: self.sku(),
            version: self.version(),
            added_batches: Vec::new(),
            removed_batches: Vec::new(),
            batch_deltas: Vec::new(),
            lines: Vec::new(),
            allocations: Vec::new(),
            events: self.events(),
        };
        if !changes.is_empty() {
            self.compare_batches(&mut changes);
            self.compare_lines(&mut changes);
        }
        changes
    }

    fn compare_batches<'a>(&'a self, changes: &mut Changes<'a>) {
        let stays = |stored: &Batch| self.batch(stored.reference()).is_some_and(|now| now.same_origin(stored));
        let gone = self.stored_batches.values().filter(|stored| !stays(stored));
        changes.removed_batches.extend(gone.map(Batch::reference));
        for batch in &self.batches {
            match self.stored_batches.get(batch.reference()).filter(|stored| batch.same_origin(stored)) {
                None => changes.added_batches.push(batch),
                Some(stored) if stored.allocated() != batch.allocated() => {
                    let delta = i64::from(batch.allocated()) - i64::from(stored.allocated());
                    changes.batch_deltas.push((batch.reference(), delta));
                }
                Some(_) => {}
            }
        }
    }

    fn compare_lines<'a>(&'a self, changes: &mut Changes<'a>) {
        for (order_id, stored) in &self.stored_lines {
            let now = self.lines.get(order_id);
            if now.is_none() {
                changes.lines.push(LineChange { order_id, before: Some(stored.quantity), after: None });
            }
            for part in &stored.allocations {
                if now.and_then(|now| now.holds(&part.reference)).is_none() {
                    let (reference, before) = (&part.reference, Some(part.quantity));
                    changes.allocations.push(AllocationChange { order_id, reference, before, after: None });
                }
            }
        }
        for (order_id, now) in &self.lines {
            let stored = self.stored_lines.get(order_id);
            let (before, after) = (stored.map(|stored| stored.quantity), Some(now.quantity));
            if before != after {
                changes.lines.push(LineChange { order_id, before, after });
            }
            for part in &now.allocations {
                let before = stored.and_then(|stored| stored.holds(&part.reference));
                if before != Some(part.quantity) {
                    let (reference, after) = (&part.reference, Some(part.quantity));
                    changes.allocations.push(AllocationChange { order_id, reference, before, after });
                }
            }
        }
    }
}

impl LineState {
    fn holds(&self, reference: &BatchReference) -> Option<Quantity> {
        self.allocations.iter().find(|part| part.reference == *reference).map(|part| part.quantity)
    }
}
