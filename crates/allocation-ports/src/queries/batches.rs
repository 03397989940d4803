use crate::{PageSize, StoreError};
use allocation_domain::{Batch, BatchReference, Sku};
use chrono::{DateTime, NaiveDate, Utc};

/// Which batches to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BatchFilter {
    /// Only batches of this SKU.
    pub sku: Option<Sku>,
}

/// The position of a batch in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchCursor {
    /// When the batch was added.
    pub added_at: DateTime<Utc>,
    /// Its reference.
    pub reference: BatchReference,
}

impl From<&Batch> for BatchCursor {
    fn from(batch: &Batch) -> Self {
        Self { added_at: batch.added_at(), reference: batch.reference().clone() }
    }
}

/// The position of a batch in the list of overdue batches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverdueCursor {
    /// The day on which the batch was expected.
    pub eta: NaiveDate,
    /// When the batch was added.
    pub added_at: DateTime<Utc>,
    /// Its reference.
    pub reference: BatchReference,
}

impl From<&Batch> for OverdueCursor {
    /// Orders a batch in stock, which is never overdue, before all others.
    fn from(batch: &Batch) -> Self {
        let eta = batch.eta().date().unwrap_or(NaiveDate::MIN);
        Self { eta, added_at: batch.added_at(), reference: batch.reference().clone() }
    }
}

/// Reads batches.
pub trait BatchQueries: Send + Sync {
    /// Returns a batch.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn batch(&self, reference: &BatchReference, now: DateTime<Utc>) -> Result<Option<Batch>, StoreError>;

    /// Returns the batches after `after`, by the time at which they were added, then by reference.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn batches(
        &self,
        filter: &BatchFilter,
        after: Option<BatchCursor>,
        page: PageSize,
        now: DateTime<Utc>,
    ) -> Result<Vec<Batch>, StoreError>;

    /// Returns the overdue batches after `after`: batches expected before `today` that have not been
    /// received. They are ordered by ETA, then by the time at which they were added, then by reference. The
    /// cost of a page MUST NOT grow with the batches that are not overdue.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn overdue_batches(
        &self,
        filter: &BatchFilter,
        today: NaiveDate,
        after: Option<OverdueCursor>,
        page: PageSize,
        now: DateTime<Utc>,
    ) -> Result<Vec<Batch>, StoreError>;
}
