use crate::locking::{Locked, lock_batch, up_to_date};
use crate::saving::conclude;
use crate::unit_of_work::{Attempt, UnitOutcome, UnitResult};
use crate::{ExpectedVersions, UseCaseError, UseCases};
use allocation_domain::{self as domain, Batch, BatchReference, BatchVersion};
use allocation_ports::{EventContext, UnitOfWork};

/// The reason why a batch is not removed. Nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum RemoveBatchError {
    /// A rule forbids it.
    #[error(transparent)]
    Refused(#[from] domain::RemoveBatchError),
    /// The batch is at a revision that the caller did not expect.
    #[error("Batch {reference} is in revision {}, and another was expected", .actual.revision)]
    Stale {
        /// The batch.
        reference: BatchReference,
        /// The version of the batch.
        actual: BatchVersion,
    },
}

impl UseCases {
    /// Removes a batch without allocations.
    ///
    /// # Isolation
    ///
    /// The batch with its counters is read under the lock of its product. Its SKU is read before the lock,
    /// and once more when the batch is missing under the lock. Its reference is free for another product
    /// only after this unit commits: a unit that adds a batch with this reference waits for it.
    ///
    /// # Errors
    ///
    /// [`UseCaseError`]; nothing has changed, unless the outcome of the commit is unknown.
    pub fn remove_batch(&self, reference: &BatchReference) -> Result<(), UseCaseError<RemoveBatchError>> {
        self.remove_batch_if(reference, &ExpectedVersions::Any)
    }

    /// Removes a batch without allocations, if its version is one of those expected.
    ///
    /// The version is read from the locked batch: it cannot change before the commit.
    ///
    /// # Errors
    ///
    /// [`UseCaseError`]; nothing has changed, unless the outcome of the commit is unknown.
    pub fn remove_batch_if(
        &self,
        reference: &BatchReference,
        expected: &ExpectedVersions,
    ) -> Result<(), UseCaseError<RemoveBatchError>> {
        self.decide("remove_batch", |unit, attempt| remove(unit, attempt, reference, expected, &self.context))
    }
}

fn remove(
    unit: &mut dyn UnitOfWork,
    attempt: Attempt,
    reference: &BatchReference,
    expected: &ExpectedVersions,
    context: &EventContext,
) -> UnitResult<(), RemoveBatchError> {
    let Some((locked, sku)) = lock_batch(unit, reference, |batch| batch)? else {
        return Ok(UnitOutcome::Rollback(not_found(reference, attempt)));
    };
    let Some(Locked { mut products, now, contexts }) = up_to_date(unit, locked)? else { return Ok(UnitOutcome::Step) };
    let Some(product) = products.get_mut(&sku) else {
        return Ok(UnitOutcome::Rollback(not_found(reference, attempt)));
    };
    if let Some(actual) = product.batch(reference).map(Batch::version).filter(|version| !expected.contains(*version)) {
        return Ok(UnitOutcome::Rollback(Err(RemoveBatchError::Stale { reference: reference.clone(), actual })));
    }
    match unit.decide(product, |product| product.remove_batch(reference, now))? {
        Err(domain::RemoveBatchError::NotFound(reference)) => Ok(UnitOutcome::Rollback(not_found(&reference, attempt))),
        decided => conclude(unit, products, contexts, context, decided.map_err(RemoveBatchError::Refused)),
    }
}

/// Returns the outcome for a missing batch: after an unknown commit, that commit has removed it.
fn not_found(reference: &BatchReference, attempt: Attempt) -> Result<(), RemoveBatchError> {
    if attempt.resolving { Ok(()) } else { Err(domain::RemoveBatchError::NotFound(reference.clone()).into()) }
}

#[cfg(test)]
mod tests;
