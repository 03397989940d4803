//! Batches whose quantity or date changes, with the lines on them.

use super::Product;
use super::displacing::{Lost, worsened};
use crate::{
    Affected, AllocationReason, Batch, BatchChange, BatchChanged, BatchReference, ChangeBatchError, DeallocationReason,
    Eta, Event, MoreNeeded, Needed, Quantity, QueuePosition, Units,
};
use chrono::{DateTime, Utc};

/// A change that is under way.
struct Correction<'a> {
    before: &'a Batch,
    purchased: Units,
    eta: Eta,
    affected: Vec<Affected>,
}

impl Product {
    /// Changes what was purchased of a batch, or when it comes.
    ///
    /// - More units go to the lines that wait.
    /// - When fewer are left than are allocated, lines leave the batch: the lowest priority first,
    ///   then the youngest, then the greater order, each with just as many units as must go. They
    ///   get units of other batches in the order in which lines are served, as a new line would
    ///   (whole from one batch if possible); a line that takes only its whole rest takes only all
    ///   it has lost. What they do not get they wait for, and a line that had not asked to wait is
    ///   short.
    /// - What is on pick lists and must go leaves them. When a batch in stock comes later after all,
    ///   all of it that is still to be picked leaves its lists.
    /// - Lines on a batch that comes later are told. With `reallocate`, in the order in which lines
    ///   are served, each moves to batches that come before the new date: whole to one of them if
    ///   possible, else in parts as far as it takes parts. It does so before any line has to leave.
    /// - What has become free in the end is for the lines that wait.
    ///
    /// A change that says what the batch says already is no change, and makes no new revision; it
    /// may still reallocate.
    ///
    /// # Errors
    ///
    /// [`ChangeBatchError`], and nothing of the batch has changed.
    pub fn change_batch(
        &mut self,
        reference: &BatchReference,
        change: &BatchChange,
        now: DateTime<Utc>,
    ) -> Result<BatchChanged, ChangeBatchError> {
        self.catch_up(now)?;
        let Some(before) = self.batch(reference).cloned() else {
            return Err(ChangeBatchError::NotFound(reference.clone()));
        };
        let actual = before.version();
        if let Some(expected) = change.expected.filter(|expected| *expected != actual) {
            return Err(ChangeBatchError::Stale { reference: reference.clone(), expected, actual });
        }
        let gone = before.gone();
        if let Some(purchased) = change.purchased.filter(|purchased| purchased.get() < gone) {
            return Err(ChangeBatchError::BelowGone { reference: reference.clone(), purchased, gone });
        }
        Ok(self.as_one(|product| product.correct(&before, change))?)
    }

    fn correct(&mut self, before: &Batch, change: &BatchChange) -> Result<BatchChanged, MoreNeeded> {
        let reference = before.reference();
        let purchased = change.purchased.unwrap_or(before.purchased());
        let eta = change.eta.unwrap_or(before.eta());
        let mut correction = Correction { before, purchased, eta, affected: Vec::new() };
        if eta > before.eta() || purchased.get() - before.gone() < before.allocated() || change.reallocate {
            self.need_lines_on(before)?;
        }
        if before.eta() == Eta::InStock && eta != Eta::InStock {
            self.withdraw_all_of(reference)?;
        }
        self.expect(reference, eta);
        if change.reallocate && eta >= before.eta() {
            self.move_to_better(&mut correction)?;
        }
        let lost = self.leave(&correction)?;
        if !change.is_made(before) {
            self.tell_change(&correction);
        }
        self.tell_later(&mut correction);
        let others = self.find_others(before.eta(), lost)?;
        self.tell_if_sold_out(others.moved)?;
        correction.affected.extend(others.affected);
        self.serve_waiting()?;
        correction
            .affected
            .sort_by_cached_key(|it| self.line(&it.order_id).map(|line| QueuePosition::of(&it.order_id, line)));
        let batch = self.batches[self.need_batch(reference)?].clone();
        Ok(BatchChanged { batch, affected: correction.affected, displaced: others.displaced })
    }

    /// Checks that all lines on a batch are at hand: together they hold what is allocated of it.
    fn need_lines_on(&self, batch: &Batch) -> Result<(), MoreNeeded> {
        let holds = |(_, units): (QueuePosition, Quantity)| u64::from(units.get());
        let known: u64 = self.lines_on(batch.reference()).into_iter().map(holds).sum();
        if known == u64::from(batch.allocated()) {
            return Ok(());
        }
        Err(self.needs(Needed::LinesOn(batch.reference().clone())))
    }

    /// The lines at hand that hold units of a batch, in the order in which lines are served.
    pub(super) fn lines_on(&self, reference: &BatchReference) -> Vec<(QueuePosition, Quantity)> {
        let mut lines: Vec<_> = self
            .lines
            .iter()
            .filter_map(|(order_id, line)| Some((QueuePosition::of(order_id, line), line.holds(reference)?)))
            .collect();
        lines.sort();
        lines
    }

    /// Notes when a batch comes, at the batch and at the lines on it.
    fn expect(&mut self, reference: &BatchReference, eta: Eta) {
        if let Some(place) = self.place(reference) {
            self.note_batch(reference);
            self.batches.expect(place, eta);
            for (position, _) in self.lines_on(reference) {
                self.edit_line(position.order_id(), |line| line.expect(reference, eta));
            }
        }
    }

    /// Moves lines from a batch to those that come before it.
    fn move_to_better(&mut self, correction: &mut Correction<'_>) -> Result<(), MoreNeeded> {
        self.need_all_batches()?;
        let reference = correction.before.reference();
        for (position, units) in self.lines_on(reference) {
            let order_id = position.order_id();
            let better = self.batches.partition_point(|batch| batch.eta() < correction.eta);
            let takes_parts = self.line(order_id).is_some_and(|line| line.terms.allow_split);
            let plan = self.plan_among(better, units, takes_parts)?;
            let Ok(moving) = Quantity::new(units.get() - plan.missing) else { continue };
            self.free(order_id, reference, moving, DeallocationReason::Move)?;
            self.carry_out(order_id, &plan, AllocationReason::Move);
            correction.affected.extend(self.affected(order_id, correction.before.eta(), &plan.parts));
        }
        Ok(())
    }

    /// Lets lines leave a batch until no more is allocated of it than there is, then corrects it.
    fn leave(&mut self, correction: &Correction<'_>) -> Result<Vec<Lost>, MoreNeeded> {
        let reference = correction.before.reference();
        let batch = &self.batches[self.need_batch(reference)?];
        let used = batch.allocated() + batch.gone();
        let mut excess = used.saturating_sub(correction.purchased.get());
        let mut lost = Vec::new();
        if excess > 0 {
            for (position, units) in self.lines_on(reference).into_iter().rev() {
                let Some(units) = units.at_most(excess) else { break };
                let order_id = position.order_id().clone();
                self.free(&order_id, reference, units, DeallocationReason::BatchLowered)?;
                excess -= units.get();
                lost.push(Lost { order_id, units });
            }
        }
        if let Some(place) = self.place(reference) {
            self.batch_mut(place).correct(correction.purchased);
        }
        lost.reverse();
        Ok(lost)
    }

    fn tell_change(&mut self, correction: &Correction<'_>) {
        let before = correction.before;
        let Some(place) = self.place(before.reference()) else { return };
        self.batch_mut(place).revise();
        self.events.push(Event::BatchChanged {
            reference: before.reference().clone(),
            sku: self.sku.clone(),
            purchased_quantity: correction.purchased,
            eta: correction.eta,
            old_purchased_quantity: before.purchased(),
            old_eta: before.eta(),
            revision: self.batches[place].revision(),
        });
    }

    /// Tells the lines that stay on a batch that comes later, and those that were moved to one.
    fn tell_later(&mut self, correction: &mut Correction<'_>) {
        if correction.eta > correction.before.eta() {
            let reference = correction.before.reference();
            for (position, units) in self.lines_on(reference) {
                let Some(place) = self.place(reference) else { continue };
                correction.affected.extend(self.affected(
                    position.order_id(),
                    correction.before.eta(),
                    &[(place, units)],
                ));
            }
        }
        for affected in correction.affected.iter().filter(|affected| affected.is_worse()) {
            self.events.push(worsened(affected));
        }
    }
}
