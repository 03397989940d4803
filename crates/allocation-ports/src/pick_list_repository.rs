use crate::StoreError;
use allocation_domain::{NewPickList, OrderId, PickLine, PickLineId, PickList, PickListId, Sku};
use chrono::{DateTime, Utc};

/// A pick list as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPickList {
    /// The list with its lines.
    pub list: PickList,
    /// When it was made, in microseconds.
    pub created_at: DateTime<Utc>,
}

/// The pick lists, within a unit of work.
///
/// Their lines change with the products of their SKUs, under the locks of these; a list has no lock
/// of its own.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait PickListRepository {
    /// Order lines that a new list can take, as far as can be told without locks: those that hold
    /// firmly units in stock which are on no list, and that are among what the list asks for. Each
    /// once, sorted by SKU.
    ///
    /// They MUST include all lines that the list would take if nobody else did anything meanwhile:
    /// the first ones by batch, then in the order in which lines are served, as many as the list
    /// may have. The cost MUST NOT grow with allocations that were picked.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn candidates(&mut self, list: &NewPickList) -> Result<Vec<(Sku, OrderId)>, StoreError>;

    /// A list with its lines as they are stored.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn find(&mut self, list_id: &PickListId) -> Result<Option<StoredPickList>, StoreError>;

    /// A line of a list as it is stored.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn find_line(&mut self, id: &PickLineId) -> Result<Option<PickLine>, StoreError>;

    /// Adds a list that was made at `at`. Its lines are saved with their products.
    ///
    /// # Errors
    ///
    /// MUST be [`StoreError::Conflict`] when there is a list of that name.
    fn add(&mut self, list_id: &PickListId, at: DateTime<Utc>) -> Result<(), StoreError>;
}
