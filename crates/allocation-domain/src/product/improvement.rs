//! Fair promises: free units of a batch go to lines whose units arrive later.

use super::Product;
use crate::{
    Affected, Allocation, AllocationReason, Batch, BatchReference, DataRequest, DeallocationReason, Eta, Event,
    LineState, LoadRequest, OrderId, Pending, Promises, Quantity, QueuePosition,
};
use chrono::{DateTime, Utc};
use std::convert::Infallible;

/// The number of searched batches after which a unit of work that has moved a line begins no further search. A store runs
/// a statement for each batch.
const MAX_SEARCHED: usize = 1_000;

/// The loaded parts of the batches whose lines may get an earlier promise.
#[derive(Debug, Clone, Default)]
pub(super) struct InTransit {
    /// Whether the store may have lines on batches in transit that are not loaded.
    pub(super) more: bool,
    /// Whether all batches in transit that lines have units of are loaded.
    is_loaded: bool,
    /// The searches whose lines are loaded. None is discarded: a decision that runs again would repeat it.
    searches: Vec<Searched>,
    /// The number of lines loaded since the unit of work began.
    loaded: usize,
    /// The number of batches searched for them.
    searched: usize,
    /// The number of moves since the unit of work began.
    pub(super) moved: usize,
}

impl InTransit {
    pub(super) fn new(more: bool) -> Self {
        Self { more, ..Self::default() }
    }

    /// Begins to count for another unit of work.
    pub(super) const fn begin_unit(&mut self) {
        (self.loaded, self.searched, self.moved) = (0, 0, 0);
    }
}

/// A search of batches for lines, all of which are loaded.
#[derive(Debug, Clone)]
struct Searched {
    references: Vec<BatchReference>,
    /// Lines with more units of their batch were left out.
    units: u32,
    /// The position after which it began, `None` for the beginning.
    after: Option<QueuePosition>,
    /// The last position that it reached, `None` for the end.
    up_to: Option<QueuePosition>,
}

/// A search for lines that could move to a batch, or to a later one with free units.
struct Search {
    /// The batches that arrive later, in the order of preference.
    later: Vec<BatchReference>,
    /// The greatest number of free units of one of the batches that are still to be filled.
    most: u32,
    /// The free units of all of them.
    in_all: u64,
}

/// A batch whose lines may move to an earlier one, with the next of them that fits.
struct Source {
    reference: BatchReference,
    next: Option<(QueuePosition, Quantity)>,
}

impl Product {
    /// Returns whether lines move to earlier batches when units of them come free.
    #[must_use]
    pub const fn promises(&self) -> Promises {
        self.flags.promises
    }

    /// Sets whether lines move to earlier batches when units of them come free, and returns whether that is new. If
    /// they do from now on, they first get the units that are free.
    ///
    /// # Errors
    ///
    /// [`Pending`], never a refusal; nothing has changed, except that expired holds may have been released.
    pub fn set_promises(&mut self, promises: Promises, now: DateTime<Utc>) -> Result<bool, Pending<Infallible>> {
        self.catch_up(now)?;
        if promises == self.flags.promises {
            return Ok(false);
        }
        self.atomically(|product| {
            product.flags.promises = promises;
            product.events.push(Event::ProductChanged { sku: product.sku.clone(), promises });
            product.distribute_free(promises == Promises::Fair)
        })?;
        Ok(true)
    }

    /// Loads all batches in transit that lines have units of, as requested by [`DataRequest::InTransit`].
    pub fn load_in_transit(&mut self, batches: impl IntoIterator<Item = Batch>) {
        self.load_batches(batches);
        self.in_transit.is_loaded = true;
    }

    /// Loads lines that hold units of these batches, as requested by [`DataRequest::FittingOn`]; `more` is whether the
    /// store has further ones.
    pub fn load_fitting_on(
        &mut self,
        references: &[BatchReference],
        after: Option<&QueuePosition>,
        units: u32,
        lines: impl IntoIterator<Item = (OrderId, LineState)>,
        more: bool,
    ) {
        let lines: Vec<_> = lines.into_iter().collect();
        let last = lines.iter().map(|(order_id, line)| QueuePosition::of(order_id, line)).max();
        self.in_transit.loaded += lines.len();
        self.in_transit.searched += references.len();
        if !more || last.is_some() {
            let (references, after) = (references.to_vec(), after.cloned());
            let up_to = last.filter(|_| more);
            self.in_transit.searches.push(Searched { references, units, after, up_to });
        }
        self.load_lines(lines);
    }

    /// Returns whether a line may get an earlier promise, as far as is known without loading anything.
    pub(super) fn may_improve(&self) -> bool {
        let mut inbound = self.batches.iter().rev().take_while(|batch| batch.eta() != Eta::InStock);
        self.flags.promises == Promises::Fair && (self.in_transit.more || inbound.any(is_source))
    }

    /// Moves lines to batches that arrive before theirs, and returns whether none is left that could move.
    ///
    /// Batches are filled from the most preferred one on, so one pass is enough: a line that moves leaves free units
    /// only in a later batch. Lines move in the order in which they are served. Each moves all its units of a batch, or
    /// none of them if they do not fit: then the next line that fits moves.
    ///
    /// Only batches with units that the current decision has freed are considered, and `all` batches on request. No
    /// line fits into the free units of the others, because they were considered when they came free.
    ///
    /// A batch with a pending correction neither gives nor takes: its lines are to be moved first. The last step of the
    /// correction considers all batches.
    pub(super) fn improve_promises(&mut self, all: bool) -> Result<bool, LoadRequest> {
        if !self.may_improve() {
            return Ok(true);
        }
        let all = all || self.has_new_candidates();
        if all {
            self.need_all_batches()?;
        }
        if !self.batches.iter().any(|batch| self.is_target(batch, all)) {
            return Ok(true);
        }
        if self.in_transit.more && !self.in_transit.is_loaded {
            return Err(self.needs(DataRequest::InTransit));
        }
        let order: Vec<_> = self.batches.iter().map(|batch| (batch.reference().clone(), batch.eta())).collect();
        let sources: Vec<_> = self.batches.iter().filter(|batch| is_source(batch)).collect();
        let sources: Vec<_> = sources.into_iter().map(|batch| (batch.reference().clone(), batch.eta())).collect();
        // Nothing moves to a batch that arrives with the last source or after it.
        let last = sources.iter().map(|(_, eta)| *eta).max();
        for (reference, eta) in order {
            let later: Vec<_> = sources.iter().filter(|(_, other)| *other > eta).map(|(it, _)| it.clone()).collect();
            if later.is_empty() {
                break;
            }
            if !self.batch(&reference).is_some_and(|batch| self.is_target(batch, all)) {
                continue;
            }
            let is_left = |batch: &&Batch| batch.eta() >= eta && Some(batch.eta()) < last && self.is_target(batch, all);
            let left = self.batches.iter().filter(is_left);
            let free: Vec<u32> = left.map(Batch::available).collect();
            let most = free.iter().copied().max().unwrap_or(0);
            let search = Search { later, most, in_all: free.into_iter().map(u64::from).sum() };
            if !self.fill(&reference, &search)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Returns whether the current decision has made lines candidates for units that were free before: their batch is
    /// late or its correction has ended, they have other units of a batch in transit than before, or they have become
    /// improvable.
    fn has_new_candidates(&self) -> bool {
        let Some(before) = &self.before else { return false };
        let is_late = |(reference, batch): (&BatchReference, &Option<Box<Batch>>)| {
            batch.as_ref().zip(self.batch(reference)).is_some_and(|(before, now)| {
                now.eta() > before.eta() || before.moving().is_some() && now.moving().is_none()
            })
        };
        before.rows.batches.iter().any(is_late)
            || before.rows.lines.iter().any(|(order_id, line)| {
                line.as_ref().zip(self.line(order_id)).is_some_and(|(before, now)| {
                    let has_other_part = |part: &Allocation| {
                        part.eta != Eta::InStock && before.holds(&part.reference) != Some(part.quantity)
                    };
                    let is_new = !before.is_improvable() && now.is_improvable();
                    is_new || now.allocations.iter().any(has_other_part)
                })
            })
    }

    /// Returns whether a batch has free units for lines of later batches: units that the current decision has freed, or
    /// any with `all`.
    fn is_target(&self, batch: &Batch, all: bool) -> bool {
        let is_better_than = |before: &Batch| batch.available() > before.available() || batch.eta() < before.eta();
        let is_better = || {
            let before = self.before.as_ref().and_then(|before| before.rows.batches.get(batch.reference()));
            before.is_some_and(|before| before.as_deref().is_none_or(is_better_than))
        };
        batch.available() > 0 && batch.moving().is_none() && (all || is_better())
    }

    /// Moves lines of later batches to a batch with free units. Returns whether no line is left that fits.
    fn fill(&mut self, reference: &BatchReference, search: &Search) -> Result<bool, LoadRequest> {
        let mut sources: Vec<_> = search.later.iter().map(|it| Source { reference: it.clone(), next: None }).collect();
        let (mut is_first, mut last) = (true, None::<QueuePosition>);
        loop {
            let Some(free) = self.batch(reference).and_then(|batch| Quantity::new(batch.available()).ok()) else {
                return Ok(true);
            };
            for source in &mut sources {
                self.find_next(source, free, is_first);
            }
            is_first = false;
            // Of a line that is split, the part that arrives first is first.
            let found = sources.iter().filter_map(|source| Some((&source.reference, source.next.as_ref()?)));
            let next = found.min_by(|(_, (one, _)), (_, (other, _))| one.cmp(other));
            let position = next.map(|(_, (position, _))| position);
            if !self.knows_up_to(search, last.as_ref(), position, free)? {
                return Ok(false);
            }
            let Some((source, (position, units))) = next else { return Ok(true) };
            if self.in_transit.moved >= self.most_served {
                return Ok(false);
            }
            self.improve(position.order_id(), source, reference, *units)?;
            self.in_transit.moved += 1;
            last = Some(position.clone());
        }
    }

    /// Finds the next line on a batch that fits into `free` units. Lines that did not fit into more are left out.
    fn find_next(&self, source: &mut Source, free: Quantity, is_first: bool) {
        if !is_first
            && source.next.as_ref().is_none_or(|(position, units)| {
                *units <= free
                    && self.line(position.order_id()).and_then(|line| line.holds(&source.reference)).is_some()
            })
        {
            return;
        }
        let after = source.next.take().map(|(position, _)| position);
        let mut lines = self.lines.on_batch(&source.reference, after.as_ref());
        let is_improvable =
            |position: &QueuePosition| self.line(position.order_id()).is_some_and(LineState::is_improvable);
        let next = lines.find(|(position, units)| *units <= free && is_improvable(position));
        source.next = next.map(|(position, units)| (position.clone(), units));
    }

    /// Returns whether all lines between two positions that fit into `free` units are loaded. Returns `false` if too
    /// many were loaded already, for another unit of work to continue.
    fn knows_up_to(
        &self,
        search: &Search,
        last: Option<&QueuePosition>,
        next: Option<&QueuePosition>,
        free: Quantity,
    ) -> Result<bool, LoadRequest> {
        let Search { later, most, in_all } = search;
        let (InTransit { more, loaded, searched, moved, .. }, free) = (&self.in_transit, free.get());
        if !more {
            return Ok(true);
        }
        let gap = self.gap_of(later, last, free);
        let Some(after) = gap.filter(|after| next.is_none_or(|next| after.as_ref() < Some(next))) else {
            return Ok(true);
        };
        let has_read_enough = *loaded >= self.most_served.saturating_mul(2) || *searched >= MAX_SEARCHED;
        if *moved >= self.most_served || *moved > 0 && has_read_enough {
            return Ok(false);
        }
        // The first search serves all batches that are still to be filled. It may end at lines that fit only into others,
        // so the next one is for this batch alone.
        let (units, in_all) = if after.is_none() { (*most, *in_all) } else { (free, u64::from(free)) };
        let limit = (self.most_served - moved).min(usize::try_from(in_all).unwrap_or(usize::MAX));
        Err(self.needs(DataRequest::FittingOn { references: later.clone(), after, units, limit }))
    }

    /// Returns the first position at or after another one from which lines on these batches that fit into `free` units
    /// may not be loaded, `None` if all are. `Some(None)` is the beginning.
    fn gap_of(
        &self,
        batches: &[BatchReference],
        position: Option<&QueuePosition>,
        free: u32,
    ) -> Option<Option<QueuePosition>> {
        // A search of more batches has also searched the last ones among them.
        let is_of_these = |search: &&Searched| search.units >= free && search.references.ends_with(batches);
        let searches: Vec<_> = self.in_transit.searches.iter().filter(is_of_these).collect();
        let mut from = position.cloned();
        loop {
            let mut up_to = from.clone();
            for search in searches.iter().filter(|search| search.after <= from) {
                // Without a last position, it reached the end.
                up_to = up_to.max(Some(search.up_to.clone()?));
            }
            if up_to == from {
                return Some(from);
            }
            from = up_to;
        }
    }

    /// Updates where units are now, after moves that the events since `events` record.
    pub(super) fn follow_improvements(&self, affected: &mut [Affected], events: usize) {
        for event in self.events.iter().skip(events) {
            let Event::PromiseImproved { order_id, old_reference, reference, new_eta, .. } = event else { continue };
            for it in affected.iter_mut().filter(|it| (&it.order_id, &it.reference) == (order_id, old_reference)) {
                (it.reference, it.new_eta) = (reference.clone(), *new_eta);
            }
        }
    }

    /// Moves a line's units to a batch that arrives earlier.
    fn improve(
        &mut self,
        order_id: &OrderId,
        from: &BatchReference,
        to: &BatchReference,
        units: Quantity,
    ) -> Result<(), LoadRequest> {
        let old_eta = self.batches[self.need_batch(from)?].eta();
        self.free(order_id, from, units, DeallocationReason::Move)?;
        let index = self.need_batch(to)?;
        self.take(index, order_id, units, AllocationReason::Move);
        self.events.push(Event::PromiseImproved {
            order_id: order_id.clone(),
            sku: self.sku.clone(),
            old_reference: from.clone(),
            reference: to.clone(),
            quantity: units,
            old_eta,
            new_eta: self.batches[index].eta(),
        });
        Ok(())
    }
}

/// Returns whether lines of a batch may move to an earlier one.
fn is_source(batch: &Batch) -> bool {
    batch.eta() != Eta::InStock && batch.allocated() > 0 && batch.moving().is_none()
}
