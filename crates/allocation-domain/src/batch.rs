//! Batches of stock.

use crate::{BatchCounts, BatchReference, Eta, MoreNeeded, Moving, Quantity, Sku, Units};
use chrono::{DateTime, SubsecRound, Utc};

/// A batch whose counters say that there is more of it than was purchased.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("batch {reference} holds {allocated} allocated units and {gone} gone ones of {purchased} purchased ones")]
pub struct Oversold {
    /// The batch.
    pub reference: BatchReference,
    /// How many units were purchased.
    pub purchased: u32,
    /// How many units are said to be allocated.
    pub allocated: u32,
    /// How many units are said to be picked, shipped or missing.
    pub gone: u64,
}

/// Why a batch cannot be added.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddBatchError {
    /// The product has a batch of that name already.
    #[error("Batch {0} exists already")]
    AlreadyExists(BatchReference),
    /// What is at hand does not decide who of those that wait gets the units.
    #[error(transparent)]
    MoreNeeded(#[from] MoreNeeded),
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
    /// Units of the batch were picked or shipped.
    #[error("Batch {reference} has {picked} picked and {shipped} shipped units")]
    Picked {
        /// The batch.
        reference: BatchReference,
        /// How many of its units are picked and not shipped yet.
        picked: u32,
        /// How many of its units were shipped.
        shipped: u32,
    },
    /// What is at hand does not decide what becomes of holds that have expired.
    #[error(transparent)]
    MoreNeeded(#[from] MoreNeeded),
}

/// A batch as it was after so many corrections, and not another that has taken its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct BatchVersion {
    /// When the batch was added, in microseconds.
    pub added_at: DateTime<Utc>,
    /// Counts the corrections, from 1.
    pub revision: u32,
}

/// A quantity of one SKU that was purchased as one, in the warehouse or on its way.
///
/// `purchased == available + allocated + picked + shipped + missing` holds for every value of this
/// type: whatever would break it panics, also in a release. A purchase may come to nothing: a batch can be lowered to no units at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    reference: BatchReference,
    sku: Sku,
    purchased: Units,
    counts: BatchCounts,
    eta: Eta,
    added_at: DateTime<Utc>,
    revision: u32,
    moving: Option<Box<Moving>>,
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
    /// A batch of which nothing is allocated, in its first revision. `added_at` is kept in
    /// microseconds.
    #[must_use]
    pub fn new(
        reference: BatchReference,
        sku: Sku,
        purchased: impl Into<Units>,
        eta: Eta,
        added_at: DateTime<Utc>,
    ) -> Self {
        let (purchased, added_at) = (purchased.into(), added_at.trunc_subsecs(6));
        Self { reference, sku, purchased, counts: BatchCounts::default(), eta, added_at, revision: 1, moving: None }
    }

    /// This batch in another revision, as a store remembers it.
    #[must_use]
    pub fn with_revision(self, revision: u32) -> Self {
        Self { revision, ..self }
    }

    /// This batch with what is still to be done with its lines, as a store remembers it.
    #[must_use]
    pub fn with_moving(self, moving: Option<Moving>) -> Self {
        Self { moving: moving.filter(|moving| !moving.is_done()).map(Box::new), ..self }
    }

    /// This batch with so many units allocated, as a store remembers it.
    ///
    /// # Errors
    ///
    /// [`Oversold`] when that is more than there is.
    pub fn with_allocated(self, allocated: u32) -> Result<Self, Oversold> {
        let counts = BatchCounts { allocated, ..self.counts };
        self.with_counts(counts)
    }

    /// This batch with so many units allocated, picked, shipped and missing, as a store remembers
    /// it.
    ///
    /// # Errors
    ///
    /// [`Oversold`] when that is more than was purchased.
    pub fn with_counts(self, counts: BatchCounts) -> Result<Self, Oversold> {
        let (purchased, BatchCounts { allocated, .. }) = (self.purchased.get(), counts);
        let gone = counts.sum() - u64::from(allocated);
        if counts.sum() > u64::from(purchased) {
            return Err(Oversold { reference: self.reference, purchased, allocated, gone });
        }
        Ok(Self { counts, ..self })
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
    pub const fn purchased(&self) -> Units {
        self.purchased
    }

    /// How many units are allocated to order lines, and not picked yet.
    #[must_use]
    pub const fn allocated(&self) -> u32 {
        self.counts.allocated
    }

    /// How many units are allocated, picked, shipped and missing.
    #[must_use]
    pub const fn counts(&self) -> BatchCounts {
        self.counts
    }

    /// How many units can still be allocated.
    #[must_use]
    pub const fn available(&self) -> u32 {
        self.purchased.get() - self.counts.allocated - self.consumed()
    }

    /// How many units are picked, shipped or missing: the batch cannot be lowered below that.
    #[must_use]
    pub const fn consumed(&self) -> u32 {
        self.counts.picked + self.counts.shipped + self.counts.missing
    }

    /// How many units are there, or on their way: allocated, picked or free.
    #[must_use]
    pub const fn on_hand(&self) -> u32 {
        self.purchased.get() - self.counts.shipped - self.counts.missing
    }

    /// What is still to be done with the lines of the batch after a correction, `None` of nearly all.
    #[must_use]
    pub fn moving(&self) -> Option<&Moving> {
        self.moving.as_deref()
    }

    /// How many units the batch will have once the lines have left it that must: less than
    /// [`Batch::purchased`] only while they leave.
    #[must_use]
    pub fn lowered_to(&self) -> Units {
        self.moving().and_then(|moving| moving.lower_to).unwrap_or(self.purchased)
    }

    /// How many units lines are still to be moved with, or to learn of a later date for; about that
    /// many, while orders come and go.
    #[must_use]
    pub fn moving_units(&self) -> u32 {
        let reviewed = self.moving().and_then(|moving| moving.review).map_or(0, |review| review.units.max(1));
        let leaving = self.purchased.get() - self.lowered_to().get().min(self.purchased.get());
        reviewed.saturating_add(leaving)
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

    /// Counts the changes of what was purchased and when it comes, from 1; allocations do not count.
    #[must_use]
    pub const fn revision(&self) -> u32 {
        self.revision
    }

    /// What [`crate::BatchChange::expected`] names.
    #[must_use]
    pub const fn version(&self) -> BatchVersion {
        BatchVersion { added_at: self.added_at, revision: self.revision }
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

    /// What [`Batch::preference`] compares, without a copy.
    pub(crate) const fn rank(&self) -> (Eta, DateTime<Utc>, &BatchReference) {
        (self.eta, self.added_at, &self.reference)
    }

    /// Whether this batch says the same as another but for what became of it since it was added.
    #[must_use]
    pub fn same_purchase(&self, other: &Self) -> bool {
        (&self.reference, &self.sku, self.purchased, self.eta)
            == (&other.reference, &other.sku, other.purchased, other.eta)
    }

    /// Sets when the batch comes.
    pub(crate) const fn expect(&mut self, eta: Eta) {
        self.eta = eta;
    }

    /// Sets what was purchased; the caller has seen to it that no more than that is allocated or
    /// gone.
    pub(crate) fn correct(&mut self, purchased: Units) {
        assert!(self.counts.sum() <= u64::from(purchased.get()), "batch_not_oversold: {self:?} to {purchased}");
        self.purchased = purchased;
    }

    /// How many units of the batch are allocated or gone: it cannot have fewer.
    pub(crate) const fn used(&self) -> u32 {
        self.counts.allocated + self.consumed()
    }

    /// Says what is still to be done with the lines; a batch that is as low as it was to be is not
    /// lowered any more.
    pub(crate) fn set_moving(&mut self, mut moving: Moving) {
        moving.lower_to = moving.lower_to.filter(|to| *to < self.purchased);
        self.moving = (!moving.is_done()).then(|| Box::new(moving));
    }

    /// Takes units that a line gave back off a batch that is lowered.
    pub(crate) fn absorb(&mut self, units: u32) {
        let left = self.purchased.get() - self.lowered_to().get();
        if let Ok(purchased) = Units::new(self.purchased.get() - units.min(left)) {
            self.correct(purchased);
        }
        if let Some(moving) = self.moving.take() {
            self.set_moving(*moving);
        }
    }

    /// Counts a change.
    pub(crate) const fn revise(&mut self) {
        self.revision += 1;
    }

    /// Takes units for a line; the caller has checked that they are available.
    pub(crate) fn take(&mut self, quantity: Quantity) {
        assert!(self.can_allocate(quantity), "batch_not_oversold: {self:?} less {quantity}");
        self.counts.allocated += quantity.get();
    }

    /// Gives units of a line back; the caller has checked that the line holds them.
    pub(crate) fn give_back(&mut self, quantity: Quantity) {
        assert!(quantity.get() <= self.counts.allocated, "batch_covers_its_allocations: {self:?} less {quantity}");
        self.counts.allocated -= quantity.get();
    }

    /// Units that were allocated to a line are picked.
    pub(crate) fn pick(&mut self, quantity: Quantity) {
        self.give_back(quantity);
        self.counts.picked += quantity.get();
    }

    /// Units that were allocated to a line are not there.
    pub(crate) fn miss(&mut self, quantity: Quantity) {
        self.give_back(quantity);
        self.counts.missing += quantity.get();
    }

    /// Units that were picked are shipped.
    pub(crate) fn ship(&mut self, quantity: Quantity) {
        assert!(quantity.get() <= self.counts.picked, "batch_covers_its_picks: {self:?} less {quantity}");
        self.counts.picked -= quantity.get();
        self.counts.shipped += quantity.get();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A batch of ten units, of which four are allocated and two picked.
    fn batch() -> Batch {
        let (reference, sku) = (BatchReference::parse("B-1").unwrap(), Sku::parse("LAMP").unwrap());
        let batch = Batch::new(reference, sku, units(10), Eta::InStock, DateTime::UNIX_EPOCH);
        batch.with_counts(BatchCounts { allocated: 4, picked: 2, ..BatchCounts::default() }).unwrap()
    }

    fn units(units: u32) -> Quantity {
        Quantity::new(units).unwrap()
    }

    #[test]
    #[should_panic(expected = "batch_not_oversold")]
    fn more_units_than_are_free_are_never_taken() {
        batch().take(units(5));
    }

    #[test]
    #[should_panic(expected = "batch_not_oversold")]
    fn a_batch_is_never_lowered_below_what_is_gone_and_allocated() {
        batch().correct(units(5).into());
    }

    #[test]
    #[should_panic(expected = "batch_covers_its_allocations")]
    fn more_units_than_are_allocated_are_never_given_back() {
        batch().give_back(units(5));
    }

    #[test]
    #[should_panic(expected = "batch_covers_its_picks")]
    fn more_units_than_were_picked_are_never_shipped() {
        batch().ship(units(3));
    }
}
