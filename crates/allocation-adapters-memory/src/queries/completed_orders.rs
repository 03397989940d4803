use crate::store::MemoryStore;
use allocation_domain::OrderId;
use allocation_ports::{CompletedOrders, CompletedPage, CompletionCursor, StoreError};
use chrono::{DateTime, Utc};

impl CompletedOrders for MemoryStore {
    fn completed_orders(
        &self,
        until: DateTime<Utc>,
        after: Option<&CompletionCursor>,
        limit: u16,
    ) -> Result<CompletedPage, StoreError> {
        let database = self.database();
        let view = database.committed();
        let completed = view.products().flat_map(|(_, rows)| rows.completed.iter());
        let mut lines: Vec<(DateTime<Utc>, &OrderId)> = completed.map(|(order_id, at)| (*at, order_id)).collect();
        lines.retain(|(at, order_id)| {
            let is_next = after.is_none_or(|after| (*at, *order_id) > (after.completed_at, &after.order_id));
            *at <= until && is_next && !view.is_archived(order_id)
        });
        lines.sort_unstable();
        let is_full = lines.len() >= usize::from(limit);
        lines.truncate(usize::from(limit));
        lines.dedup();
        let cursor = |(completed_at, order_id): &(DateTime<Utc>, &OrderId)| CompletionCursor {
            completed_at: *completed_at,
            order_id: (*order_id).clone(),
        };
        let next = lines.last().filter(|_| is_full).map(cursor);
        lines.retain(|(_, order_id)| {
            let mut of_order = view.products().filter(|(_, rows)| rows.lines.contains_key(*order_id));
            of_order.all(|(_, rows)| rows.completed.get(*order_id).is_some_and(|at| *at <= until))
        });
        Ok(CompletedPage { orders: lines.iter().map(cursor).collect(), next })
    }
}
