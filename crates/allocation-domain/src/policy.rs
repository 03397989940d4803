//! The allocation policy alone: which batches serve a line.
//!
//! The policy needs no [`Product`](crate::Product): it works on the free units of any batches,
//! sorted with the most preferred one first. [`BatchPreference`](crate::BatchPreference) is the
//! sort key that the service uses.
//!
//! ```
//! use allocation_domain::{Quantity, policy};
//!
//! let free = [3, 8, 20];
//! let choice = policy::choose(free, Quantity::new(5)?);
//! assert_eq!(choice, policy::Choice::Batches(vec![(1, Quantity::new(5)?)]));
//! # Ok::<(), allocation_domain::QuantityError>(())
//! ```

use crate::Quantity;

/// The decision of the policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// The indexes of batches, with the units of each. Together they are the wanted quantity.
    Batches(Vec<(usize, Quantity)>),
    /// All batches together have too few free units.
    Short {
        /// The free units of all batches together.
        available: u64,
    },
}

/// Chooses the batches that serve `wanted` units.
///
/// `free` has the free units of each batch, the most preferred batch first. The line goes whole
/// into the first batch that can take it. Only if no single batch can, it is split over the batches
/// in order. It gets nothing if all batches together have too few.
#[must_use]
pub fn choose(free: impl IntoIterator<Item = u32, IntoIter: Clone>, wanted: Quantity) -> Choice {
    let free = free.into_iter();
    if let Some(index) = first_whole(free.clone(), wanted) {
        return Choice::Batches(vec![(index, wanted)]);
    }
    let (mut parts, mut missing) = (Vec::new(), Some(wanted));
    for (index, units) in free.clone().enumerate() {
        let Some(rest) = missing else { break };
        if let Some(part) = rest.at_most(units) {
            parts.push((index, part));
            missing = rest.minus(part.get());
        }
    }
    match missing {
        None => Choice::Batches(parts),
        Some(_) => Choice::Short { available: free.map(u64::from).sum() },
    }
}

/// Returns the index of the first batch that has `wanted` units free.
pub(crate) fn first_whole(mut free: impl Iterator<Item = u32>, wanted: Quantity) -> Option<usize> {
    free.position(|units| units >= wanted.get())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quantity(units: u32) -> Quantity {
        Quantity::new(units).unwrap()
    }

    #[test]
    fn a_line_is_allocated_whole_from_the_first_batch_that_has_enough() {
        assert_eq!(choose([3, 8, 20], quantity(5)), Choice::Batches(vec![(1, quantity(5))]));
    }

    #[test]
    fn a_line_larger_than_every_batch_is_split_in_order() {
        let parts = vec![(0, quantity(3)), (2, quantity(4)), (3, quantity(1))];
        assert_eq!(choose([3, 0, 4, 6], quantity(8)), Choice::Batches(parts));
    }

    #[test]
    fn a_shortage_reports_the_free_units() {
        assert_eq!(choose([3, 4], quantity(8)), Choice::Short { available: 7 });
        assert_eq!(choose([], quantity(8)), Choice::Short { available: 0 });
    }
}
