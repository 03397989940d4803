//! Order lines, indexed by every property by which decisions look for them.

use crate::{Allocation, Batch, BatchReference, LineState, LineTerms, OrderId, Quantity, QueuePosition};
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;
use std::collections::btree_map::{BTreeMap, Entry};
use std::ops::Bound;
use std::sync::OnceLock;

/// The lines of a product by order.
///
/// Every change updates the indexes, so the cost of a decision does not grow with the number of
/// lines that it has nothing to do with.
#[derive(Debug, Clone, Default)]
pub(crate) struct IndexedLines {
    /// Boxed as in [`Originals`](crate::originals::Originals), since most products are loaded with few lines.
    by_order: BTreeMap<OrderId, Box<LineState>>,
    indexes: Indexes,
    /// Built when it is first read: most decisions add one line, and read only the other indexes.
    by_batch: OnceLock<ByBatch>,
}

/// The indexes follow from the lines.
impl PartialEq for IndexedLines {
    fn eq(&self, other: &Self) -> bool {
        self.by_order == other.by_order
    }
}

impl Eq for IndexedLines {}

#[derive(Debug, Clone, Default)]
struct Indexes {
    /// The lines that wait.
    queue: BTreeSet<QueuePosition>,
    /// The lines that wait, by the least number of units that each takes.
    by_least: BTreeMap<u32, BTreeSet<QueuePosition>>,
    /// The lines on hold, soonest expiry first.
    expiries: BTreeSet<(DateTime<Utc>, OrderId)>,
}

/// The lines that hold units of each batch.
#[derive(Debug, Clone, Default)]
struct ByBatch(BTreeMap<BatchReference, LinesOnBatch>);

/// The lines that hold units of one batch, in the order in which lines are served.
#[derive(Debug, Clone, Default)]
struct LinesOnBatch {
    lines: BTreeMap<QueuePosition, Quantity>,
    /// The units of all lines together.
    units: u64,
}

impl IndexedLines {
    /// Adds a line, or replaces the line of the same order.
    pub(crate) fn insert(&mut self, order_id: OrderId, line: LineState) {
        steps::count();
        let before = self.by_order.insert(order_id.clone(), Box::new(line));
        self.update(&order_id, before.as_deref());
    }

    /// Changes a line, if it exists.
    pub(crate) fn edit(&mut self, order_id: &OrderId, edit: impl FnOnce(&mut LineState)) {
        steps::count();
        if let Some(line) = self.by_order.get_mut(order_id) {
            let before = line.clone();
            edit(line);
            self.update(order_id, Some(&before));
        }
    }

    /// Removes a line.
    pub(crate) fn remove(&mut self, order_id: &OrderId) {
        steps::count();
        let before = self.by_order.remove(order_id);
        self.update(order_id, before.as_deref());
    }

    /// Brings the indexes up to date with a line that was `before` until now.
    fn update(&mut self, order_id: &OrderId, before: Option<&LineState>) {
        let after = self.by_order.get(order_id).map(Box::as_ref);
        self.indexes.update(order_id, before, after);
        if let Some(by_batch) = self.by_batch.get_mut() {
            by_batch.update(order_id, before, after);
        }
    }

    /// Returns a line.
    pub(crate) fn get(&self, order_id: &OrderId) -> Option<&LineState> {
        steps::count();
        self.by_order.get(order_id).map(Box::as_ref)
    }

    /// Returns whether there is no line.
    pub(crate) fn is_empty(&self) -> bool {
        self.by_order.is_empty()
    }

    /// Returns all lines, sorted by order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&OrderId, &LineState)> {
        self.by_order.iter().map(|(order_id, line)| (order_id, &**line)).inspect(|_| steps::count())
    }

    /// Returns the lines that wait, in the order in which they are served.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = &QueuePosition> {
        self.indexes.queue.iter().inspect(|_| steps::count())
    }

    /// Returns whether no line waits.
    pub(crate) fn has_no_queue(&self) -> bool {
        self.indexes.queue.is_empty()
    }

    /// Returns the first waiting line after `after` that takes some of `free` units.
    pub(crate) fn next_taker(&self, after: Option<&QueuePosition>, free: u64) -> Option<&QueuePosition> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let free = u32::try_from(free).unwrap_or(u32::MAX);
        let takers = self.indexes.by_least.range(..=free).inspect(|_| steps::count());
        takers.filter_map(|(_, queue)| queue.range((from, Bound::Unbounded)).next()).min()
    }

    /// Returns the lines on hold with their expiries, soonest first.
    pub(crate) fn expiries(&self) -> impl Iterator<Item = &(DateTime<Utc>, OrderId)> {
        self.indexes.expiries.iter().inspect(|_| steps::count())
    }

    /// Returns the lines after `after` that hold units of a batch, in the order in which lines are served.
    pub(crate) fn on_batch(
        &self,
        reference: &BatchReference,
        after: Option<&QueuePosition>,
    ) -> impl DoubleEndedIterator<Item = (&QueuePosition, Quantity)> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let on_batch = self.by_batch().0.get(reference).into_iter();
        let lines = on_batch.flat_map(move |on| on.lines.range((from, Bound::Unbounded)));
        lines.map(|(position, units)| (position, *units)).inspect(|_| steps::count())
    }

    /// Returns the batches in which lines hold units, sorted by reference.
    pub(crate) fn batches(&self) -> impl Iterator<Item = &BatchReference> {
        self.by_batch().0.keys()
    }

    /// Returns whether these are all the lines that hold units of a batch.
    pub(crate) fn are_all_on(&self, batch: &Batch) -> bool {
        let units = self.by_batch().0.get(batch.reference()).map_or(0, |on| on.units);
        units == u64::from(batch.allocated())
    }

    fn by_batch(&self) -> &ByBatch {
        self.by_batch.get_or_init(|| {
            let mut by_batch = ByBatch::default();
            self.iter().for_each(|(order_id, line)| by_batch.update(order_id, None, Some(line)));
            by_batch
        })
    }
}

impl Indexes {
    /// Replaces the keys of a line that was added, changed or removed.
    fn update(&mut self, order_id: &OrderId, before: Option<&LineState>, after: Option<&LineState>) {
        let in_queue = |line: &LineState| (line.waiting > 0).then_some((line.waiting, line.terms));
        if before.and_then(in_queue) != after.and_then(in_queue) {
            if let Some(line) = before {
                self.leave_queue(order_id, line);
            }
            if let Some(line) = after.filter(|line| line.waiting > 0) {
                self.join_queue(order_id, line);
            }
        }
        let expiry = |line: &LineState| line.commitment.expires_at();
        let (old, new) = (before.and_then(expiry), after.and_then(expiry));
        if old != new {
            if let Some(at) = old {
                self.expiries.remove(&(at, order_id.clone()));
            }
            self.expiries.extend(new.map(|at| (at, order_id.clone())));
        }
    }

    fn join_queue(&mut self, order_id: &OrderId, line: &LineState) {
        let position = QueuePosition::of(order_id, line);
        self.by_least.entry(least(line)).or_default().insert(position.clone());
        self.queue.insert(position);
    }

    fn leave_queue(&mut self, order_id: &OrderId, line: &LineState) {
        let position = QueuePosition::of(order_id, line);
        self.queue.remove(&position);
        if let Entry::Occupied(mut takers) = self.by_least.entry(least(line)) {
            takers.get_mut().remove(&position);
            if takers.get().is_empty() {
                takers.remove();
            }
        }
    }
}

impl ByBatch {
    /// Replaces the entries of a line that was added, changed or removed.
    fn update(&mut self, order_id: &OrderId, before: Option<&LineState>, after: Option<&LineState>) {
        fn parts(line: &LineState) -> (LineTerms, &[Allocation]) {
            (line.terms, &line.allocations)
        }
        if before.map(parts) != after.map(parts) {
            if let Some(line) = before {
                self.leave(order_id, line);
            }
            if let Some(line) = after {
                self.join(order_id, line);
            }
        }
    }

    fn join(&mut self, order_id: &OrderId, line: &LineState) {
        for part in &line.allocations {
            let on = self.0.entry(part.reference.clone()).or_default();
            on.units += u64::from(part.quantity.get());
            on.lines.insert(QueuePosition::of(order_id, line), part.quantity);
        }
    }

    fn leave(&mut self, order_id: &OrderId, line: &LineState) {
        for part in &line.allocations {
            let Entry::Occupied(mut on) = self.0.entry(part.reference.clone()) else { continue };
            on.get_mut().units -= u64::from(part.quantity.get());
            on.get_mut().lines.remove(&QueuePosition::of(order_id, line));
            if on.get().lines.is_empty() {
                on.remove();
            }
        }
    }
}

/// Returns the least number of units that a waiting line takes.
const fn least(line: &LineState) -> u32 {
    if line.terms.allow_split { 1 } else { line.waiting }
}

/// Counts the lines and index entries that are visited, for tests of the cost of decisions.
pub(crate) mod steps {
    #[cfg(test)]
    thread_local! {
        static COUNT: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
    }

    /// Counts a step in tests, and does nothing otherwise.
    pub(super) fn count() {
        #[cfg(test)]
        COUNT.with(|count| count.set(count.get() + 1));
    }

    /// Returns how many steps a function takes.
    #[cfg(test)]
    pub(crate) fn of(run: impl FnOnce()) -> u64 {
        let before = COUNT.with(std::cell::Cell::get);
        run();
        COUNT.with(std::cell::Cell::get) - before
    }
}
