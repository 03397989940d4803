use crate::locking::{Locked, lock, up_to_date};
use crate::saving::save_changed;
use crate::unit_of_work::UnitOutcome;
use crate::{BackgroundTask, UseCases};
use allocation_domain::{Batch, BatchReference, FirstToLeave, Sku};
use allocation_ports::{EventContext, LockRequest, StoreError, UnitOfWork};
use std::io;
use std::time::Duration;

/// The maximum number of batches that are looked up at a time.
const MAX_BATCHES: u16 = 100;

impl UseCases {
    /// Starts a task that completes corrections of batches with [`UseCases::move_lines`], after each pause.
    ///
    /// Any number of replicas may run the task; one continues what another has begun.
    ///
    /// # Errors
    ///
    /// Returns an error when the system cannot start a thread.
    pub fn start_mover(&self, pause: Duration) -> io::Result<BackgroundTask> {
        let use_cases = self.clone();
        BackgroundTask::every(pause, "move", "moving lines of batches", move |stop| {
            use_cases.move_lines(|| stop.continues())
        })
    }

    /// Completes corrections of batches in steps that are each committed, the batches in turn; returns the
    /// number of steps.
    ///
    /// `may_continue` is called before each step. A step depends only on data stored under the product's lock, so
    /// any number of processes may do this at once. The first line to leave a lowered batch is looked up
    /// without the lock. No line can take units of that batch meanwhile. Units released meanwhile are left
    /// to the last lines.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails or is busy; earlier steps stay committed.
    pub fn move_lines(&self, mut may_continue: impl FnMut() -> bool) -> Result<usize, StoreError> {
        let mut steps = 0;
        loop {
            let moved = self.move_lines_of_each_batch(&mut may_continue)?;
            steps += moved;
            if moved == 0 {
                return Ok(steps);
            }
        }
    }

    /// Performs one step for each batch; the failure of one batch does not stop the others.
    fn move_lines_of_each_batch(&self, may_continue: &mut impl FnMut() -> bool) -> Result<usize, StoreError> {
        let (mut steps, mut after, mut failure) = (0, None, Ok(()));
        loop {
            let batches = self.queries.moving_batches(after.take(), MAX_BATCHES)?;
            for (sku, reference) in &batches {
                if !may_continue() {
                    return failure.map(|()| steps);
                }
                match self.step(sku, reference) {
                    Ok(moved) => steps += usize::from(moved),
                    Err(error) => failure = failure.and(Err(error)),
                }
            }
            if batches.len() < usize::from(MAX_BATCHES) {
                return failure.map(|()| steps);
            }
            after = batches.into_iter().last();
        }
    }

    /// Performs one step for the lines of a batch; returns whether there was anything to do.
    fn step(&self, sku: &Sku, reference: &BatchReference) -> Result<bool, StoreError> {
        let batch = self.queries.batch(reference, self.clock.now())?;
        let first = batch.as_ref().map_or(Ok(None), |batch| self.first_to_leave(batch))?;
        // A rest gets its units once no line leaves the received batch any more.
        let awaits = batch.as_ref().and_then(Batch::moving).and_then(|moving| moving.awaits.as_ref());
        let batches: Vec<_> = [reference].into_iter().chain(awaits.map(|awaits| &awaits.behind)).cloned().collect();
        self.units.run("move_lines", |unit, _| step(unit, sku, &batches, first.as_ref()))
    }

    /// Returns the first line to leave the batch, if all lines are reviewed and that line is not determined yet.
    fn first_to_leave(&self, batch: &Batch) -> Result<Option<FirstToLeave>, StoreError> {
        let leaves = batch.moving().is_some_and(|moving| moving.review.is_none() && moving.after.is_none());
        if leaves { self.queries.first_to_leave(batch.reference(), batch.moving_units()) } else { Ok(None) }
    }
}

fn step(
    unit: &mut dyn UnitOfWork,
    sku: &Sku,
    batches: &[BatchReference],
    first: Option<&FirstToLeave>,
) -> Result<UnitOutcome<bool>, StoreError> {
    let Some(reference) = batches.first() else { return Ok(UnitOutcome::Rollback(false)) };
    let order_ids = first.map(|first| first.position.order_id().clone()).into_iter().collect();
    let wanted = LockRequest { batches: batches.to_vec(), order_ids, ..LockRequest::product(sku.clone()) };
    let locked = lock(unit, &[wanted])?;
    let Some(Locked { mut products, now, contexts }) = up_to_date(unit, locked)? else { return Ok(UnitOutcome::Step) };
    let Some(product) = products.get_mut(sku) else { return Ok(UnitOutcome::Rollback(false)) };
    let Ok(moved) = unit.decide(product, |product| product.move_lines(reference, first, now))?;
    let changed = save_changed(unit, products, contexts, &EventContext::SYSTEM)?;
    let done = moved.is_some();
    Ok(if changed { UnitOutcome::Commit(done) } else { UnitOutcome::Rollback(done) })
}

#[cfg(test)]
mod tests;
