//! The rows of a product.

use allocation_domain::{
    Allocation, Batch, BatchReference, Changes, DataRequest, Eta, Event, LineState, MAX_MOVED_LINES, MAX_PASSED_OVER,
    OrderEnd, OrderId, PickLine, PickLineId, PickStatus, Product, ProductFlags, ProductState, Promises, QueuePosition,
    ReservationState, Sku, Units,
};
use allocation_ports::{LockRequest, StoreError};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The number of batches with free units that are loaded with a product.
const OPEN_BATCHES: usize = 32;

/// A product with its batches, lines and pick lines. A clone shares them until it is changed.
#[derive(Debug, Clone, Default)]
pub(crate) struct ProductRows {
    /// The number of units of work that have locked the product.
    pub(crate) version: u64,
    /// The instant at which the last of them decided.
    pub(crate) last_decided_at: Option<DateTime<Utc>>,
    pub(crate) flags: ProductFlags,
    pub(crate) batches: Arc<BTreeMap<BatchReference, BatchRow>>,
    /// The lines as they were saved; [`ProductRows::line`] returns one with the ETAs of its batches.
    pub(crate) lines: Arc<BTreeMap<OrderId, LineState>>,
    /// When the complete lines were completed.
    pub(crate) completed: Arc<BTreeMap<OrderId, DateTime<Utc>>>,
    pub(crate) pick_lines: Arc<BTreeMap<PickLineId, PickLine>>,
}

/// A batch, as it is and as it was added.
#[derive(Debug, Clone)]
pub(crate) struct BatchRow {
    pub(crate) batch: Batch,
    pub(crate) added_quantity: Units,
    pub(crate) added_eta: Eta,
}

/// Lines with the batches and pick lines that decisions on them need.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    pub(crate) lines: Vec<(OrderId, LineState)>,
    pub(crate) batches: Vec<Batch>,
    pub(crate) pick_lines: Vec<(PickLineId, PickLine)>,
}

#[derive(Debug, thiserror::Error)]
#[error("{0} is not what the decision was based on")]
struct Changed(String);

/// Returns an error unless a row is what the decision was based on. Only the holder of the product's lock
/// changes its rows.
fn expect(holds: bool, invariant: &'static str, row: impl ToString) -> Result<(), StoreError> {
    if holds { Ok(()) } else { Err(StoreError::invariant(invariant, Changed(row.to_string()))) }
}

/// Returns whether the hold of a line has expired and was not released.
pub(crate) fn has_expired(line: &LineState, now: DateTime<Utc>) -> bool {
    matches!(line.commitment, ReservationState::Held { expires_at } if expires_at <= now)
}

impl ProductRows {
    /// Records that a unit of work has locked the product, and returns the instant at which it decides.
    pub(crate) fn enter(&mut self, now: DateTime<Utc>) -> DateTime<Utc> {
        let decided_at = self.last_decided_at.map_or(now, |last| now.max(last + TimeDelta::microseconds(1)));
        self.version += 1;
        self.last_decided_at = Some(decided_at);
        decided_at
    }

    /// Returns a line with the ETAs of its batches.
    pub(crate) fn line(&self, order_id: &OrderId) -> Option<LineState> {
        self.lines.get(order_id).map(|line| self.with_etas(line))
    }

    fn with_etas(&self, line: &LineState) -> LineState {
        let part = |part: &Allocation| match self.batches.get(&part.reference) {
            Some(row) => Allocation::of(&row.batch, part.quantity),
            None => part.clone(),
        };
        line.row().with(line.allocations.iter().map(part).collect())
    }

    /// Returns the lines that exist, with what decisions on them need.
    pub(crate) fn lines<'a>(&self, order_ids: impl IntoIterator<Item = &'a OrderId>) -> Lines {
        let mut found = Lines::default();
        for order_id in order_ids {
            let Some(line) = self.line(order_id) else { continue };
            let references = line.allocations.iter().filter_map(|part| self.batches.get(&part.reference));
            found.batches.extend(references.map(|row| row.batch.clone()));
            if line.fulfilment.listed + line.fulfilment.picked + line.fulfilment.shipped > 0 {
                found.pick_lines.extend(self.pick_lines_of(order_id));
            }
            found.lines.push((order_id.clone(), line));
        }
        found
    }

    /// Returns the pick lines of a line, except withdrawn and missing ones.
    fn pick_lines_of(&self, order_id: &OrderId) -> impl Iterator<Item = (PickLineId, PickLine)> {
        let counts = |line: &PickLine| !matches!(line.status, PickStatus::Withdrawn | PickStatus::Missing);
        let of_line = self.pick_lines.iter().filter(move |(_, line)| line.order_id == *order_id && counts(line));
        of_line.map(|(id, line)| (id.clone(), line.clone()))
    }

    /// Returns the batches with free units in order of preference.
    pub(crate) fn open_batches(&self) -> Vec<Batch> {
        let open = self.batches.values().map(|row| &row.batch).filter(|batch| batch.available() > 0);
        let mut open: Vec<_> = open.cloned().collect();
        open.sort_by_cached_key(Batch::preference);
        open
    }

    /// Returns the state that a lock request specifies.
    pub(crate) fn state(
        &self,
        wanted: &LockRequest,
        ended_orders: Vec<(OrderId, OrderEnd)>,
        now: DateTime<Utc>,
        most_expired: usize,
    ) -> ProductState {
        let expired = self.expired(now, most_expired + 1);
        let more_expired = expired.len() > most_expired;
        let named = wanted.order_ids.iter().chain(&wanted.standalone).cloned();
        let order_ids: BTreeSet<_> = named.chain(expired).collect();
        let Lines { lines, batches, pick_lines } = self.lines(&order_ids);
        let named_batches = wanted.batches.iter().filter_map(|name| self.batches.get(name));
        let mut open_batches = if wanted.open_batches { self.open_batches() } else { Vec::new() };
        let more_open_batches = !wanted.open_batches || open_batches.len() > OPEN_BATCHES;
        open_batches.truncate(OPEN_BATCHES);
        ProductState {
            open_batches,
            more_open_batches,
            named_batches: named_batches.map(|row| row.batch.clone()).chain(batches).collect(),
            lines,
            more_expired,
            flags: self.flags,
            more_in_transit: self.batches.values().any(|row| row.batch.eta() != Eta::InStock),
            more_waiting: self.lines.values().any(|line| line.waiting > 0),
            ended_orders,
            pick_lines,
            ..ProductState::new(wanted.sku.clone(), self.version)
        }
    }

    /// Returns the orders of the lines whose hold has expired, at most `limit`, earliest expiry first.
    fn expired(&self, now: DateTime<Utc>, limit: usize) -> Vec<OrderId> {
        let expired = self.lines.iter().filter(|(_, line)| has_expired(line, now));
        let mut expired: Vec<_> = expired.map(|(order_id, line)| (line.commitment.expires_at(), order_id)).collect();
        expired.sort_unstable();
        expired.into_iter().take(limit).map(|(_, order_id)| order_id.clone()).collect()
    }

    /// Returns how the order ended, as its line of this product shows.
    pub(crate) fn end_of(&self, order_id: &OrderId, now: DateTime<Utc>) -> Option<OrderEnd> {
        let line = self.lines.get(order_id)?;
        match line.commitment {
            ReservationState::Cancelled => Some(OrderEnd::Cancelled),
            ReservationState::Closed => Some(OrderEnd::Closed),
            ReservationState::Expired => Some(OrderEnd::Expired),
            _ => has_expired(line, now).then_some(OrderEnd::Expired),
        }
    }

    /// Loads the rows that a decision lacked.
    pub(crate) fn load(&self, product: &mut Product, needed: &DataRequest) {
        match needed {
            DataRequest::Batches => product.complete(self.open_batches()),
            DataRequest::Batch(reference) => {
                product.load_batches(self.batches.get(reference).map(|row| row.batch.clone()));
            }
            DataRequest::NextOn { reference, after } => {
                let mut next = self.positions_on(reference);
                next.retain(|(position, _)| after.as_ref().is_none_or(|after| position > after));
                let more = next.len() > MAX_MOVED_LINES;
                next.truncate(MAX_MOVED_LINES);
                let Lines { lines, batches, pick_lines } = self.lines(next.iter().map(|(next, _)| next.order_id()));
                product.load_batches(batches);
                product.load_next_on(reference, after.as_ref(), lines, more);
                product.load_pick_lines(pick_lines);
            }
            DataRequest::LastOn { reference, units } => {
                let last = self.last_on(reference, *units);
                let is_few = last.is_some();
                let Lines { lines, batches, pick_lines } = self.lines(&last.unwrap_or_default());
                product.load_batches(batches);
                product.load_last_on(reference, *units, is_few.then_some(lines));
                product.load_pick_lines(pick_lines);
            }
            DataRequest::WaitingLines { after, free, limit } => {
                let (waiting, more) = self.waiting(after.as_ref(), *free, *limit);
                let Lines { lines, batches, pick_lines } = self.lines(waiting.iter().map(QueuePosition::order_id));
                product.load_batches(batches);
                product.load_waiting(after.as_ref(), *free, lines, more);
                product.load_pick_lines(pick_lines);
            }
            DataRequest::InTransit => {
                let in_use = |batch: &&Batch| batch.eta() != Eta::InStock && batch.allocated() > 0;
                product.load_in_transit(self.batches.values().map(|row| &row.batch).filter(in_use).cloned());
            }
            DataRequest::FittingOn { references, after, units, limit } => {
                let (fitting, more) = self.fitting(references, after.as_ref(), *units, *limit);
                let Lines { lines, batches, pick_lines } = self.lines(fitting.iter().map(QueuePosition::order_id));
                product.load_batches(batches);
                product.load_fitting_on(references, after.as_ref(), *units, lines, more);
                product.load_pick_lines(pick_lines);
            }
            DataRequest::Line(order_id) => {
                let Lines { lines, batches, pick_lines } = self.lines([order_id]);
                product.load_batches(batches);
                product.load_lines(lines);
                product.load_pick_lines(pick_lines);
            }
            DataRequest::PickLinesOf(order_id) => product.load_pick_lines(self.pick_lines_of(order_id)),
        }
    }

    /// Returns the lines on a batch with their units, in the order in which lines are served.
    pub(crate) fn positions_on(&self, reference: &BatchReference) -> Vec<(QueuePosition, u32)> {
        let on = |(order_id, line): (&OrderId, &LineState)| {
            Some((QueuePosition::of(order_id, line), line.holds(reference)?.get()))
        };
        let mut lines: Vec<_> = self.lines.iter().filter_map(on).collect();
        lines.sort();
        lines
    }

    /// Returns the last lines on a batch that together have at least `units`, or all its lines. Returns `None`
    /// if they are too many to leave in one step.
    fn last_on(&self, reference: &BatchReference, units: u32) -> Option<Vec<OrderId>> {
        let (mut last, mut sum) = (Vec::new(), 0);
        for (position, quantity) in self.positions_on(reference).into_iter().rev() {
            if sum >= u64::from(units) || last.len() > MAX_MOVED_LINES {
                break;
            }
            sum += u64::from(quantity);
            last.push(position.order_id().clone());
        }
        (last.len() <= MAX_MOVED_LINES).then_some(last)
    }

    /// Returns the next waiting lines that could take some of the free units, and whether there are more.
    fn waiting(&self, after: Option<&QueuePosition>, free: u64, limit: usize) -> (Vec<QueuePosition>, bool) {
        let can_take =
            |line: &LineState| line.waiting > 0 && (line.terms.allow_split || u64::from(line.waiting) <= free);
        let waiting = self.lines.iter().filter(|(_, line)| can_take(line));
        let mut waiting: Vec<_> = waiting.map(|(order_id, line)| QueuePosition::of(order_id, line)).collect();
        waiting.retain(|position| after.is_none_or(|after| position > after));
        waiting.sort_unstable();
        let more = waiting.len() > limit;
        waiting.truncate(limit);
        (waiting, more)
    }

    /// Returns the next lines that fit into some units, on any of the batches, and whether there are more.
    fn fitting(
        &self,
        references: &[BatchReference],
        after: Option<&QueuePosition>,
        units: u32,
        limit: usize,
    ) -> (Vec<QueuePosition>, bool) {
        let is_improvable =
            |position: &QueuePosition| self.lines.get(position.order_id()).is_some_and(LineState::is_improvable);
        let on = |reference: &BatchReference| {
            let next = self.positions_on(reference).into_iter();
            let next = next.filter(|(position, _)| after.is_none_or(|after| position > after)).take(MAX_PASSED_OVER);
            next.filter(|(position, held)| *held <= units && is_improvable(position)).map(|(position, _)| position)
        };
        let mut found: Vec<_> = references.iter().flat_map(on).collect::<BTreeSet<_>>().into_iter().collect();
        let more = found.len() > limit;
        found.truncate(limit);
        (found, more)
    }

    /// Writes the changes of a product.
    ///
    /// # Errors
    ///
    /// [`StoreError::Invariant`] when a row is not what the decision was based on.
    pub(crate) fn apply(&mut self, product: &Product, changes: &Changes<'_>) -> Result<(), StoreError> {
        self.apply_batches(product, changes)?;
        self.apply_lines(changes)?;
        if !changes.pick_lines.is_empty() {
            let pick_lines = Arc::make_mut(&mut self.pick_lines);
            for change in &changes.pick_lines {
                let before = pick_lines.insert(change.id.clone(), change.after.clone());
                expect(before.as_ref() == change.before, "locked_pick_line_exists", change.id)?;
            }
        }
        self.flags = changes.flags.unwrap_or(self.flags);
        Ok(())
    }

    fn apply_batches(&mut self, product: &Product, changes: &Changes<'_>) -> Result<(), StoreError> {
        let corrected = changes.changed_batches.iter().map(|batch| batch.reference());
        let changed: Vec<_> = corrected.chain(changes.batch_deltas.iter().map(|(reference, _)| *reference)).collect();
        if changed.is_empty() && changes.added_batches.is_empty() && changes.removed_batches.is_empty() {
            return Ok(());
        }
        let batches = Arc::make_mut(&mut self.batches);
        for reference in &changes.removed_batches {
            expect(batches.remove(*reference).is_some(), "locked_batch_exists", reference)?;
        }
        for batch in &changes.added_batches {
            let (added_quantity, added_eta) = added_with(batch, changes.events)?;
            let row = BatchRow { batch: (*batch).clone(), added_quantity, added_eta };
            batches.insert(batch.reference().clone(), row);
        }
        for reference in changed {
            let rows = batches.get_mut(reference).zip(product.batch(reference));
            expect(rows.is_some(), "locked_batch_exists", reference)?;
            if let Some((row, batch)) = rows {
                row.batch = batch.clone();
            }
        }
        Ok(())
    }

    fn apply_lines(&mut self, changes: &Changes<'_>) -> Result<(), StoreError> {
        for change in &changes.lines {
            let is_stored = match (self.lines.get(change.order_id), change.before) {
                (Some(stored), Some(before)) => stored.has_same_rows(before),
                (stored, before) => stored.is_none() && before.is_none(),
            };
            expect(is_stored, "locked_order_line_exists", change.order_id)?;
        }
        if changes.lines.is_empty() {
            return Ok(());
        }
        self.record_completions(changes);
        let lines = Arc::make_mut(&mut self.lines);
        for change in &changes.lines {
            match change.after {
                Some(line) => drop(lines.insert(change.order_id.clone(), line.clone())),
                None => drop(lines.remove(change.order_id)),
            }
        }
        Ok(())
    }

    /// Records which of the changed lines are complete by now.
    fn record_completions(&mut self, changes: &Changes<'_>) {
        let complete = |line: &Option<&LineState>| line.is_some_and(LineState::is_complete);
        let Some(at) = self.last_decided_at else { return };
        if changes.lines.iter().any(|change| complete(&change.before) || complete(&change.after)) {
            let completed = Arc::make_mut(&mut self.completed);
            for change in &changes.lines {
                match complete(&change.after) {
                    true => drop(completed.insert(change.order_id.clone(), at)),
                    false => drop(completed.remove(change.order_id)),
                }
            }
        }
    }

    /// Returns the product as the next decision at `now` finds it, with all its rows.
    ///
    /// Lines whose hold has expired are released, and their units are allocated to waiting lines, within the
    /// bound of one unit of work.
    pub(crate) fn product_at(&self, sku: &Sku, now: DateTime<Utc>) -> Result<Product, StoreError> {
        let (expired, alive): (Vec<_>, Vec<_>) = self.lines.iter().partition(|(_, line)| has_expired(line, now));
        let mut state = ProductState::new(sku.clone(), self.version);
        // As in the adapters of databases, a read moves no line to an earlier batch.
        state.flags.promises = Promises::Stable;
        state.open_batches = self.batches.keys().filter_map(|reference| self.batch_at(reference, now)).collect();
        state.open_batches.sort_by_cached_key(Batch::preference);
        state.lines = alive.into_iter().map(|(order_id, line)| (order_id.clone(), self.with_etas(line))).collect();
        state.pick_lines = self.pick_lines.iter().map(|(id, line)| (id.clone(), line.clone())).collect();
        let waits = state.lines.iter().any(|(_, line)| line.waiting > 0);
        state.flags.unserved = waits && (self.flags.unserved || !expired.is_empty());
        let mut product = Product::restore(state);
        product.release_expired(now).map_err(|needed| StoreError::Failed(needed.into()))?;
        Ok(product)
    }

    /// Returns a batch without the units of lines whose hold has expired. While it is being lowered, it has no
    /// free units.
    pub(crate) fn batch_at(&self, reference: &BatchReference, now: DateTime<Utc>) -> Option<Batch> {
        let batch = &self.batches.get(reference)?.batch;
        let expired = self.lines.values().filter(|line| has_expired(line, now));
        let freed: u32 = expired.filter_map(|line| line.holds(reference)).map(|units| units.get()).sum();
        let batch = batch.clone().with_allocated(batch.allocated().saturating_sub(freed)).ok()?;
        Some(batch.with_free_units_absorbed())
    }
}

/// Returns the quantity and ETA that a batch was added with, given the events of the unit of work.
fn added_with(batch: &Batch, events: &[Event]) -> Result<(Units, Eta), StoreError> {
    if batch.revision() == 1 {
        return Ok((batch.purchased(), batch.eta()));
    }
    let added = events.iter().rev().find_map(|event| match event {
        Event::BatchAdded { reference, purchased_quantity, eta, .. } if reference == batch.reference() => {
            Some(((*purchased_quantity).into(), *eta))
        }
        _ => None,
    });
    let no_event = || StoreError::invariant("new_batch_has_its_event", Changed(batch.reference().to_string()));
    added.ok_or_else(no_event)
}
