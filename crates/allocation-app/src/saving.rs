//! Saving decisions with their contexts.

use crate::unit_of_work::{UnitOutcome, UnitResult};
use allocation_domain::{Product, Products};
use allocation_ports::{EventContext, EventContexts, StoreError, UnitOfWork};

/// Ends a unit of work with the decision of one command.
///
/// The unit commits the changed products. It rolls back after a refusal, and if nothing has changed.
pub(crate) fn conclude<T, R>(
    unit: &mut dyn UnitOfWork,
    products: Products,
    contexts: EventContexts,
    context: &EventContext,
    decided: Result<T, R>,
) -> UnitResult<T, R> {
    let commits = decided.is_ok() && save_changed(unit, products, contexts, context)?;
    Ok(if commits { UnitOutcome::Commit(decided) } else { UnitOutcome::Rollback(decided) })
}

/// Saves the products that one command has changed; returns whether there were any.
///
/// `contexts` has the events before the decision, and `context` is that of all others.
pub(crate) fn save_changed(
    unit: &mut dyn UnitOfWork,
    products: Products,
    mut contexts: EventContexts,
    context: &EventContext,
) -> Result<bool, StoreError> {
    let changed = changed(products);
    if changed.is_empty() {
        return Ok(false);
    }
    for product in &changed {
        let decided = contexts.end(product.sku())..product.events().len();
        contexts.add(product.sku(), decided, context);
    }
    unit.products().save(&changed, &contexts)?;
    Ok(true)
}

/// Returns the products that have changed.
pub(crate) fn changed(products: Products) -> Vec<Product> {
    products.into_iter().filter(Product::has_changed).collect()
}
