use crate::StoreError;
use allocation_domain::{NewPickList, PickLine, PickLineId, PickList, PickListId};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// A pick list as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPickList {
    /// The list with its lines.
    pub list: PickList,
    /// When it was created, in microseconds.
    pub created_at: DateTime<Utc>,
}

/// The pick lists, within a unit of work.
///
/// Pick lines change with the products of their SKUs, under the locks of these products; a list has no lock
/// of its own.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait PickListRepository {
    /// Returns a list with its lines as they are stored.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn find(&mut self, list_id: &PickListId) -> Result<Option<StoredPickList>, StoreError>;

    /// Returns the criteria with which a list was requested.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn request(&mut self, list_id: &PickListId) -> Result<Option<NewPickList>, StoreError>;

    /// Returns the lines that exist, as they are stored.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn find_lines(&mut self, ids: &[PickLineId]) -> Result<BTreeMap<PickLineId, PickLine>, StoreError>;

    /// Adds a list, as it was requested, that was created at `at`. Its lines are saved with their products,
    /// in the order of their numbers, so that two units that create the same list never deadlock.
    ///
    /// # Errors
    ///
    /// MUST be [`StoreError::Conflict`] when the list exists already.
    fn add(&mut self, list: &NewPickList, at: DateTime<Utc>) -> Result<(), StoreError>;
}
