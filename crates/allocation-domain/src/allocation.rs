//! Allocations: units of batches that serve order lines.

use crate::{
    Batch, BatchPreference, BatchReference, Eta, Fulfilment, HoldExpired, OrderCancelled, OrderClosed, OrderId,
    Quantity, Sku,
};
use chrono::{DateTime, Utc};

/// Units of one batch that serve one order line.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Allocation {
    /// The batch.
    pub reference: BatchReference,
    /// The allocated units.
    pub quantity: Quantity,
    /// The ETA of the batch.
    pub eta: Eta,
    /// The instant at which the batch was added.
    pub added_at: DateTime<Utc>,
}

impl Allocation {
    /// Creates an allocation of units of a batch.
    #[must_use]
    pub fn of(batch: &Batch, quantity: Quantity) -> Self {
        Self { reference: batch.reference().clone(), quantity, eta: batch.eta(), added_at: batch.added_at() }
    }

    /// Returns the sort key of the batch.
    #[must_use]
    pub fn preference(&self) -> BatchPreference {
        BatchPreference::new(self.eta, self.added_at, self.reference.clone())
    }

    /// Returns the key of [`Allocation::preference`] without copying it.
    pub(crate) fn rank(&self) -> (Eta, DateTime<Utc>, &BatchReference) {
        (self.eta, self.added_at, &self.reference)
    }
}

/// An order line with all its allocations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineAllocation {
    /// The order that the line belongs to.
    pub order_id: OrderId,
    /// The SKU.
    pub sku: Sku,
    /// The ordered units.
    pub quantity: Quantity,
    /// The units on pick lists, picked and shipped.
    pub fulfilment: Fulfilment,
    /// The allocations, the most preferred batch first. Together with the picked and shipped units
    /// they make up the quantity of the line.
    pub allocations: Vec<Allocation>,
}

/// An error for a line that needs more units than are free.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("No batch found for SKU {sku}")]
pub struct OutOfStock {
    /// The SKU.
    pub sku: Sku,
    /// The ordered units, including those that the line already holds.
    pub requested: Quantity,
    /// The free units of all batches together.
    pub available: u64,
}

/// An error for a line that already exists with another quantity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Order {order_id} has a line of {allocated} units of SKU {sku} already, not of {requested}")]
pub struct LineAlreadyAllocated {
    /// The order that the line belongs to.
    pub order_id: OrderId,
    /// The SKU.
    pub sku: Sku,
    /// The quantity of the existing line.
    pub allocated: Quantity,
    /// The requested quantity.
    pub requested: Quantity,
}

/// An error returned when allocating a line.
///
/// Nothing of the request is applied. Expired holds may have been released.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(not(feature = "exhaustive"), non_exhaustive)]
pub enum AllocateError {
    /// All batches together cannot serve the line.
    #[error(transparent)]
    OutOfStock(#[from] OutOfStock),
    /// The line already exists with another quantity.
    #[error(transparent)]
    LineAlreadyAllocated(#[from] LineAlreadyAllocated),
    /// The hold of the line has expired: an ended line is never revived.
    #[error(transparent)]
    HoldExpired(#[from] HoldExpired),
    /// The order of the line was cancelled: a late request does not revive it.
    #[error(transparent)]
    OrderCancelled(#[from] OrderCancelled),
    /// The order of the line was closed: no more units are to come.
    #[error(transparent)]
    OrderClosed(#[from] OrderClosed),
}

/// An error returned when deallocating a line.
///
/// Nothing of the request is applied. Expired holds may have been released.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(not(feature = "exhaustive"), non_exhaustive)]
pub enum DeallocateError {
    /// The product has no such batch.
    #[error("There is no batch {0}")]
    BatchNotFound(BatchReference),
    /// The order has no units in that batch.
    #[error("Order {order_id} has nothing allocated in batch {reference}")]
    AllocationNotFound {
        /// The order.
        order_id: OrderId,
        /// The batch.
        reference: BatchReference,
    },
    /// The units of the order in that batch are picked or shipped.
    #[error("The units of order {order_id} in batch {reference} were picked")]
    Picked {
        /// The order.
        order_id: OrderId,
        /// The batch.
        reference: BatchReference,
    },
}
