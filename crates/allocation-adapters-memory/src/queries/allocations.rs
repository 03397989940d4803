use super::page_after;
use crate::product_rows::has_expired;
use crate::store::MemoryStore;
use allocation_domain::{BatchReference, LineState, OrderId, QueuePosition, Sku};
use allocation_ports::{AllocationCursor, AllocationFilter, AllocationQueries, AllocationRow, PageSize, StoreError};
use chrono::{DateTime, Utc};

/// The sort key of a row. Only the allocations of one batch have a position.
type Key = (Sku, Option<QueuePosition>, OrderId, BatchReference);

/// Returns the sort key of a row in a list.
fn key(filter: &AllocationFilter, row: &AllocationCursor) -> Key {
    let AllocationCursor { sku, order_id, reference, priority, placed_at } = row.clone();
    let of_one_batch = filter.reference.is_some() && filter.order_id.is_none();
    let position = of_one_batch.then(|| QueuePosition::new(order_id.clone(), priority, placed_at));
    (sku, position, order_id, reference)
}

fn fits(filter: &AllocationFilter, row: &AllocationRow) -> bool {
    filter.sku.as_ref().is_none_or(|sku| *sku == row.sku)
        && filter.order_id.as_ref().is_none_or(|order_id| *order_id == row.order_id)
        && filter.reference.as_ref().is_none_or(|reference| *reference == row.reference)
}

fn rows<'a>(sku: &'a Sku, order_id: &'a OrderId, line: &'a LineState) -> impl Iterator<Item = AllocationRow> + 'a {
    line.allocations.iter().map(move |part| AllocationRow {
        order_id: order_id.clone(),
        sku: sku.clone(),
        quantity: part.quantity,
        reference: part.reference.clone(),
        priority: line.terms.priority,
        placed_at: line.terms.placed_at,
    })
}

impl AllocationQueries for MemoryStore {
    fn allocations(
        &self,
        filter: &AllocationFilter,
        after: Option<AllocationCursor>,
        page: PageSize,
        now: DateTime<Utc>,
    ) -> Result<Vec<AllocationRow>, StoreError> {
        let database = self.database();
        let lines = database.committed().products().flat_map(|(sku, product)| {
            let alive = product.lines.iter().filter(|(_, line)| !has_expired(line, now));
            alive.flat_map(move |(order_id, line)| rows(sku, order_id, line))
        });
        let after = after.map(|after| key(filter, &after));
        let listed = lines.filter(|row| fits(filter, row));
        Ok(page_after(listed, |row| key(filter, &AllocationCursor::from(row)), after.as_ref(), page))
    }
}
