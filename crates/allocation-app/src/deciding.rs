//! Decisions on products of which only part is loaded.

use allocation_domain::{DataRequest, MoreNeeded, Product, Products, Sku, Undecided};
use allocation_ports::{StoreError, UnitOfWork};

/// The most loads for one decision: far more than any decision needs that a transaction should take on. The
/// limit keeps a bug from looping forever.
const MAX_LOADS: usize = 10_000;

/// The subject of a decision: one locked product, or several.
pub(crate) trait AtHand {
    /// Returns the product of a SKU, to load more rows into.
    fn product(&mut self, sku: &Sku) -> Option<&mut Product>;
}

impl AtHand for Product {
    fn product(&mut self, _: &Sku) -> Option<&mut Product> {
        Some(self)
    }
}

impl AtHand for Products {
    fn product(&mut self, sku: &Sku) -> Option<&mut Product> {
        self.get_mut(sku)
    }
}

/// Decides on the loaded rows; while they do not suffice, loads the requested ones and decides again.
///
/// # Errors
///
/// [`StoreError::Invariant`] when a decision requests the same rows twice although no row was loaded in
/// between: a counter then counts rows that do not exist.
pub(crate) fn decide<P: AtHand, T, E: Undecided>(
    unit: &mut dyn UnitOfWork,
    at_hand: &mut P,
    mut decision: impl FnMut(&mut P) -> Result<T, E>,
) -> Result<Result<T, E>, StoreError> {
    let mut decided = decision(at_hand);
    // The requests since rows were last loaded, and the row counts at that time.
    let (mut loaded, mut rows_then): (Vec<MoreNeeded>, _) = (Vec::new(), None);
    for _ in 0..MAX_LOADS {
        let needed = decided.as_ref().err().and_then(Undecided::more_needed);
        let Some(needed) = needed.filter(|needed: &&MoreNeeded| needed.what != DataRequest::CatchUp) else { break };
        let Some(product) = at_hand.product(&needed.sku) else { break };
        let rows_now = Some(rows(product));
        if rows_now != rows_then {
            loaded.clear();
            rows_then = rows_now;
        }
        if loaded.contains(needed) {
            return Err(StoreError::invariant("counted_rows_exist", needed.clone()));
        }
        unit.products().load(product, &needed.what)?;
        loaded.push(needed.clone());
        decided = decision(at_hand);
    }
    Ok(decided)
}

/// Returns how many batches, lines and pick lines of a product are loaded.
fn rows(product: &Product) -> [usize; 3] {
    [product.batches().len(), product.lines().count(), product.pick_lines().count()]
}

#[cfg(test)]
mod tests;
