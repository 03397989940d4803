//! Saving decisions with their origins.

use allocation_domain::{Product, Products};
use allocation_ports::{Origin, Origins, StoreError, UnitOfWork};

/// Saves the products that one command has changed; returns whether there were any.
pub(crate) fn save_changed(unit: &mut dyn UnitOfWork, products: Products, origin: &Origin) -> Result<bool, StoreError> {
    let changed = changed(products);
    if changed.is_empty() {
        return Ok(false);
    }
    let mut origins = Origins::default();
    for product in &changed {
        origins.add(product.sku(), 0..product.events().len(), origin);
    }
    unit.products().save(&changed, &origins)?;
    Ok(true)
}

/// Returns the products that have changed.
pub(crate) fn changed(products: Products) -> Vec<Product> {
    products.into_iter().filter(Product::has_changed).collect()
}
