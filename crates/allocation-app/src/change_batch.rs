use crate::UseCases;
use crate::deciding::decide;
use crate::locking::{Locked, lock_batch, up_to_date};
use crate::saving::save_changed;
use crate::unit_of_work::{Attempt, UnitOutcome};
use allocation_domain::{Batch, BatchChange, BatchChanged, BatchReference, BatchVersion, ChangeBatchError as Refusal};
use allocation_ports::{EventContext, StoreError, UnitOfWork};

/// The reason why a batch is not changed. Nothing has changed.
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
    /// Corrects the purchased units or the ETA of a batch, and adjusts the lines on it.
    ///
    /// If the batch has many lines, [`UseCases::move_lines`] completes the correction, and the returned
    /// batch says so.
    ///
    /// # Isolation
    ///
    /// The batch with its revision, its lines, other batches and the backorders are read under the lock of
    /// their product. The SKU of the batch is read before the lock, and once more when the batch is missing
    /// under the lock.
    ///
    /// # Errors
    ///
    /// [`ChangeBatchError`], and nothing has changed.
    pub fn change_batch(
        &self,
        reference: &BatchReference,
        change: &BatchChange,
    ) -> Result<BatchChanged, ChangeBatchError> {
        self.units.run("change_batch", |unit, attempt| correct(unit, attempt, reference, change, &self.context))?
    }
}

type Decision = Result<BatchChanged, ChangeBatchError>;

fn correct(
    unit: &mut dyn UnitOfWork,
    attempt: Attempt,
    reference: &BatchReference,
    change: &BatchChange,
    context: &EventContext,
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
            save_changed(unit, products, context)?;
            Ok(UnitOutcome::Commit(Ok(changed)))
        }
        Err(Refusal::MoreNeeded(needed)) => Err(StoreError::Failed(needed.into())),
        Err(refusal) => Ok(UnitOutcome::Rollback(settled(refusal, attempt, change, product.batch(reference)))),
    }
}

/// Returns the decision on a rejected change.
///
/// A change that is stale after an unknown commit, but already made, was made by that commit. The histories
/// of the affected lines have the details.
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
