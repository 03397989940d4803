//! Changes of products as rows to write.

use crate::line::{LineValues, is_plain};
use allocation_domain::{
    Batch, BatchCounts, BatchCountsChange, BatchRowChange, Changes, Eta, Event, LineRow, OrderId, PickLine, PickLineId,
    Quantity, TotalsChange,
};
use allocation_ports::{CausationId, EventContext, EventContexts, StoreError, TraceParent};
use chrono::{DateTime, Datelike, NaiveDate, Utc};
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
    pub(crate) changed_batches: Vec<ChangedBatch<'a>>,
    pub(crate) changed_lines: Vec<(LineKey<'a>, LineValues)>,
    pub(crate) changed_allocations: Vec<(AllocationKey<'a>, AllocationValues)>,
    /// Changes to the allocated quantity of batches that are not corrected.
    pub(crate) counters: Vec<(BatchKey<'a>, i32)>,
    /// Changes to the counters of batches that are not corrected and had units picked, shipped or
    /// short-picked.
    pub(crate) counted_batches: Vec<(BatchKey<'a>, Counts)>,
    /// Lines with the values that almost every standalone line has, and no others.
    pub(crate) added_plain_lines: Vec<PlainLine<'a>>,
    pub(crate) added_lines: Vec<AddedLine<'a>>,
    pub(crate) added_allocations: Vec<(AllocationKey<'a>, AllocationValues)>,
    pub(crate) added_pick_lines: Vec<PickLineValues<'a>>,
    pub(crate) changed_pick_lines: Vec<PickLineValues<'a>>,
    /// Changes to the totals of products.
    pub(crate) products: Vec<(&'a str, TotalsChange)>,
    /// Products with a change in whether lines may wait although units are free, and the new value.
    pub(crate) unserved: Vec<(&'a str, bool)>,
    pub(crate) events: Vec<NewEvent<'a>>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct BatchKey<'a> {
    pub(crate) sku: &'a str,
    pub(crate) reference: &'a str,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct LineKey<'a> {
    pub(crate) sku: &'a str,
    pub(crate) order_id: &'a str,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct AllocationKey<'a> {
    pub(crate) sku: &'a str,
    pub(crate) order_id: &'a str,
    pub(crate) reference: &'a str,
}

/// A row of `allocations` without its key, as it is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AllocationValues {
    pub(crate) quantity: i32,
    /// `~priority`: the lowest value is served first.
    pub(crate) precedence: i32,
    pub(crate) placed_at: i64,
}

#[derive(Debug)]
pub(crate) struct NewBatch<'a> {
    pub(crate) key: BatchKey<'a>,
    pub(crate) purchased_quantity: i32,
    pub(crate) counts: Counts,
    pub(crate) eta: Option<NaiveDate>,
    pub(crate) added_at: i64,
    pub(crate) revision: i32,
    /// The purchased quantity that the batch was added with, before corrections in the same unit of work.
    pub(crate) added_quantity: i32,
    pub(crate) added_eta: Option<NaiveDate>,
}

#[derive(Debug)]
pub(crate) struct ChangedBatch<'a> {
    pub(crate) key: BatchKey<'a>,
    pub(crate) purchased_quantity: i32,
    pub(crate) eta: Option<NaiveDate>,
    pub(crate) revision: i32,
    pub(crate) deltas: Counts,
    /// The reallocation that the batch still needs, as JSON.
    pub(crate) moving: Option<String>,
}

/// The counters of a batch, or the changes to them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counts {
    pub(crate) allocated: i32,
    pub(crate) picked: i32,
    pub(crate) shipped: i32,
    pub(crate) missing: i32,
}

/// A row of `pick_list_lines` as it is written.
#[derive(Debug)]
pub(crate) struct PickLineValues<'a> {
    pub(crate) list_id: &'a str,
    pub(crate) line: i32,
    pub(crate) sku: &'a str,
    pub(crate) order_id: &'a str,
    pub(crate) reference: &'a str,
    pub(crate) quantity: i32,
    pub(crate) picked: i32,
    pub(crate) status: &'static str,
}

/// A line that is the anchor of its order.
#[derive(Debug)]
pub(crate) struct PlainLine<'a> {
    pub(crate) key: LineKey<'a>,
    pub(crate) quantity: i32,
    pub(crate) placed_at: i64,
}

#[derive(Debug)]
pub(crate) struct AddedLine<'a> {
    pub(crate) key: LineKey<'a>,
    /// The slot that the line occupies in its order, on PostgreSQL: the anchor's empty slot, or its SKU.
    pub(crate) slot: &'a str,
    pub(crate) values: LineValues,
}

#[derive(Debug)]
pub(crate) struct NewEvent<'a> {
    pub(crate) sku: &'a str,
    pub(crate) version: i64,
    pub(crate) ordinal: i32,
    pub(crate) event_type: &'static str,
    pub(crate) order_id: Option<&'a str>,
    pub(crate) payload: String,
    /// In microseconds since 1970.
    pub(crate) occurred_at: i64,
    /// The context of the command, if it has any.
    pub(crate) context: Option<&'a EventContext>,
}

/// The slot of the line that is the anchor of its order.
const ANCHOR: &str = "";

#[derive(Debug, thiserror::Error)]
#[error("no event records what batch {0} was added with")]
struct NoEvent(String);

/// A year that SQLite cannot store: its dates are texts, which sort correctly only with four-digit years.
#[derive(Debug, thiserror::Error)]
#[error("the year of {0} has not four digits")]
struct YearOutOfRange(NaiveDate);

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
        rows.added_pick_lines.sort_unstable_by_key(|line| (line.list_id, line.line));
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
        for line in std::mem::take(&mut self.added_plain_lines) {
            if !begun.insert(line.key.order_id) {
                self.added_lines.push(AddedLine::beside(&line, line.key.sku));
            } else if with_anchors {
                self.added_lines.push(AddedLine::beside(&line, ANCHOR));
            } else {
                self.added_plain_lines.push(line);
            }
        }
        self.added_lines.sort_by_key(|line| line.key.order_id);
        self.added_plain_lines.sort_unstable_by_key(|line| line.key.order_id);
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
            self.changed_batches.push(ChangedBatch::of(sku, batch)?);
        }
        for (reference, delta) in &product.batch_deltas {
            self.counters.push((BatchKey { sku, reference: reference.as_str() }, integer(*delta)?));
        }
        for (reference, change) in &product.counted_batches {
            self.counted_batches.push((BatchKey { sku, reference: reference.as_str() }, Counts::change(*change)?));
        }
        Ok(())
    }

    fn push_lines(&mut self, product: &Changes<'a>) -> Result<(), StoreError> {
        for line in &product.lines {
            let key = LineKey { sku: product.sku.as_str(), order_id: line.order_id.as_str() };
            match (line.before, line.after) {
                (_, None) => self.removed_lines.push(key),
                (None, Some(after)) if is_plain(&after) => self.added_plain_lines.push(PlainLine::of(key, &after)?),
                (None, Some(after)) => {
                    self.added_lines.push(AddedLine { key, slot: key.sku, values: LineValues::of(&after)? });
                }
                (Some(_), Some(after)) => self.changed_lines.push((key, LineValues::of(&after)?)),
            }
        }
        Ok(())
    }

    fn push_product(&mut self, product: &Changes<'a>) {
        // The product row has no counter of allocated units, and the lock has already written the instant.
        // An allocation therefore needs no second write to the row.
        let counted = TotalsChange { allocated: 0, ..product.totals };
        self.unserved.extend(product.unserved.map(|unserved| (product.sku.as_str(), unserved)));
        if counted != TotalsChange::default() {
            self.products.push((product.sku.as_str(), counted));
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
            let values = AllocationValues { quantity: units(after)?, precedence, placed_at };
            match part.before {
                None => self.added_allocations.push((key, values)),
                Some(_) => self.changed_allocations.push((key, values)),
            }
        }
        Ok(())
    }

    fn push_pick_lines(&mut self, product: &Changes<'a>) -> Result<(), StoreError> {
        for change in &product.pick_lines {
            let values = PickLineValues::of(change.id, change.after)?;
            match change.before {
                None => self.added_pick_lines.push(values),
                Some(_) => self.changed_pick_lines.push(values),
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
            self.events.push(NewEvent {
                sku: product.sku.as_str(),
                version: integer(product.version)?,
                ordinal: integer(ordinal)?,
                event_type: event.name(),
                order_id: event.order_id().map(OrderId::as_str),
                payload: serde_json::to_string(event).map_err(failed)?,
                occurred_at,
                context: contexts.of(product.sku, ordinal),
            });
        }
        Ok(())
    }
}

impl NewEvent<'_> {
    pub(crate) fn traceparent(&self) -> Option<&str> {
        self.context?.traceparent.as_ref().map(TraceParent::as_str)
    }

    pub(crate) fn causation_id(&self) -> Option<&str> {
        self.context?.causation_id.as_ref().map(CausationId::as_str)
    }
}

impl<'a> NewBatch<'a> {
    fn of(batch: &'a Batch, events: &[Event]) -> Result<Self, StoreError> {
        let (added_quantity, added_eta) = added_with(batch, events)?;
        Ok(Self {
            key: BatchKey { sku: batch.sku().as_str(), reference: batch.reference().as_str() },
            purchased_quantity: integer(batch.purchased().get())?,
            counts: Counts::of(batch.counts())?,
            eta: date(batch.eta())?,
            added_at: batch.added_at().timestamp_micros(),
            revision: integer(batch.revision())?,
            added_quantity: integer(added_quantity)?,
            added_eta: date(added_eta)?,
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

impl<'a> ChangedBatch<'a> {
    fn of(sku: &'a str, batch: &BatchRowChange<'a>) -> Result<Self, StoreError> {
        Ok(Self {
            key: BatchKey { sku, reference: batch.reference.as_str() },
            purchased_quantity: integer(batch.purchased.get())?,
            eta: date(batch.eta)?,
            revision: integer(batch.revision)?,
            moving: batch.moving.map(serde_json::to_string).transpose().map_err(failed)?,
            deltas: Counts::change(BatchCountsChange {
                allocated: batch.allocated_delta,
                picked: batch.picked_delta,
                shipped: batch.shipped_delta,
                missing: batch.missing_delta,
            })?,
        })
    }
}

impl Counts {
    fn of(counts: BatchCounts) -> Result<Self, StoreError> {
        let BatchCounts { allocated, picked, shipped, missing } = counts;
        Ok(Self {
            allocated: integer(allocated)?,
            picked: integer(picked)?,
            shipped: integer(shipped)?,
            missing: integer(missing)?,
        })
    }

    fn change(change: BatchCountsChange) -> Result<Self, StoreError> {
        let BatchCountsChange { allocated, picked, shipped, missing } = change;
        Ok(Self {
            allocated: integer(allocated)?,
            picked: integer(picked)?,
            shipped: integer(shipped)?,
            missing: integer(missing)?,
        })
    }
}

impl<'a> PickLineValues<'a> {
    fn of(id: &'a PickLineId, line: &'a PickLine) -> Result<Self, StoreError> {
        Ok(Self {
            list_id: id.list.as_str(),
            line: integer(id.line)?,
            sku: line.sku.as_str(),
            order_id: line.order_id.as_str(),
            reference: line.reference.as_str(),
            quantity: units(line.quantity)?,
            picked: integer(line.picked)?,
            status: line.status.name(),
        })
    }
}

impl<'a> AddedLine<'a> {
    /// Creates a line in a slot from a plain line.
    const fn beside(line: &PlainLine<'a>, slot: &'a str) -> Self {
        Self { key: line.key, slot, values: LineValues::plain(line.quantity, line.placed_at) }
    }
}

impl<'a> PlainLine<'a> {
    fn of(key: LineKey<'a>, line: &LineRow) -> Result<Self, StoreError> {
        let placed_at = line.terms.placed_at.timestamp_micros();
        Ok(Self { key, quantity: units(line.quantity)?, placed_at })
    }
}

fn date(eta: Eta) -> Result<Option<NaiveDate>, StoreError> {
    match eta.date() {
        Some(date) if !(0..=9999).contains(&date.year()) => Err(failed(YearOutOfRange(date))),
        date => Ok(date),
    }
}

fn units(quantity: Quantity) -> Result<i32, StoreError> {
    integer(quantity.get())
}

fn integer<T, U>(number: T) -> Result<U, StoreError>
where
    U: TryFrom<T>,
    U::Error: std::error::Error + Send + Sync + 'static,
{
    U::try_from(number).map_err(failed)
}

fn failed(cause: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    StoreError::Failed(cause.into())
}
