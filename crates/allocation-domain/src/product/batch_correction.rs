//! Corrections of a batch's quantity or ETA, with their effects on its lines.

use super::Product;
use super::displacement::Step;
use crate::{
    Adjustment, AdjustmentLine, Batch, BatchChange, BatchChanged, BatchReference, ChangeBatchError, Eta, Event,
    FirstToLeave, LoadRequest, Moving, Pending, Review, Units,
};
use chrono::{DateTime, Utc};
use std::convert::Infallible;

impl Product {
    /// Corrects the purchased quantity or the ETA of a batch.
    ///
    /// - Additional units serve the waiting lines.
    /// - If fewer units remain than are allocated, lines leave the batch: the lowest priority first, then the
    ///   youngest, then the greater order id. Each line loses only as many units as must go.
    /// - Displaced lines get units of other batches in the order in which lines are served, planned like new
    ///   lines: whole from one batch if possible. A line that takes only its whole rest takes either
    ///   all of its lost units or none. It waits for the rest, and is short if it does not accept backorders.
    /// - Displaced units leave their pick lists. If a batch in stock gets an ETA, all its unpicked units leave
    ///   their lists.
    /// - Lines on a batch that arrives later get the new date. With `reallocate`, lines move to batches that
    ///   arrive before the new date, in the order in which lines are served. Each moves whole to one batch if
    ///   possible, else in parts if it allows them. Lines move before any line has to leave.
    /// - Units that are free at the end serve the waiting lines.
    ///
    /// The first [`MAX_MOVED_LINES`](crate::MAX_MOVED_LINES) lines are reviewed at once, and lines leave at
    /// once unless there are more than that. The batch records the remaining work ([`Batch::moving`]), and
    /// [`Product::move_lines`] continues it, some lines at a time. Until then a lowered batch has no free
    /// units: its quantity is the number of used units, and decreases with every line that leaves.
    ///
    /// A change to the current values makes no new revision, but it may still reallocate. A change of a batch
    /// whose lines are being moved takes over: it continues to the new quantity, and starts from the first line
    /// if the batch arrives later still.
    ///
    /// # Errors
    ///
    /// [`Pending`]; nothing of the batch has changed.
    pub fn change_batch(
        &mut self,
        reference: &BatchReference,
        change: &BatchChange,
        now: DateTime<Utc>,
    ) -> Result<BatchChanged, Pending<ChangeBatchError>> {
        self.catch_up(now)?;
        let Some(before) = self.batch(reference).cloned() else {
            return Err(Pending::Refused(ChangeBatchError::NotFound(reference.clone())));
        };
        let actual = before.version();
        if let Some(expected) = change.expected.filter(|expected| *expected != actual) {
            let stale = ChangeBatchError::Stale { reference: reference.clone(), expected, actual };
            return Err(Pending::Refused(stale));
        }
        let target = target_of(&before, change).map_err(Pending::Refused)?;
        Ok(self.atomically(|product| {
            let (left, mut step) = (before.moving().cloned(), product.begin_correction(before, change, target, now));
            product.advance(&mut step, None)?;
            if let Some(index) = product.batch_index(step.before.reference()) {
                let is_new = !change.is_made(&step.before);
                if is_new {
                    product.batch_mut(index).revise();
                }
                if is_new || product.batches[index].total() != step.before.total() {
                    product.record_change(&step.before);
                }
            }
            product.finish_correction(step, left.as_ref())
        })?)
    }

    /// Adds units to a batch, or removes them. The caller has checked that they are not consumed.
    ///
    /// Lines leave the batch at once if `leave_now`, unless they are too many. Otherwise they leave in steps.
    pub(crate) fn adjust_batch(
        &mut self,
        line: &AdjustmentLine,
        adjustment: &Adjustment,
        leave_now: bool,
        now: DateTime<Utc>,
    ) -> Result<BatchChanged, LoadRequest> {
        self.atomically(|product| {
            let index = product.need_batch(&line.reference)?;
            let before = product.batches[index].clone();
            let (left, target) = (before.moving().cloned(), Target::adjusted(&before, line));
            let (old_purchased_quantity, old_adjustments) = (before.purchased(), before.adjustments());
            // Units that another batch of the adjustment has freed belong to waiting lines first.
            let leave_now = leave_now && !product.is_behind();
            let mut step = product.begin_correction(before, &BatchChange::default(), target, now);
            if leave_now {
                product.advance(&mut step, None)?;
            }
            let index = product.need_batch(&line.reference)?;
            product.batch_mut(index).revise();
            let batch = &product.batches[index];
            let event = Event::BatchAdjusted {
                reference: line.reference.clone(),
                sku: product.sku.clone(),
                adjustment_id: adjustment.adjustment_id().clone(),
                reason: adjustment.reason().clone(),
                change: line.change,
                purchased_quantity: batch.purchased(),
                adjustments: batch.adjustments(),
                old_purchased_quantity: Some(old_purchased_quantity),
                old_adjustments: Some(old_adjustments),
                revision: batch.revision(),
            };
            product.events.push(event);
            product.finish_correction(step, left.as_ref())
        })
    }

    /// Continues a correction with the next lines of a batch. Returns `None` when it changes nothing: no
    /// work is left, or many lines have to leave and `first` is missing.
    ///
    /// `first` is the first line to leave a lowered batch, found when all lines had been reviewed and
    /// [`Moving::after`] was `None`. Without it, lines leave only when they are few.
    ///
    /// # Errors
    ///
    /// [`Pending`], never a refusal; nothing of the batch has changed.
    pub fn move_lines(
        &mut self,
        reference: &BatchReference,
        first: Option<&FirstToLeave>,
        now: DateTime<Utc>,
    ) -> Result<Option<BatchChanged>, Pending<Infallible>> {
        self.catch_up(now)?;
        let Some(before) = self.batch(reference).filter(|batch| batch.moving().is_some()).cloned() else {
            return Ok(None);
        };
        if before.moving().is_some_and(|moving| moving.awaits.is_some()) {
            return Ok(self.get_rest(before)?);
        }
        self.atomically(|product| {
            let mut step = Step::new(before, false);
            product.advance(&mut step, first)?;
            if product.batch(reference) == Some(&step.before) {
                return Ok(None);
            }
            if product.batch(reference).is_some_and(|batch| batch.total() != step.before.total()) {
                product.record_change(&step.before);
            }
            let moved = product.finish(step)?;
            product.moved_on = true;
            Ok(Some(moved))
        })
    }

    /// Sets the ETA and the target of a batch, and begins to move its lines.
    pub(super) fn begin_correction(
        &mut self,
        before: Batch,
        change: &BatchChange,
        target: Target,
        now: DateTime<Utc>,
    ) -> Step {
        let eta = change.eta.unwrap_or(before.eta());
        let moving = moving_after(&before, change.reallocate, target.total, eta, self.decided_at(now));
        self.set_eta(before.reference(), eta);
        if let Some(index) = self.batch_index(before.reference()) {
            // A new purchase takes the place of units that the batch was to get.
            let awaits =
                before.moving().and_then(|moving| moving.awaits.clone()).filter(|_| change.purchased.is_none());
            let moving = Moving { awaits, ..moving };
            // The batch is closed at once, and lowered as lines leave.
            self.batch_mut(index).set_target(target.total, target.adjustments, target.adjusting, moving);
        }
        Step::new(before, true)
    }

    /// Ends the first step of a correction. `left` is the work that was left on the batch before.
    pub(super) fn finish_correction(&mut self, step: Step, left: Option<&Moving>) -> Result<BatchChanged, LoadRequest> {
        let changed = self.finish(step)?;
        self.moved_on |= changed.batch.moving() != left;
        Ok(changed)
    }

    /// Sets the ETA of a batch, and of the lines on it.
    fn set_eta(&mut self, reference: &BatchReference, eta: Eta) {
        if let Some(index) = self.batch_index(reference).filter(|index| self.batches[*index].eta() != eta) {
            self.note_batch(reference);
            self.batches.set_eta(index, eta);
            let lines = self.lines.on_batch(reference, None);
            let order_ids: Vec<_> = lines.map(|(position, _)| position.order_id().clone()).collect();
            for order_id in order_ids {
                self.edit_line(&order_id, |line| line.set_eta(reference, eta));
            }
        }
    }

    /// Records how a batch has changed.
    pub(super) fn record_change(&mut self, before: &Batch) {
        let Some(now) = self.batch(before.reference()) else { return };
        self.events.push(Event::BatchChanged {
            reference: before.reference().clone(),
            sku: self.sku.clone(),
            purchased_quantity: now.purchased(),
            adjustments: now.adjustments(),
            eta: now.eta(),
            old_purchased_quantity: before.purchased(),
            old_adjustments: before.adjustments(),
            old_eta: before.eta(),
            revision: now.revision(),
        });
    }
}

/// The units that a corrected batch is to have.
#[derive(Clone, Copy)]
pub(super) struct Target {
    pub(super) total: Units,
    /// The part of them that adjustments have added, less what they have removed.
    pub(super) adjustments: i64,
    /// How many of the units in use are to leave as adjustments, at most.
    pub(super) adjusting: u32,
}

impl Target {
    /// Returns the target of a batch to which an adjustment is applied.
    fn adjusted(batch: &Batch, line: &AdjustmentLine) -> Self {
        let change = line.change.get();
        let adjusting = batch.moving().map_or(0, |moving| moving.adjusting);
        Self {
            total: Units::of_valid(batch.lowered_to().get().saturating_add_signed(change)),
            adjustments: batch.adjustments_finally() + i64::from(change),
            adjusting: if change < 0 {
                adjusting.saturating_add(change.unsigned_abs())
            } else {
                adjusting.saturating_sub(change.unsigned_abs())
            },
        }
    }
}

/// Returns the target of a corrected batch.
fn target_of(batch: &Batch, change: &BatchChange) -> Result<Target, ChangeBatchError> {
    let adjustments = batch.adjustments_finally();
    let adjusting = batch.moving().map_or(0, |moving| moving.adjusting);
    let Some(purchased) = change.purchased else {
        return Ok(Target { total: batch.lowered_to(), adjustments, adjusting });
    };
    let (reference, total) = (batch.reference().clone(), i64::from(purchased.get()) + adjustments);
    if total < i64::from(batch.consumed()) {
        let consumed = u32::try_from(i64::from(batch.consumed()) - adjustments).unwrap_or(u32::MAX);
        return Err(ChangeBatchError::BelowConsumed { reference, purchased, consumed });
    }
    let total = Units::new(total).map_err(|_| ChangeBatchError::TooManyUnits { reference, purchased })?;
    Ok(Target { total, adjustments, adjusting })
}

/// Returns the work that a change leaves on the lines of a batch, merged with the work already pending.
fn moving_after(before: &Batch, reallocates: bool, to: Units, eta: Eta, now: DateTime<Utc>) -> Moving {
    let left = before.moving().cloned().unwrap_or_default();
    let (reallocate, withdraw) = left.review.map_or((false, false), |review| (review.reallocate, review.withdraw));
    if eta > before.eta() || eta == before.eta() && reallocates && !reallocate {
        let review = Review {
            old_eta: before.eta(),
            reallocate: reallocates || reallocate,
            withdraw: eta != Eta::InStock && (withdraw || before.eta() == Eta::InStock),
            placed_by: now,
            units: before.allocated(),
        };
        let review = Some(review).filter(|review| review.units > 0);
        return Moving { review, unreviewed: left.unreviewed_from_now(), ..Moving::default() };
    }
    let is_lowered_as_before = to == before.lowered_to();
    let had_review = left.review.is_some();
    let mut moving = left.with_eta(eta);
    if moving.review.is_none() && (had_review || !is_lowered_as_before) {
        moving.after = None;
    }
    Moving { lower_to: None, ..moving }
}
