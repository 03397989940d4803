//! Orders, one at a time.

use super::rows::{AddOrder, FindOrder, HasLines, LoadOrder};
use crate::error::store_error;
use crate::line::OrderLineRow;
use crate::orders::{OrderValues, StoredOrder};
use allocation_domain::{NewOrder, OrderId};
use allocation_ports::StoreError;
use diesel::prelude::*;
use std::collections::BTreeSet;

/// Loads the orders that exist.
pub(crate) fn find_orders(
    connection: &mut SqliteConnection,
    order_ids: &[OrderId],
) -> Result<Vec<NewOrder>, StoreError> {
    let mut found = Vec::new();
    for order_id in order_ids.iter().collect::<BTreeSet<_>>() {
        let order = FindOrder { order_id: order_id.as_str() }.get_result::<StoredOrder>(connection).optional();
        if let Some(order) = order.map_err(store_error)? {
            found.push(order.order()?);
        }
    }
    Ok(found)
}

/// Returns the order ids that have lines.
pub(crate) fn orders_with_lines(
    connection: &mut SqliteConnection,
    order_ids: &[OrderId],
) -> Result<Vec<OrderId>, StoreError> {
    let mut found = Vec::new();
    for order_id in order_ids.iter().collect::<BTreeSet<_>>() {
        let statement = HasLines { order_id: order_id.as_str() };
        if statement.get_result::<bool>(connection).map_err(store_error)? {
            found.push(order_id.clone());
        }
    }
    Ok(found)
}

/// Adds orders that do not exist yet, in any sequence, because no other connection writes meanwhile.
pub(crate) fn add_orders(connection: &mut SqliteConnection, orders: &[OrderValues<'_>]) -> Result<(), StoreError> {
    for order in orders {
        let statement = AddOrder {
            order_id: order.order_id,
            lines: &order.lines,
            priority: &order.priority,
            backorders: &order.backorders,
            allow_split: &order.allow_split,
            hold_seconds: &order.hold_seconds,
            placed_at: &order.placed_at,
        };
        statement.execute(connection).map_err(store_error)?;
    }
    Ok(())
}

/// Loads the lines of orders, with one statement per order.
pub(crate) fn order_lines(connection: &mut SqliteConnection, order_ids: &[&str]) -> QueryResult<Vec<OrderLineRow>> {
    let mut rows = Vec::new();
    for order_id in order_ids {
        rows.extend(LoadOrder { order_id }.load::<OrderLineRow>(connection)?);
    }
    Ok(rows)
}
