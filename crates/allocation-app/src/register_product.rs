use crate::UseCases;
use crate::locking::{Locked, lock_or_create, not_created, up_to_date};
use crate::saving::save_changed;
use crate::unit_of_work::{Attempt, UnitOutcome, final_error};
use allocation_domain::{Outcome, Product, Promises, Sku, Totals};
use allocation_ports::{EventContext, ProductTotals, StoreError, UnitOfWork};

impl UseCases {
    /// Registers a product, so that orders can wait for it before it has a batch.
    ///
    /// With `promises`, it also sets whether lines move to earlier batches when units of them come free. Registering it
    /// again changes nothing else. The outcome is `Changed` only if the product was new.
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
    pub fn register_product(
        &self,
        sku: &Sku,
        promises: Option<Promises>,
    ) -> Result<Outcome<ProductTotals>, StoreError> {
        let Registered { is_new, is_changed } = self
            .units()
            .run("register_product", |unit, attempt| register(unit, attempt, sku, promises, &self.context))?;
        if is_new && self.units.is_dry_run() {
            let promises = promises.unwrap_or_default();
            return Ok(Outcome::Changed(ProductTotals { sku: sku.clone(), promises, totals: Totals::default() }));
        }
        let found = self.queries.product(sku, self.clock.now());
        let found = found.map_err(|error| final_error(error, is_changed))?;
        let mut product = found.ok_or_else(|| not_created(sku))?;
        if self.units.is_dry_run() {
            product.promises = promises.unwrap_or(product.promises);
        }
        Ok(if is_new { Outcome::Changed(product) } else { Outcome::Unchanged(product) })
    }
}

/// What a unit of work has done.
struct Registered {
    is_new: bool,
    /// Whether it has changed anything.
    is_changed: bool,
}

fn register(
    unit: &mut dyn UnitOfWork,
    attempt: Attempt,
    sku: &Sku,
    promises: Option<Promises>,
    context: &EventContext,
) -> Result<UnitOutcome<Registered>, StoreError> {
    let mut locked = lock_or_create(unit, sku)?;
    let is_new = locked.products.get_mut(sku).ok_or_else(|| not_created(sku))?.register();
    let is_other = promises.is_some_and(|promises| locked.products.get(sku).map(Product::promises) != Some(promises));
    if !is_new && !is_other {
        // A product that exists after an unknown commit was registered by that commit, unless it may only have set the
        // promises.
        let (is_new, is_changed) = (attempt.resolving && promises.is_none(), attempt.resolving);
        return Ok(UnitOutcome::Rollback(Registered { is_new, is_changed }));
    }
    if let Some(promises) = promises.filter(|_| is_other) {
        if !is_new {
            let Some(current) = up_to_date(unit, locked)? else { return Ok(UnitOutcome::Step) };
            locked = current;
        }
        let now = locked.now;
        let product = locked.products.get_mut(sku).ok_or_else(|| not_created(sku))?;
        let Ok(_) = unit.decide(product, |product| product.set_promises(promises, now))?;
    }
    let Locked { products, contexts, .. } = locked;
    save_changed(unit, products, contexts, context)?;
    Ok(UnitOutcome::Commit(Registered { is_new, is_changed: true }))
}

#[cfg(test)]
mod tests;
