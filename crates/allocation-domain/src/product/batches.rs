//! Adding and removing batches.

use super::Product;
use crate::{AddBatchError, Batch, BatchCounts, BatchReference, Event, NewBatch, Pending, Quantity, RemoveBatchError};
use chrono::{DateTime, Utc};

impl Product {
    /// Adds a batch, and serves the waiting lines from it.
    ///
    /// # Errors
    ///
    /// [`Pending`]; refused when a loaded batch has that reference. Nothing has changed.
    pub fn add_batch(&mut self, new: NewBatch, now: DateTime<Utc>) -> Result<&Batch, Pending<AddBatchError>> {
        self.catch_up(now)?;
        if self.batch(&new.reference).is_some() {
            return Err(Pending::Refused(AddBatchError::AlreadyExists(new.reference)));
        }
        let index = self.atomically(|product| {
            let index = product.insert_batch(new, now);
            product.serve_waiting().map(|()| index)
        })?;
        Ok(&self.batches[index])
    }

    /// Adds a batch without serving lines from it yet, and returns its index.
    pub(super) fn insert_batch(&mut self, new: NewBatch, now: DateTime<Utc>) -> usize {
        let batch = new.added(self.sku.clone(), self.decided_at(now));
        let NewBatch { reference, purchased: purchased_quantity, eta, origin } = new;
        self.note_batch(&reference);
        let index = self.batches.insert(batch);
        let sku = self.sku.clone();
        self.events.push(Event::BatchAdded { reference, sku, purchased_quantity, eta, origin });
        index
    }

    /// Removes a batch without allocations, of which nothing was picked or shipped.
    ///
    /// # Errors
    ///
    /// [`Pending`]; refused when the batch does not exist, or when units of it are allocated, picked or
    /// shipped.
    pub fn remove_batch(
        &mut self,
        reference: &BatchReference,
        now: DateTime<Utc>,
    ) -> Result<(), Pending<RemoveBatchError>> {
        self.catch_up(now)?;
        let index = self.batch_index(reference);
        let index = index.ok_or_else(|| Pending::Refused(RemoveBatchError::NotFound(reference.clone())))?;
        let (BatchCounts { allocated, picked, shipped, .. }, reference) =
            (self.batches[index].counts(), reference.clone());
        if allocated > 0 {
            return Err(Pending::Refused(RemoveBatchError::HasAllocations { reference, allocated }));
        }
        if picked + shipped > 0 {
            return Err(Pending::Refused(RemoveBatchError::Picked { reference, picked, shipped }));
        }
        self.note_batch(&reference);
        let quantity = Quantity::new(self.batches.remove(index).available()).ok().into();
        self.events.push(Event::BatchRemoved { reference, sku: self.sku.clone(), quantity: Some(quantity) });
        Ok(())
    }
}
