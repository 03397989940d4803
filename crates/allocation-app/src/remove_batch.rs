use crate::UseCases;
use crate::deciding::decide;
use crate::locking::{Locked, lock};
use crate::saving::save_changed;
use crate::unit_of_work::{Attempt, Ending};
use allocation_domain::{BatchReference, RemoveBatchError as Refusal};
use allocation_ports::{Origin, StoreError, UnitOfWork, Wanted};

/// Why a batch is not removed. Nothing has changed then.
#[derive(Debug, thiserror::Error)]
pub enum RemoveBatchError {
    /// A rule forbids it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store failed.
    #[error("the batch was not removed")]
    Store(#[from] StoreError),
}

impl UseCases {
    /// Removes a batch of which nothing is allocated.
    ///
    /// # Errors
    ///
    /// [`RemoveBatchError`], and nothing has changed.
    pub fn remove_batch(&self, reference: &BatchReference) -> Result<(), RemoveBatchError> {
        self.units.run("remove_batch", |unit, attempt| remove(unit, attempt, reference, &self.origin))?
    }
}

fn remove(
    unit: &mut dyn UnitOfWork,
    attempt: Attempt,
    reference: &BatchReference,
    origin: &Origin,
) -> Result<Ending<Result<(), RemoveBatchError>>, StoreError> {
    let Some(sku) = unit.products().sku_of(reference)? else {
        return Ok(Ending::Rollback(not_found(reference, attempt)));
    };
    let wanted = Wanted { batches: vec![reference.clone()], ..Wanted::product(sku.clone()) };
    let Locked { mut products, now } = lock(unit, &[wanted])?;
    let Some(product) = products.get_mut(&sku) else {
        return Ok(Ending::Rollback(not_found(reference, attempt)));
    };
    match decide(unit, product, |product| product.remove_batch(reference, now))? {
        Ok(()) => {
            save_changed(unit, products, origin)?;
            Ok(Ending::Commit(Ok(())))
        }
        Err(Refusal::NotFound(reference)) => Ok(Ending::Rollback(not_found(&reference, attempt))),
        Err(Refusal::MoreNeeded(needed)) => Err(StoreError::Failed(needed.into())),
        Err(refusal @ (Refusal::HasAllocations { .. } | Refusal::Picked { .. })) => {
            Ok(Ending::Rollback(Err(refusal.into())))
        }
    }
}

/// A batch that is gone after a commit of unknown outcome was removed by that commit.
fn not_found(reference: &BatchReference, attempt: Attempt) -> Result<(), RemoveBatchError> {
    if attempt.settling { Ok(()) } else { Err(Refusal::NotFound(reference.clone()).into()) }
}

#[cfg(test)]
mod tests;
