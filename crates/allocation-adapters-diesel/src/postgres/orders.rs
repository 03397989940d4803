//! Orders as they were placed, a set of them at a time.

use super::saving::column;
use super::sets::{AddOrders, FindOrders};
use crate::error::store_error;
use crate::orders::{OrderValues, StoredOrder};
use allocation_domain::{NewOrder, OrderId};
use allocation_ports::StoreError;
use diesel::prelude::*;

/// Those of the orders that there are.
pub(crate) fn find_orders(connection: &mut PgConnection, order_ids: &[OrderId]) -> Result<Vec<NewOrder>, StoreError> {
    let statement = FindOrders { order_ids: &column(order_ids, OrderId::as_str) };
    let rows: Vec<StoredOrder> = statement.load(connection).map_err(store_error)?;
    rows.into_iter().map(StoredOrder::order).collect()
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
