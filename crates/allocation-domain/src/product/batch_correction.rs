//! Corrections of a batch's quantity or ETA, with their effects on its lines.

use super::Product;
use super::displacement::Step;
use crate::{
    Batch, BatchChange, BatchChanged, BatchReference, ChangeBatchError, Eta, Event, FirstToLeave, LoadRequest, Moving,
    Pending, Review, Units,
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
        let consumed = before.consumed();
        if let Some(purchased) = change.purchased.filter(|purchased| purchased.get() < consumed) {
            let below = ChangeBatchError::BelowConsumed { reference: reference.clone(), purchased, consumed };
            return Err(Pending::Refused(below));
        }
        Ok(self.atomically(|product| product.correct(before, change, now))?)
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
        self.atomically(|product| {
            let mut step = Step::new(before, false);
            product.advance(&mut step, first)?;
            if product.batch(reference) == Some(&step.before) {
                return Ok(None);
            }
            if product.batch(reference).is_some_and(|batch| batch.purchased() != step.before.purchased()) {
                product.record_change(&step.before);
            }
            let moved = product.finish(step)?;
            product.moved_on = true;
            Ok(Some(moved))
        })
    }

    fn correct(
        &mut self,
        before: Batch,
        change: &BatchChange,
        now: DateTime<Utc>,
    ) -> Result<BatchChanged, LoadRequest> {
        let eta = change.eta.unwrap_or(before.eta());
        let moving = moving_after(&before, change, eta, self.decided_at(now));
        self.set_eta(before.reference(), eta);
        if let Some(index) = self.batch_index(before.reference()) {
            let to = change.purchased.unwrap_or(before.lowered_to());
            let batch = self.batch_mut(index);
            // The batch is closed at once, and lowered as lines leave.
            let purchased = Units::new(batch.used()).map_or(to, |used| to.max(used));
            batch.set_purchased(purchased);
            batch.set_moving(Moving { lower_to: Some(to), ..moving });
        }
        let mut step = Step::new(before, true);
        self.advance(&mut step, None)?;
        if let Some(index) = self.batch_index(step.before.reference()) {
            let is_new = !change.is_made(&step.before);
            if is_new {
                self.batch_mut(index).revise();
            }
            if is_new || self.batches[index].purchased() != step.before.purchased() {
                self.record_change(&step.before);
            }
        }
        let left = step.before.moving().cloned();
        let changed = self.finish(step)?;
        self.moved_on |= changed.batch.moving() != left.as_ref();
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
            eta: now.eta(),
            old_purchased_quantity: before.purchased(),
            old_eta: before.eta(),
            revision: now.revision(),
        });
    }
}

/// Returns the work that a change leaves on the lines of a batch, merged with the work already pending.
fn moving_after(before: &Batch, change: &BatchChange, eta: Eta, now: DateTime<Utc>) -> Moving {
    let left = before.moving().cloned().unwrap_or_default();
    let (reallocate, withdraw) = left.review.map_or((false, false), |review| (review.reallocate, review.withdraw));
    if eta > before.eta() || eta == before.eta() && change.reallocate && !reallocate {
        let review = Review {
            old_eta: before.eta(),
            reallocate: change.reallocate || reallocate,
            withdraw: eta != Eta::InStock && (withdraw || before.eta() == Eta::InStock),
            placed_by: now,
            units: before.allocated(),
        };
        let review = Some(review).filter(|review| review.units > 0);
        return Moving { review, unreviewed: left.unreviewed_from_now(), lower_to: None, after: None };
    }
    let is_lowered_as_before = change.purchased.is_none_or(|purchased| purchased == before.lowered_to());
    let had_review = left.review.is_some();
    let mut moving = left.with_eta(eta);
    if moving.review.is_none() && (had_review || !is_lowered_as_before) {
        moving.after = None;
    }
    Moving { lower_to: None, ..moving }
}
