use super::page_after;
use crate::store::MemoryStore;
use allocation_domain::Sku;
use allocation_ports::{EventCursor, HistoryQueries, MovementPage, PageSize, RecordedEvent, StoreError, Subject};

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

    fn movements(&self, sku: &Sku, after: u64, page: PageSize) -> Result<MovementPage, StoreError> {
        let database = self.database();
        let mut later = database.movements_of(sku).filter(|(position, _)| *position > after);
        let movements: Vec<_> = later.by_ref().take(page.get().into()).map(|(at, event)| (at, event.clone())).collect();
        let next = later.next().and_then(|_| movements.last().map(|(position, _)| *position));
        Ok(MovementPage { movements, next })
    }
}
