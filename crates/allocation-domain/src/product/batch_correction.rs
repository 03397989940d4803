//! Batches whose quantity or date changes, with the lines on them.

use super::Product;
use super::displacement::Step;
use crate::{
    Batch, BatchChange, BatchChanged, BatchReference, ChangeBatchError, Eta, Event, FirstToLeave, MoreNeeded, Moving,
    Review, Units,
};
use chrono::{DateTime, Utc};

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
    /// The first [`MAX_MOVED_LINES`](crate::MAX_MOVED_LINES) lines are reviewed at once. Lines leave at
    /// once unless there are more of them. What is left to be done the batch knows
    /// ([`Batch::moving`]), and [`Product::move_lines`] does it, some lines at a time. Meanwhile a
    /// batch that is lowered has no free units: it has as many as are used, and with every line that
    /// leaves so many less.
    ///
    /// A change that says what the batch says already is no change, and makes no new revision; it
    /// may still reallocate. A change of a batch whose lines are being moved takes over from there: to
    /// the new quantity, from the first line on if the batch comes later still.
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
        let gone = before.consumed();
        if let Some(purchased) = change.purchased.filter(|purchased| purchased.get() < gone) {
            return Err(ChangeBatchError::BelowConsumed { reference: reference.clone(), purchased, gone });
        }
        Ok(self.atomically(|product| product.correct(before, change, now))?)
    }

    /// Goes on with what a correction has left to be done with the lines of a batch, some lines at a
    /// time; `None` when nothing is left.
    ///
    /// `first` is the first line that leaves a batch that is lowered, found when all lines were
    /// reviewed: [`Moving::after`] is `None` then. Without it lines leave only when they are few.
    ///
    /// # Errors
    ///
    /// [`MoreNeeded`], and nothing of the batch has changed.
    pub fn move_lines(
        &mut self,
        reference: &BatchReference,
        first: Option<&FirstToLeave>,
        now: DateTime<Utc>,
    ) -> Result<Option<BatchChanged>, MoreNeeded> {
        self.catch_up(now)?;
        let Some(before) = self.batch(reference).filter(|batch| batch.moving().is_some()).cloned() else {
            return Ok(None);
        };
        self.atomically(|product| {
            let mut step = Step::new(before, false);
            product.advance(&mut step, first)?;
            if product.batch(reference).is_some_and(|batch| batch.purchased() != step.before.purchased()) {
                product.record_change(&step.before);
            }
            let moved = product.finish(step)?;
            product.moved_on = true;
            Ok(Some(moved))
        })
    }

    fn correct(&mut self, before: Batch, change: &BatchChange, now: DateTime<Utc>) -> Result<BatchChanged, MoreNeeded> {
        let eta = change.eta.unwrap_or(before.eta());
        let moving = moving_after(&before, change, eta, self.decided_at(now));
        self.expect(before.reference(), eta);
        if let Some(place) = self.place(before.reference()) {
            let to = change.purchased.unwrap_or(before.lowered_to());
            let batch = self.batch_mut(place);
            // It is closed at once, and lowered as lines leave.
            let purchased = Units::new(batch.used()).map_or(to, |used| to.max(used));
            batch.correct(purchased);
            batch.set_moving(Moving { lower_to: Some(to), ..moving });
        }
        let mut step = Step::new(before, true);
        self.advance(&mut step, None)?;
        if let Some(place) = self.place(step.before.reference()) {
            let is_new = !change.is_made(&step.before);
            if is_new {
                self.batch_mut(place).revise();
            }
            if is_new || self.batches[place].purchased() != step.before.purchased() {
                self.record_change(&step.before);
            }
        }
        let left = step.before.moving().cloned();
        let changed = self.finish(step)?;
        self.moved_on |= changed.batch.moving() != left.as_ref();
        Ok(changed)
    }

    /// Notes when a batch comes, at the batch and at the lines on it.
    fn expect(&mut self, reference: &BatchReference, eta: Eta) {
        if let Some(place) = self.place(reference).filter(|place| self.batches[*place].eta() != eta) {
            self.note_batch(reference);
            self.batches.expect(place, eta);
            for (position, _) in self.lines_on(reference) {
                self.edit_line(position.order_id(), |line| line.expect(reference, eta));
            }
        }
    }

    /// Tells what a batch has become.
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

/// What is to be done with the lines of a batch by a change, after what was left to be done before.
fn moving_after(before: &Batch, change: &BatchChange, eta: Eta, now: DateTime<Utc>) -> Moving {
    let left = before.moving().cloned().unwrap_or_default();
    let is_lowered_as_before = change.purchased.is_none_or(|purchased| purchased == before.lowered_to());
    let (reallocate, withdraw) = left.review.map_or((false, false), |review| (review.reallocate, review.withdraw));
    let begins = |old_eta| Review {
        old_eta,
        reallocate: change.reallocate || reallocate,
        withdraw: eta != Eta::InStock && (withdraw || before.eta() == Eta::InStock),
        placed_by: now,
        units: before.allocated(),
    };
    let review = if eta > before.eta() {
        Some(begins(before.eta()))
    } else if eta == before.eta() && change.reallocate && !reallocate {
        // Those that have learnt of the date do so again: better than never.
        Some(begins(left.review.map_or(eta, |review| review.old_eta)))
    } else {
        // Of what was to be reviewed before, the rest is, if there is still something to it.
        let review = left.review.map(|review| Review { withdraw: withdraw && eta != Eta::InStock, ..review });
        let review = review.filter(|review| eta > review.old_eta || review.reallocate || review.withdraw);
        let goes_on = review.is_some() || left.review.is_none() && is_lowered_as_before;
        return Moving { review, lower_to: None, after: left.after.filter(|_| goes_on) };
    };
    Moving { review: review.filter(|review| review.units > 0), lower_to: None, after: None }
}
