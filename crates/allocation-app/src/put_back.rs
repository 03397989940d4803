use crate::locking::{Locked, up_to_date};
use crate::pick_list_products::lock_line;
use crate::saving::conclude;
use crate::unit_of_work::UnitOutcome;
use crate::{UseCaseError, UseCases};
use allocation_domain::{Outcome, PickLine, PickLineId, PutBackError, PutBackReason, Quantity};

impl UseCases {
    /// Puts picked units of a pick line back on the shelf, so that `total` of the units that were found are there.
    ///
    /// They are allocated to the order line again, or free if the order was closed. With as many units on the shelf
    /// already, nothing changes.
    ///
    /// # Isolation
    ///
    /// As for [`UseCases::pick`].
    ///
    /// # Errors
    ///
    /// [`UseCaseError`]; nothing has changed, unless the outcome of the commit is unknown.
    pub fn put_back(
        &self,
        id: &PickLineId,
        total: Quantity,
        reason: Option<&PutBackReason>,
    ) -> Result<PickLine, UseCaseError<PutBackError>> {
        self.decide("put_back", |unit, _| {
            let Some(locked) = lock_line(unit, id)? else {
                return Ok(UnitOutcome::Rollback(Err(PutBackError::NotFound(id.clone()))));
            };
            let Some(Locked { mut products, now, contexts }) = up_to_date(unit, locked)? else {
                return Ok(UnitOutcome::Step);
            };
            let decided = unit.decide(&mut products, |products| products.put_back(id, total, reason, now))?;
            let line = |(Outcome::Changed(line) | Outcome::Unchanged(line))| line;
            conclude(unit, products, contexts, &self.context, decided.map(line))
        })
    }
}

#[cfg(test)]
mod tests;
