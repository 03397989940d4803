use crate::UseCases;
use crate::deciding::decide;
use crate::locking::Locked;
use crate::pick_list_products::lock_list;
use crate::saving::save_changed;
use crate::unit_of_work::UnitOutcome;
use allocation_domain::{GiveBackError as Refusal, GiveBackOutcome, PickListId};
use allocation_ports::{Origin, StoreError, UnitOfWork};

/// Why a pick list is not given back. Nothing of it is then.
#[derive(Debug, thiserror::Error)]
pub enum ReleasePickListError {
    /// A rule forbids it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store failed.
    #[error("the pick list was not given back")]
    Store(#[from] StoreError),
}

impl UseCases {
    /// Gives a list back of which nothing was picked: other lists may take its lines. One that was
    /// given back stays so.
    ///
    /// # Isolation
    ///
    /// The lines of the list are read before the locks for their products alone: a list has the same lines
    /// for ever. They are read again under the locks of all these products, where alone they change.
    ///
    /// # Errors
    ///
    /// [`ReleasePickListError`], and nothing has changed.
    pub fn release_pick_list(&self, list_id: &PickListId) -> Result<(), ReleasePickListError> {
        self.units.run("release_pick_list", |unit, _| give_back(unit, list_id, &self.origin))?
    }
}

fn give_back(
    unit: &mut dyn UnitOfWork,
    list_id: &PickListId,
    origin: &Origin,
) -> Result<UnitOutcome<Result<(), ReleasePickListError>>, StoreError> {
    let Some((Locked { mut products, .. }, _)) = lock_list(unit, list_id)? else {
        return Ok(UnitOutcome::Rollback(Err(Refusal::NotFound(list_id.clone()).into())));
    };
    match decide(unit, &mut products, |products| products.give_back(list_id))? {
        Ok(GiveBackOutcome::GivenBack(_)) => {
            save_changed(unit, products, origin)?;
            Ok(UnitOutcome::Commit(Ok(())))
        }
        Ok(GiveBackOutcome::Unchanged(_)) => Ok(UnitOutcome::Rollback(Ok(()))),
        Err(Refusal::MoreNeeded(needed)) => Err(StoreError::Failed(needed.into())),
        Err(refusal @ (Refusal::NotFound(_) | Refusal::Picked(_))) => Ok(UnitOutcome::Rollback(Err(refusal.into()))),
    }
}

#[cfg(test)]
mod tests;
