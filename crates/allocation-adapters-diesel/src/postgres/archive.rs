//! Archiving and restoring orders, one set of them at a time.

use super::saving::column;
use super::statements::{
    ArchiveLines, ArchiveOrders, ArchivePickLines, LockArchived, RestoreLines, RestoreOrders, RestorePickLines,
};
use crate::error::store_error;
use allocation_domain::{OrderId, Sku};
use allocation_ports::StoreError;
use diesel::prelude::*;
use std::collections::BTreeSet;

/// Moves orders to the archive, and returns the number of their lines that were moved.
pub(crate) fn archive(connection: &mut PgConnection, orders: &[(OrderId, Vec<Sku>)]) -> QueryResult<usize> {
    let order_ids = column(orders, |(order_id, _)| order_id.as_str());
    let lines = orders.iter().flat_map(|(order_id, skus)| skus.iter().map(|sku| (sku.as_str(), order_id.as_str())));
    let (sku, order_id) = &lines.unzip();
    ArchivePickLines { sku, order_id }.execute(connection)?;
    ArchiveOrders { removed: &order_ids, order_ids: &order_ids }.execute(connection)?;
    ArchiveLines { order_ids: &order_ids }.execute(connection)
}

/// Restores archived orders.
///
/// The row of an archived order is its lock, taken in the order of the ids. Another unit of work may have restored an
/// order meanwhile: its lines are current then.
pub(super) fn restore(connection: &mut PgConnection, order_ids: &BTreeSet<OrderId>) -> Result<(), StoreError> {
    let order_ids = order_ids.iter().map(OrderId::as_str).collect();
    let locked: Vec<String> = LockArchived { order_ids: &order_ids }.load(connection).map_err(store_error)?;
    if locked.is_empty() {
        return Ok(());
    }
    let order_ids = &column(&locked, String::as_str);
    RestoreOrders { order_ids }.execute(connection).map_err(store_error)?;
    let lines: Vec<(String, String)> = RestoreLines { order_ids }.load(connection).map_err(store_error)?;
    let (sku, order_id) = &lines.iter().map(|(sku, order_id)| (sku.as_str(), order_id.as_str())).unzip();
    RestorePickLines { sku, order_id }.execute(connection).map_err(store_error)?;
    Ok(())
}
