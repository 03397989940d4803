//! What commands about a whole order are decided on.

use allocation_domain::{OrderId, Products};
use allocation_ports::{StoreError, UnitOfWork, Wanted};
use chrono::{DateTime, Utc};

/// Locks the products in which an order has lines, and loads these. There are none of an order that
/// is not known.
pub(crate) fn lock_order(
    unit: &mut dyn UnitOfWork,
    order_id: &OrderId,
    now: DateTime<Utc>,
) -> Result<Products, StoreError> {
    let skus = unit.orders().skus_of(order_id)?;
    if skus.is_empty() {
        return Ok(Products::default());
    }
    let line = |sku| Wanted { order_ids: vec![order_id.clone()], ..Wanted::product(sku) };
    let wanted: Vec<Wanted> = skus.into_iter().map(line).collect();
    Ok(unit.products().lock(&wanted, now)?.into_iter().collect())
}
