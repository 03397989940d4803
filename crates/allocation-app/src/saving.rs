//! Saving decisions with their contexts.

use allocation_domain::{Product, Products};
use allocation_ports::{EventContext, EventContexts, StoreError, UnitOfWork};

/// Saves the products that one command has changed; returns whether there were any.
pub(crate) fn save_changed(
    unit: &mut dyn UnitOfWork,
    products: Products,
    context: &EventContext,
) -> Result<bool, StoreError> {
    let changed = changed(products);
    if changed.is_empty() {
        return Ok(false);
    }
    let mut contexts = EventContexts::default();
    for product in &changed {
        contexts.add(product.sku(), 0..product.events().len(), context);
    }
    unit.products().save(&changed, &contexts)?;
    Ok(true)
}

/// Returns the products that have changed.
pub(crate) fn changed(products: Products) -> Vec<Product> {
    products.into_iter().filter(Product::has_changed).collect()
}
