//! Batches of stock.

use crate::{Awaited, BatchCounts, BatchReference, Eta, Moving, OrderId, Quantity, ReturnId, Sku, Units};
use chrono::{DateTime, SubsecRound, Utc};

#[cfg(feature = "serde")]
mod checked;

/// An error for a batch whose counters exceed its units.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("batch {reference} holds {allocated} allocated units and {consumed} used ones of {total}")]
pub struct Oversold {
    /// The batch.
    pub reference: BatchReference,
    /// The units, purchased or added by adjustments.
    pub total: u32,
    /// The units counted as allocated.
    pub allocated: u32,
    /// The units counted as picked, shipped or missing.
    pub consumed: u64,
}

/// An error returned when adding a batch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(not(feature = "exhaustive"), non_exhaustive)]
pub enum AddBatchError {
    /// The product already has a batch with this reference.
    #[error("Batch {0} exists already with other content")]
    AlreadyExists(BatchReference),
}

/// An error returned when removing a batch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(not(feature = "exhaustive"), non_exhaustive)]
pub enum RemoveBatchError {
    /// The product has no such batch.
    #[error("There is no batch {0}")]
    NotFound(BatchReference),
    /// Units of the batch are allocated.
    #[error("Batch {reference} has {allocated} allocated units")]
    HasAllocations {
        /// The batch.
        reference: BatchReference,
        /// The allocated units.
        allocated: u32,
    },
    /// Units of the batch were picked or shipped.
    #[error("Batch {reference} has {picked} picked and {shipped} shipped units")]
    Picked {
        /// The batch.
        reference: BatchReference,
        /// The units picked and not shipped yet.
        picked: u32,
        /// The shipped units.
        shipped: u32,
    },
}

/// The version of a batch that a client saw.
///
/// `added_at` distinguishes the batch from a later one with the same reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct BatchVersion {
    /// The instant at which the batch was added, in microseconds.
    pub added_at: DateTime<Utc>,
    /// The number of corrections, from 1.
    pub revision: u32,
}

/// Where a batch comes from that was not purchased: units of an order that came back.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct BatchOrigin {
    /// The return.
    pub return_id: ReturnId,
    /// The order that the units were shipped for.
    pub order_id: OrderId,
}

/// A batch that purchasing has ordered or the warehouse has received, to add to the product of its SKU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBatch {
    /// The reference of the batch.
    pub reference: BatchReference,
    /// The number of units purchased.
    pub purchased: Quantity,
    /// The date from which it can be picked, or in stock.
    pub eta: Eta,
    /// Where the units come from, `None` if they were purchased.
    pub origin: Option<BatchOrigin>,
}

impl NewBatch {
    /// Creates a purchased batch to add.
    #[must_use]
    pub const fn new(reference: BatchReference, purchased: Quantity, eta: Eta) -> Self {
        Self { reference, purchased, eta, origin: None }
    }

    /// Creates a batch of units that came back, in stock.
    #[must_use]
    pub const fn restocked(reference: BatchReference, units: Quantity, origin: BatchOrigin) -> Self {
        Self { reference, purchased: units, eta: Eta::InStock, origin: Some(origin) }
    }

    /// Returns the batch of this SKU as added at an instant.
    pub(crate) fn added(&self, sku: Sku, added_at: DateTime<Utc>) -> Batch {
        let batch = Batch::new(self.reference.clone(), sku, self.purchased, self.eta, added_at);
        batch.with_origin(self.origin.clone())
    }
}

/// Units of one SKU that were purchased together, in stock or in transit.
///
/// `purchased + adjusted == available + allocated + picked + shipped` holds for every value of this
/// type, where the missing units of short picks are a part of the adjusted ones. An operation that would
/// break it panics, in release builds too. A batch can be lowered to no units at all.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(remote = "Self"))]
pub struct Batch {
    reference: BatchReference,
    sku: Sku,
    purchased: Units,
    /// The units that adjustments have added, less those that they have removed.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_zero"))]
    adjustments: i32,
    counts: BatchCounts,
    eta: Eta,
    added_at: DateTime<Utc>,
    revision: u32,
    moving: Option<Box<Moving>>,
    /// Boxed, since almost every batch has none.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    origin: Option<Box<BatchOrigin>>,
}

#[cfg(feature = "serde")]
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
const fn is_zero(units: &i32) -> bool {
    *units == 0
}

/// The sort key of batches: smaller is preferred.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct BatchPreference {
    eta: Eta,
    added_at: DateTime<Utc>,
    reference: BatchReference,
}

impl BatchPreference {
    /// Creates the sort key of a batch.
    #[must_use]
    pub const fn new(eta: Eta, added_at: DateTime<Utc>, reference: BatchReference) -> Self {
        Self { eta, added_at, reference }
    }
}

impl Batch {
    /// Creates a batch in its first revision with nothing allocated. `added_at` is truncated to
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
        let counts = BatchCounts::default();
        Self {
            reference,
            sku,
            purchased,
            adjustments: 0,
            counts,
            eta,
            added_at,
            revision: 1,
            moving: None,
            origin: None,
        }
    }

    /// Sets the stored revision.
    #[must_use]
    pub fn with_revision(self, revision: u32) -> Self {
        Self { revision, ..self }
    }

    /// Sets where the batch comes from.
    #[must_use]
    pub fn with_origin(self, origin: Option<BatchOrigin>) -> Self {
        Self { origin: origin.map(Box::new), ..self }
    }

    /// Sets the stored progress of moving lines.
    #[must_use]
    pub fn with_moving(self, moving: Option<Moving>) -> Self {
        Self { moving: moving.filter(|moving| !moving.is_done()).map(Box::new), ..self }
    }

    /// Sets the stored adjustments, before the counters.
    ///
    /// # Errors
    ///
    /// [`Oversold`] if the counters exceed the units that are left, or there are less than none.
    pub fn with_adjustments(self, adjustments: i32) -> Result<Self, Oversold> {
        let counts = self.counts;
        Self { adjustments, ..self }.with_counts(counts)
    }

    /// Sets the stored number of allocated units.
    ///
    /// # Errors
    ///
    /// [`Oversold`] if the counters exceed the units of the batch.
    pub fn with_allocated(self, allocated: u32) -> Result<Self, Oversold> {
        let counts = BatchCounts { allocated, ..self.counts };
        self.with_counts(counts)
    }

    /// Sets the stored counters.
    ///
    /// # Errors
    ///
    /// [`Oversold`] if the counters exceed the units of the batch.
    pub fn with_counts(self, counts: BatchCounts) -> Result<Self, Oversold> {
        let BatchCounts { allocated, .. } = counts;
        let consumed = counts.sum() - u64::from(allocated);
        let total = Units::new(i64::from(self.purchased.get()) + i64::from(self.adjustments));
        if total.is_err() || counts.sum() > u64::from(self.total().get()) {
            let total = total.map_or(0, Units::get);
            return Err(Oversold { reference: self.reference, total, allocated, consumed });
        }
        Ok(Self { counts, ..self })
    }

    /// Returns the reference.
    #[must_use]
    pub const fn reference(&self) -> &BatchReference {
        &self.reference
    }

    /// Returns the SKU.
    #[must_use]
    pub const fn sku(&self) -> &Sku {
        &self.sku
    }

    /// Returns the purchased units.
    #[must_use]
    pub const fn purchased(&self) -> Units {
        self.purchased
    }

    /// Returns the units that adjustments have added, less those that they have removed.
    #[must_use]
    pub const fn adjustments(&self) -> i32 {
        self.adjustments
    }

    /// Returns the units that were added after the purchase, less those that were removed: by adjustments, and by
    /// short picks.
    #[must_use]
    pub fn adjusted(&self) -> i64 {
        i64::from(self.adjustments) - i64::from(self.counts.missing)
    }

    /// Returns the purchased units with all adjustments: free, allocated, picked, shipped or missing.
    #[must_use]
    pub const fn total(&self) -> Units {
        Units::of_valid(self.purchased.get().saturating_add_signed(self.adjustments))
    }

    /// Returns the units that are allocated to order lines and not picked yet.
    #[must_use]
    pub const fn allocated(&self) -> u32 {
        self.counts.allocated
    }

    /// Returns the numbers of allocated, picked, shipped and missing units.
    #[must_use]
    pub const fn counts(&self) -> BatchCounts {
        self.counts
    }

    /// Returns the units that can still be allocated.
    #[must_use]
    pub const fn available(&self) -> u32 {
        self.total().get() - self.counts.allocated - self.consumed()
    }

    /// Returns the picked, shipped and missing units. The batch cannot be lowered below them.
    #[must_use]
    pub const fn consumed(&self) -> u32 {
        self.counts.picked + self.counts.shipped + self.counts.missing
    }

    /// Returns the units that are on hand or in transit: allocated, picked or free.
    #[must_use]
    pub const fn on_hand(&self) -> u32 {
        self.total().get() - self.counts.shipped - self.counts.missing
    }

    /// Returns the units on hand once all displaced lines have left the batch.
    ///
    /// It is less than [`Batch::on_hand`] only while they leave.
    #[must_use]
    pub fn on_hand_finally(&self) -> u32 {
        self.lowered_to().get().saturating_sub(self.counts.shipped + self.counts.missing)
    }

    /// Returns the progress of moving lines after a correction. Usually `None`.
    #[must_use]
    pub fn moving(&self) -> Option<&Moving> {
        self.moving.as_deref()
    }

    /// Returns the units that the batch has once all displaced lines have left it.
    ///
    /// It is less than [`Batch::total`] only while they leave.
    #[must_use]
    pub fn lowered_to(&self) -> Units {
        self.moving().and_then(|moving| moving.lower_to).unwrap_or(self.total())
    }

    /// Returns the purchased units once all displaced lines have left the batch.
    #[must_use]
    pub fn purchased_finally(&self) -> Units {
        let purchased = i64::from(self.lowered_to().get()) - self.adjustments_finally();
        Units::new(purchased).unwrap_or(Units::ZERO)
    }

    /// Returns the adjustments once all displaced lines have left the batch.
    pub(crate) fn adjustments_finally(&self) -> i64 {
        i64::from(self.adjustments) - self.moving().map_or(0, |moving| i64::from(moving.adjusting))
    }

    /// Returns roughly how many units are still to be reviewed or to leave the batch.
    ///
    /// The number is an estimate: orders change while lines move.
    #[must_use]
    pub fn moving_units(&self) -> u32 {
        let reviewed = self.moving().and_then(|moving| moving.review).map_or(0, |review| review.units.max(1));
        let leaving = self.total().get() - self.lowered_to().get().min(self.total().get());
        let awaited = self.moving().and_then(|moving| moving.awaits.as_ref()).map_or(0, |awaited| awaited.units.get());
        reviewed.saturating_add(leaving).saturating_add(awaited)
    }

    /// Returns where the batch comes from, `None` if it was purchased.
    #[must_use]
    pub fn origin(&self) -> Option<&BatchOrigin> {
        self.origin.as_deref()
    }

    /// Returns the ETA.
    #[must_use]
    pub const fn eta(&self) -> Eta {
        self.eta
    }

    /// Returns the instant at which the batch was added, in microseconds.
    #[must_use]
    pub const fn added_at(&self) -> DateTime<Utc> {
        self.added_at
    }

    /// Returns the revision: the number of corrections of quantity or ETA, from 1. Allocations do
    /// not count.
    #[must_use]
    pub const fn revision(&self) -> u32 {
        self.revision
    }

    /// Returns the version that [`crate::BatchChange::expected`] refers to.
    #[must_use]
    pub const fn version(&self) -> BatchVersion {
        BatchVersion { added_at: self.added_at, revision: self.revision }
    }

    /// Returns whether the batch has `quantity` free units.
    #[must_use]
    pub const fn can_allocate(&self, quantity: Quantity) -> bool {
        quantity.get() <= self.available()
    }

    /// Returns the sort key of the batch: stock in the warehouse first, then the earliest ETA, then
    /// the earliest `added_at`, then the smaller reference.
    #[must_use]
    pub fn preference(&self) -> BatchPreference {
        BatchPreference::new(self.eta, self.added_at, self.reference.clone())
    }

    /// Returns the key of [`Batch::preference`] without copying it.
    pub(crate) const fn rank(&self) -> (Eta, DateTime<Utc>, &BatchReference) {
        (self.eta, self.added_at, &self.reference)
    }

    /// Returns whether both batches have the same reference, SKU, purchased quantity and ETA.
    #[must_use]
    pub fn same_purchase(&self, other: &Self) -> bool {
        (&self.reference, &self.sku, self.purchased, self.eta)
            == (&other.reference, &other.sku, other.purchased, other.eta)
    }

    /// Sets the ETA.
    pub(crate) const fn set_eta(&mut self, eta: Eta) {
        self.eta = eta;
    }

    /// Sets the units that the batch is to have, `to`, with their `adjustments`. `moving` is the work that is left
    /// on its lines.
    ///
    /// Units in use stay until their lines have left. As many of them as `adjusting` then leave as adjustments, the
    /// others as purchased units.
    ///
    /// Panics if more units than `to` are consumed: the caller checks it.
    pub(crate) fn set_target(&mut self, to: Units, adjustments: i64, adjusting: u32, moving: Moving) {
        assert!(self.consumed() <= to.get(), "batch_not_oversold: {self:?} to {to}");
        let total = to.get().max(self.used());
        let adjusting = adjusting.min(total - to.get());
        let adjustments = adjustments + i64::from(adjusting);
        (self.purchased, self.adjustments) = split(i64::from(total), adjustments);
        self.set_moving(Moving { lower_to: Some(to), adjusting, ..moving });
    }

    /// Takes the free units away until all lines have left a received batch.
    pub(crate) fn hold_back(&mut self, units: Quantity, behind: BatchReference) {
        self.remove(units.get());
        self.set_moving(Moving { awaits: Some(Awaited { behind, units }), ..Moving::default() });
    }

    /// Gets the units that were held back.
    pub(crate) fn get_awaited(&mut self) {
        let Some(mut moving) = self.moving.take() else { return };
        if let Some(Awaited { units, .. }) = moving.awaits.take() {
            // As many units were taken away, and a correction of the purchase gives them up.
            let purchased = Units::new(self.purchased.get().saturating_add(units.get()).min(self.room()));
            self.purchased = purchased.unwrap_or(self.purchased);
        }
        self.set_moving(*moving);
    }

    /// Returns the greatest number of purchased units that the batch can have.
    fn room(&self) -> u32 {
        Quantity::MAX.saturating_sub(u32::try_from(self.adjustments).unwrap_or(0))
    }

    /// Removes units that are not in use, first those that leave as adjustments.
    ///
    /// Panics if that many are not free: the caller checks it.
    fn remove(&mut self, units: u32) {
        assert!(units <= self.available(), "batch_not_oversold: {self:?} less {units}");
        let adjusting = self.moving().map_or(0, |moving| moving.adjusting).min(units);
        let total = i64::from(self.total().get() - units);
        // A program that does not know adjustments may have lowered the batch below them.
        let adjustments = (i64::from(self.adjustments) - i64::from(adjusting)).min(total);
        (self.purchased, self.adjustments) = split(total, adjustments);
        if let Some(moving) = self.moving.as_mut() {
            moving.adjusting -= adjusting;
        }
    }

    /// Ends the lowering of the batch, whatever it has reached.
    pub(crate) fn end_lowering(&mut self) {
        let excess = self.total().get() - self.lowered_to().get().max(self.used());
        self.remove(excess);
        if let Some(moving) = self.moving.take() {
            self.set_moving(Moving { lower_to: None, adjusting: 0, ..*moving });
        }
    }

    /// Returns the allocated and consumed units. The batch cannot have fewer.
    pub(crate) const fn used(&self) -> u32 {
        self.counts.allocated + self.consumed()
    }

    /// Sets the progress of moving lines. A batch that has reached its target is no longer lowered.
    pub(crate) fn set_moving(&mut self, mut moving: Moving) {
        moving.lower_to = moving.lower_to.filter(|to| *to < self.total());
        if moving.lower_to.is_none() {
            moving.adjusting = 0;
        }
        self.moving = (!moving.is_done()).then(|| Box::new(moving));
    }

    /// Removes the free units that a store shows in a batch that is being lowered, down to its target.
    ///
    /// They are units of expired holds. The next decision releases them, and they leave the batch like all
    /// others.
    #[must_use]
    pub fn with_free_units_absorbed(mut self) -> Self {
        self.absorb(self.available());
        self
    }

    /// Removes released units from a batch that is being lowered.
    pub(crate) fn absorb(&mut self, units: u32) {
        let left = self.total().get() - self.lowered_to().get();
        self.remove(units.min(left));
        if let Some(moving) = self.moving.take() {
            self.set_moving(*moving);
        }
    }

    /// Increments the revision.
    pub(crate) const fn revise(&mut self) {
        self.revision += 1;
    }

    /// Allocates units to a line. Panics if they are not available: the caller checks it.
    pub(crate) fn take(&mut self, quantity: Quantity) {
        assert!(self.can_allocate(quantity), "batch_not_oversold: {self:?} less {quantity}");
        self.counts.allocated += quantity.get();
    }

    /// Releases units of a line. Panics if fewer are allocated: the caller checks it.
    pub(crate) fn release(&mut self, quantity: Quantity) {
        assert!(quantity.get() <= self.counts.allocated, "batch_covers_its_allocations: {self:?} less {quantity}");
        self.counts.allocated -= quantity.get();
    }

    /// Moves units from allocated to picked.
    pub(crate) fn pick(&mut self, quantity: Quantity) {
        self.release(quantity);
        self.counts.picked += quantity.get();
    }

    /// Moves units from allocated to missing.
    pub(crate) fn miss(&mut self, quantity: Quantity) {
        self.release(quantity);
        self.counts.missing += quantity.get();
    }

    /// Moves units from picked to allocated. Panics if fewer are picked: the caller checks it.
    pub(crate) fn put_back(&mut self, quantity: Quantity) {
        self.unpick(quantity.get());
        self.counts.allocated += quantity.get();
    }

    /// Moves units from picked to missing. Panics if fewer are picked: the caller checks it.
    pub(crate) fn lose_picked(&mut self, quantity: Quantity) {
        self.unpick(quantity.get());
        self.counts.missing += quantity.get();
    }

    /// Moves units from missing to picked or, beyond `picked`, to free ones. Panics if fewer are missing: the caller
    /// checks it.
    pub(crate) fn find(&mut self, quantity: Quantity, picked: u32) {
        assert!(quantity.get() <= self.counts.missing, "batch_covers_its_missing_units: {self:?} less {quantity}");
        assert!(picked <= quantity.get(), "found_units_cover_the_picked_ones: {picked} of {quantity}");
        self.counts.missing -= quantity.get();
        self.counts.picked += picked;
    }

    fn unpick(&mut self, units: u32) {
        assert!(units <= self.counts.picked, "batch_covers_its_picks: {self:?} less {units}");
        self.counts.picked -= units;
    }

    /// Moves units from picked to shipped.
    pub(crate) fn ship(&mut self, quantity: Quantity) {
        self.unpick(quantity.get());
        self.counts.shipped += quantity.get();
    }
}

/// Splits the units of a batch into purchased units and adjustments.
#[expect(clippy::expect_used, reason = "the caller has checked the sum, and lowers neither beyond its share")]
fn split(total: i64, adjustments: i64) -> (Units, i32) {
    let purchased = Units::new(total - adjustments);
    (purchased.expect("batch_not_oversold"), i32::try_from(adjustments).expect("batch_not_oversold"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Creates a batch of ten units: four allocated, two picked.
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
    fn more_units_than_are_free_are_never_allocated() {
        batch().take(units(5));
    }

    #[test]
    #[should_panic(expected = "batch_not_oversold")]
    fn a_batch_is_never_lowered_below_its_consumed_units() {
        batch().set_target(Units::new(1).unwrap(), 0, 0, Moving::default());
    }

    #[test]
    #[should_panic(expected = "batch_not_oversold")]
    fn units_in_use_are_never_removed() {
        batch().remove(5);
    }

    #[test]
    fn an_adjustment_that_waits_for_lines_is_counted_as_they_leave() {
        let mut batch = batch();
        batch.set_target(Units::new(3).unwrap(), -7, 7, Moving::default());
        assert_eq!((batch.purchased().get(), batch.adjustments(), batch.total().get()), (10, -4, 6));
        assert_eq!((batch.purchased_finally().get(), batch.on_hand_finally(), batch.available()), (10, 3, 0));
        batch.release(units(2));
        batch.absorb(2);
        assert_eq!((batch.purchased().get(), batch.adjustments(), batch.moving_units()), (10, -6, 1));
        batch.end_lowering();
        assert_eq!((batch.purchased().get(), batch.adjustments(), batch.moving()), (10, -6, None));
    }

    #[test]
    fn purchased_and_adjusted_units_are_free_allocated_picked_or_shipped() {
        let counts = BatchCounts { allocated: 4, picked: 2, shipped: 1, missing: 2 };
        let batch = batch().with_adjustments(3).unwrap().with_counts(counts).unwrap();
        assert_eq!((batch.adjusted(), batch.available(), batch.on_hand()), (1, 4, 10));
        assert_eq!(batch.clone().with_adjustments(-2).unwrap_err().total, 8);
        assert!(batch.with_adjustments(-11).is_err());
    }

    #[test]
    #[should_panic(expected = "batch_covers_its_allocations")]
    fn more_units_than_are_allocated_are_never_released() {
        batch().release(units(5));
    }

    #[test]
    #[should_panic(expected = "batch_covers_its_picks")]
    fn more_units_than_were_picked_are_never_shipped() {
        batch().ship(units(3));
    }

    #[test]
    #[should_panic(expected = "batch_covers_its_picks")]
    fn more_units_than_were_picked_are_never_put_back() {
        batch().put_back(units(3));
    }

    #[test]
    #[should_panic(expected = "batch_covers_its_missing_units")]
    fn more_units_than_are_missing_are_never_found() {
        batch().find(units(1), 0);
    }
}
