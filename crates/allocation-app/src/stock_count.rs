//! Stock takes.

use crate::awaited_units::reject_awaiting;
use crate::locking::{Locked, lock_batch, lock_batches, up_to_date};
use crate::saving::save_changed;
use crate::unit_of_work::{Attempt, UnitOutcome};
use crate::{UseCaseError, UseCases};
use allocation_domain::{
    AbandonCountError, AdjustError, Adjusted, Adjusting, Adjustment, BatchReference, CloseCountError, ClosedCount,
    CountId, CountScope, CountedUnits, EnterCountError, NewStockCount, OpenCountError, Outcome, Product, StockCount,
    UncountedLines,
};
use allocation_ports::{Recorded, StockDocument, StockDocumentId, StoreError, UnitOfWork};
use chrono::SubsecRound;

#[derive(Debug, thiserror::Error)]
#[error("count {0} was changed concurrently")]
struct ChangedMeanwhile(CountId);

#[derive(Debug, thiserror::Error)]
#[error("batch {0} was removed concurrently")]
struct RemovedMeanwhile(BatchReference);

impl UseCases {
    /// Opens a count of batches in stock; opening the same count again changes nothing.
    ///
    /// # Isolation
    ///
    /// The batches are read without locks: one that arrives meanwhile is not counted. Unique keys claim the id, and each
    /// batch until the count is closed or abandoned. If two units claim the same one, the second conflicts, runs again and
    /// finds the count of the first.
    ///
    /// # Errors
    ///
    /// [`UseCaseError`]; nothing has changed, unless the outcome of the commit is unknown.
    pub fn open_count(&self, new: &NewStockCount) -> Result<Outcome<StockCount>, UseCaseError<OpenCountError>> {
        self.decide("open_count", |unit, attempt| {
            if let Some(known) = unit.counts().find(&new.count_id)? {
                return Ok(UnitOutcome::Rollback(repeated(known, new, attempt)));
            }
            let refused = |refusal| Ok(UnitOutcome::Rollback(Err(refusal)));
            if let Some(id) = document_id(&new.count_id)
                && unit.documents().find(&id)?.is_some()
            {
                return refused(OpenCountError::AdjustmentExists(new.count_id.clone()));
            }
            let batches = unit.counts().countable(&new.scope, StockCount::MAX_LINES + 1)?;
            if let CountScope::References(references) = &new.scope {
                let is_missing = |name: &&BatchReference| !batches.iter().any(|(_, found)| found == *name);
                if let Some(missing) = references.iter().find(is_missing) {
                    return refused(OpenCountError::NotFound(missing.clone()));
                }
            }
            let count = match StockCount::open(new.clone(), batches, self.clock.now()) {
                Ok(count) => count,
                Err(refusal) => return refused(refusal),
            };
            let references: Vec<_> = count.lines.iter().map(|line| line.reference.clone()).collect();
            match unit.counts().counted(&references)? {
                // Another unit has opened this count since `find`, and the next run returns it.
                Some((_, count_id)) if count_id == new.count_id => {
                    Err(StoreError::Conflict(ChangedMeanwhile(count_id).into()))
                }
                Some((reference, count_id)) => refused(OpenCountError::BatchInOpenCount { reference, count_id }),
                None => {
                    unit.counts().add(&count)?;
                    Ok(UnitOutcome::Commit(Ok(Outcome::Changed(count))))
                }
            }
        })
    }

    /// Enters the units that were found of a batch, in place of an earlier entry. They are compared with those that are
    /// on hand now.
    ///
    /// # Isolation
    ///
    /// The batch is read under the lock of its product, and the count under a lock of its own. The batch of a line never
    /// changes; it is read before.
    ///
    /// # Errors
    ///
    /// [`UseCaseError`]; nothing has changed, unless the outcome of the commit is unknown.
    pub fn enter_count(
        &self,
        count_id: &CountId,
        number: u32,
        entered: CountedUnits,
    ) -> Result<StockCount, UseCaseError<EnterCountError>> {
        self.decide("enter_count", |unit, _| {
            let refused = |refusal| Ok(UnitOutcome::Rollback(Err(refusal)));
            let Some(known) = unit.counts().find(count_id)? else {
                return refused(EnterCountError::NotFound(count_id.clone()));
            };
            if known.closed.is_some() {
                return refused(EnterCountError::Closed(count_id.clone()));
            }
            let Some(line) = known.line(number) else {
                return refused(EnterCountError::NoLine(count_id.clone(), number));
            };
            let locked = lock_batch(unit, &line.reference, |wanted| wanted)?;
            let found = locked.as_ref().and_then(|(locked, sku)| locked.products.get(sku)?.batch(&line.reference));
            let Some(batch) = found else {
                return refused(EnterCountError::BatchNotFound(line.reference.clone()));
            };
            let Some(mut count) = unit.counts().lock(count_id)? else {
                return refused(EnterCountError::NotFound(count_id.clone()));
            };
            match count.enter(number, batch, entered) {
                Ok(true) => unit.counts().save(&count)?,
                Ok(false) => return Ok(UnitOutcome::Rollback(Ok(count))),
                Err(refusal) => return refused(refusal),
            }
            Ok(UnitOutcome::Commit(Ok(count)))
        })
    }

    /// Closes a count: the variances of all its lines adjust their batches, or none does. A closed count stays as it is.
    ///
    /// The adjustment has the id of the count, and is recorded as any other. The entry of a batch that was deleted since,
    /// or replaced by another one with its reference, is dropped: its line then counts as not entered.
    ///
    /// # Isolation
    ///
    /// The batches with a variance are locked with their products, as for an adjustment, and then the count. If it has
    /// changed since it was read, the unit runs again. The id of the adjustment is claimed by a unique key.
    ///
    /// # Errors
    ///
    /// [`UseCaseError`]; nothing has changed, unless the outcome of the commit is unknown.
    pub fn close_count(
        &self,
        count_id: &CountId,
        uncounted: UncountedLines,
    ) -> Result<Outcome<StockCount>, UseCaseError<CloseCountError>> {
        self.decide("close_count", |unit, attempt| {
            let refused = |refusal: CloseCountError| Ok(UnitOutcome::Rollback(Err(refusal)));
            let Some(known) = unit.counts().find(count_id)? else {
                return refused(CloseCountError::NotFound(count_id.clone()));
            };
            if known.closed.is_some() {
                let outcome = if attempt.resolving { Outcome::Changed(known) } else { Outcome::Unchanged(known) };
                return Ok(UnitOutcome::Rollback(Ok(outcome)));
            }
            if let Err(refusal) = known.adjustment(uncounted) {
                return refused(refusal);
            }
            let locked = lock_varied(unit, &known)?;
            let mut count = known.clone();
            count.settle(|reference| locked.products.iter().find_map(|product| product.batch(reference)));
            if unit.counts().lock(count_id)?.as_ref() != Some(&known) {
                return Err(StoreError::Conflict(ChangedMeanwhile(count_id.clone()).into()));
            }
            let adjustment = match count.adjustment(uncounted) {
                Ok(adjustment) => adjustment,
                Err(refusal) => return refused(refusal),
            };
            let (adjusted, closed_at) = match adjustment {
                None => (Adjusted::default(), self.clock.now().trunc_subsecs(6)),
                Some(adjustment) => match adjusted(unit, locked, &adjustment)? {
                    Made::Now(locked, recorded) => {
                        save_changed(unit, locked.products, locked.contexts, &self.context)?;
                        unit.documents().add(&StockDocument::Adjustment(recorded.clone()))?;
                        (recorded.outcome, recorded.recorded_at)
                    }
                    Made::Refused(reason) => return refused(count.unapplied(reason)),
                    Made::Step => return Ok(UnitOutcome::Step),
                },
            };
            count.closed = Some(ClosedCount { closed_at, adjusted });
            unit.counts().save(&count)?;
            Ok(UnitOutcome::Commit(Ok(Outcome::Changed(count))))
        })
    }

    /// Abandons a count that is not closed.
    ///
    /// # Isolation
    ///
    /// The count is read under its lock.
    ///
    /// # Errors
    ///
    /// [`UseCaseError`]; nothing has changed, unless the outcome of the commit is unknown.
    pub fn abandon_count(&self, count_id: &CountId) -> Result<(), UseCaseError<AbandonCountError>> {
        self.decide("abandon_count", |unit, attempt| match unit.counts().lock(count_id)? {
            None if attempt.resolving => Ok(UnitOutcome::Rollback(Ok(()))),
            None => Ok(UnitOutcome::Rollback(Err(AbandonCountError::NotFound(count_id.clone())))),
            Some(count) if count.closed.is_some() => {
                Ok(UnitOutcome::Rollback(Err(AbandonCountError::Closed(count_id.clone()))))
            }
            Some(_) => {
                unit.counts().remove(count_id)?;
                Ok(UnitOutcome::Commit(Ok(())))
            }
        })
    }
}

/// A count that exists after an unknown commit was opened by that commit.
fn repeated(known: StockCount, new: &NewStockCount, attempt: Attempt) -> Result<Outcome<StockCount>, OpenCountError> {
    if known.request != *new {
        return Err(OpenCountError::AlreadyExists(new.count_id.clone()));
    }
    Ok(if attempt.resolving { Outcome::Changed(known) } else { Outcome::Unchanged(known) })
}

/// Returns the id of the document that closing a count records.
fn document_id(count_id: &CountId) -> Option<StockDocumentId> {
    count_id.as_adjustment().map(StockDocumentId::Adjustment)
}

/// Locks the products of the batches with a variance; batches that are gone are not among them.
fn lock_varied(unit: &mut dyn UnitOfWork, count: &StockCount) -> Result<Locked, StoreError> {
    let varied: Vec<_> = count.variances().map(|(line, _)| line.reference.clone()).collect();
    let skus = unit.products().skus_of_batches(&varied)?;
    let present: Vec<_> = varied.into_iter().filter(|reference| skus.contains_key(reference)).collect();
    if present.is_empty() {
        return Ok(Locked::default());
    }
    let removed = |reference| StoreError::Conflict(RemovedMeanwhile(reference).into());
    lock_batches(unit, &present)?.map_err(removed)
}

/// What a unit of work has made of the variances of a count.
enum Made {
    /// The adjusted products, which are to be saved, with the adjustment.
    Now(Box<Locked>, Recorded<Adjustment, Adjusted>),
    Refused(AdjustError),
    /// The products are brought up to date first.
    Step,
}

/// Adjusts locked products.
fn adjusted(unit: &mut dyn UnitOfWork, locked: Locked, adjustment: &Adjustment) -> Result<Made, StoreError> {
    let id = StockDocumentId::Adjustment(adjustment.adjustment_id().clone());
    if unit.documents().find(&id)?.is_some() {
        return Ok(Made::Refused(AdjustError::AlreadyExists(adjustment.adjustment_id().clone())));
    }
    let Some(mut locked) = up_to_date(unit, locked)? else { return Ok(Made::Step) };
    let (now, products) = (locked.now, &mut locked.products);
    for line in adjustment.lines() {
        reject_awaiting(products.iter().find_map(|product: &Product| product.batch(&line.reference)))?;
    }
    let mut adjusting = match unit.decide(products, |products| Adjusting::of(adjustment, products, now))? {
        Ok(adjusting) => adjusting,
        Err(refusal) => return Ok(Made::Refused(refusal)),
    };
    let Ok(outcome) = unit.decide(products, |products| adjusting.resume(adjustment, products, now))?;
    let recorded_at = products.iter().map(|product| product.decided_at(now)).min().unwrap_or(now).trunc_subsecs(6);
    Ok(Made::Now(Box::new(locked), Recorded { request: adjustment.clone(), outcome, recorded_at }))
}
