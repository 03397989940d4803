//! Locking products for decisions.

use allocation_domain::{OrderId, Product, Products};
use allocation_ports::{StoreError, UnitOfWork, Wanted};
use chrono::{DateTime, Utc};

/// Locked products, and when they are decided on.
pub(crate) struct Locked {
    pub(crate) products: Products,
    /// The time by the clock of the store when all locks were held; that of the process has no say.
    /// Without a product there is nothing to decide, and it is the beginning of time.
    pub(crate) now: DateTime<Utc>,
}

/// Locks what is wanted for decisions.
pub(crate) fn lock(unit: &mut dyn UnitOfWork, wanted: &[Wanted]) -> Result<Locked, StoreError> {
    let products = unit.products().lock(wanted)?;
    let now = products.iter().filter_map(Product::lock_time).map(|lock| lock.now).max();
    Ok(Locked { products: products.into_iter().collect(), now: now.unwrap_or(DateTime::UNIX_EPOCH) })
}

/// Locks the products in which an order has lines, and loads these. There are none of an order that
/// is not known.
pub(crate) fn lock_order(unit: &mut dyn UnitOfWork, order_id: &OrderId) -> Result<Locked, StoreError> {
    let skus = unit.orders().skus_of(order_id)?;
    if skus.is_empty() {
        return Ok(Locked { products: Products::default(), now: DateTime::UNIX_EPOCH });
    }
    let line = |sku| Wanted { order_ids: vec![order_id.clone()], ..Wanted::product(sku) };
    let wanted: Vec<Wanted> = skus.into_iter().map(line).collect();
    lock(unit, &wanted)
}
