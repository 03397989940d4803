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
    let skus: BTreeSet<&str> = orders.iter().flat_map(|(_, skus)| skus).map(Sku::as_str).collect();
    ArchivePickLines { skus: &skus.into_iter().collect(), order_ids: &order_ids }.execute(connection)?;
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
    let skus: Vec<String> = RestoreLines { order_ids }.load(connection).map_err(store_error)?;
    let skus: BTreeSet<&str> = skus.iter().map(String::as_str).collect();
    let statement = RestorePickLines { skus: &skus.into_iter().collect(), order_ids };
    statement.execute(connection).map_err(store_error)?;
    Ok(())
}
