use crate::locking::{Locked, catch_up, lock};
use crate::saving::save_changed;
use crate::unit_of_work::UnitOutcome;
use crate::{BackgroundTask, UseCases};
use allocation_domain::{Event, Product, Sku};
use allocation_ports::{EventContext, LockRequest, StoreError, UnitOfWork};
use chrono::{DateTime, Utc};
use std::io;
use std::time::Duration;

/// The maximum number of products that one unit of work locks: other commands on them wait until it commits.
const MAX_PRODUCTS: usize = 8;
/// The maximum number of products that one search returns, so that locked ones do not hide the rest.
const SEARCH_LIMIT: u16 = 64;

impl UseCases {
    /// Starts a task that releases expired holds after each pause.
    ///
    /// Only events depend on the task: it records the expiry soon after. Any number of replicas may run it.
    ///
    /// # Errors
    ///
    /// Returns an error when the system cannot start a thread.
    pub fn start_sweeper(&self, pause: Duration) -> io::Result<BackgroundTask> {
        let use_cases = self.clone();
        BackgroundTask::every(pause, "sweep", "releasing expired holds", move |stop| {
            use_cases.release_expired_holds(|| stop.continues())
        })
    }

    /// Releases the units of expired holds and records the events, some products at a time; returns the
    /// number of products.
    ///
    /// The clock serves only to find products: which holds have expired is decided at the time of the lock.
    /// `may_continue` is called before each unit of work. Units of expired holds are free for every decision
    /// anyway, so products that other units have locked are left for the next sweep.
    ///
    /// # Isolation
    ///
    /// Products with expired lines are searched without locks. The expired lines, and the backorders for
    /// their units, are read under the locks. A line expires independently of the other lines of its order,
    /// so nothing of other products is read.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails or is busy; earlier releases stay committed.
    pub fn release_expired_holds(&self, mut may_continue: impl FnMut() -> bool) -> Result<usize, StoreError> {
        let mut products = 0;
        while may_continue() {
            let released = self.units.try_run("release_expired", |unit, _| release(unit, self.clock.now()))?;
            self.units.counters().released_holds(released.holds);
            products += released.products;
            if released.products == 0 {
                break;
            }
        }
        Ok(products)
    }
}

/// What a unit of work has released.
#[derive(Default)]
struct Released {
    /// The number of changed products.
    products: usize,
    /// The number of expired holds.
    holds: usize,
}

/// Releases the earliest expired holds of products that no other unit of work has locked.
fn release(unit: &mut dyn UnitOfWork, now: DateTime<Utc>) -> Result<UnitOutcome<Released>, StoreError> {
    let found = unit.products().with_expired_holds(now, SEARCH_LIMIT)?;
    let mut skus = first_unlocked(unit, &found)?;
    if skus.is_empty() {
        return Ok(UnitOutcome::Rollback(Released::default()));
    }
    skus.sort();
    let wanted: Vec<LockRequest> = skus.into_iter().map(LockRequest::product).collect();
    let mut locked = lock(unit, &wanted)?;
    // Later searches find the products that are still behind.
    let _behind = catch_up(unit, &mut locked)?;
    let Locked { products, contexts, .. } = locked;
    let expired =
        |product: &Product| product.events().iter().filter(|event| matches!(event, Event::HoldExpired { .. })).count();
    let changed = products.iter().filter(|product| product.has_changed());
    let released = changed.fold(Released::default(), |sum, product| Released {
        products: sum.products + 1,
        holds: sum.holds + expired(product),
    });
    let changed = save_changed(unit, products, contexts, &EventContext::SYSTEM)?;
    Ok(if changed { UnitOutcome::Commit(released) } else { UnitOutcome::Rollback(released) })
}

/// Returns the first few products that no other unit has locked.
fn first_unlocked(unit: &mut dyn UnitOfWork, found: &[Sku]) -> Result<Vec<Sku>, StoreError> {
    for some in found.chunks(MAX_PRODUCTS) {
        let locked = unit.products().locked_by_others(some)?;
        let unlocked: Vec<_> = some.iter().filter(|sku| !locked.contains(sku)).cloned().collect();
        if !unlocked.is_empty() {
            return Ok(unlocked);
        }
    }
    Ok(Vec::new())
}

#[cfg(test)]
mod tests;
