use crate::store::MemoryStore;
use allocation_domain::{PickListId, PickStatus};
use allocation_ports::{
    PageSize, PickListCounts, PickListFilter, PickListPage, PickListQueries, PickListSummary, StoreError,
    StoredPickList,
};
use std::ops::Bound;

/// The maximum number of lists that a page examines.
const MAX_LISTS: usize = 1_000;

fn summary(stored: &StoredPickList) -> PickListSummary {
    let mut counts = PickListCounts::default();
    for line in stored.list.lines.values() {
        counts.lines += 1;
        match line.status {
            PickStatus::Open => counts.open += 1,
            PickStatus::Picked => counts.picked += 1,
            PickStatus::Shipped => counts.shipped += 1,
            PickStatus::Missing | PickStatus::Withdrawn => {}
        }
    }
    PickListSummary { list_id: stored.list.list_id.clone(), created_at: stored.created_at, counts }
}

impl PickListQueries for MemoryStore {
    fn pick_list(&self, list_id: &PickListId) -> Result<Option<StoredPickList>, StoreError> {
        Ok(self.database().committed().pick_list(list_id))
    }

    fn pick_lists(
        &self,
        filter: &PickListFilter,
        after: Option<PickListId>,
        page: PageSize,
    ) -> Result<PickListPage, StoreError> {
        let database = self.database();
        let from = after.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
        let mut lists = database.rows.pick_lists.range((from, Bound::Unbounded)).peekable();
        let (mut kept, mut examined) = (PickListPage::default(), 0);
        while let Some((list_id, _)) = lists.next() {
            let list = database.committed().pick_list(list_id).as_ref().map(summary);
            kept.lists.extend(list.filter(|list| filter.status.is_none_or(|status| list.status() == status)));
            examined += 1;
            if kept.lists.len() == usize::from(page.get()) || examined == MAX_LISTS {
                kept.next = lists.peek().map(|_| list_id.clone());
                break;
            }
        }
        Ok(kept)
    }
}
