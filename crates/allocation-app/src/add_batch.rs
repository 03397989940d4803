use crate::UseCases;
use crate::unit_of_work::{Attempt, Ending};
use allocation_domain::{Batch, BatchReference, Eta, Quantity, Sku};
use allocation_ports::{Clock, StoreError, UnitOfWork, Wanted};

/// A batch that purchasing has ordered or the warehouse has received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBatch {
    /// The name of the batch.
    pub reference: BatchReference,
    /// What it holds.
    pub sku: Sku,
    /// How many units were purchased.
    pub purchased: Quantity,
    /// When it can be picked from.
    pub eta: Eta,
}

/// What came of adding a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AddBatchOutcome {
    /// The batch is new.
    Added(Batch),
    /// The same batch was there already; this is what became of it.
    Unchanged(Batch),
}

/// Why a batch is not added. Nothing has changed then.
#[derive(Debug, thiserror::Error)]
pub enum AddBatchError {
    /// Another batch has that reference.
    #[error("Batch {0} exists already with other content")]
    AlreadyExists(BatchReference),
    /// The store failed.
    #[error("the batch was not added")]
    Store(#[from] StoreError),
}

impl UseCases {
    /// Adds a batch; adding the same batch again changes nothing.
    ///
    /// # Errors
    ///
    /// [`AddBatchError`], and nothing has changed.
    pub fn add_batch(&self, new: &NewBatch) -> Result<AddBatchOutcome, AddBatchError> {
        self.units.run("add_batch", |unit, attempt| add(unit, attempt, new, &*self.clock))?
    }
}

type Decision = Result<AddBatchOutcome, AddBatchError>;

fn add(
    unit: &mut dyn UnitOfWork,
    attempt: Attempt,
    new: &NewBatch,
    clock: &dyn Clock,
) -> Result<Ending<Decision>, StoreError> {
    let wanted = Wanted { create: true, ..Wanted::product(new.sku.clone()) };
    let mut products = unit.products().lock(&[wanted])?;
    // Read under the lock, so that the batches of a SKU are listed in the order of their commits.
    let now = clock.now();
    if let Some(existing) = unit.products().find_batch(&new.reference)? {
        return Ok(Ending::Rollback(repeated(new, existing, attempt)));
    }
    let added = products
        .iter_mut()
        .find_map(|product| product.add_batch(new.reference.clone(), new.purchased, new.eta, now).ok().cloned());
    let Some(batch) = added else {
        return Ok(Ending::Rollback(Err(AddBatchError::AlreadyExists(new.reference.clone()))));
    };
    unit.products().save(&products, now)?;
    Ok(Ending::Commit(Ok(AddBatchOutcome::Added(batch))))
}

/// A batch that is there after a commit of unknown outcome was added by that commit.
fn repeated(new: &NewBatch, existing: Batch, attempt: Attempt) -> Decision {
    let asked = Batch::new(new.reference.clone(), new.sku.clone(), new.purchased, new.eta, existing.added_at());
    if !existing.same_purchase(&asked) {
        return Err(AddBatchError::AlreadyExists(new.reference.clone()));
    }
    Ok(if attempt.settling { AddBatchOutcome::Added(existing) } else { AddBatchOutcome::Unchanged(existing) })
}

#[cfg(test)]
mod tests;
