use super::page_after;
use crate::product_rows::{ProductRows, has_expired};
use crate::store::MemoryStore;
use allocation_domain::{Quantity, QueuePosition, Sku};
use allocation_ports::{Backorder, BackorderCursor, BackorderFilter, BackorderQueries, PageSize, StoreError};
use chrono::{DateTime, Utc};

/// Returns the queue of a product.
fn queue(sku: &Sku, rows: &ProductRows, now: DateTime<Utc>) -> Vec<Backorder> {
    let waits = rows.lines.iter().filter(|(_, line)| !has_expired(line, now));
    let waits = waits
        .filter_map(|(order_id, line)| Some((QueuePosition::of(order_id, line), Quantity::new(line.waiting).ok()?)));
    let mut waits: Vec<_> = waits.collect();
    waits.sort();
    let row = |(position, (queued, waiting))| Backorder { sku: sku.clone(), position, queued, waiting };
    (1..).zip(waits).map(row).collect()
}

impl BackorderQueries for MemoryStore {
    fn backorders(
        &self,
        filter: &BackorderFilter,
        after: Option<BackorderCursor>,
        page: PageSize,
        now: DateTime<Utc>,
    ) -> Result<Vec<Backorder>, StoreError> {
        let database = self.database();
        let products = database.committed().products();
        let of_sku = products.filter(|(sku, _)| filter.sku.as_ref().is_none_or(|only| only == *sku));
        let rows = of_sku.flat_map(|(sku, rows)| queue(sku, rows, now));
        let after = after.map(|after| (after.sku, after.queued));
        Ok(page_after(rows, |row| (row.sku.clone(), row.queued.clone()), after.as_ref(), page))
    }
}
