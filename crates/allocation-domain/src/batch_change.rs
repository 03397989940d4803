//! Deliveries that come late, early, short or with more than was expected.

use crate::{Batch, BatchReference, BatchVersion, Eta, MoreNeeded, OrderId, Quantity, Sku, Units};

/// What purchasing corrects of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BatchChange {
    /// How many units were purchased, `None` to leave it.
    pub purchased: Option<Units>,
    /// When the batch can be picked from, `None` to leave it.
    pub eta: Option<Eta>,
    /// Whether lines move to a batch that comes earlier, where there is one.
    pub reallocate: bool,
    /// The version of the batch that the correction is based on, `None` for whichever.
    pub expected: Option<BatchVersion>,
}

impl BatchChange {
    /// Whether a batch says already what this change is about, or will once its lines have left.
    #[must_use]
    pub fn is_made(&self, batch: &Batch) -> bool {
        self.purchased.is_none_or(|purchased| purchased == batch.lowered_to())
            && self.eta.is_none_or(|eta| eta == batch.eta())
    }
}

/// What came of changing a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchChanged {
    /// The batch as it is now.
    pub batch: Batch,
    /// The promises that were kept in the batch and are others now: worse, or moved. In the order
    /// in which lines are served. While [`Batch::moving`] says so, there are more to come.
    pub affected: Vec<Affected>,
    /// The lines that lost units and got no others: they wait. In the order in which they are
    /// served.
    pub displaced: Vec<Displaced>,
}

/// Units of a line that are promised for another date than before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Affected {
    /// The order that the line belongs to.
    pub order_id: OrderId,
    /// What is ordered.
    pub sku: Sku,
    /// The batch that holds the units now.
    pub reference: BatchReference,
    /// How many units.
    pub quantity: Quantity,
    /// When they were promised before.
    pub old_eta: Eta,
    /// When they are promised now.
    pub new_eta: Eta,
}

impl Affected {
    /// Whether the units come later than was promised.
    #[must_use]
    pub fn is_worse(&self) -> bool {
        self.new_eta > self.old_eta
    }
}

/// Units that a line lost and waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Displaced {
    /// The order that the line belongs to.
    pub order_id: OrderId,
    /// What is ordered.
    pub sku: Sku,
    /// How many units it has lost and not got elsewhere.
    pub quantity: Quantity,
    /// Whether the line is short: it waits without having asked to.
    pub short: bool,
}

/// Why a batch is not changed. Nothing of it is then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeBatchError {
    /// The product has no such batch.
    #[error("There is no batch {0}")]
    NotFound(BatchReference),
    /// Somebody else has changed the batch meanwhile.
    #[error("Batch {reference} is in revision {}, and another was expected", .actual.revision)]
    Stale {
        /// The batch.
        reference: BatchReference,
        /// The version that the change is based on.
        expected: BatchVersion,
        /// The version of the batch.
        actual: BatchVersion,
    },
    /// More units of the batch than that were picked, shipped or found missing.
    #[error("Batch {reference} cannot come to {purchased} units: {gone} were picked, shipped or found missing")]
    BelowConsumed {
        /// The batch.
        reference: BatchReference,
        /// To how many units it was to be lowered.
        purchased: Units,
        /// How many of its units are picked, shipped or missing.
        gone: u32,
    },
    /// What is at hand does not decide which lines leave or who gets units.
    #[error(transparent)]
    MoreNeeded(#[from] MoreNeeded),
}
