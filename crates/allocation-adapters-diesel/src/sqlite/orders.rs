//! Orders, one at a time.

use super::archive::{any_archived, is_archived};
use super::execution::add_row;
use super::statements::{AddOrder, FindArchivedOrder, FindOrder, HasLines, LoadOrder};
use crate::error::store_error;
use crate::line_row::OrderLineRow;
use crate::order_row::OrderRow;
use allocation_domain::{NewOrder, OrderId};
use allocation_ports::StoreError;
use diesel::prelude::*;
use std::collections::BTreeSet;

/// Loads the orders that exist, archived or not.
pub(crate) fn find_orders(
    connection: &mut SqliteConnection,
    order_ids: &[OrderId],
) -> Result<Vec<NewOrder>, StoreError> {
    let (mut found, any_archived) = (Vec::new(), any_archived(connection)?);
    for order_id in order_ids.iter().map(OrderId::as_str).collect::<BTreeSet<_>>() {
        let mut order =
            FindOrder { order_id }.get_result::<OrderRow<'_>>(connection).optional().map_err(store_error)?;
        if order.is_none() && any_archived {
            order = FindArchivedOrder { order_id }.get_result(connection).optional().map_err(store_error)?;
        }
        if let Some(order) = order {
            found.push(order.order()?);
        }
    }
    Ok(found)
}

/// Returns the order ids that have lines, archived or not.
pub(crate) fn orders_with_lines(
    connection: &mut SqliteConnection,
    order_ids: &[OrderId],
) -> Result<Vec<OrderId>, StoreError> {
    let (mut found, any_archived) = (Vec::new(), any_archived(connection)?);
    for order_id in order_ids.iter().collect::<BTreeSet<_>>() {
        let has_lines = HasLines { order_id: order_id.as_str() }.get_result::<bool>(connection).map_err(store_error)?;
        if has_lines || any_archived && is_archived(connection, order_id)? {
            found.push(order_id.clone());
        }
    }
    Ok(found)
}

/// Adds orders that do not exist yet, in any sequence, because no other connection writes meanwhile.
pub(crate) fn add_orders(
    connection: &mut SqliteConnection,
    orders: &[OrderRow<'_>],
    placed_at: i64,
) -> Result<(), StoreError> {
    for order in orders {
        add_row(connection, AddOrder { order, placed_at: &placed_at })?;
    }
    Ok(())
}

/// Loads the lines of orders, with one statement per order.
pub(crate) fn order_lines(connection: &mut SqliteConnection, order_ids: &[&str]) -> QueryResult<Vec<OrderLineRow>> {
    let mut rows = Vec::new();
    for order_id in order_ids {
        rows.extend(LoadOrder { order_id, archived: order_id }.load::<OrderLineRow>(connection)?);
    }
    Ok(rows)
}
