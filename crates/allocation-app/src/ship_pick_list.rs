use crate::locking::Locked;
use crate::pick_list_products::lock_list;
use crate::saving::conclude;
use crate::unit_of_work::{UnitOutcome, UnitResult};
use crate::{UseCaseError, UseCases};
use allocation_domain::{Outcome, PickListId, ShipError};
use allocation_ports::{EventContext, StoredPickList, UnitOfWork};

impl UseCases {
    /// Ships all picked units of a list, irrevocably; returns the list.
    ///
    /// A shipped list stays unchanged.
    ///
    /// # Isolation
    ///
    /// The lines of the list are read before the locks only for their products: the lines of a list never
    /// change. Their states change only under the locks of these products, and are read again under them.
    ///
    /// # Errors
    ///
    /// [`UseCaseError`]; nothing has changed, unless the outcome of the commit is unknown.
    pub fn ship_pick_list(&self, list_id: &PickListId) -> Result<StoredPickList, UseCaseError<ShipError>> {
        let decided = self.units.run("ship_pick_list", |unit, _| ship(unit, list_id, &self.context))?;
        decided.map_err(UseCaseError::Refused)
    }
}

fn ship(
    unit: &mut dyn UnitOfWork,
    list_id: &PickListId,
    context: &EventContext,
) -> UnitResult<StoredPickList, ShipError> {
    let Some((Locked { mut products, .. }, stored)) = lock_list(unit, list_id)? else {
        return Ok(UnitOutcome::Rollback(Err(ShipError::NotFound(list_id.clone()))));
    };
    let decided = unit.decide(&mut products, |products| products.ship(list_id))?;
    let shipped = |(Outcome::Changed(list) | Outcome::Unchanged(list))| StoredPickList { list, ..stored };
    conclude(unit, products, context, decided.map(shipped))
}

#[cfg(test)]
mod tests;
