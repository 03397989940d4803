//! Adjustments of stock: units that were damaged, lost, found or counted.

use crate::{AdjustmentId, AdjustmentReason, Affected, BatchReference, Displaced, Quantity, Sku, UnitChange, Units};
use std::collections::BTreeMap;

/// The units that an adjustment adds to one batch, or removes from it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct AdjustmentLine {
    /// The batch.
    pub reference: BatchReference,
    /// The units to add, negative to remove them.
    pub change: UnitChange,
    /// The units that the batch is expected to have on hand before, `None` for any number.
    pub expected: Option<Units>,
}

/// An error for lines that are no adjustment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(not(feature = "exhaustive"), non_exhaustive)]
pub enum AdjustmentError {
    /// There is no line, or there are more than [`Adjustment::MAX_LINES`].
    #[error("must have from 1 to {max} lines, not {0}", max = Adjustment::MAX_LINES)]
    LineCount(usize),
    /// Two lines name the same batch.
    #[error("two lines name batch {0}")]
    Repeated(BatchReference),
}

/// A request to adjust the units of batches: all of them, or none.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Adjustment {
    adjustment_id: AdjustmentId,
    reason: AdjustmentReason,
    /// One line for each batch, sorted by reference.
    lines: Vec<AdjustmentLine>,
}

impl Adjustment {
    /// The maximum number of lines.
    pub const MAX_LINES: usize = 500;

    /// Creates an adjustment. The order of the lines has no meaning.
    ///
    /// # Errors
    ///
    /// [`AdjustmentError`].
    pub fn new(
        adjustment_id: AdjustmentId,
        reason: AdjustmentReason,
        lines: impl IntoIterator<Item = AdjustmentLine>,
    ) -> Result<Self, AdjustmentError> {
        let mut sorted = BTreeMap::new();
        let mut count = 0;
        for line in lines {
            count += 1;
            if let Some(repeated) = sorted.insert(line.reference.clone(), line) {
                return Err(AdjustmentError::Repeated(repeated.reference));
            }
        }
        if !(1..=Self::MAX_LINES).contains(&count) {
            return Err(AdjustmentError::LineCount(count));
        }
        Ok(Self { adjustment_id, reason, lines: sorted.into_values().collect() })
    }

    /// Returns the id.
    #[must_use]
    pub const fn adjustment_id(&self) -> &AdjustmentId {
        &self.adjustment_id
    }

    /// Returns the reason.
    #[must_use]
    pub const fn reason(&self) -> &AdjustmentReason {
        &self.reason
    }

    /// Returns the lines, sorted by reference.
    #[must_use]
    pub fn lines(&self) -> &[AdjustmentLine] {
        &self.lines
    }
}

/// A batch after an adjustment.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct AdjustedLine {
    /// The batch.
    pub reference: BatchReference,
    /// The SKU.
    pub sku: Sku,
    /// The units that were added, negative if they were removed.
    pub change: UnitChange,
    /// The units on hand after the adjustment: free, allocated or picked. While lines still leave the batch, the
    /// units that it has once they have left.
    pub on_hand: u32,
}

/// The outcome of an adjustment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Adjusted {
    /// The adjusted batches, sorted by reference.
    pub lines: Vec<AdjustedLine>,
    /// The promises that are now worse or moved to other batches.
    pub affected: Vec<Affected>,
    /// The lines that lost units without replacement and wait.
    ///
    /// While [`Batch::moving`](crate::Batch::moving) of an adjusted batch is set, more follow.
    pub displaced: Vec<Displaced>,
}

/// An error returned when adjusting stock. Nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(not(feature = "exhaustive"), non_exhaustive)]
pub enum AdjustError {
    /// Another adjustment has this id.
    #[error("Adjustment {0} exists already with other content")]
    AlreadyExists(AdjustmentId),
    /// There is no such batch.
    #[error("There is no batch {0}")]
    NotFound(BatchReference),
    /// The batch has another number of units on hand than the adjustment expects.
    #[error("Batch {reference} has {actual} units on hand, not {expected}")]
    QuantityChanged {
        /// The batch.
        reference: BatchReference,
        /// The units that the adjustment expects.
        expected: Units,
        /// The units on hand.
        actual: u32,
    },
    /// The batch would have fewer units than were picked and shipped.
    #[error("Batch {reference} has {free} units that are not picked, and cannot be adjusted by {change}")]
    BelowConsumed {
        /// The batch.
        reference: BatchReference,
        /// The requested change.
        change: UnitChange,
        /// The units on hand that are not picked.
        free: u32,
    },
    /// The batch would have more than [`Quantity::MAX`] units.
    #[error("Batch {reference} would have more than {max} units with {change}", max = Quantity::MAX)]
    TooManyUnits {
        /// The batch.
        reference: BatchReference,
        /// The requested change.
        change: UnitChange,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(reference: &str) -> AdjustmentLine {
        let (reference, change) = (BatchReference::parse(reference).unwrap(), UnitChange::new(-1).unwrap());
        AdjustmentLine { reference, change, expected: None }
    }

    fn adjustment(lines: Vec<AdjustmentLine>) -> Result<Adjustment, AdjustmentError> {
        Adjustment::new(AdjustmentId::parse("A-1").unwrap(), AdjustmentReason::parse("damaged").unwrap(), lines)
    }

    #[test]
    fn an_adjustment_has_one_line_for_each_batch_in_any_order() {
        let (one, two) = (adjustment(vec![line("B-1"), line("B-2")]), adjustment(vec![line("B-2"), line("B-1")]));
        assert_eq!(one, two);
        let repeated = adjustment(vec![line("B-1"), line("B-2"), line("B-1")]);
        assert_eq!(repeated, Err(AdjustmentError::Repeated(BatchReference::parse("B-1").unwrap())));
    }

    #[test]
    fn the_number_of_lines_has_a_limit() {
        let lines = |count: usize| (0..count).map(|number| line(&format!("B-{number}"))).collect();
        assert_eq!(adjustment(lines(500)).unwrap().lines().len(), 500);
        assert_eq!(adjustment(lines(501)), Err(AdjustmentError::LineCount(501)));
        assert_eq!(adjustment(Vec::new()), Err(AdjustmentError::LineCount(0)));
    }
}
