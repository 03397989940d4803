use crate::database::View;
use crate::store::MemoryStore;
use allocation_domain::{Order, OrderId};
use allocation_ports::{OrderFilter, OrderPage, OrderQueries, PageSize, StoreError};
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;

/// The maximum number of orders that a page examines.
const MAX_ORDERS: usize = 2_000;

/// The number of examined lines after which a page ends.
const MANY_LINES: usize = 10_000;

fn order(view: View<'_>, order_id: &OrderId) -> Option<Order> {
    let lines: Vec<_> = view.lines(order_id).map(|(sku, line)| (sku.clone(), line)).collect();
    (!lines.is_empty()).then(|| Order { order_id: order_id.clone(), lines })
}

fn fits(filter: &OrderFilter, order: &Order, now: DateTime<Utc>) -> bool {
    filter.status.is_none_or(|status| order.status(now) == status)
        && filter.sku.as_ref().is_none_or(|sku| order.lines.iter().any(|(ordered, _)| ordered == sku))
}

impl OrderQueries for MemoryStore {
    fn order(&self, order_id: &OrderId) -> Result<Option<Order>, StoreError> {
        Ok(order(self.database().committed(), order_id))
    }

    fn orders(
        &self,
        filter: &OrderFilter,
        after: Option<OrderId>,
        page: PageSize,
        now: DateTime<Utc>,
    ) -> Result<OrderPage, StoreError> {
        let database = self.database();
        let view = database.committed();
        let of_sku = view.products().filter(|(sku, _)| filter.sku.as_ref().is_none_or(|only| only == *sku));
        let mut order_ids: BTreeSet<_> = of_sku.flat_map(|(_, rows)| rows.lines.keys()).collect();
        order_ids
            .retain(|order_id| after.as_ref().is_none_or(|after| *order_id > after) && !view.is_archived(order_id));
        let (mut kept, mut lines) = (OrderPage::default(), 0);
        for (number, order_id) in order_ids.iter().enumerate() {
            let Some(order) = order(view, order_id) else { continue };
            lines += order.lines.len();
            kept.orders.extend(Some(order).filter(|order| fits(filter, order, now)));
            let is_full = kept.orders.len() == usize::from(page.get()) || lines >= MANY_LINES;
            if is_full || number + 1 == MAX_ORDERS {
                kept.next = (number + 1 < order_ids.len()).then(|| (*order_id).clone());
                break;
            }
        }
        Ok(kept)
    }
}
