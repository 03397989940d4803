use crate::UseCases;
use crate::deciding::decide;
use crate::locking::Locked;
use crate::pick_list_products::lock_list;
use crate::saving::save_changed;
use crate::unit_of_work::UnitOutcome;
use allocation_domain::{PickListId, ShipError as Refusal, ShipOutcome};
use allocation_ports::{EventContext, StoreError, StoredPickList, UnitOfWork};

/// The reason why a pick list is not shipped. Nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum ShipPickListError {
    /// A rule forbids it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store failed.
    #[error("the pick list was not shipped")]
    Store(#[from] StoreError),
}

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
    /// [`ShipPickListError`], and nothing has changed.
    pub fn ship_pick_list(&self, list_id: &PickListId) -> Result<StoredPickList, ShipPickListError> {
        self.units.run("ship_pick_list", |unit, _| ship(unit, list_id, &self.context))?
    }
}

fn ship(
    unit: &mut dyn UnitOfWork,
    list_id: &PickListId,
    context: &EventContext,
) -> Result<UnitOutcome<Result<StoredPickList, ShipPickListError>>, StoreError> {
    let Some((Locked { mut products, .. }, stored)) = lock_list(unit, list_id)? else {
        return Ok(UnitOutcome::Rollback(Err(Refusal::NotFound(list_id.clone()).into())));
    };
    match decide(unit, &mut products, |products| products.ship(list_id))? {
        Ok(ShipOutcome::Shipped(list)) => {
            save_changed(unit, products, context)?;
            Ok(UnitOutcome::Commit(Ok(StoredPickList { list, ..stored })))
        }
        Ok(ShipOutcome::Unchanged(list)) => Ok(UnitOutcome::Rollback(Ok(StoredPickList { list, ..stored }))),
        Err(Refusal::MoreNeeded(needed)) => Err(StoreError::Failed(needed.into())),
        Err(refusal @ (Refusal::NotFound(_) | Refusal::NotPicked { .. } | Refusal::NothingPicked(_))) => {
            Ok(UnitOutcome::Rollback(Err(refusal.into())))
        }
    }
}

#[cfg(test)]
mod tests;
