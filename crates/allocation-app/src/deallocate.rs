use crate::UseCases;
use crate::deciding::decide;
use crate::locking::{Locked, lock_batch, up_to_date};
use crate::saving::save_changed;
use crate::unit_of_work::{Attempt, UnitOutcome};
use allocation_domain::{BatchReference, DeallocateError as Refusal, OrderId};
use allocation_ports::{EventContext, LockRequest, StoreError, UnitOfWork};

/// The reason why a line is not deallocated. Nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum DeallocateError {
    /// A rule forbids it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store failed.
    #[error("the line was not deallocated")]
    Store(#[from] StoreError),
}

impl UseCases {
    /// Releases the units that an order holds in a batch and allocates them to backorders.
    ///
    /// # Isolation
    ///
    /// The batch, the line, its pick lines and the backorders are read under the lock of their product. The
    /// SKU of the batch is read before the lock, and once more when the batch is missing under the lock. A
    /// removed line may be the anchor of its order: the store then waits for units that add other lines to
    /// the order.
    ///
    /// # Errors
    ///
    /// [`DeallocateError`], and nothing has changed.
    pub fn deallocate(&self, order_id: &OrderId, reference: &BatchReference) -> Result<(), DeallocateError> {
        self.units.run("deallocate", |unit, attempt| free(unit, attempt, order_id, reference, &self.context))?
    }
}

fn free(
    unit: &mut dyn UnitOfWork,
    attempt: Attempt,
    order_id: &OrderId,
    reference: &BatchReference,
    context: &EventContext,
) -> Result<UnitOutcome<Result<(), DeallocateError>>, StoreError> {
    let not_found = || Ok(UnitOutcome::Rollback(Err(Refusal::BatchNotFound(reference.clone()).into())));
    let with_line = |batch| LockRequest { order_ids: vec![order_id.clone()], ..batch };
    let Some((locked, sku)) = lock_batch(unit, reference, with_line)? else {
        return not_found();
    };
    let Some(Locked { mut products, now }) = up_to_date(unit, locked)? else { return Ok(UnitOutcome::Step) };
    let Some(product) = products.get_mut(&sku) else { return not_found() };
    match decide(unit, product, |product| product.deallocate(order_id, reference, now))? {
        Ok(_) => {
            save_changed(unit, products, context)?;
            Ok(UnitOutcome::Commit(Ok(())))
        }
        // An allocation that is missing after an unknown commit was released by that commit.
        Err(Refusal::AllocationNotFound { .. }) if attempt.resolving => Ok(UnitOutcome::Rollback(Ok(()))),
        Err(Refusal::MoreNeeded(needed)) => Err(StoreError::Failed(needed.into())),
        Err(refusal @ (Refusal::BatchNotFound(_) | Refusal::AllocationNotFound { .. } | Refusal::Picked { .. })) => {
            Ok(UnitOutcome::Rollback(Err(refusal.into())))
        }
    }
}

#[cfg(test)]
mod tests;
