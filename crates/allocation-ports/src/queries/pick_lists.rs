use crate::{PageSize, StoreError, StoredPickList};
use allocation_domain::{PickListId, PickListStatus, PickStatus};
use chrono::{DateTime, Utc};

/// Which pick lists to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PickListFilter {
    /// Only lists with this status.
    pub status: Option<PickListStatus>,
}

/// The lines of a pick list, counted by status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PickListCounts {
    /// All lines.
    pub lines: u32,
    /// Lines that are still to be picked.
    pub open: u32,
    /// Lines that were picked but not shipped.
    pub picked: u32,
    /// Lines that were shipped.
    pub shipped: u32,
}

/// A pick list without its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PickListSummary {
    /// The id of the list.
    pub list_id: PickListId,
    /// When the list was created, in microseconds.
    pub created_at: DateTime<Utc>,
    /// Its lines, counted by status.
    pub counts: PickListCounts,
}

impl PickListSummary {
    /// Returns the status of the list.
    #[must_use]
    pub fn status(&self) -> PickListStatus {
        let PickListCounts { open, picked, shipped, .. } = self.counts;
        let lines = [(open, PickStatus::Open), (picked, PickStatus::Picked), (shipped, PickStatus::Shipped)];
        PickListStatus::of(lines.into_iter().filter(|(count, _)| *count > 0).map(|(_, status)| status))
    }
}

/// A page of pick lists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PickListPage {
    /// The lists, by the bytes of their ids.
    pub lists: Vec<PickListSummary>,
    /// The list after which the next page begins, `None` at the end. As with [`OrderPage`](super::OrderPage),
    /// a page may be short, or even empty, without being the last.
    pub next: Option<PickListId>,
}

/// Reads pick lists.
pub trait PickListQueries: Send + Sync {
    /// Returns a pick list with its lines, `None` when no list has that id.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn pick_list(&self, list_id: &PickListId) -> Result<Option<StoredPickList>, StoreError>;

    /// Returns the pick lists after `after`, by the bytes of their ids. The cost of a page does not grow
    /// with the lists before it.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn pick_lists(
        &self,
        filter: &PickListFilter,
        after: Option<PickListId>,
        page: PageSize,
    ) -> Result<PickListPage, StoreError>;
}
