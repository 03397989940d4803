use crate::{OrderRepository, PickListRepository, ProductRepository, StoreError};

/// How long a unit of work may wait for what others hold: a lock, a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockWait {
    /// Some seconds at most.
    Usual,
    /// A tenth of a second at most: to find out quickly who is held up.
    Short,
    /// Some seconds at most for a connection, or for the only writer of a database that has one; a
    /// twentieth of a second for a product.
    Brief,
}

/// Begins units of work.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait UnitOfWorkFactory: Send + Sync {
    /// Begins a unit that reads and writes.
    ///
    /// # Errors
    ///
    /// MUST be [`StoreError::Busy`] when no connection becomes free in time, and
    /// [`StoreError::Unavailable`] when the database cannot be reached. A statement of the unit
    /// that waits longer than `wait` for a lock MUST fail with [`StoreError::Busy`].
    fn begin(&self, wait: LockWait) -> Result<Box<dyn UnitOfWork>, StoreError>;
}

/// All or nothing: what is done through its repositories is stored by `commit`, or not at all.
///
/// Dropping a unit MUST roll it back.
pub trait UnitOfWork {
    /// The products, as this unit sees them.
    fn products(&mut self) -> &mut dyn ProductRepository;

    /// The orders, as this unit sees them.
    fn orders(&mut self) -> &mut dyn OrderRepository;

    /// The pick lists, as this unit sees them.
    fn pick_lists(&mut self) -> &mut dyn PickListRepository;

    /// Stores what was done.
    ///
    /// # Errors
    ///
    /// MUST be [`StoreError::OutcomeUnknown`] when the reply to the commit is lost. After any other
    /// error nothing MUST be stored. After `Ok`, all MUST be on disk.
    fn commit(self: Box<Self>) -> Result<(), StoreError>;
}
