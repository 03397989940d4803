use crate::StoreError;
use allocation_domain::{BatchReference, CountId, CountScope, Sku, StockCount};

/// The counts of stock, within a unit of work.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait StockCounts {
    /// Returns the batches that a count has lines of, at most `limit`: of SKUs those with units in stock, of named ones
    /// those that are in stock.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn countable(&mut self, scope: &CountScope, limit: usize) -> Result<Vec<(Sku, BatchReference)>, StoreError>;

    /// Returns a batch of these that is in an open count, with the id of the count; `None` if there is none.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn counted(&mut self, references: &[BatchReference]) -> Result<Option<(BatchReference, CountId)>, StoreError>;

    /// Returns a count.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn find(&mut self, count_id: &CountId) -> Result<Option<StockCount>, StoreError>;

    /// Returns a count, which no other unit of work changes until this one ends. Products are locked before.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails or is busy.
    fn lock(&mut self, count_id: &CountId) -> Result<Option<StockCount>, StoreError>;

    /// Adds a count, which is open until it is saved as closed or removed.
    ///
    /// # Errors
    ///
    /// MUST be [`StoreError::Conflict`] when a count of that id exists already, or one of its batches is in an open
    /// count.
    fn add(&mut self, count: &StockCount) -> Result<(), StoreError>;

    /// Saves a count that this unit has locked.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn save(&mut self, count: &StockCount) -> Result<(), StoreError>;

    /// Removes a count that this unit has locked.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn remove(&mut self, count_id: &CountId) -> Result<(), StoreError>;
}
