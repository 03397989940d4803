use crate::StoreError;
use allocation_domain::{BatchReference, FirstToLeave, Sku};

/// Finds batches whose lines are still being moved after a correction, without locks.
pub trait MovingBatches: Send + Sync {
    /// Returns at most `limit` batches after `after`, by SKU and reference, whose lines are still being
    /// moved ([`Batch::moving`](allocation_domain::Batch::moving)). The cost MUST NOT grow with other batches.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn moving_batches(
        &self,
        after: Option<(Sku, BatchReference)>,
        limit: u16,
    ) -> Result<Vec<(Sku, BatchReference)>, StoreError>;

    /// Returns the first line to leave a batch when lines with `units` units leave it. Adds up the lines of
    /// the batch from the last one on, without locks; each statement MUST have a bound in rows. If the
    /// lines hold fewer units, all of them leave. Returns `None` if there are none.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn first_to_leave(&self, reference: &BatchReference, units: u32) -> Result<Option<FirstToLeave>, StoreError>;
}
