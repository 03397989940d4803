//! Batches of stock.

use crate::{BatchReference, Eta, Quantity, Sku};
use chrono::{DateTime, SubsecRound, Utc};

/// A batch whose counter says that more is allocated than was purchased.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("batch {reference} holds {allocated} allocated units of {purchased} purchased ones")]
pub struct Oversold {
    /// The batch.
    pub reference: BatchReference,
    /// How many units were purchased.
    pub purchased: u32,
    /// How many units are said to be allocated.
    pub allocated: u32,
}

/// Why a batch cannot be added.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddBatchError {
    /// The product has a batch of that name already.
    #[error("Batch {0} exists already")]
    AlreadyExists(BatchReference),
}

/// Why a batch cannot be removed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RemoveBatchError {
    /// The product has no such batch.
    #[error("There is no batch {0}")]
    NotFound(BatchReference),
    /// Units of the batch are allocated.
    #[error("Batch {reference} has {allocated} allocated units")]
    HasAllocations {
        /// The batch.
        reference: BatchReference,
        /// How many of its units are allocated.
        allocated: u32,
    },
}

/// A quantity of one SKU that was purchased as one, in the warehouse or on its way.
///
/// `0 <= allocated <= purchased` holds for every value of this type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    reference: BatchReference,
    sku: Sku,
    purchased: Quantity,
    allocated: u32,
    eta: Eta,
    added_at: DateTime<Utc>,
}

/// What orders batches: smaller is preferred.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct BatchPreference {
    eta: Eta,
    added_at: DateTime<Utc>,
    reference: BatchReference,
}

impl BatchPreference {
    pub(crate) const fn new(eta: Eta, added_at: DateTime<Utc>, reference: BatchReference) -> Self {
        Self { eta, added_at, reference }
    }
}

impl Batch {
    /// A batch of which nothing is allocated. `added_at` is kept in microseconds.
    #[must_use]
    pub fn new(reference: BatchReference, sku: Sku, purchased: Quantity, eta: Eta, added_at: DateTime<Utc>) -> Self {
        Self { reference, sku, purchased, allocated: 0, eta, added_at: added_at.trunc_subsecs(6) }
    }

    /// This batch with so many units allocated, as a store remembers it.
    ///
    /// # Errors
    ///
    /// [`Oversold`] when that is more than was purchased.
    pub fn with_allocated(self, allocated: u32) -> Result<Self, Oversold> {
        if allocated > self.purchased.get() {
            return Err(Oversold { reference: self.reference, purchased: self.purchased.get(), allocated });
        }
        Ok(Self { allocated, ..self })
    }

    /// The name of the batch.
    #[must_use]
    pub const fn reference(&self) -> &BatchReference {
        &self.reference
    }

    /// What the batch holds.
    #[must_use]
    pub const fn sku(&self) -> &Sku {
        &self.sku
    }

    /// How many units were purchased.
    #[must_use]
    pub const fn purchased(&self) -> Quantity {
        self.purchased
    }

    /// How many units are allocated to order lines.
    #[must_use]
    pub const fn allocated(&self) -> u32 {
        self.allocated
    }

    /// How many units can still be allocated.
    #[must_use]
    pub const fn available(&self) -> u32 {
        self.purchased.get() - self.allocated
    }

    /// When the batch can be picked from.
    #[must_use]
    pub const fn eta(&self) -> Eta {
        self.eta
    }

    /// When the batch was added, in microseconds.
    #[must_use]
    pub const fn added_at(&self) -> DateTime<Utc> {
        self.added_at
    }

    /// Whether all `quantity` units can be allocated to this batch.
    #[must_use]
    pub const fn can_allocate(&self, quantity: Quantity) -> bool {
        quantity.get() <= self.available()
    }

    /// The batch's place in the order of preference: stock in the warehouse first, then the
    /// earliest ETA, then the batch that was added first, then the smaller reference.
    #[must_use]
    pub fn preference(&self) -> BatchPreference {
        BatchPreference::new(self.eta, self.added_at, self.reference.clone())
    }

    /// Whether this batch says the same as another but for what became of it since it was added.
    #[must_use]
    pub fn same_purchase(&self, other: &Self) -> bool {
        (&self.reference, &self.sku, self.purchased, self.eta)
            == (&other.reference, &other.sku, other.purchased, other.eta)
    }

    /// Whether both are the same batch, whatever was allocated of it since.
    pub(crate) fn same_origin(&self, other: &Self) -> bool {
        self.same_purchase(other) && self.added_at == other.added_at
    }

    /// Takes units for a line; the caller has checked that they are available.
    pub(crate) fn take(&mut self, quantity: Quantity) {
        debug_assert!(self.can_allocate(quantity));
        self.allocated += quantity.get();
    }

    /// Gives units of a line back; the caller has checked that the line holds them.
    pub(crate) fn give_back(&mut self, quantity: Quantity) {
        debug_assert!(quantity.get() <= self.allocated);
        self.allocated -= quantity.get();
    }
}
