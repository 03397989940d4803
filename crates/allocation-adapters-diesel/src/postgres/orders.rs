//! Orders as they were placed, one set at a time.

use super::saving::column;
use super::statements::{AddOrders, FindOrders, JoinOrders, LockAnchor, OrdersWithLines, SetAnchor, SkusOf};
use crate::error::store_error;
use crate::line_row::LineEnd;
use crate::order_row::OrderRow;
use crate::row;
use allocation_domain::{NewOrder, OrderEnd, OrderId, Sku};
use allocation_ports::StoreError;
use diesel::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Loads the orders that exist.
pub(crate) fn find_orders(connection: &mut PgConnection, order_ids: &[OrderId]) -> Result<Vec<NewOrder>, StoreError> {
    let order_ids = &column(order_ids, OrderId::as_str);
    let statement = FindOrders { order_ids, archived: order_ids };
    let rows: Vec<OrderRow<'_>> = statement.load(connection).map_err(store_error)?;
    rows.into_iter().map(OrderRow::order).collect()
}

/// Returns the order ids that have lines.
pub(crate) fn orders_with_lines(
    connection: &mut PgConnection,
    order_ids: &[OrderId],
) -> Result<Vec<OrderId>, StoreError> {
    let order_ids = &column(order_ids, OrderId::as_str);
    let statement = OrdersWithLines { order_ids, archived: order_ids };
    let mut rows: Vec<String> = statement.load(connection).map_err(store_error)?;
    rows.sort_unstable();
    rows.dedup();
    rows.into_iter().map(row::order_id).collect()
}

/// Adds orders that do not exist yet.
pub(crate) fn add_orders(
    connection: &mut PgConnection,
    orders: &[OrderRow<'_>],
    placed_at: i64,
) -> Result<(), StoreError> {
    let statement = AddOrders { placed_at: &placed_at, orders: &orders.iter().collect() };
    let added = statement.execute(connection).map_err(store_error)?;
    if added == orders.len() { Ok(()) } else { Err(StoreError::Conflict(OrderHasBegun.into())) }
}

#[derive(Debug, thiserror::Error)]
#[error("an order received a standalone line concurrently")]
struct OrderHasBegun;

#[derive(Debug, thiserror::Error)]
#[error("the lines of order {0} changed concurrently")]
struct LinesChanged(String);

/// Locks the anchors of orders that units of work add lines to, and returns how the ended ones ended.
///
/// The orders are sorted, so that units of work cannot deadlock. From now on, a unit of work that locks the
/// lines of such an order waits for this one. Its earlier changes show in the anchor, which changes
/// whenever an order ends.
pub(super) fn join_orders(
    connection: &mut PgConnection,
    order_ids: &BTreeSet<OrderId>,
    at: i64,
) -> Result<BTreeMap<OrderId, OrderEnd>, StoreError> {
    if order_ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let statement = JoinOrders { order_ids: &order_ids.iter().map(OrderId::as_str).collect() };
    let rows: Vec<(String, Option<LineEnd>, bool, Option<i64>)> = statement.load(connection).map_err(store_error)?;
    if let Some(removed) = order_ids.iter().find(|id| rows.iter().all(|(joined, ..)| joined != id.as_str())) {
        return Err(StoreError::Conflict(LinesChanged(removed.to_string()).into()));
    }
    let mut ended = BTreeMap::new();
    for (order_id, end, closed, expires_at) in rows {
        let end = match end {
            Some(LineEnd::Cancelled) => OrderEnd::Cancelled,
            None if closed => OrderEnd::Closed,
            None if expires_at.is_none_or(|expires_at| expires_at > at) => continue,
            _ => OrderEnd::Expired,
        };
        ended.insert(row::order_id(order_id)?, end);
    }
    Ok(ended)
}

/// Prevents an order from receiving lines. It has lines of exactly the given products, which the unit of work
/// has locked.
///
/// A unit of work that adds a line holds the anchor of the order, or is about to become it. Once this one
/// has the anchor, no such unit of work is running, and the committed lines are complete.
///
/// The anchor is locked only if it is a line of a locked product. The only wait is then for units of work
/// that join the order, and they no longer wait for any product.
pub(crate) fn lock_lines(connection: &mut PgConnection, order_id: &OrderId, skus: &[Sku]) -> Result<(), StoreError> {
    let changed = || StoreError::Conflict(LinesChanged(order_id.to_string()).into());
    let locked = LockAnchor { order_id: order_id.as_str(), skus: &column(skus, Sku::as_str) };
    let anchor = locked.get_result::<String>(connection).optional().map_err(store_error)?;
    if anchor.is_none() {
        // The anchor was removed while other lines exist, or is a newly added line, whose slot is then
        // taken.
        let sku = skus.first().ok_or_else(changed)?.as_str();
        if (SetAnchor { sku, order_id: order_id.as_str() }).execute(connection).map_err(store_error)? == 0 {
            return Err(changed());
        }
    }
    let mut found: Vec<String> = SkusOf { order_id: order_id.as_str() }.load(connection).map_err(store_error)?;
    found.sort_unstable();
    if found.iter().map(String::as_str).eq(skus.iter().map(Sku::as_str)) { Ok(()) } else { Err(changed()) }
}
