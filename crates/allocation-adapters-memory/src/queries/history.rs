use super::page_after;
use crate::store::MemoryStore;
use allocation_ports::{EventCursor, HistoryQueries, PageSize, RecordedEvent, StoreError, Subject};

impl HistoryQueries for MemoryStore {
    fn history(
        &self,
        subject: &Subject,
        after: Option<EventCursor>,
        page: PageSize,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        let database = self.database();
        let after = after.map(|after| (after.occurred_at, after.sku, after.version, after.ordinal));
        let key = |event: &RecordedEvent| (event.occurred_at, event.sku.clone(), event.version, event.ordinal);
        Ok(page_after(database.events_of(subject).cloned(), key, after.as_ref(), page))
    }
}
