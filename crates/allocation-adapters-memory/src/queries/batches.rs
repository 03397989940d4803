use super::page_after;
use crate::database::Database;
use crate::store::MemoryStore;
use allocation_domain::{Batch, BatchReference, Eta};
use allocation_ports::{BatchCursor, BatchFilter, BatchQueries, OverdueCursor, PageSize, StoreError};
use chrono::{DateTime, NaiveDate, Utc};

impl Database {
    fn batches_at<'a>(&'a self, filter: &'a BatchFilter, now: DateTime<Utc>) -> impl Iterator<Item = Batch> + 'a {
        let of_sku = self.committed().products().filter(|(sku, _)| filter.sku.as_ref().is_none_or(|only| only == *sku));
        of_sku.flat_map(move |(_, rows)| rows.batches.keys().filter_map(move |name| rows.batch_at(name, now)))
    }
}

impl BatchQueries for MemoryStore {
    fn batch(&self, reference: &BatchReference, now: DateTime<Utc>) -> Result<Option<Batch>, StoreError> {
        Ok(self.database().committed().products().find_map(|(_, rows)| rows.batch_at(reference, now)))
    }

    fn batches(
        &self,
        filter: &BatchFilter,
        after: Option<BatchCursor>,
        page: PageSize,
        now: DateTime<Utc>,
    ) -> Result<Vec<Batch>, StoreError> {
        let after = after.map(|after| (after.added_at, after.reference));
        let key = |batch: &Batch| (batch.added_at(), batch.reference().clone());
        Ok(page_after(self.database().batches_at(filter, now), key, after.as_ref(), page))
    }

    fn overdue_batches(
        &self,
        filter: &BatchFilter,
        today: NaiveDate,
        after: Option<OverdueCursor>,
        page: PageSize,
        now: DateTime<Utc>,
    ) -> Result<Vec<Batch>, StoreError> {
        let database = self.database();
        let is_overdue = |batch: &Batch| batch.eta() > Eta::InStock && batch.eta() < Eta::Due(today);
        let overdue = database.batches_at(filter, now).filter(is_overdue);
        let after = after.map(|after| (Eta::Due(after.eta), after.added_at, after.reference));
        let key = |batch: &Batch| (batch.eta(), batch.added_at(), batch.reference().clone());
        Ok(page_after(overdue, key, after.as_ref(), page))
    }
}
