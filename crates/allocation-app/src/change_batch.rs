use crate::locking::{Locked, lock_batch, up_to_date};
use crate::saving::conclude;
use crate::unit_of_work::{Attempt, UnitOutcome};
use crate::{ExpectedVersions, UseCaseError, UseCases};
use allocation_domain::{Batch, BatchChange, BatchChanged, BatchReference, BatchVersion, ChangeBatchError};

impl UseCases {
    /// Corrects the purchased units or the ETA of a batch, and adjusts the lines on it.
    ///
    /// If the batch has many lines, [`UseCases::move_lines`] completes the correction. The returned batch
    /// shows the remaining work ([`Batch::moving`]).
    ///
    /// # Isolation
    ///
    /// The batch with its revision, its lines, other batches and the backorders are read under the lock of
    /// their product. The SKU of the batch is read before the lock, and once more when the batch is missing
    /// under the lock.
    ///
    /// # Errors
    ///
    /// [`UseCaseError`]; nothing has changed, unless the outcome of the commit is unknown.
    pub fn change_batch(
        &self,
        reference: &BatchReference,
        change: &BatchChange,
    ) -> Result<BatchChanged, UseCaseError<ChangeBatchError>> {
        let not_found = || Ok(UnitOutcome::Rollback(Err(ChangeBatchError::NotFound(reference.clone()))));
        self.decide("change_batch", |unit, attempt| {
            let Some((locked, sku)) = lock_batch(unit, reference, |batch| batch)? else { return not_found() };
            let Some(Locked { mut products, now, contexts }) = up_to_date(unit, locked)? else {
                return Ok(UnitOutcome::Step);
            };
            let Some(product) = products.get_mut(&sku) else { return not_found() };
            match unit.decide(product, |product| product.change_batch(reference, change, now))? {
                Ok(changed) => conclude(unit, products, contexts, &self.context, Ok(changed)),
                Err(refusal) => Ok(UnitOutcome::Rollback(resolved(refusal, attempt, change, product.batch(reference)))),
            }
        })
    }

    /// Corrects a batch like [`UseCases::change_batch`], if its version is one of those expected.
    ///
    /// # Errors
    ///
    /// [`UseCaseError`]; nothing has changed, unless the outcome of the commit is unknown.
    pub fn change_batch_if(
        &self,
        reference: &BatchReference,
        change: BatchChange,
        expected: &ExpectedVersions,
    ) -> Result<BatchChanged, UseCaseError<ChangeBatchError>> {
        let mut change = BatchChange { expected: expected.newest(), ..change };
        loop {
            match self.change_batch(reference, &change) {
                // Versions only grow, so each of a list is tried at most once.
                Err(UseCaseError::Refused(ChangeBatchError::Stale { actual, .. }))
                    if expected.contains(actual) && change.expected != Some(actual) =>
                {
                    change.expected = Some(actual);
                }
                done => return done,
            }
        }
    }
}

/// Returns the decision on a rejected change.
///
/// A change that is stale after an unknown commit, but already made, was made by that commit. The histories
/// of the affected lines have the details.
fn resolved(
    refusal: ChangeBatchError,
    attempt: Attempt,
    change: &BatchChange,
    batch: Option<&Batch>,
) -> Result<BatchChanged, ChangeBatchError> {
    let next =
        |version: BatchVersion| version.revision.checked_add(1).map(|revision| BatchVersion { revision, ..version });
    match (refusal, batch) {
        (ChangeBatchError::Stale { expected, actual, .. }, Some(batch))
            if attempt.resolving && next(expected) == Some(actual) && change.is_made(batch) =>
        {
            Ok(BatchChanged { batch: batch.clone(), affected: Vec::new(), displaced: Vec::new() })
        }
        (refusal, _) => Err(refusal),
    }
}

#[cfg(test)]
mod tests;
