use crate::locking::Locked;
use crate::pick_list_products::lock_list;
use crate::saving::conclude;
use crate::unit_of_work::UnitOutcome;
use crate::{UseCaseError, UseCases};
use allocation_domain::{OpenLines, Outcome, PickListId, ShipError};
use allocation_ports::StoredPickList;

impl UseCases {
    /// Ships the picked units of a list that are not shipped yet, irrevocably; returns the list. Its open lines are
    /// released, or the list is rejected, as `open` says.
    ///
    /// A shipped list stays unchanged.
    ///
    /// # Isolation
    ///
    /// As for [`UseCases::release_pick_list`].
    ///
    /// # Errors
    ///
    /// [`UseCaseError`]; nothing has changed, unless the outcome of the commit is unknown.
    pub fn ship_pick_list(
        &self,
        list_id: &PickListId,
        open: OpenLines,
    ) -> Result<StoredPickList, UseCaseError<ShipError>> {
        self.decide("ship_pick_list", |unit, _| {
            let Some((Locked { mut products, contexts, .. }, stored)) = lock_list(unit, list_id)? else {
                return Ok(UnitOutcome::Rollback(Err(ShipError::NotFound(list_id.clone()))));
            };
            let decided = unit.decide(&mut products, |products| products.ship(list_id, open))?;
            let shipped = |(Outcome::Changed(list) | Outcome::Unchanged(list))| StoredPickList { list, ..stored };
            conclude(unit, products, contexts, &self.context, decided.map(shipped))
        })
    }
}

#[cfg(test)]
mod tests;
