use crate::locking::{Locked, catch_up, lock};
use crate::saving::save_changed;
use crate::unit_of_work::UnitOutcome;
use crate::{BackgroundTask, UseCases};
use allocation_domain::Sku;
use allocation_ports::{LockRequest, Origin, StoreError, UnitOfWork};
use chrono::{DateTime, Utc};
use std::io;
use std::time::Duration;

/// How many products one unit of work locks: other commands for them wait until it commits.
const MAX_PRODUCTS: usize = 8;
/// How many products are looked for, so that some that others have locked do not hide the rest.
const SEARCH_LIMIT: u16 = 64;

impl UseCases {
    /// Starts a task that releases expired holds after each pause.
    ///
    /// Only events depend on it: they tell of expired holds soon after. Any number of replicas may sweep.
    ///
    /// # Errors
    ///
    /// When the system gives no thread.
    pub fn start_sweeper(&self, pause: Duration) -> io::Result<BackgroundTask> {
        let use_cases = self.clone();
        BackgroundTask::every(pause, "sweep", "releasing expired holds", move |stop| {
            use_cases.release_expired_holds(|| stop.goes_on())
        })
    }

    /// Frees what expired holds still keep and tells so in events, some products at a time; answers
    /// how many products these were.
    ///
    /// The clock only leads to products; which of their holds have expired is decided at the time of the lock.
    /// `go_on` is asked before each unit of work. Units whose hold has expired are free for every decision
    /// anyway, so products that others have locked are left for the next sweep.
    ///
    /// # Isolation
    ///
    /// Products with expired lines are looked for without locks; which lines have expired, and who waits for
    /// their units, is read under the locks. A line expires by itself, whatever other lines its order gets or
    /// has, so nothing of other products is read.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails or others are in the way; what was tidied before
    /// stays so.
    pub fn release_expired_holds(&self, mut go_on: impl FnMut() -> bool) -> Result<usize, StoreError> {
        let mut products = 0;
        while go_on() {
            let tidied = self.units.try_run(|unit, _| release(unit, self.clock.now()))?;
            products += tidied;
            if tidied == 0 {
                break;
            }
        }
        Ok(products)
    }
}

/// Releases the holds that expired first, of products that no other unit of work has locked; returns how many
/// products have changed.
fn release(unit: &mut dyn UnitOfWork, now: DateTime<Utc>) -> Result<UnitOutcome<usize>, StoreError> {
    let found = unit.products().with_expired_holds(now, SEARCH_LIMIT)?;
    let mut skus = first_unlocked(unit, &found)?;
    if skus.is_empty() {
        return Ok(UnitOutcome::Rollback(0));
    }
    skus.sort();
    let wanted: Vec<LockRequest> = skus.into_iter().map(LockRequest::product).collect();
    let mut locked = lock(unit, &wanted)?;
    // What is still behind is found again.
    let _behind = catch_up(unit, &mut locked)?;
    let Locked { products, .. } = locked;
    let tidied = products.iter().filter(|product| product.has_changed()).count();
    let changed = save_changed(unit, products, &Origin::default())?;
    Ok(if changed { UnitOutcome::Commit(tidied) } else { UnitOutcome::Rollback(tidied) })
}

/// The first few products, but for those that others have locked.
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
