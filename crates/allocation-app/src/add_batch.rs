use crate::locking::{Locked, lock_or_create, not_created, up_to_date};
use crate::saving::conclude;
use crate::unit_of_work::{Attempt, UnitOutcome};
use crate::{UseCaseError, UseCases};
use allocation_domain::{AddBatchError, Batch, NewBatch, Outcome, Sku};
use allocation_ports::FoundBatch;

impl UseCases {
    /// Adds a batch and allocates it to backorders; adding the same batch again changes nothing.
    ///
    /// # Isolation
    ///
    /// Backorders are read under the lock of the product. An existing batch with this reference is locked
    /// with this product, or belongs to another and is rejected as of the lookup. A new reference is
    /// claimed by a unique key. Of two units that add it, one conflicts, runs again and finds it. The
    /// values that identify a repeat never change.
    ///
    /// # Errors
    ///
    /// [`UseCaseError`]; nothing has changed, unless the outcome of the commit is unknown.
    /// [`AddBatchError::AlreadyExists`] if another batch has the reference.
    pub fn add_batch(&self, sku: &Sku, new: &NewBatch) -> Result<Outcome<Batch>, UseCaseError<AddBatchError>> {
        self.decide("add_batch", |unit, attempt| {
            let locked = lock_or_create(unit, sku)?;
            let Some(Locked { mut products, now, contexts }) = up_to_date(unit, locked)? else {
                return Ok(UnitOutcome::Step);
            };
            if let Some(existing) = unit.products().find_batch(&new.reference)? {
                return Ok(UnitOutcome::Rollback(repeated(sku, new, existing, attempt)));
            }
            let product = products.get_mut(sku).ok_or_else(|| not_created(sku))?;
            let decided = unit.decide(product, |product| product.add_batch(new.clone(), now).cloned())?;
            conclude(unit, products, contexts, &self.context, decided.map(Outcome::Changed))
        })
    }
}

/// A batch that exists after an unknown commit was added by that commit.
fn repeated(
    sku: &Sku,
    new: &NewBatch,
    existing: FoundBatch,
    attempt: Attempt,
) -> Result<Outcome<Batch>, AddBatchError> {
    let FoundBatch { batch, added_quantity, added_eta } = existing;
    // The values it was added with identify a repeat, whatever purchasing has corrected since.
    let added = (batch.sku(), added_quantity, added_eta, batch.origin());
    if added != (sku, new.purchased.into(), new.eta, new.origin.as_ref()) {
        return Err(AddBatchError::AlreadyExists(new.reference.clone()));
    }
    Ok(if attempt.resolving { Outcome::Changed(batch) } else { Outcome::Unchanged(batch) })
}

#[cfg(test)]
mod tests;
