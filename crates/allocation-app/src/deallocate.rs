use crate::locking::{Locked, lock_batch, up_to_date};
use crate::saving::conclude;
use crate::unit_of_work::UnitOutcome;
use crate::{UseCaseError, UseCases};
use allocation_domain::{BatchReference, DeallocateError, OrderId};
use allocation_ports::LockRequest;

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
    /// [`UseCaseError`]; nothing has changed, unless the outcome of the commit is unknown.
    pub fn deallocate(
        &self,
        order_id: &OrderId,
        reference: &BatchReference,
    ) -> Result<(), UseCaseError<DeallocateError>> {
        let not_found = || Ok(UnitOutcome::Rollback(Err(DeallocateError::BatchNotFound(reference.clone()))));
        let with_line = |batch| LockRequest { order_ids: vec![order_id.clone()], ..batch };
        self.decide("deallocate", |unit, attempt| {
            let Some((locked, sku)) = lock_batch(unit, reference, with_line)? else { return not_found() };
            let Some(Locked { mut products, now, contexts }) = up_to_date(unit, locked)? else {
                return Ok(UnitOutcome::Step);
            };
            let Some(product) = products.get_mut(&sku) else { return not_found() };
            match unit.decide(product, |product| product.deallocate(order_id, reference, now))? {
                // An allocation that is missing after an unknown commit was released by that commit.
                Err(DeallocateError::AllocationNotFound { .. }) if attempt.resolving => {
                    Ok(UnitOutcome::Rollback(Ok(())))
                }
                decided => conclude(unit, products, contexts, &self.context, decided.map(drop)),
            }
        })
    }
}

#[cfg(test)]
mod tests;
