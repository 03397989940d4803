use crate::locking::Locked;
use crate::pick_list_products::lock_line;
use crate::saving::conclude;
use crate::unit_of_work::UnitOutcome;
use crate::{UseCaseError, UseCases};
use allocation_domain::{PickLineId, ReleasePickLineError};

impl UseCases {
    /// Releases a line of a pick list of which nothing was picked, so that another list may take its units.
    ///
    /// A released line stays unchanged.
    ///
    /// # Isolation
    ///
    /// As for [`UseCases::pick`].
    ///
    /// # Errors
    ///
    /// [`UseCaseError`]; nothing has changed, unless the outcome of the commit is unknown.
    pub fn release_pick_line(&self, id: &PickLineId) -> Result<(), UseCaseError<ReleasePickLineError>> {
        self.decide("release_pick_line", |unit, _| {
            let Some(Locked { mut products, contexts, .. }) = lock_line(unit, id)? else {
                return Ok(UnitOutcome::Rollback(Err(ReleasePickLineError::NotFound(id.clone()))));
            };
            let decided = unit.decide(&mut products, |products| products.release_pick_line(id))?;
            conclude(unit, products, contexts, &self.context, decided.map(drop))
        })
    }
}

#[cfg(test)]
mod tests;
