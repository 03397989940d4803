//! Corrections of batches: deliveries that are late, early, short or over.

use crate::{Batch, BatchReference, BatchVersion, Eta, OrderId, Quantity, Sku, Units};

/// A correction of a batch's quantity or ETA.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BatchChange {
    /// The purchased units, `None` to keep them.
    pub purchased: Option<Units>,
    /// The ETA, `None` to keep it.
    pub eta: Option<Eta>,
    /// Whether lines move to an earlier batch where there is one.
    pub reallocate: bool,
    /// The version of the batch that the correction is based on, `None` for any.
    pub expected: Option<BatchVersion>,
}

impl BatchChange {
    /// Returns whether a batch already has the values of this change, or will have them once its
    /// lines have left.
    #[must_use]
    pub fn is_made(&self, batch: &Batch) -> bool {
        self.purchased.is_none_or(|purchased| purchased == batch.purchased_finally())
            && self.eta.is_none_or(|eta| eta == batch.eta())
    }
}

/// The outcome of changing a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchChanged {
    /// The batch after the change.
    pub batch: Batch,
    /// The promises of the batch that are now worse or moved, in the order in which lines are
    /// served. While [`Batch::moving`] is set, more follow.
    pub affected: Vec<Affected>,
    /// The lines that lost units without replacement and wait, in the order in which they are
    /// served.
    pub displaced: Vec<Displaced>,
}

/// Units of a line whose promised ETA or batch changed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Affected {
    /// The order that the line belongs to.
    pub order_id: OrderId,
    /// The SKU.
    pub sku: Sku,
    /// The batch that holds the units now.
    pub reference: BatchReference,
    /// The number of units.
    pub quantity: Quantity,
    /// The ETA promised before.
    pub old_eta: Eta,
    /// The ETA promised now.
    pub new_eta: Eta,
}

impl Affected {
    /// Returns whether the units arrive later than promised before.
    #[must_use]
    pub fn is_worse(&self) -> bool {
        self.new_eta > self.old_eta
    }
}

/// Units that a line lost and waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Displaced {
    /// The order that the line belongs to.
    pub order_id: OrderId,
    /// The SKU.
    pub sku: Sku,
    /// The units that it lost without replacement.
    pub quantity: Quantity,
    /// Whether the line is short: it waits although it does not accept backorders.
    pub short: bool,
}

/// An error returned when changing a batch.
///
/// The batch is unchanged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(not(feature = "exhaustive"), non_exhaustive)]
pub enum ChangeBatchError {
    /// The product has no such batch.
    #[error("There is no batch {0}")]
    NotFound(BatchReference),
    /// The batch has another version than the change expects.
    #[error("Batch {reference} is in revision {}, and another was expected", .actual.revision)]
    Stale {
        /// The batch.
        reference: BatchReference,
        /// The version that the change is based on.
        expected: BatchVersion,
        /// The version of the batch.
        actual: BatchVersion,
    },
    /// More units of the batch were already picked, shipped or found missing.
    #[error(
        "Batch {reference} cannot be lowered to {purchased} units: {consumed} were picked, shipped, found missing or removed by adjustments"
    )]
    BelowConsumed {
        /// The batch.
        reference: BatchReference,
        /// The requested number of units.
        purchased: Units,
        /// The picked, shipped and missing units, and those that adjustments have removed altogether.
        consumed: u32,
    },
    /// The batch would have more than [`Quantity::MAX`] units, with those that adjustments have added.
    #[error("Batch {reference} would have more than {max} units, with those that adjustments have added", max = Quantity::MAX)]
    TooManyUnits {
        /// The batch.
        reference: BatchReference,
        /// The requested number of purchased units.
        purchased: Units,
    },
}
