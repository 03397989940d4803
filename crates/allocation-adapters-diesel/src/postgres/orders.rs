//! Orders as they were placed, a set of them at a time.

use super::saving::column;
use super::sets::{AddOrders, EndedOrders, FindOrders, OrdersWithLines};
use crate::error::store_error;
use crate::orders::{OrderValues, StoredOrder, ends};
use crate::row;
use allocation_domain::{NewOrder, OrderId};
use allocation_ports::{OrderEnd, StoreError};
use chrono::{DateTime, Utc};
use diesel::prelude::*;

/// Those of the orders that there are.
pub(crate) fn find_orders(connection: &mut PgConnection, order_ids: &[OrderId]) -> Result<Vec<NewOrder>, StoreError> {
    let statement = FindOrders { order_ids: &column(order_ids, OrderId::as_str) };
    let rows: Vec<StoredOrder> = statement.load(connection).map_err(store_error)?;
    rows.into_iter().map(StoredOrder::order).collect()
}

/// Those of the orders that have lines.
pub(crate) fn orders_with_lines(
    connection: &mut PgConnection,
    order_ids: &[OrderId],
) -> Result<Vec<OrderId>, StoreError> {
    let statement = OrdersWithLines { order_ids: &column(order_ids, OrderId::as_str) };
    let mut rows: Vec<String> = statement.load(connection).map_err(store_error)?;
    rows.sort_unstable();
    rows.dedup();
    rows.into_iter().map(row::order_id).collect()
}

/// Those of the orders that have ended.
pub(crate) fn ended_orders(
    connection: &mut PgConnection,
    order_ids: &[OrderId],
    now: DateTime<Utc>,
) -> Result<Vec<(OrderId, OrderEnd)>, StoreError> {
    let order_ids = &column(order_ids, OrderId::as_str);
    let now = &now.timestamp_micros();
    let statement = EndedOrders { ended_order_ids: order_ids, held_order_ids: order_ids, now };
    ends(statement.load(connection).map_err(store_error)?)
}

/// Adds orders, none of which there must be yet.
pub(crate) fn add_orders(connection: &mut PgConnection, orders: &[OrderValues<'_>]) -> Result<(), StoreError> {
    let statement = AddOrders {
        order_id: &column(orders, |order| order.order_id),
        lines: &column(orders, |order| order.lines.as_str()),
        priority: &column(orders, |order| order.priority),
        backorders: &column(orders, |order| order.backorders),
        allow_split: &column(orders, |order| order.allow_split),
        hold_seconds: &column(orders, |order| order.hold_seconds),
        placed_at: &column(orders, |order| order.placed_at),
    };
    statement.execute(connection).map_err(store_error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres::explain::{connect, migrated, plan};

    #[test]
    fn orders_that_have_ended_are_looked_for_among_those_that_may_have() {
        let database = migrated();
        for setup in ["SELECT 1", "ANALYZE"] {
            database.execute(setup);
            let order_ids = vec!["O-1", "O-2"];
            let statement = EndedOrders { ended_order_ids: &order_ids, held_order_ids: &order_ids, now: &1 };
            let plan = plan(&mut connect(&database), statement);
            for index in ["order_lines_by_order_ended", "order_lines_by_order_held"] {
                assert!(plan.contains(index), "{setup}\n{plan}");
            }
            assert_eq!(plan.matches("Index Cond: ((order_id >= w").count(), 2, "{setup}\n{plan}");
            assert!(!plan.contains("Sort"), "{setup}\n{plan}");
        }
    }
}
