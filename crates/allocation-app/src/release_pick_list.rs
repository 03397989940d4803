use crate::UseCases;
use crate::deciding::decide;
use crate::locking::Locked;
use crate::pick_list_products::lock_list;
use crate::saving::save_changed;
use crate::unit_of_work::UnitOutcome;
use allocation_domain::{GiveBackError as Refusal, GiveBackOutcome, PickListId};
use allocation_ports::{EventContext, StoreError, UnitOfWork};

/// The reason why a pick list is not released. Nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum ReleasePickListError {
    /// A rule forbids it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store failed.
    #[error("the pick list was not released")]
    Store(#[from] StoreError),
}

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
    /// [`ReleasePickListError`], and nothing has changed.
    pub fn release_pick_list(&self, list_id: &PickListId) -> Result<(), ReleasePickListError> {
        self.units.run("release_pick_list", |unit, _| give_back(unit, list_id, &self.context))?
    }
}

fn give_back(
    unit: &mut dyn UnitOfWork,
    list_id: &PickListId,
    context: &EventContext,
) -> Result<UnitOutcome<Result<(), ReleasePickListError>>, StoreError> {
    let Some((Locked { mut products, .. }, _)) = lock_list(unit, list_id)? else {
        return Ok(UnitOutcome::Rollback(Err(Refusal::NotFound(list_id.clone()).into())));
    };
    match decide(unit, &mut products, |products| products.give_back(list_id))? {
        Ok(GiveBackOutcome::GivenBack(_)) => {
            save_changed(unit, products, context)?;
            Ok(UnitOutcome::Commit(Ok(())))
        }
        Ok(GiveBackOutcome::Unchanged(_)) => Ok(UnitOutcome::Rollback(Ok(()))),
        Err(Refusal::MoreNeeded(needed)) => Err(StoreError::Failed(needed.into())),
        Err(refusal @ (Refusal::NotFound(_) | Refusal::Picked(_))) => Ok(UnitOutcome::Rollback(Err(refusal.into()))),
    }
}

#[cfg(test)]
mod tests;
