//! Lines that get a later date, move to an earlier batch, or leave a lowered batch.

use super::Product;
use super::reallocation::{DisplacedUnits, worsened};
use crate::{
    Affected, AllocationReason, Batch, BatchChanged, BatchReference, DeallocationReason, Eta, FirstToLeave,
    LoadRequest, Moving, OrderId, Quantity, QueuePosition, Review,
};
use std::collections::BTreeMap;

/// The effects of one decision on the lines of a batch.
pub(super) struct Step {
    /// The batch as it was before.
    pub(super) before: Batch,
    /// Whether this is the change itself, and not a later step of it.
    is_change: bool,
    affected: Vec<Affected>,
    /// Lines that get the new date if they stay on the batch, with the date that they were promised.
    postponed: BTreeMap<QueuePosition, Eta>,
    lost: Vec<DisplacedUnits>,
}

impl Step {
    pub(super) const fn new(before: Batch, is_change: bool) -> Self {
        Self { before, is_change, affected: Vec::new(), postponed: BTreeMap::new(), lost: Vec::new() }
    }

    /// Returns the ETA that a line was promised before this step.
    fn old_eta(&self, position: &QueuePosition) -> Eta {
        self.postponed.get(position).copied().unwrap_or_else(|| self.before.eta())
    }
}

impl Product {
    /// Reviews the next lines of a batch. Once all are reviewed, lets the next lines leave it.
    pub(super) fn advance(&mut self, step: &mut Step, first: Option<&FirstToLeave>) -> Result<(), LoadRequest> {
        let reference = step.before.reference().clone();
        if let Some(review) = self.moving(&reference).review {
            self.review(&reference, review, step)?;
        }
        let moving = self.moving(&reference);
        if moving.lower_to.is_none() || moving.review.is_some() {
            return Ok(());
        }
        match (moving.after, first) {
            (Some(after), _) => self.leave_next(&reference, after, step)?,
            (None, None) => self.leave_last(&reference, step)?,
            (None, Some(first)) => {
                self.leave_first(&reference, first, step)?;
                if self.moving(&reference).lower_to.is_some() {
                    self.leave_next(&reference, first.position.clone(), step)?;
                }
            }
        }
        self.end_lowering(&reference, false);
        Ok(())
    }

    /// Ends the lowering of a batch that has reached its target, or that cannot be lowered any further.
    fn end_lowering(&mut self, reference: &BatchReference, is_final: bool) {
        let Some(index) = self.batch_index(reference) else { return };
        let batch = self.batch_mut(index);
        if batch.lowered_to().get() >= batch.used() || is_final {
            batch.end_lowering();
        }
    }

    /// Returns the work that is left on the lines of a batch.
    fn moving(&self, reference: &BatchReference) -> Moving {
        self.batch(reference).and_then(Batch::moving).cloned().unwrap_or_default()
    }

    /// Returns the ETA that a line was last promised for its units of the batch at `index`.
    pub(super) fn promised(&self, index: usize, order_id: &OrderId) -> Eta {
        let batch = &self.batches[index];
        let position = self.line(order_id).map(|line| QueuePosition::of(order_id, line));
        let unreviewed = batch.moving().zip(position).and_then(|(moving, position)| moving.unreviewed_eta(&position));
        unreviewed.unwrap_or(batch.eta())
    }

    fn edit_moving(&mut self, reference: &BatchReference, edit: impl FnOnce(&mut Moving)) {
        if let Some(index) = self.batch_index(reference) {
            let mut moving = self.moving(reference);
            edit(&mut moving);
            self.batch_mut(index).set_moving(moving);
        }
    }

    /// Reviews the next lines of a batch.
    fn review(&mut self, reference: &BatchReference, review: Review, step: &mut Step) -> Result<(), LoadRequest> {
        if review.reallocate {
            self.need_all_batches()?;
        }
        let Some(batch) = self.batch(reference).cloned() else { return Ok(()) };
        let moving = self.moving(reference);
        let next = self.next_on(&batch, moving.after.as_ref())?;
        let last = next.lines.last().map(|(position, _)| position.clone());
        let reviewed: u32 = next.lines.iter().map(|(_, units)| units.get()).fold(0, u32::saturating_add);
        if review.withdraw {
            self.withdraw_all_of(reference, next.lines.iter().map(|(position, _)| position))?;
        }
        for (position, units) in next.lines {
            // At the change itself, no line has the new promise yet, whatever the clocks show.
            if !step.is_change && position.placed_at() > review.placed_by {
                continue;
            }
            step.postponed.insert(position.clone(), moving.old_eta(&review, &position));
            if review.reallocate {
                self.move_to_better(&batch, &position, units, step)?;
            }
        }
        self.edit_moving(reference, |moving| {
            (moving.review, moving.after) = match last {
                Some(last) if next.more => {
                    let units = review.units.saturating_sub(reviewed);
                    (Some(Review { units, ..review }), Some(last))
                }
                _ => (None, None),
            };
            if moving.review.is_none() {
                moving.unreviewed.clear();
            }
        });
        Ok(())
    }

    /// Moves a line from a batch to batches with an earlier ETA.
    fn move_to_better(
        &mut self,
        batch: &Batch,
        position: &QueuePosition,
        units: Quantity,
        step: &mut Step,
    ) -> Result<(), LoadRequest> {
        let order_id = position.order_id();
        let better = self.batches.partition_point(|other| other.eta() < batch.eta());
        let takes_parts = self.line(order_id).is_some_and(|line| line.terms.allow_split);
        let plan = self.plan_among(better, units, takes_parts)?;
        if let Ok(moving) = Quantity::new(units.get() - plan.missing) {
            self.free(order_id, batch.reference(), moving, DeallocationReason::Move)?;
            self.apply_plan(order_id, &plan, AllocationReason::Move);
            step.affected.extend(self.affected(order_id, step.old_eta(position), &plan.parts));
        }
        Ok(())
    }

    /// Lets the last lines leave a lowered batch, if they are few.
    fn leave_last(&mut self, reference: &BatchReference, step: &mut Step) -> Result<(), LoadRequest> {
        let Some(batch) = self.batch(reference).cloned() else { return Ok(()) };
        let Some(lines) = self.last_on(&batch, batch.used().saturating_sub(batch.lowered_to().get()))? else {
            return Ok(());
        };
        for (position, units) in lines {
            self.leave(reference, &position, units, step)?;
        }
        step.lost.reverse();
        // Units that were picked or short-picked meanwhile cannot leave.
        self.end_lowering(reference, true);
        Ok(())
    }

    /// Returns the first line that leaves a lowered batch, if all lines are reviewed and none has left yet.
    ///
    /// All lines of the batch must be loaded.
    pub(crate) fn first_to_leave(&self, reference: &BatchReference) -> Option<FirstToLeave> {
        let batch = self.batch(reference)?;
        batch.moving().filter(|moving| moving.review.is_none() && moving.after.is_none())?;
        let units = batch.used().saturating_sub(batch.lowered_to().get());
        let mut left = units;
        for (position, held) in self.lines.on_batch(reference, None).rev() {
            let part = held.at_most(left)?;
            left -= part.get();
            if left == 0 {
                return Some(FirstToLeave { position: position.clone(), part, units });
            }
        }
        None
    }

    /// Lets the first of the departing lines leave a batch.
    fn leave_first(
        &mut self,
        reference: &BatchReference,
        first: &FirstToLeave,
        step: &mut Step,
    ) -> Result<(), LoadRequest> {
        let Some(batch) = self.batch(reference) else { return Ok(()) };
        // Units released since the lines were added up no longer have to leave.
        let less = first.units.saturating_sub(batch.used().saturating_sub(batch.lowered_to().get()));
        let held = self.line(first.position.order_id()).and_then(|line| line.holds(reference));
        if let Some(units) = held.zip(first.part.minus(less)).and_then(|(held, part)| held.at_most(part.get())) {
            self.leave(reference, &first.position, units, step)?;
        }
        self.edit_moving(reference, |moving| moving.after = Some(first.position.clone()));
        Ok(())
    }

    /// Lets the lines after `after` leave a batch.
    fn leave_next(
        &mut self,
        reference: &BatchReference,
        after: QueuePosition,
        step: &mut Step,
    ) -> Result<(), LoadRequest> {
        let Some(batch) = self.batch(reference).cloned() else { return Ok(()) };
        let next = self.next_on(&batch, Some(&after))?;
        let last = next.lines.last().map(|(position, _)| position.clone());
        for (position, units) in next.lines {
            self.leave(reference, &position, units, step)?;
        }
        // At the end of the lines, the remaining excess is added up again.
        self.edit_moving(reference, |moving| moving.after = last.filter(|_| next.more));
        Ok(())
    }

    /// Lets a line leave a batch with `units` units, but no more than the batch's excess.
    fn leave(
        &mut self,
        reference: &BatchReference,
        position: &QueuePosition,
        units: Quantity,
        step: &mut Step,
    ) -> Result<(), LoadRequest> {
        let excess = self.batch(reference).map_or(0, |batch| batch.used().saturating_sub(batch.lowered_to().get()));
        if let Some(units) = units.at_most(excess) {
            let order_id = position.order_id().clone();
            self.free(&order_id, reference, units, DeallocationReason::BatchLowered)?;
            step.lost.push(DisplacedUnits { order_id, units, old_eta: step.old_eta(position) });
        }
        Ok(())
    }

    /// Records later dates, reallocates displaced units, and serves the waiting lines.
    pub(super) fn finish(&mut self, step: Step) -> Result<BatchChanged, LoadRequest> {
        let Step { before, mut affected, postponed, lost, .. } = step;
        affected.extend(self.later_promises(before.reference(), &postponed));
        self.events.extend(affected.iter().filter(|affected| affected.is_worse()).map(worsened));
        let others = self.reallocate_all(lost)?;
        self.record_if_out_of_stock(others.moved)?;
        affected.extend(others.affected);
        // One decision serves a bounded number of lines, however many batches it changes.
        let events = self.events.len();
        if !self.is_behind() {
            self.serve_waiting()?;
        }
        self.follow_improvements(&mut affected, events);
        affected.sort_by_cached_key(|it| self.line(&it.order_id).map(|line| QueuePosition::of(&it.order_id, line)));
        let batch = self.batch(before.reference()).cloned().unwrap_or(before);
        Ok(BatchChanged { batch, affected, displaced: others.displaced })
    }

    /// Returns the new promise of each line that stays on a batch, if the batch arrives later.
    fn later_promises(&self, reference: &BatchReference, postponed: &BTreeMap<QueuePosition, Eta>) -> Vec<Affected> {
        let Some(index) = self.batch_index(reference) else { return Vec::new() };
        let later = postponed.iter().filter(|(_, old_eta)| self.batches[index].eta() > **old_eta);
        let stays = |(position, old_eta): (&QueuePosition, &Eta)| {
            let order_id = position.order_id();
            let units = self.line(order_id)?.holds(reference)?;
            Some(self.affected(order_id, *old_eta, &[(index, units)]))
        };
        later.filter_map(stays).flatten().collect()
    }
}
