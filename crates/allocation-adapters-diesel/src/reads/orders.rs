//! Orders with the allocations of their lines.

use super::candidates::Candidates;
use crate::any_connection::{AnyConnection, MultiBackend};
use crate::error::store_error;
use crate::line_row::{self, AllocationPart, LineValues, OrderLineRow};
use crate::statement::statement;
use crate::{postgres, row, sqlite};
use allocation_domain::{LineState, Order, OrderId, Sku};
use allocation_ports::{OrderFilter, OrderPage, PageSize, StoreError};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::Text;
use std::collections::BTreeMap;

/// The maximum number of orders that a page scans.
const MAX_ORDERS: usize = 2_000;

/// The number of scanned lines after which a page ends.
const MANY_LINES: usize = 10_000;

/// The maximum number of orders loaded at a time, so that even large orders fit into memory.
pub(super) const AT_A_TIME: usize = 50;

statement! {
    /// The SKUs of a current or an archived order.
    SkusOf<'a>(order_id: Text => str, archived: Text => str) on MultiBackend -> Text,
    "SELECT sku FROM order_lines WHERE order_id = ? UNION ALL SELECT sku FROM archived_lines WHERE order_id = ?"
}

/// Returns the SKUs of the lines of an order, sorted.
pub(crate) fn skus_of(connection: &mut AnyConnection, order_id: &OrderId) -> Result<Vec<Sku>, StoreError> {
    let rows: Vec<String> =
        SkusOf { order_id: order_id.as_str(), archived: order_id.as_str() }.load(connection).map_err(store_error)?;
    let mut skus = rows.into_iter().map(row::sku).collect::<Result<Vec<_>, _>>()?;
    skus.sort_unstable();
    Ok(skus)
}

/// Loads an order as it is stored, with one statement.
pub(crate) fn order(connection: &mut AnyConnection, order_id: &OrderId) -> Result<Option<Order>, StoreError> {
    Ok(load(connection, &[order_id.as_str()])?.pop())
}

/// Returns a page of orders, in one snapshot, so that no order is read half changed.
pub(crate) fn orders(
    connection: &mut AnyConnection,
    filter: &OrderFilter,
    after: Option<&OrderId>,
    page: PageSize,
    now: DateTime<Utc>,
) -> Result<OrderPage, StoreError> {
    let candidates = Candidates::new(filter);
    let page = usize::from(page.get());
    let mut kept = OrderPage { orders: Vec::new(), next: after.cloned() };
    let (mut orders_seen, mut lines_seen) = (0, 0);
    while kept.orders.len() < page && orders_seen < MAX_ORDERS && lines_seen < MANY_LINES {
        let missing = page - kept.orders.len();
        let count = if candidates.all_fit() { missing.min(AT_A_TIME) } else { AT_A_TIME }.min(MAX_ORDERS - orders_seen);
        // One more order shows whether the list continues.
        let mut found = candidates.load(connection, kept.next.as_ref(), count + 1)?;
        let has_more = found.len() > count;
        found.truncate(count);
        orders_seen += found.len();
        let found: Vec<_> = found.iter().map(String::as_str).collect();
        let mut found = load(connection, &found)?.into_iter();
        while kept.orders.len() < page
            && lines_seen < MANY_LINES
            && let Some(order) = found.next()
        {
            lines_seen += order.lines.len();
            kept.next = Some(order.order_id.clone());
            kept.orders.extend(Some(order).filter(|order| fits(filter, order, now)));
        }
        if !has_more && found.len() == 0 {
            kept.next = None;
            break;
        }
    }
    Ok(kept)
}

fn fits(filter: &OrderFilter, order: &Order, now: DateTime<Utc>) -> bool {
    filter.status.is_none_or(|status| order.status(now) == status)
        && filter.sku.as_ref().is_none_or(|sku| order.lines.iter().any(|(ordered, _)| ordered == sku))
}

/// Loads the orders that have lines, sorted by the bytes of their ids.
pub(super) fn load(connection: &mut AnyConnection, order_ids: &[&str]) -> Result<Vec<Order>, StoreError> {
    let rows = match connection {
        AnyConnection::Sqlite(connection) => sqlite::order_lines(connection, order_ids),
        AnyConnection::Postgres(connection) => postgres::order_lines(connection, order_ids),
    };
    let mut orders: BTreeMap<String, BTreeMap<String, (LineValues, Vec<AllocationPart>)>> = BTreeMap::new();
    for OrderLineRow { order_id, sku, line, part } in rows.map_err(store_error)? {
        let lines = orders.entry(order_id).or_default();
        let (_, parts) = lines.entry(sku).or_insert_with(|| (line, Vec::new()));
        parts.extend(part);
    }
    let order = |(order_id, lines): (String, BTreeMap<_, _>)| {
        let lines = lines.into_iter().map(|(sku, (line, parts))| restored(row::sku(sku)?, line, parts));
        Ok(Order { order_id: row::order_id(order_id)?, lines: lines.collect::<Result<_, StoreError>>()? })
    };
    orders.into_iter().map(order).collect()
}

fn restored(sku: Sku, line: LineValues, parts: Vec<AllocationPart>) -> Result<(Sku, LineState), StoreError> {
    let parts = parts.into_iter().map(|part| part.allocation(&sku).map(|(allocation, _)| allocation));
    let line = line_row::restored(line.row()?, parts.collect::<Result<_, _>>()?)?;
    Ok((sku, line))
}
