use crate::UseCases;
use crate::locking::{Locked, catch_up, lock};
use crate::saving::save_changed;
use crate::unit_of_work::Ending;
use allocation_ports::{Origin, StoreError, UnitOfWork, Wanted};
use chrono::{DateTime, Utc};

/// How many products are tidied in one unit of work: others wait for them as long as it takes.
const MOST_PRODUCTS: u16 = 8;

impl UseCases {
    /// Frees what expired holds still keep and tells so in events, some products at a time; answers
    /// how many products these were.
    ///
    /// The clock only leads to products; what has expired of them is decided by that of their lock.
    /// `go_on` is asked before each time. It decides nothing: units whose hold has expired are free for every decision anyway. So it
    /// gives way to others, and leaves for another time what they have locked.
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
            let tidied = self.units.run_impatiently(|unit, _| release(unit, self.clock.now()))?;
            products += tidied;
            if tidied == 0 {
                break;
            }
        }
        Ok(products)
    }
}

/// Tidies the products whose holds expired first, and tells how many were changed.
fn release(unit: &mut dyn UnitOfWork, now: DateTime<Utc>) -> Result<Ending<usize>, StoreError> {
    let mut skus = unit.products().with_expired_holds(now, MOST_PRODUCTS)?;
    if skus.is_empty() {
        return Ok(Ending::Rollback(0));
    }
    skus.sort();
    let wanted: Vec<Wanted> = skus.iter().cloned().map(Wanted::product).collect();
    let mut locked = lock(unit, &wanted)?;
    // What is still behind is found again.
    let _behind = catch_up(unit, &mut locked)?;
    let Locked { products, .. } = locked;
    let tidied = products.iter().filter(|product| product.has_changed()).count();
    let changed = save_changed(unit, products, &Origin::default())?;
    Ok(if changed { Ending::Commit(tidied) } else { Ending::Rollback(tidied) })
}

#[cfg(test)]
mod tests;
