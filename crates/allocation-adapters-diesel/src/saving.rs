//! Changes of products as rows to write.

use crate::allocation_row::{AllocationKey, AllocationValues};
use crate::batch_row::{AddedWith, BatchKey, BatchValues};
use crate::error::failed;
use crate::event_row::{ContextValues, OutboxRow};
use crate::line_row::{LineKey, LineValues, PlainLineValues};
use crate::pick_line_row::PickLineRow;
use crate::product_row::TotalsValues;
use crate::row::integer;
use allocation_domain::{Batch, Changes, Eta, Event, OrderId};
use allocation_ports::{EventContexts, StoreError};
use chrono::{DateTime, Utc};
use std::collections::{BTreeSet, HashSet};

/// The changes of one or more products, grouped by operation and table.
///
/// Removals are written first: one unit of work may remove a line and add it again.
#[derive(Debug, Default)]
pub(crate) struct RowChanges<'a> {
    pub(crate) removed_allocations: Vec<AllocationKey<'a>>,
    pub(crate) removed_lines: Vec<LineKey<'a>>,
    pub(crate) removed_batches: Vec<BatchKey<'a>>,
    pub(crate) added_batches: Vec<NewBatch<'a>>,
    pub(crate) changed_batches: Vec<(BatchKey<'a>, BatchValues)>,
    pub(crate) changed_lines: Vec<(LineKey<'a>, LineValues)>,
    pub(crate) changed_allocations: Vec<(AllocationKey<'a>, AllocationValues)>,
    /// Changes to the allocated quantity of batches of which nothing else changes.
    pub(crate) counters: Vec<(BatchKey<'a>, i32)>,
    /// Lines with the values that almost every standalone line has, and no others. They are anchors.
    pub(crate) added_plain_lines: Vec<(LineKey<'a>, PlainLineValues)>,
    pub(crate) added_lines: Vec<AddedLine<'a>>,
    pub(crate) added_allocations: Vec<(AllocationKey<'a>, AllocationValues)>,
    pub(crate) added_pick_lines: Vec<PickLineRow<'a>>,
    pub(crate) changed_pick_lines: Vec<PickLineRow<'a>>,
    /// Changes to the totals of products.
    pub(crate) products: Vec<(&'a str, TotalsValues)>,
    /// Products with a change in whether lines may wait although units are free, and the new value.
    pub(crate) unserved: Vec<(&'a str, bool)>,
    /// Events, each with the context of its command, if it has any.
    pub(crate) events: Vec<(OutboxRow<'a>, Option<ContextValues<'a>>)>,
}

#[derive(Debug)]
pub(crate) struct NewBatch<'a> {
    pub(crate) key: BatchKey<'a>,
    /// The values before corrections in the same unit of work.
    pub(crate) added_with: AddedWith,
    pub(crate) values: BatchValues,
}

#[derive(Debug)]
pub(crate) struct AddedLine<'a> {
    pub(crate) key: LineKey<'a>,
    /// The slot that the line occupies in its order, on PostgreSQL: the anchor's empty slot, or its SKU.
    pub(crate) slot: &'a str,
    pub(crate) values: LineValues,
}

/// The slot of the line that is the anchor of its order.
const ANCHOR: &str = "";

#[derive(Debug, thiserror::Error)]
#[error("no event records what batch {0} was added with")]
struct NoEvent(String);

#[derive(Debug, thiserror::Error)]
#[error("of {expected} rows {actual} are there")]
struct RowsMissing {
    expected: usize,
    actual: usize,
}

/// Checks that a statement found every row that it had to change.
///
/// The rows were loaded under the lock of their product, and only the lock's holder changes them. A missing
/// row means that the named invariant is broken.
pub(crate) fn expect_rows(invariant: &'static str, expected: usize, actual: usize) -> Result<(), StoreError> {
    if expected == actual { Ok(()) } else { Err(StoreError::invariant(invariant, RowsMissing { expected, actual })) }
}

/// The invariants that [`expect_rows`] checks, one for each kind of row.
pub(crate) mod exists {
    pub(crate) const ALLOCATION: &str = "locked_allocation_exists";
    pub(crate) const BATCH: &str = "locked_batch_exists";
    pub(crate) const BATCH_REFERENCE: &str = "locked_batch_reference_exists";
    pub(crate) const LINE: &str = "locked_order_line_exists";
    pub(crate) const PICK_LINE: &str = "locked_pick_line_exists";
    pub(crate) const PRODUCT: &str = "locked_product_exists";
}

impl<'a> RowChanges<'a> {
    /// Converts changes to rows; each change has the instant at which its product was decided on.
    pub(crate) fn new(
        changes: &'a [(DateTime<Utc>, Changes<'a>)],
        contexts: &'a EventContexts,
        joined: &BTreeSet<OrderId>,
    ) -> Result<Self, StoreError> {
        let mut rows = Self::default();
        for (decided_at, product) in changes {
            rows.push_batches(product)?;
            rows.push_lines(product)?;
            rows.push_allocations(product)?;
            rows.push_pick_lines(product)?;
            rows.push_product(product);
            rows.push_events(product, decided_at.timestamp_micros(), contexts)?;
        }
        // Batch references are taken in one order, regardless of SKU, so that units of work cannot
        // deadlock.
        rows.added_batches.sort_unstable_by_key(|batch| batch.key.reference);
        rows.removed_batches.sort_unstable_by_key(|key| key.reference);
        // Two units of work may create the same pick list from different products; a fixed order prevents
        // deadlocks.
        rows.added_pick_lines
            .sort_unstable_by(|one, other| (&one.list_id, one.line).cmp(&(&other.list_id, other.line)));
        rows.assign_slots(joined);
        Ok(rows)
    }

    /// Makes the first new line of each order its anchor, unless the order has a locked anchor.
    ///
    /// One statement has to insert all anchors, in the order of their order ids, so that units of work
    /// cannot deadlock. It is the statement for plain lines if all new anchors are plain.
    fn assign_slots(&mut self, joined: &BTreeSet<OrderId>) {
        let mut begun: HashSet<&str> = joined.iter().map(OrderId::as_str).collect();
        for line in &mut self.added_lines {
            line.slot = if begun.insert(line.key.order_id) { ANCHOR } else { line.key.sku };
        }
        let with_anchors = self.added_lines.iter().any(|line| line.slot == ANCHOR);
        for (key, plain) in std::mem::take(&mut self.added_plain_lines) {
            if !begun.insert(key.order_id) {
                self.added_lines.push(AddedLine { key, slot: key.sku, values: plain.into() });
            } else if with_anchors {
                self.added_lines.push(AddedLine { key, slot: ANCHOR, values: plain.into() });
            } else {
                self.added_plain_lines.push((key, plain));
            }
        }
        self.added_lines.sort_by_key(|line| line.key.order_id);
        self.added_plain_lines.sort_unstable_by_key(|(key, _)| key.order_id);
    }

    fn push_batches(&mut self, product: &Changes<'a>) -> Result<(), StoreError> {
        let sku = product.sku.as_str();
        for reference in &product.removed_batches {
            self.removed_batches.push(BatchKey { sku, reference: reference.as_str() });
        }
        for batch in &product.added_batches {
            self.added_batches.push(NewBatch::of(batch, product.events)?);
        }
        for batch in &product.changed_batches {
            let key = BatchKey { sku, reference: batch.reference().as_str() };
            self.changed_batches.push((key, BatchValues::of(batch)?));
        }
        for (reference, delta) in &product.batch_deltas {
            self.counters.push((BatchKey { sku, reference: reference.as_str() }, integer(*delta)?));
        }
        Ok(())
    }

    fn push_lines(&mut self, product: &Changes<'a>) -> Result<(), StoreError> {
        for line in &product.lines {
            let key = LineKey { sku: product.sku.as_str(), order_id: line.order_id.as_str() };
            match (line.before, line.after) {
                (_, None) => self.removed_lines.push(key),
                (None, Some(after)) => match PlainLineValues::of(&after)? {
                    Some(values) => self.added_plain_lines.push((key, values)),
                    None => {
                        let values = LineValues::of(&after)?;
                        self.added_lines.push(AddedLine { key, slot: key.sku, values });
                    }
                },
                (Some(_), Some(after)) => self.changed_lines.push((key, LineValues::of(&after)?)),
            }
        }
        Ok(())
    }

    fn push_product(&mut self, product: &Changes<'a>) {
        let sku = product.sku.as_str();
        self.unserved.extend(product.unserved.map(|unserved| (sku, unserved)));
        // The product row has no counter of allocated units, and the lock has already written the instant.
        // An allocation therefore needs no second write to the row.
        let totals = TotalsValues::of(product.totals);
        if totals != TotalsValues::default() {
            self.products.push((sku, totals));
        }
    }

    fn push_allocations(&mut self, product: &Changes<'a>) -> Result<(), StoreError> {
        for part in &product.allocations {
            let (order_id, reference) = (part.order_id.as_str(), part.reference.as_str());
            let key = AllocationKey { sku: product.sku.as_str(), order_id, reference };
            let Some(after) = part.after else {
                self.removed_allocations.push(key);
                continue;
            };
            let (precedence, placed_at) = (!part.priority, part.placed_at.timestamp_micros());
            let values = AllocationValues { quantity: integer(after.get())?, precedence, placed_at };
            match part.before {
                None => self.added_allocations.push((key, values)),
                Some(_) => self.changed_allocations.push((key, values)),
            }
        }
        Ok(())
    }

    fn push_pick_lines(&mut self, product: &Changes<'a>) -> Result<(), StoreError> {
        for change in &product.pick_lines {
            let row = PickLineRow::of(change.id, change.after)?;
            match change.before {
                None => self.added_pick_lines.push(row),
                Some(_) => self.changed_pick_lines.push(row),
            }
        }
        Ok(())
    }

    fn push_events(
        &mut self,
        product: &Changes<'a>,
        occurred_at: i64,
        contexts: &'a EventContexts,
    ) -> Result<(), StoreError> {
        for (ordinal, event) in product.events.iter().enumerate() {
            let row = OutboxRow {
                sku: product.sku.as_str(),
                version: integer(product.version)?,
                ordinal: integer(ordinal)?,
                name: event.name(),
                order_id: event.order_id().map(OrderId::as_str),
                payload: serde_json::to_string(event).map_err(failed)?,
                occurred_at,
            };
            self.events.push((row, contexts.of(product.sku, ordinal).map(ContextValues::of)));
        }
        Ok(())
    }
}

impl<'a> NewBatch<'a> {
    fn of(batch: &'a Batch, events: &[Event]) -> Result<Self, StoreError> {
        let (purchased, eta) = added_with(batch, events)?;
        Ok(Self {
            key: BatchKey { sku: batch.sku().as_str(), reference: batch.reference().as_str() },
            added_with: AddedWith::of(purchased, eta)?,
            values: BatchValues::of(batch)?,
        })
    }
}

/// Returns the quantity and ETA that a batch was added with, given the events of the unit of work.
fn added_with(batch: &Batch, events: &[Event]) -> Result<(u32, Eta), StoreError> {
    if batch.revision() == 1 {
        return Ok((batch.purchased().get(), batch.eta()));
    }
    let added = events.iter().rev().find_map(|event| match event {
        Event::BatchAdded { reference, purchased_quantity, eta, .. } if reference == batch.reference() => {
            Some((purchased_quantity.get(), *eta))
        }
        _ => None,
    });
    added.ok_or_else(|| StoreError::invariant("new_batch_has_its_event", NoEvent(batch.reference().to_string())))
}
