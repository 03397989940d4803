use crate::UseCases;
use crate::deciding::decide;
use crate::locking::{Locked, lock, up_to_date};
use crate::saving::save_changed;
use crate::unit_of_work::{Attempt, UnitOutcome};
use allocation_domain::{AddBatchError as Refusal, Batch, BatchReference, Eta, Quantity, Sku};
use allocation_ports::{EventContext, FoundBatch, LockRequest, StoreError, UnitOfWork};

/// A batch that purchasing has ordered or the warehouse has received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBatch {
    /// The reference of the batch.
    pub reference: BatchReference,
    /// The SKU of its units.
    pub sku: Sku,
    /// The number of units purchased.
    pub purchased: Quantity,
    /// The date from which it can be picked, or in stock.
    pub eta: Eta,
}

/// The outcome of adding a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AddBatchOutcome {
    /// The batch is new.
    Added(Batch),
    /// The same batch was added before; this is its current state.
    Unchanged(Batch),
}

/// The reason why a batch is not added. Nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum AddBatchError {
    /// Another batch has this reference.
    #[error("Batch {0} exists already with other content")]
    AlreadyExists(BatchReference),
    /// The store failed.
    #[error("the batch was not added")]
    Store(#[from] StoreError),
}

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
    /// [`AddBatchError`], and nothing has changed.
    pub fn add_batch(&self, new: &NewBatch) -> Result<AddBatchOutcome, AddBatchError> {
        self.units.run("add_batch", |unit, attempt| add(unit, attempt, new, &self.context))?
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the store has not made the product {0}")]
struct NotCreated(Sku);

type Decision = Result<AddBatchOutcome, AddBatchError>;

fn add(
    unit: &mut dyn UnitOfWork,
    attempt: Attempt,
    new: &NewBatch,
    context: &EventContext,
) -> Result<UnitOutcome<Decision>, StoreError> {
    let wanted = LockRequest { create: true, ..LockRequest::product(new.sku.clone()) };
    let locked = lock(unit, &[wanted])?;
    let Some(Locked { mut products, now }) = up_to_date(unit, locked)? else { return Ok(UnitOutcome::Step) };
    if let Some(existing) = unit.products().find_batch(&new.reference)? {
        return Ok(UnitOutcome::Rollback(repeated(new, existing, attempt)));
    }
    let Some(product) = products.get_mut(&new.sku) else {
        return Err(StoreError::Failed(NotCreated(new.sku.clone()).into()));
    };
    let decision = decide(unit, product, |product| {
        product.add_batch(new.reference.clone(), new.purchased, new.eta, now).cloned()
    })?;
    let batch = match decision {
        Ok(batch) => batch,
        Err(Refusal::AlreadyExists(reference)) => {
            return Ok(UnitOutcome::Rollback(Err(AddBatchError::AlreadyExists(reference))));
        }
        Err(Refusal::MoreNeeded(needed)) => return Err(StoreError::Failed(needed.into())),
    };
    save_changed(unit, products, context)?;
    Ok(UnitOutcome::Commit(Ok(AddBatchOutcome::Added(batch))))
}

/// A batch that exists after an unknown commit was added by that commit.
fn repeated(new: &NewBatch, existing: FoundBatch, attempt: Attempt) -> Decision {
    let FoundBatch { batch, added_quantity, added_eta } = existing;
    // The values it was added with identify a repeat, whatever purchasing has corrected since.
    if (batch.sku(), added_quantity, added_eta) != (&new.sku, new.purchased.into(), new.eta) {
        return Err(AddBatchError::AlreadyExists(new.reference.clone()));
    }
    Ok(if attempt.resolving { AddBatchOutcome::Added(batch) } else { AddBatchOutcome::Unchanged(batch) })
}

#[cfg(test)]
mod tests;
