//! Batches that come and go.

use super::Product;
use crate::{AddBatchError, Batch, BatchReference, Eta, Event, Quantity, RemoveBatchError};
use chrono::{DateTime, Utc};

impl Product {
    /// Adds a batch, and serves the lines that wait with it.
    ///
    /// # Errors
    ///
    /// [`AddBatchError`] when a batch at hand has that reference, or more is needed to tell who
    /// gets the units; and nothing has changed.
    pub fn add_batch(
        &mut self,
        reference: BatchReference,
        purchased: Quantity,
        eta: Eta,
        added_at: DateTime<Utc>,
    ) -> Result<&Batch, AddBatchError> {
        self.release_expired(added_at)?;
        if self.batch(&reference).is_some() {
            return Err(AddBatchError::AlreadyExists(reference));
        }
        let batch = Batch::new(reference.clone(), self.sku.clone(), purchased, eta, added_at);
        let preference = batch.preference();
        let place = self.batches.partition_point(|other| other.preference() < preference);
        self.as_one(|product| {
            product.batches.insert(place, batch);
            let sku = product.sku.clone();
            product.events.push(Event::BatchAdded { reference, sku, purchased_quantity: purchased, eta });
            product.serve_waiting()
        })?;
        Ok(&self.batches[place])
    }

    /// Removes a batch of which nothing is allocated.
    ///
    /// # Errors
    ///
    /// [`RemoveBatchError`] when there is no such batch, lines hold units of it, or more is needed
    /// to tell what becomes of holds that have expired.
    pub fn remove_batch(&mut self, reference: &BatchReference, now: DateTime<Utc>) -> Result<(), RemoveBatchError> {
        self.release_expired(now)?;
        let place = self.place(reference).ok_or_else(|| RemoveBatchError::NotFound(reference.clone()))?;
        let allocated = self.batches[place].allocated();
        if allocated > 0 {
            return Err(RemoveBatchError::HasAllocations { reference: reference.clone(), allocated });
        }
        self.batches.remove(place);
        self.events.push(Event::BatchRemoved { reference: reference.clone(), sku: self.sku.clone() });
        Ok(())
    }
}
