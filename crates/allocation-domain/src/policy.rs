//! The allocation policy: the choice of batches that serve a line.

use crate::horizon::Horizon;
use crate::{Batch, BatchPreference, Quantity};

/// The decision of the policy.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// The indexes of batches, with the units of each.
    Batches(Vec<(usize, Quantity)>),
    /// All batches together have only this many free units.
    Short(u64),
    /// Batches that are not loaded could change the decision.
    NotKnown,
}

/// Chooses the batches that serve `quantity` units.
///
/// `batches` are in order of preference. The line goes whole into the first batch that can take it.
/// Only if no single batch can, it is split over the batches in order. `horizon` is the preference
/// up to which all batches with free units are loaded.
pub(crate) fn choose(batches: &[Batch], quantity: Quantity, horizon: &Horizon<BatchPreference>) -> Choice {
    let whole = batches.iter().position(|batch| batch.can_allocate(quantity));
    if let Some(index) = whole
        && (horizon.is_all() || horizon.covers(&batches[index].preference()))
    {
        return Choice::Batches(vec![(index, quantity)]);
    }
    if !horizon.is_all() {
        return Choice::NotKnown;
    }
    split(batches, quantity)
}

fn split(batches: &[Batch], quantity: Quantity) -> Choice {
    let mut parts = Vec::new();
    let mut missing = Some(quantity);
    for (index, batch) in batches.iter().enumerate() {
        let Some(wanted) = missing else { break };
        if let Some(part) = wanted.at_most(batch.available()) {
            parts.push((index, part));
            missing = wanted.minus(part.get());
        }
    }
    match missing {
        None => Choice::Batches(parts),
        Some(_) => Choice::Short(available(batches)),
    }
}

/// Returns how many free units the batches have together.
pub(crate) fn available(batches: &[Batch]) -> u64 {
    batches.iter().map(|batch| u64::from(batch.available())).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BatchReference, Eta, Sku};
    use chrono::DateTime;

    fn batches(units: &[u32]) -> Vec<Batch> {
        let sku = Sku::parse("LAMP").unwrap();
        (1..)
            .zip(units)
            .map(|(n, &free)| {
                let reference = BatchReference::parse(format!("B-{n}")).unwrap();
                let added_at = DateTime::from_timestamp_micros(n).unwrap();
                Batch::new(reference, sku.clone(), quantity(100), Eta::InStock, added_at)
                    .with_allocated(100 - free)
                    .unwrap()
            })
            .collect()
    }

    fn quantity(units: u32) -> Quantity {
        Quantity::new(units).unwrap()
    }

    #[test]
    fn a_line_goes_whole_into_the_first_batch_that_can_take_it() {
        assert_eq!(choose(&batches(&[3, 8, 20]), quantity(5), &Horizon::All), Choice::Batches(vec![(1, quantity(5))]));
    }

    #[test]
    fn a_line_that_no_batch_can_take_is_split_in_order() {
        let parts = vec![(0, quantity(3)), (2, quantity(4)), (3, quantity(1))];
        assert_eq!(choose(&batches(&[3, 0, 4, 6]), quantity(8), &Horizon::All), Choice::Batches(parts));
    }

    #[test]
    fn when_all_batches_are_short_it_says_how_much_there_is() {
        assert_eq!(choose(&batches(&[3, 4]), quantity(8), &Horizon::All), Choice::Short(7));
        assert_eq!(choose(&[], quantity(8), &Horizon::All), Choice::Short(0));
    }

    #[test]
    fn beyond_the_horizon_nothing_is_decided() {
        let known = batches(&[3, 4, 9]);
        let horizon = Horizon::UpTo(known[1].preference());
        assert_eq!(choose(&known, quantity(4), &horizon), Choice::Batches(vec![(1, quantity(4))]));
        assert_eq!(choose(&known, quantity(9), &horizon), Choice::NotKnown);
        assert_eq!(choose(&known, quantity(10), &horizon), Choice::NotKnown);
        assert_eq!(choose(&known, quantity(1), &Horizon::Nothing), Choice::NotKnown);
    }
}
