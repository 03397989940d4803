use crate::UseCases;
use crate::deciding::decide;
use crate::locking::{Locked, lock_batch, up_to_date};
use crate::saving::save_changed;
use crate::unit_of_work::{Attempt, UnitOutcome};
use allocation_domain::{Batch, BatchChange, BatchChanged, BatchReference, BatchVersion, ChangeBatchError as Refusal};
use allocation_ports::{Origin, StoreError, UnitOfWork};

/// Why a batch is not changed. Nothing has changed then.
#[derive(Debug, thiserror::Error)]
pub enum ChangeBatchError {
    /// A rule forbids it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store failed.
    #[error("the batch was not changed")]
    Store(#[from] StoreError),
}

impl UseCases {
    /// Corrects what was purchased of a batch, or when it comes, with the lines on it. Of a batch with
    /// many lines, the rest is left to [`UseCases::move_lines`]: the batch says so.
    ///
    /// # Isolation
    ///
    /// The batch with its revision, the lines on it, other batches and the queue are read under the lock of
    /// their product. The SKU of the batch is read before, and once more when the batch is not there under
    /// the lock.
    ///
    /// # Errors
    ///
    /// [`ChangeBatchError`], and nothing has changed.
    pub fn change_batch(
        &self,
        reference: &BatchReference,
        change: &BatchChange,
    ) -> Result<BatchChanged, ChangeBatchError> {
        self.units.run("change_batch", |unit, attempt| correct(unit, attempt, reference, change, &self.origin))?
    }
}

type Decision = Result<BatchChanged, ChangeBatchError>;

fn correct(
    unit: &mut dyn UnitOfWork,
    attempt: Attempt,
    reference: &BatchReference,
    change: &BatchChange,
    origin: &Origin,
) -> Result<UnitOutcome<Decision>, StoreError> {
    let not_found = || Ok(UnitOutcome::Rollback(Err(Refusal::NotFound(reference.clone()).into())));
    let Some((locked, sku)) = lock_batch(unit, reference, |batch| batch)? else {
        return not_found();
    };
    let Some(Locked { mut products, now }) = up_to_date(unit, locked)? else { return Ok(UnitOutcome::Step) };
    let Some(product) = products.get_mut(&sku) else { return not_found() };
    match decide(unit, product, |product| product.change_batch(reference, change, now))? {
        Ok(changed) if !product.has_changed() => Ok(UnitOutcome::Rollback(Ok(changed))),
        Ok(changed) => {
            save_changed(unit, products, origin)?;
            Ok(UnitOutcome::Commit(Ok(changed)))
        }
        Err(Refusal::MoreNeeded(needed)) => Err(StoreError::Failed(needed.into())),
        Err(refusal) => Ok(UnitOutcome::Rollback(settled(refusal, attempt, change, product.batch(reference)))),
    }
}

/// A change that is refused as stale after a commit of unknown outcome, and is made, was made by that
/// commit. Which lines it affected is in their histories.
fn settled(refusal: Refusal, attempt: Attempt, change: &BatchChange, batch: Option<&Batch>) -> Decision {
    let next =
        |version: BatchVersion| version.revision.checked_add(1).map(|revision| BatchVersion { revision, ..version });
    match (refusal, batch) {
        (Refusal::Stale { expected, actual, .. }, Some(batch))
            if attempt.resolving && next(expected) == Some(actual) && change.is_made(batch) =>
        {
            Ok(BatchChanged { batch: batch.clone(), affected: Vec::new(), displaced: Vec::new() })
        }
        (refusal, _) => Err(refusal.into()),
    }
}

#[cfg(test)]
mod tests;
