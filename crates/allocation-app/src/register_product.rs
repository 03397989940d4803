use crate::UseCases;
use crate::locking::{Locked, lock_or_create, not_created};
use crate::saving::save_changed;
use crate::unit_of_work::{Attempt, UnitOutcome, final_error};
use allocation_domain::{Outcome, Sku, Totals};
use allocation_ports::{EventContext, ProductTotals, StoreError, UnitOfWork};

impl UseCases {
    /// Registers a product, so that orders can wait for it before it has a batch.
    ///
    /// Registering it again changes nothing.
    ///
    /// # Isolation
    ///
    /// The decision reads nothing but the row of the product, which is also the lock. Of two units that
    /// register the same product at once, the second finds it. The result is read after the commit, so
    /// another unit may have changed the product meanwhile. Products are never removed.
    ///
    /// # Errors
    ///
    /// [`StoreError`]; nothing has changed, except possibly after [`StoreError::OutcomeUnknown`]. The product may then
    /// be registered: its commit, or the read after it, got no reply.
    pub fn register_product(&self, sku: &Sku) -> Result<Outcome<ProductTotals>, StoreError> {
        let is_new =
            self.units().run("register_product", |unit, attempt| register(unit, attempt, sku, &self.context))?;
        if is_new && self.units.is_dry_run() {
            return Ok(Outcome::Changed(ProductTotals { sku: sku.clone(), totals: Totals::default() }));
        }
        let found = self.queries.product(sku, self.clock.now());
        let found = found.map_err(|error| final_error(error, is_new))?;
        let product = found.ok_or_else(|| not_created(sku))?;
        Ok(if is_new { Outcome::Changed(product) } else { Outcome::Unchanged(product) })
    }
}

fn register(
    unit: &mut dyn UnitOfWork,
    attempt: Attempt,
    sku: &Sku,
    context: &EventContext,
) -> Result<UnitOutcome<bool>, StoreError> {
    let Locked { mut products, contexts, .. } = lock_or_create(unit, sku)?;
    if !products.get_mut(sku).ok_or_else(|| not_created(sku))?.register() {
        // A product that exists after an unknown commit was registered by that commit.
        return Ok(UnitOutcome::Rollback(attempt.resolving));
    }
    save_changed(unit, products, contexts, context)?;
    Ok(UnitOutcome::Commit(true))
}

#[cfg(test)]
mod tests;
