//! Changes of products as rows to write.

use crate::batch_row::{AddedWith, BatchKey, BatchValues};
use crate::event_block::{BlockWriter, OutboxBlock};
use crate::line_row::{LineKey, LineValues, PlainLineValues, WholeValues};
use crate::part_row::{PartKey, PartValues};
use crate::pick_line_row::PickLineRow;
use crate::product_row::TotalsValues;
use crate::row::integer;
use allocation_domain::{Allocation, Batch, Changes, Eta, Event, LineChange, LineState, OrderId, ProductFlags};
use allocation_ports::{EventContexts, StoreError};
use chrono::{DateTime, Utc};
use std::collections::{BTreeSet, HashSet};

/// The changes of a decision, and its instant.
#[derive(Debug)]
pub(crate) struct Decided<'a> {
    pub(crate) at: DateTime<Utc>,
    pub(crate) changes: Changes<'a>,
}

/// The changes of one or more products, grouped by operation and table.
///
/// Changed lines are written first: a batch is removed only once no line has units of it. Then removals, before
/// additions: one unit of work may remove a line and add it again.
#[derive(Debug, Default)]
pub(crate) struct RowChanges<'a> {
    pub(crate) removed_parts: Vec<PartKey<'a>>,
    pub(crate) removed_lines: Vec<LineKey<'a>>,
    pub(crate) removed_batches: Vec<BatchKey<'a>>,
    pub(crate) added_batches: Vec<NewBatch<'a>>,
    pub(crate) changed_batches: Vec<(BatchKey<'a>, BatchValues)>,
    pub(crate) changed_lines: Vec<(LineKey<'a>, LineValues, WholeValues<'a>)>,
    pub(crate) changed_parts: Vec<(PartKey<'a>, PartValues)>,
    /// Changes to the allocated quantity of batches of which nothing else changes.
    pub(crate) counters: Vec<(BatchKey<'a>, i32)>,
    /// Lines with the values that almost every standalone line has, and no others. They are anchors.
    pub(crate) added_plain_lines: Vec<(LineKey<'a>, PlainLineValues, WholeValues<'a>)>,
    pub(crate) added_lines: Vec<AddedLine<'a>>,
    pub(crate) added_parts: Vec<(PartKey<'a>, PartValues)>,
    pub(crate) added_pick_lines: Vec<PickLineRow<'a>>,
    pub(crate) changed_pick_lines: Vec<PickLineRow<'a>>,
    /// Changes to the totals of products.
    pub(crate) products: Vec<(&'a str, TotalsValues)>,
    /// Products whose flags have changed, with the new ones.
    pub(crate) flags: Vec<(&'a str, ProductFlags)>,
    /// The events of all products, with the contexts of their commands.
    pub(crate) blocks: Vec<OutboxBlock>,
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
    pub(crate) whole: WholeValues<'a>,
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
    pub(crate) const PART: &str = "locked_part_exists";
    pub(crate) const BATCH: &str = "locked_batch_exists";
    pub(crate) const BATCH_REFERENCE: &str = "locked_batch_reference_exists";
    pub(crate) const LINE: &str = "locked_order_line_exists";
    pub(crate) const PICK_LINE: &str = "locked_pick_line_exists";
    pub(crate) const PRODUCT: &str = "locked_product_exists";
}

impl<'a> RowChanges<'a> {
    /// Converts changes to rows.
    pub(crate) fn new(
        decided: &'a [Decided<'a>],
        contexts: &EventContexts,
        joined: &BTreeSet<OrderId>,
    ) -> Result<Self, StoreError> {
        let (mut rows, mut events) = (Self::default(), BlockWriter::default());
        for Decided { at, changes } in decided {
            rows.push_batches(changes)?;
            for line in &changes.lines {
                rows.push_line(changes.sku.as_str(), line, *at)?;
            }
            rows.push_pick_lines(changes)?;
            rows.push_product(changes);
            events.push(changes, at.timestamp_micros(), contexts)?;
        }
        rows.blocks = events.finish()?;
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
        for (key, plain, whole) in std::mem::take(&mut self.added_plain_lines) {
            if !begun.insert(key.order_id) {
                self.added_lines.push(AddedLine { key, slot: key.sku, values: plain.into(), whole });
            } else if with_anchors {
                self.added_lines.push(AddedLine { key, slot: ANCHOR, values: plain.into(), whole });
            } else {
                self.added_plain_lines.push((key, plain, whole));
            }
        }
        self.added_lines.sort_by_key(|line| line.key.order_id);
        self.added_plain_lines.sort_unstable_by_key(|(key, ..)| key.order_id);
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

    /// Adds the rows of a line that was changed at an instant: its own, with an allocation that lies whole in one batch,
    /// and the parts of a split line.
    fn push_line(&mut self, sku: &'a str, line: &LineChange<'a>, at: DateTime<Utc>) -> Result<(), StoreError> {
        let key = LineKey { sku, order_id: line.order_id.as_str() };
        let completed_at = line.after.filter(|after| after.is_complete()).map(|_| at);
        match (line.before, line.after) {
            (_, None) => self.removed_lines.push(key),
            (None, Some(after)) => {
                let (row, whole) = (after.row(), whole(after)?);
                match PlainLineValues::of(&row)? {
                    Some(values) => self.added_plain_lines.push((key, values, whole)),
                    None => {
                        let values = LineValues::of(&row, completed_at)?;
                        self.added_lines.push(AddedLine { key, slot: key.sku, values, whole });
                    }
                }
            }
            (Some(before), Some(after)) => {
                let (row, whole) = (after.row(), whole(after)?);
                if row != before.row() || whole != self::whole(before)? {
                    self.changed_lines.push((key, LineValues::of(&row, completed_at)?, whole));
                }
            }
        }
        self.push_parts(key, line)
    }

    fn push_parts(&mut self, line_key: LineKey<'a>, line: &LineChange<'a>) -> Result<(), StoreError> {
        let key = |part: &'a Allocation| {
            let LineKey { sku, order_id } = line_key;
            PartKey { sku, order_id, reference: part.reference.as_str() }
        };
        let (before, after) = (line.before.map_or(&[][..], parts), line.after.map_or(&[][..], parts));
        let stored = |part: &Allocation| before.iter().find(|stored| stored.reference == part.reference);
        let is_left = |part: &&Allocation| !after.iter().any(|left| left.reference == part.reference);
        self.removed_parts.extend(before.iter().filter(is_left).map(key));
        let terms = |line: &LineState| (line.terms.priority, line.terms.placed_at);
        let same_terms = line.before.map(terms) == line.after.map(terms);
        for (line, part) in line.after.into_iter().flat_map(|line| after.iter().map(move |part| (line, part))) {
            let (precedence, placed_at) = (!line.terms.priority, line.terms.placed_at.timestamp_micros());
            let values = PartValues { quantity: integer(part.quantity.get())?, precedence, placed_at };
            match stored(part) {
                None => self.added_parts.push((key(part), values)),
                Some(stored) if stored.quantity == part.quantity && same_terms => {}
                Some(_) => self.changed_parts.push((key(part), values)),
            }
        }
        Ok(())
    }

    fn push_product(&mut self, product: &Changes<'a>) {
        let sku = product.sku.as_str();
        self.flags.extend(product.flags.map(|flags| (sku, flags)));
        // The product row has no counter of allocated units, and the lock has already written the instant.
        // An allocation therefore needs no second write to the row.
        let totals = TotalsValues::of(product.totals);
        if totals != TotalsValues::default() {
            self.products.push((sku, totals));
        }
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
}

/// Returns the allocation of a line that lies whole in one batch.
fn whole(line: &LineState) -> Result<WholeValues<'_>, StoreError> {
    match line.allocations.as_slice() {
        [part] => {
            let allocated = integer(part.quantity.get())?;
            Ok(WholeValues { reference: Some(part.reference.as_str()), allocated })
        }
        _ => Ok(WholeValues::default()),
    }
}

/// Returns the allocations of a split line, which have rows of their own.
fn parts(line: &LineState) -> &[Allocation] {
    if line.allocations.len() > 1 { &line.allocations } else { &[] }
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
