use crate::store::MemoryStore;
use allocation_domain::{CountId, StockCount};
use allocation_ports::{CountPage, CountQueries, CountSummary, PageSize, StoreError};

impl CountQueries for MemoryStore {
    fn count(&self, count_id: &CountId) -> Result<Option<StockCount>, StoreError> {
        Ok(self.database().committed().count(count_id).cloned())
    }

    fn counts(&self, after: Option<CountId>, page: PageSize) -> Result<CountPage, StoreError> {
        let (database, size) = (self.database(), usize::from(page.get()));
        let all = database.rows.counts.values().flatten();
        let later = all.filter(|count| after.as_ref().is_none_or(|after| count.count_id() > after));
        let mut counts: Vec<_> = later.take(size + 1).map(CountSummary::from).collect();
        let has_more = counts.len() > size;
        counts.truncate(size);
        let next = counts.last().map(|last| last.count_id.clone()).filter(|_| has_more);
        Ok(CountPage { counts, next })
    }
}
