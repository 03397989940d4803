//! Batches in order of preference, indexed by reference.

use crate::{Batch, BatchReference, Eta};
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use std::ops::Deref;

/// Batches in order of preference, each reference once.
///
/// It dereferences to a slice; a lookup by reference takes at most logarithmic time. Every change keeps the
/// order, so an ETA is set here and not on the batch.
#[derive(Debug, Clone, Default)]
pub(crate) struct OrderedBatches {
    in_order: Vec<Batch>,
    /// The sort key of each batch, besides its reference, once there are more than [`FEW`].
    ranks: HashMap<BatchReference, (Eta, DateTime<Utc>)>,
}

/// The number of batches up to which a linear search is faster than one by sort key.
const FEW: usize = 16;

impl Deref for OrderedBatches {
    type Target = [Batch];

    fn deref(&self) -> &[Batch] {
        &self.in_order
    }
}

impl OrderedBatches {
    /// Adds batches; those with a reference that exists are skipped.
    pub(crate) fn extend(&mut self, batches: impl IntoIterator<Item = Batch>) {
        let known = self.in_order.len();
        for batch in batches {
            if !self.contains(batch.reference()) {
                self.in_order.push(batch);
                self.rank_last();
            }
        }
        // Sorting a nearly sorted list takes linear time.
        if self.in_order.len() > known {
            self.in_order.sort_by(|one, other| one.rank().cmp(&other.rank()));
        }
    }

    fn contains(&self, reference: &BatchReference) -> bool {
        if self.ranks.is_empty() {
            return self.in_order.iter().any(|batch| batch.reference() == reference);
        }
        self.ranks.contains_key(reference)
    }

    /// Ranks a batch that was added at the end.
    fn rank_last(&mut self) {
        let rank = |batch: &Batch| (batch.reference().clone(), (batch.eta(), batch.added_at()));
        if !self.ranks.is_empty() {
            self.ranks.extend(self.in_order.last().map(rank));
        } else if self.in_order.len() > FEW {
            self.ranks.extend(self.in_order.iter().map(rank));
        }
    }

    /// Adds a batch with a new reference and returns its index.
    pub(crate) fn insert(&mut self, batch: Batch) -> usize {
        let index = self.in_order.partition_point(|other| other.rank() < batch.rank());
        self.in_order.push(batch);
        self.rank_last();
        self.in_order[index..].rotate_right(1);
        index
    }

    /// Removes the batch at an index.
    pub(crate) fn remove(&mut self, index: usize) -> Batch {
        let batch = self.in_order.remove(index);
        self.ranks.remove(batch.reference());
        batch
    }

    /// Returns the index of a batch.
    pub(crate) fn index_of(&self, reference: &BatchReference) -> Option<usize> {
        if self.ranks.is_empty() {
            return self.in_order.iter().position(|batch| batch.reference() == reference);
        }
        let (eta, added_at) = *self.ranks.get(reference)?;
        self.in_order.binary_search_by(|batch| batch.rank().cmp(&(eta, added_at, reference))).ok()
    }

    /// Returns a batch by its reference.
    pub(crate) fn find(&self, reference: &BatchReference) -> Option<&Batch> {
        self.index_of(reference).map(|index| &self.in_order[index])
    }

    /// Returns the batch at an index for changes that keep its preference.
    pub(crate) fn at_mut(&mut self, index: usize) -> &mut Batch {
        &mut self.in_order[index]
    }

    /// Sets the ETA of a batch and moves the batch to its new index.
    pub(crate) fn set_eta(&mut self, index: usize, eta: Eta) {
        let mut batch = self.remove(index);
        batch.set_eta(eta);
        self.insert(batch);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Quantity, Sku};

    fn batch(number: i64) -> Batch {
        let (name, sku) = (BatchReference::parse(format!("B-{number:03}")), Sku::parse("LAMP"));
        let added_at = DateTime::from_timestamp_micros(number).unwrap();
        Batch::new(name.unwrap(), sku.unwrap(), Quantity::new(1).unwrap(), Eta::InStock, added_at)
    }

    fn numbers(batches: &OrderedBatches) -> Vec<i64> {
        batches.iter().map(|batch| batch.added_at().timestamp_micros()).collect()
    }

    #[test]
    fn many_batches_stay_sorted_and_each_is_found() {
        let all: Vec<i64> = (0..3 * i64::try_from(FEW).unwrap()).collect();
        let mut batches = OrderedBatches::default();
        batches.extend(all.iter().rev().step_by(2).map(|number| batch(*number)));
        assert!(!batches.ranks.is_empty());
        for number in all.iter().step_by(2) {
            batches.insert(batch(*number));
        }
        batches.extend(all.iter().map(|number| batch(*number)));
        assert_eq!(numbers(&batches), all);
        for number in &all {
            let index = batches.index_of(batch(*number).reference()).unwrap();
            assert_eq!(batches.remove(index), batch(*number));
            assert_eq!(batches.index_of(batch(*number).reference()), None);
        }
        batches.extend([batch(1)]);
        assert_eq!(batches.index_of(batch(1).reference()), Some(0));
    }

    #[test]
    fn batches_stay_sorted_and_each_is_found() {
        let mut batches = OrderedBatches::default();
        batches.extend([batch(7), batch(3), batch(9)]);
        batches.extend([batch(5)]);
        assert_eq!(batches.insert(batch(4)), 1);
        assert_eq!(numbers(&batches), [3, 4, 5, 7, 9]);
        for number in [3, 4, 5, 7, 9] {
            assert_eq!(batches.find(batch(number).reference()), Some(&batch(number)));
        }
        batches.remove(2);
        assert_eq!(batches.find(batch(5).reference()), None);
        batches.set_eta(0, Eta::Due(chrono::NaiveDate::MAX));
        assert_eq!(numbers(&batches), [4, 7, 9, 3]);
        assert_eq!(batches.index_of(batch(3).reference()), Some(3));
    }
}
