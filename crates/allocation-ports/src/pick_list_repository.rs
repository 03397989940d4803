use crate::StoreError;
use allocation_domain::{NewPickList, PickLine, PickLineId, PickList, PickListId};
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
    /// A list with its lines as they are stored.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn find(&mut self, list_id: &PickListId) -> Result<Option<StoredPickList>, StoreError>;

    /// What a list was asked to be made of.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn asked(&mut self, list_id: &PickListId) -> Result<Option<NewPickList>, StoreError>;

    /// A line of a list as it is stored.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn find_line(&mut self, id: &PickLineId) -> Result<Option<PickLine>, StoreError>;

    /// Adds a list that was made at `at`, as it was asked for. Its lines are saved with their products, in
    /// the order of their numbers: two units that make lists of one name never wait for each other in a
    /// circle.
    ///
    /// # Errors
    ///
    /// MUST be [`StoreError::Conflict`] when there is a list of that name.
    fn add(&mut self, list: &NewPickList, at: DateTime<Utc>) -> Result<(), StoreError>;
}
