//! Receipts: what arrives of an inbound batch.

use crate::named::named;
use crate::{Affected, BatchReference, Displaced, Eta, Quantity, ReceiptId, Sku, Units};

/// Whether more units than expected may arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(not(feature = "exhaustive"), non_exhaustive)]
pub enum OverReceipt {
    /// The receipt is rejected.
    #[default]
    Refuse,
    /// The additional units are received, too.
    Accept,
}

named!(OverReceipt: Refuse = "refuse", Accept = "accept");

/// The batch of the units that have not arrived and are still expected.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct RestTerms {
    /// Its reference, `None` for one that the caller of the decision chooses.
    pub reference: Option<BatchReference>,
    /// Its ETA, `None` for that of the batch.
    pub eta: Option<Eta>,
}

/// An error for a receipt without units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must have a unit that arrived, kept or rejected, and at most {max} together", max = Quantity::MAX)]
pub struct ReceiptError;

/// A request to receive units of an inbound batch.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Receipt {
    receipt_id: ReceiptId,
    reference: BatchReference,
    kept: Units,
    rejected: Units,
    rest: Option<RestTerms>,
    over: OverReceipt,
}

impl Receipt {
    /// Creates a receipt of units that are kept, and of others that arrived and are rejected. The rest stays expected.
    ///
    /// # Errors
    ///
    /// [`ReceiptError`] if no unit arrived, or more than [`Quantity::MAX`].
    pub fn new(
        receipt_id: ReceiptId,
        reference: BatchReference,
        kept: Units,
        rejected: Units,
    ) -> Result<Self, ReceiptError> {
        Quantity::new(u64::from(kept.get()) + u64::from(rejected.get())).map_err(|_| ReceiptError)?;
        let (rest, over) = (Some(RestTerms::default()), OverReceipt::Refuse);
        Ok(Self { receipt_id, reference, kept, rejected, rest, over })
    }

    /// Sets what becomes of the units that have not arrived; `None` gives them up.
    #[must_use]
    pub fn with_rest(self, rest: Option<RestTerms>) -> Self {
        Self { rest, ..self }
    }

    /// Sets whether more units than expected may arrive.
    #[must_use]
    pub fn with_over(self, over: OverReceipt) -> Self {
        Self { over, ..self }
    }

    /// Returns the id.
    #[must_use]
    pub const fn receipt_id(&self) -> &ReceiptId {
        &self.receipt_id
    }

    /// Returns the batch.
    #[must_use]
    pub const fn reference(&self) -> &BatchReference {
        &self.reference
    }

    /// Returns the units that arrived and are kept.
    #[must_use]
    pub const fn kept(&self) -> Units {
        self.kept
    }

    /// Returns the units that arrived and are rejected.
    #[must_use]
    pub const fn rejected(&self) -> Units {
        self.rejected
    }

    /// Returns what becomes of the units that have not arrived, `None` if they are given up.
    #[must_use]
    pub const fn rest(&self) -> Option<&RestTerms> {
        self.rest.as_ref()
    }

    /// Returns whether more units than expected may arrive.
    #[must_use]
    pub const fn over(&self) -> OverReceipt {
        self.over
    }

    /// Returns the units that arrived.
    pub(crate) const fn arrived(&self) -> u32 {
        self.kept.get() + self.rejected.get()
    }
}

/// A batch of units that are still expected.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Rest {
    /// The batch.
    pub reference: BatchReference,
    /// Its units.
    pub quantity: Quantity,
    /// Its ETA.
    pub eta: Eta,
}

/// The outcome of a receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Received {
    /// The SKU.
    pub sku: Sku,
    /// The units of the batch on hand: free, allocated or picked. While lines still leave the batch, the units that
    /// it has once they have left.
    pub on_hand: u32,
    /// The batch of the units that are still expected, if there are any.
    pub rest: Option<Rest>,
    /// The units that were given up.
    pub given_up: u32,
    /// The promises that are now worse or moved to other batches.
    pub affected: Vec<Affected>,
    /// The lines that lost units without replacement and wait.
    ///
    /// While [`Batch::moving`](crate::Batch::moving) of the batch is set, more follow.
    pub displaced: Vec<Displaced>,
}

/// An error returned when receiving a batch. Nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(not(feature = "exhaustive"), non_exhaustive)]
pub enum ReceiveError {
    /// Another receipt has this id.
    #[error("Receipt {0} exists already with other content")]
    AlreadyExists(ReceiptId),
    /// There is no such batch.
    #[error("There is no batch {0}")]
    NotFound(BatchReference),
    /// The batch is in stock.
    #[error("Batch {0} is in stock already")]
    NotInTransit(BatchReference),
    /// More units arrived than are expected.
    #[error("Batch {reference} has {expected} units to arrive, not {arrived}")]
    MoreThanExpected {
        /// The batch.
        reference: BatchReference,
        /// The units that are expected.
        expected: u32,
        /// The units that arrived.
        arrived: u32,
    },
    /// The batch would have more than [`Quantity::MAX`] units.
    #[error("Batch {0} would have more than {max} units", max = Quantity::MAX)]
    TooManyUnits(BatchReference),
    /// Another batch has the reference of the rest.
    #[error("Batch {0} exists already, and cannot be the rest")]
    RestExists(BatchReference),
    /// No reference for the rest was given, and none can be made from that of the batch.
    #[error("The rest of batch {0} needs a reference")]
    RestWithoutName(BatchReference),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_has_units_that_arrived() {
        let receipt = |kept: u32, rejected: u32| {
            let (id, reference) = (ReceiptId::parse("R-1").unwrap(), BatchReference::parse("B-1").unwrap());
            Receipt::new(id, reference, Units::new(kept).unwrap(), Units::new(rejected).unwrap())
        };
        assert_eq!(receipt(0, 0), Err(ReceiptError));
        assert_eq!(receipt(Quantity::MAX, 1), Err(ReceiptError));
        assert_eq!(receipt(0, 1).unwrap().arrived(), 1);
        assert_eq!(receipt(Quantity::MAX, 0).unwrap().arrived(), Quantity::MAX);
    }
}
