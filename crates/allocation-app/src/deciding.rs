//! Decisions on products of which only part is loaded.

use allocation_domain::{DataRequest, MoreNeeded, Product, Products, Sku, Undecided};
use allocation_ports::{StoreError, UnitOfWork};

/// How often more is loaded for one decision: far more often than any needs that a transaction
/// should take on, and few enough for a fault not to go on for ever.
const MAX_LOADS: usize = 10_000;

/// What decisions are made on: a locked product, or several.
pub(crate) trait AtHand {
    /// The product of a SKU, to load more into.
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

/// Decides on what is at hand; as long as that does not decide, loads what is needed and asks again.
///
/// What a decision needs once more, although no row has come since it was loaded, is counted in a row and not
/// there: [`StoreError::Invariant`].
pub(crate) fn decide<P: AtHand, T, E: Undecided>(
    unit: &mut dyn UnitOfWork,
    at_hand: &mut P,
    mut decision: impl FnMut(&mut P) -> Result<T, E>,
) -> Result<Result<T, E>, StoreError> {
    let mut decided = decision(at_hand);
    // What was loaded since rows came last, and how many there are since.
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

/// How many batches, lines and pick lines of a product are at hand.
fn rows(product: &Product) -> [usize; 3] {
    [product.batches().len(), product.lines().count(), product.pick_lines().count()]
}

#[cfg(test)]
mod tests;
