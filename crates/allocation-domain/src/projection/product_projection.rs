//! One product of a projection.

use crate::indexed_lines::IndexedLines;
use crate::{Batch, BatchReference, LineState, OrderId, PickLine, PickLineId, PickListId};
use std::collections::BTreeMap;

/// The batches, lines and pick lines of one product, rebuilt from its events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(from = "rows::Rows", into = "rows::Rows"))]
pub struct ProductProjection {
    pub(super) batches: BTreeMap<BatchReference, Batch>,
    pub(super) lines: IndexedLines,
    pub(super) pick_lines: BTreeMap<PickLineId, PickLine>,
}

impl ProductProjection {
    /// Returns a batch.
    #[must_use]
    pub fn batch(&self, reference: &BatchReference) -> Option<&Batch> {
        self.batches.get(reference)
    }

    /// Returns the batches, sorted by reference.
    pub fn batches(&self) -> impl Iterator<Item = &Batch> {
        self.batches.values()
    }

    /// Returns how many free units the batches have together.
    #[must_use]
    pub fn available(&self) -> u64 {
        self.batches.values().map(|batch| u64::from(batch.available())).sum()
    }

    /// Returns the line of an order.
    #[must_use]
    pub fn line(&self, order_id: &OrderId) -> Option<&LineState> {
        self.lines.get(order_id)
    }

    /// Returns the lines, sorted by order.
    pub fn lines(&self) -> impl Iterator<Item = (&OrderId, &LineState)> {
        self.lines.iter()
    }

    /// Returns the pick lines, sorted by list and number.
    pub fn pick_lines(&self) -> impl Iterator<Item = (&PickLineId, &PickLine)> {
        self.pick_lines.iter()
    }

    /// Returns the pick lines of a list, sorted by number.
    pub fn pick_lines_of(&self, list: &PickListId) -> impl Iterator<Item = (&PickLineId, &PickLine)> {
        let id = |line| PickLineId { list: list.clone(), line };
        self.pick_lines.range(id(0)..=id(u32::MAX))
    }
}

/// The rows of a product, as they are serialized.
#[cfg(feature = "serde")]
mod rows {
    use super::{Batch, IndexedLines, LineState, OrderId, PickLine, PickLineId, ProductProjection};

    #[derive(serde::Serialize, serde::Deserialize)]
    pub(super) struct Rows {
        batches: Vec<Batch>,
        lines: Vec<(OrderId, LineState)>,
        pick_lines: Vec<(PickLineId, PickLine)>,
    }

    impl From<ProductProjection> for Rows {
        fn from(product: ProductProjection) -> Self {
            let ProductProjection { batches, lines, pick_lines } = product;
            let lines = lines.iter().map(|(order_id, line)| (order_id.clone(), line.clone())).collect();
            Self { batches: batches.into_values().collect(), lines, pick_lines: pick_lines.into_iter().collect() }
        }
    }

    impl From<Rows> for ProductProjection {
        fn from(rows: Rows) -> Self {
            let mut lines = IndexedLines::default();
            rows.lines.into_iter().for_each(|(order_id, line)| lines.insert(order_id, line));
            let batches = rows.batches.into_iter().map(|batch| (batch.reference().clone(), batch)).collect();
            Self { batches, lines, pick_lines: rows.pick_lines.into_iter().collect() }
        }
    }
}
