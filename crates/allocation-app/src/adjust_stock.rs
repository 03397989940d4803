use crate::awaited_units::reject_awaiting;
use crate::locking::{Locked, lock_batches, up_to_date};
use crate::saving::save_changed;
use crate::stock_documents::{refused, repeated};
use crate::unit_of_work::{Attempt, UnitOutcome, UnitResult};
use crate::{UseCaseError, UseCases};
use allocation_domain::{AdjustError, Adjusted, Adjusting, Adjustment, Outcome};
use allocation_ports::{Recorded, StockDocument, StockDocumentId, UnitOfWork};
use chrono::SubsecRound;

/// An adjustment that was made.
pub type RecordedAdjustment = Recorded<Adjustment, Adjusted>;

impl UseCases {
    /// Adjusts the units of batches, all of them or none. Units that are added are allocated to backorders.
    ///
    /// Repeating an adjustment returns its outcome and changes nothing. If many lines have to leave, some of them
    /// leave later: see [`UseCases::change_batch`].
    ///
    /// # Isolation
    ///
    /// The batches with their units, their lines and the backorders are read under the locks of their products. The
    /// SKUs of the batches are read before the locks, and once more when a batch is missing under them. The id is
    /// looked up before, and once more before a refusal. A recorded adjustment never changes, and a new id is claimed
    /// by a unique key. Of two units that make the adjustment, one conflicts, runs again and finds it.
    ///
    /// # Errors
    ///
    /// [`UseCaseError`]; nothing has changed, unless the outcome of the commit is unknown.
    pub fn adjust_stock(
        &self,
        adjustment: &Adjustment,
    ) -> Result<Outcome<RecordedAdjustment>, UseCaseError<AdjustError>> {
        self.decide("adjust_stock", |unit, attempt| {
            let (Locked { products, contexts, .. }, recorded) = match made(unit, attempt, adjustment)? {
                Made::Now(locked, recorded) => (*locked, recorded),
                Made::Ended(outcome) => return Ok(outcome),
            };
            save_changed(unit, products, contexts, &self.context)?;
            unit.documents().add(&StockDocument::Adjustment(recorded.clone()))?;
            Ok(UnitOutcome::Commit(Ok(Outcome::Changed(recorded))))
        })
    }
}

/// What a unit of work has made of an adjustment.
enum Made {
    /// The products with the adjustment, which is to be saved.
    Now(Box<Locked>, RecordedAdjustment),
    /// The end of a unit that does not make it.
    Ended(UnitOutcome<Result<Outcome<RecordedAdjustment>, AdjustError>>),
}

impl Made {
    fn ended(
        outcome: UnitResult<Outcome<RecordedAdjustment>, AdjustError>,
    ) -> Result<Self, allocation_ports::StoreError> {
        outcome.map(Self::Ended)
    }
}

fn made(
    unit: &mut dyn UnitOfWork,
    attempt: Attempt,
    adjustment: &Adjustment,
) -> Result<Made, allocation_ports::StoreError> {
    let id = StockDocumentId::Adjustment(adjustment.adjustment_id().clone());
    if let Some(StockDocument::Adjustment(known)) = unit.documents().find(&id)? {
        let other = || AdjustError::AlreadyExists(adjustment.adjustment_id().clone());
        let decided = if known.request == *adjustment { Ok(repeated(known, attempt)) } else { Err(other()) };
        return Ok(Made::Ended(UnitOutcome::Rollback(decided)));
    }
    let references: Vec<_> = adjustment.lines().iter().map(|line| line.reference.clone()).collect();
    let locked = match lock_batches(unit, &references)? {
        Ok(locked) => locked,
        Err(missing) => return Made::ended(refused(unit, &id, AdjustError::NotFound(missing))),
    };
    let Some(mut locked) = up_to_date(unit, locked)? else { return Ok(Made::Ended(UnitOutcome::Step)) };
    let (now, products) = (locked.now, &mut locked.products);
    for line in adjustment.lines() {
        reject_awaiting(products.iter().find_map(|product| product.batch(&line.reference)))?;
    }
    let mut adjusting = match unit.decide(products, |products| Adjusting::of(adjustment, products, now))? {
        Ok(adjusting) => adjusting,
        Err(refusal) => return Made::ended(refused(unit, &id, refusal)),
    };
    let Ok(outcome) = unit.decide(products, |products| adjusting.resume(adjustment, products, now))?;
    let recorded_at = products.iter().map(|product| product.decided_at(now)).min().unwrap_or(now).trunc_subsecs(6);
    let recorded = Recorded { request: adjustment.clone(), outcome, recorded_at };
    Ok(Made::Now(Box::new(locked), recorded))
}

#[cfg(test)]
mod tests;
