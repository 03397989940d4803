use crate::{OrderRepository, PickListRepository, ProductRepository, StockCounts, StockDocuments, StoreError};

/// How long a unit of work may wait for a lock or for a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockWait {
    /// At most a few seconds.
    Usual,
    /// At most a tenth of a second, so that contention shows early.
    Short,
    /// At most a few seconds for a connection, or for the single writer of a database that has only one; at
    /// most a twentieth of a second for a lock on a product.
    Brief,
}

/// Begins units of work.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait UnitOfWorkFactory: Send + Sync {
    /// Begins a read-write unit.
    ///
    /// # Errors
    ///
    /// MUST be [`StoreError::Busy`] when no connection becomes free in time, and
    /// [`StoreError::Unavailable`] when the database cannot be reached. A statement of the unit
    /// that waits longer than `wait` for a lock MUST fail with [`StoreError::Busy`].
    fn begin(&self, wait: LockWait) -> Result<Box<dyn UnitOfWork>, StoreError>;
}

/// One transaction: `commit` stores all changes made through its repositories, or none of them.
///
/// Dropping a unit MUST roll it back.
pub trait UnitOfWork {
    /// Returns the products as this unit sees them.
    fn products(&mut self) -> &mut dyn ProductRepository;

    /// Returns the orders as this unit sees them.
    fn orders(&mut self) -> &mut dyn OrderRepository;

    /// Returns the pick lists as this unit sees them.
    fn pick_lists(&mut self) -> &mut dyn PickListRepository;

    /// Returns the stock documents as this unit sees them.
    fn documents(&mut self) -> &mut dyn StockDocuments;

    /// Returns the counts of stock as this unit sees them.
    fn counts(&mut self) -> &mut dyn StockCounts;

    /// Commits the changes.
    ///
    /// # Errors
    ///
    /// MUST be [`StoreError::OutcomeUnknown`] when the reply to the commit is lost. Any other error
    /// MUST leave nothing stored. After `Ok`, every change MUST be on disk.
    fn commit(self: Box<Self>) -> Result<(), StoreError>;
}
