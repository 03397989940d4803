use super::page_after;
use crate::store::MemoryStore;
use allocation_domain::OrderId;
use allocation_ports::{EventCursor, HistoryQueries, PageSize, RecordedEvent, StoreError};

impl HistoryQueries for MemoryStore {
    fn history(
        &self,
        order_id: &OrderId,
        after: Option<EventCursor>,
        page: PageSize,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        let database = self.database();
        let after = after.map(|after| (after.occurred_at, after.sku, after.version, after.ordinal));
        let key = |event: &RecordedEvent| (event.occurred_at, event.sku.clone(), event.version, event.ordinal);
        Ok(page_after(database.events_of(order_id).cloned(), key, after.as_ref(), page))
    }
}
