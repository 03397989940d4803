//! Decisions on products of which only part is loaded.

use allocation_domain::{Product, Undecided};
use allocation_ports::{StoreError, UnitOfWork};

/// How often more is loaded for one decision: far more often than any needs that a transaction
/// should take on, and few enough for a fault not to go on for ever.
const MOST_LOADS: usize = 10_000;

/// Decides on a product; as long as what is at hand does not decide, loads what is needed and asks
/// again.
///
/// The decision may be for want of rows in the end, when it never gets enough of them.
pub(crate) fn decide<T, E: Undecided>(
    unit: &mut dyn UnitOfWork,
    product: &mut Product,
    mut decision: impl FnMut(&mut Product) -> Result<T, E>,
) -> Result<Result<T, E>, StoreError> {
    let mut decided = decision(product);
    for _ in 0..MOST_LOADS {
        let Some(needed) = decided.as_ref().err().and_then(Undecided::more_needed) else { break };
        unit.products().load(product, &needed.what)?;
        decided = decision(product);
    }
    Ok(decided)
}

#[cfg(test)]
mod tests;
