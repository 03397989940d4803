//! What a line was given.

use crate::{
    Batch, BatchPreference, BatchReference, Eta, Fulfilment, HoldExpired, MoreNeeded, OrderCancelled, OrderId,
    Quantity, Sku,
};
use chrono::{DateTime, Utc};

/// Units of one batch that serve one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allocation {
    /// The batch.
    pub reference: BatchReference,
    /// How many of its units.
    pub quantity: Quantity,
    /// When the batch can be picked from.
    pub eta: Eta,
    /// When the batch was added.
    pub added_at: DateTime<Utc>,
}

impl Allocation {
    /// Units of a batch.
    #[must_use]
    pub fn of(batch: &Batch, quantity: Quantity) -> Self {
        Self { reference: batch.reference().clone(), quantity, eta: batch.eta(), added_at: batch.added_at() }
    }

    /// The place of the batch in the order of preference.
    #[must_use]
    pub fn preference(&self) -> BatchPreference {
        BatchPreference::new(self.eta, self.added_at, self.reference.clone())
    }

    /// What [`Allocation::preference`] compares, without a copy.
    pub(crate) fn rank(&self) -> (Eta, DateTime<Utc>, &BatchReference) {
        (self.eta, self.added_at, &self.reference)
    }
}

/// A line with all its allocations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineAllocation {
    /// The order that the line belongs to.
    pub order_id: OrderId,
    /// What is ordered.
    pub sku: Sku,
    /// How many units are ordered.
    pub quantity: Quantity,
    /// How many of its units are on pick lists, picked and shipped.
    pub fulfilment: Fulfilment,
    /// The allocations, the most preferred batch first; with what was picked and shipped together
    /// the quantity of the line.
    pub allocations: Vec<Allocation>,
}

/// What came of allocating a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllocationOutcome {
    /// Units were allocated.
    Allocated(LineAllocation),
    /// The line had all its units already; nothing changed.
    Unchanged(LineAllocation),
}

/// Fewer units are free than a line needs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("No batch found for SKU {sku}")]
pub struct OutOfStock {
    /// What is ordered.
    pub sku: Sku,
    /// How many units the line has ordered, those included that it holds already.
    pub requested: Quantity,
    /// How many units all batches have free together.
    pub available: u64,
}

/// A line that is allocated with another quantity than asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Order {order_id} has a line of {allocated} units of SKU {sku} already, not of {requested}")]
pub struct LineAlreadyAllocated {
    /// The order that the line belongs to.
    pub order_id: OrderId,
    /// What is ordered.
    pub sku: Sku,
    /// The quantity of the line as it was allocated.
    pub allocated: Quantity,
    /// The quantity asked for.
    pub requested: Quantity,
}

/// Why a line is not allocated. Nothing of it has changed then; holds of others that had expired may
/// have been released.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AllocateError {
    /// All batches together cannot serve the line.
    #[error(transparent)]
    OutOfStock(#[from] OutOfStock),
    /// The line is allocated with another quantity.
    #[error(transparent)]
    LineAlreadyAllocated(#[from] LineAlreadyAllocated),
    /// The line was held, and its time is up: what has ended stays so.
    #[error(transparent)]
    HoldExpired(#[from] HoldExpired),
    /// The order of the line was cancelled: a request that comes late does not revive it.
    #[error(transparent)]
    OrderCancelled(#[from] OrderCancelled),
    /// What is at hand does not decide.
    #[error(transparent)]
    MoreNeeded(#[from] MoreNeeded),
}

/// Why a line is not deallocated. Nothing has changed then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
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
    /// What the order had in that batch was picked: it is not undone.
    #[error("The units of order {order_id} in batch {reference} were picked")]
    Picked {
        /// The order.
        order_id: OrderId,
        /// The batch.
        reference: BatchReference,
    },
    /// What is at hand does not decide who of those that wait gets the units.
    #[error(transparent)]
    MoreNeeded(#[from] MoreNeeded),
}
