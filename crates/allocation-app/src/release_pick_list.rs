use crate::locking::Locked;
use crate::pick_list_products::lock_list;
use crate::saving::conclude;
use crate::unit_of_work::UnitOutcome;
use crate::{UseCaseError, UseCases};
use allocation_domain::{PickListId, ReleasePickListError};

impl UseCases {
    /// Releases a pick list of which nothing was picked, so that other lists may take its lines.
    ///
    /// A released list stays unchanged.
    ///
    /// # Isolation
    ///
    /// The lines of the list are read before the locks only for their products: the lines of a list never
    /// change. Their states change only under the locks of these products, and are read again under them.
    ///
    /// # Errors
    ///
    /// [`UseCaseError`]; nothing has changed, unless the outcome of the commit is unknown.
    pub fn release_pick_list(&self, list_id: &PickListId) -> Result<(), UseCaseError<ReleasePickListError>> {
        self.decide("release_pick_list", |unit, _| {
            let Some((Locked { mut products, contexts, .. }, _)) = lock_list(unit, list_id)? else {
                return Ok(UnitOutcome::Rollback(Err(ReleasePickListError::NotFound(list_id.clone()))));
            };
            let decided = unit.decide(&mut products, |products| products.release_pick_list(list_id))?;
            conclude(unit, products, contexts, &self.context, decided.map(drop))
        })
    }
}

#[cfg(test)]
mod tests;
