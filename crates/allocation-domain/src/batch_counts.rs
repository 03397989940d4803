//! Counters of the units of a batch.

/// The units of a batch that are not free, by state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct BatchCounts {
    /// Allocated to order lines, and not picked yet.
    pub allocated: u32,
    /// Picked, and not shipped yet.
    pub picked: u32,
    /// Shipped.
    pub shipped: u32,
    /// Not found by the picker.
    pub missing: u32,
}

impl BatchCounts {
    /// Returns the sum of all counters.
    #[must_use]
    pub fn sum(&self) -> u64 {
        [self.allocated, self.picked, self.shipped, self.missing].into_iter().map(u64::from).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Batch, BatchReference, Eta, Quantity, Sku};
    use chrono::DateTime;

    fn batch() -> Batch {
        let (reference, sku) = (BatchReference::parse("B-1").unwrap(), Sku::parse("LAMP").unwrap());
        Batch::new(reference, sku, Quantity::new(10).unwrap(), Eta::InStock, DateTime::UNIX_EPOCH)
    }

    #[test]
    fn units_are_free_allocated_picked_shipped_or_missing() {
        let counts = BatchCounts { allocated: 4, picked: 3, shipped: 1, missing: 1 };
        let full = batch().with_counts(counts).unwrap();
        assert_eq!((full.available(), full.consumed(), full.on_hand()), (1, 5, 8));
        assert_eq!(full.clone().with_allocated(5).unwrap().available(), 0);
        assert_eq!(full.with_allocated(6).unwrap_err().consumed, 5);
    }

    #[test]
    fn counters_that_overflow_together_are_rejected() {
        let counts = BatchCounts { allocated: u32::MAX, picked: u32::MAX, shipped: u32::MAX, missing: 13 };
        assert!(batch().with_counts(counts).is_err());
    }
}
