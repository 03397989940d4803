//! Order lines as a store keeps them.

use crate::{
    Allocation, BatchReference, Eta, Fulfilment, OnShortage, OrderId, Promises, Quantity, QueuePosition,
    ReservationState,
};
use chrono::{DateTime, SubsecRound, Utc};

/// The terms of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct LineTerms {
    /// Whether the line was placed with an order. Such a line is kept when it releases its last
    /// unit; a standalone line is removed.
    pub of_order: bool,
    /// The priority; a higher number is served first.
    pub priority: i32,
    /// The instant at which the line was placed, in microseconds.
    pub placed_at: DateTime<Utc>,
    /// Whether the line accepts backorders.
    pub on_shortage: OnShortage,
    /// Whether the line accepts a part of its backordered units, or only all of them.
    pub allow_split: bool,
    /// Whether the line moves to an earlier batch when units of it come free.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Promises::is_fair"))]
    pub promises: Promises,
    /// Whether pick lists leave the line out until all lines of its order are in stock.
    #[cfg_attr(feature = "serde", serde(default))]
    pub ship_complete: bool,
}

impl LineTerms {
    /// Returns the terms of a standalone line.
    #[must_use]
    pub fn standalone(placed_at: DateTime<Utc>) -> Self {
        Self {
            of_order: false,
            priority: 0,
            placed_at: placed_at.trunc_subsecs(6),
            on_shortage: OnShortage::Reject,
            allow_split: true,
            promises: Promises::Fair,
            ship_complete: false,
        }
    }
}

/// A line with its allocations.
///
/// The allocated, picked, shipped and backordered units make up the quantity, less the units that
/// the line released.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct LineState {
    /// The ordered units.
    pub quantity: Quantity,
    /// The terms.
    pub terms: LineTerms,
    /// The state of its reservation.
    pub commitment: ReservationState,
    /// The backordered units.
    pub waiting: u32,
    /// The units on pick lists, picked and shipped.
    pub fulfilment: Fulfilment,
    /// The allocations not picked yet, the most preferred batch first.
    pub allocations: Vec<Allocation>,
}

/// A line without its allocations, as one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct LineRow {
    /// The ordered units.
    pub quantity: Quantity,
    /// The terms.
    pub terms: LineTerms,
    /// The state of its reservation.
    pub commitment: ReservationState,
    /// The backordered units.
    pub waiting: u32,
    /// The units on pick lists, picked and shipped.
    pub fulfilment: Fulfilment,
}

impl LineRow {
    /// Adds allocations to the row.
    #[must_use]
    pub fn with(self, mut allocations: Vec<Allocation>) -> LineState {
        allocations.sort_by_cached_key(Allocation::preference);
        let Self { quantity, terms, commitment, waiting, fulfilment } = self;
        LineState { quantity, terms, commitment, waiting, fulfilment, allocations }
    }
}

impl LineState {
    /// Creates a firm standalone line without allocations.
    #[must_use]
    pub fn standalone(quantity: Quantity, placed_at: DateTime<Utc>) -> Self {
        let (terms, fulfilment) = (LineTerms::standalone(placed_at), Fulfilment::default());
        Self { quantity, terms, commitment: ReservationState::Firm, waiting: 0, fulfilment, allocations: Vec::new() }
    }

    /// Returns the line without its allocations.
    #[must_use]
    pub const fn row(&self) -> LineRow {
        let Self { quantity, terms, commitment, waiting, fulfilment, .. } = *self;
        LineRow { quantity, terms, commitment, waiting, fulfilment }
    }

    /// Returns the units that are allocated and not picked yet.
    #[must_use]
    pub fn allocated(&self) -> u32 {
        self.allocations.iter().map(|part| part.quantity.get()).sum()
    }

    /// Returns whether all units of the line are firmly allocated in stock, picked or shipped.
    #[must_use]
    pub fn is_in_stock(&self) -> bool {
        let in_stock = self.allocations.iter().all(|part| part.eta == Eta::InStock);
        self.commitment == ReservationState::Firm && in_stock && self.served() == self.quantity.get()
    }

    /// Returns the sum of the allocated, picked and shipped units.
    #[must_use]
    pub fn served(&self) -> u32 {
        self.allocated() + self.fulfilment.taken()
    }

    /// Returns the units that the line holds in a batch, or `None` if it holds none.
    #[must_use]
    pub fn holds(&self, reference: &BatchReference) -> Option<Quantity> {
        self.allocations.iter().find(|part| part.reference == *reference).map(|part| part.quantity)
    }

    /// Returns whether a store has the same rows for both lines. The ETAs of allocations are stored with the batches.
    #[must_use]
    pub fn has_same_rows(&self, other: &Self) -> bool {
        self.row() == other.row()
            && self.allocations.len() == other.allocations.len()
            && self.allocations.iter().all(|part| other.holds(&part.reference) == Some(part.quantity))
    }

    /// Returns whether the line waits for lost units although it does not accept backorders.
    #[must_use]
    pub const fn is_short(&self) -> bool {
        self.waiting > 0 && matches!(self.terms.on_shortage, OnShortage::Reject)
    }

    /// Returns whether the line moves to an earlier batch when units of it come free: its promise is
    /// not stable, and it has released no units on request.
    #[must_use]
    pub fn is_improvable(&self) -> bool {
        self.terms.promises == Promises::Fair && self.served() + self.waiting == self.quantity.get()
    }

    /// Returns whether the line is firm or held, whether or not its hold has expired meanwhile.
    #[must_use]
    pub(crate) const fn lives(&self) -> bool {
        matches!(self.commitment, ReservationState::Firm | ReservationState::Held { .. })
    }

    /// Returns whether the line is firm, or held by a hold that has not expired by `now`.
    #[must_use]
    pub(crate) fn lives_at(&self, now: DateTime<Utc>) -> bool {
        self.lives() && !self.commitment.has_expired(now)
    }

    /// Returns whether the line has no allocated, backordered, picked or shipped units.
    #[must_use]
    pub const fn is_idle(&self) -> bool {
        self.waiting == 0 && self.allocations.is_empty() && self.fulfilment.taken() == 0
    }

    /// Returns whether the line is complete: it was shipped in full, or it has ended, and nothing of it is allocated,
    /// backordered or picked.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        let has_ended = !self.lives() || self.fulfilment.shipped == self.quantity.get();
        has_ended
            && self.waiting == 0
            && self.allocations.is_empty()
            && self.fulfilment.listed == 0
            && self.fulfilment.picked == 0
    }

    /// Adds units of a batch. An existing allocation of the batch grows.
    pub(crate) fn add(&mut self, taken: Allocation) {
        let index = self.allocations.partition_point(|held| held.rank() < taken.rank());
        match self.allocations.get_mut(index) {
            Some(held) if held.reference == taken.reference => held.quantity = held.quantity.plus(taken.quantity),
            _ => self.allocations.insert(index, taken),
        }
    }

    /// Releases units of a batch. The caller checks that the line holds them.
    pub(crate) fn release(&mut self, reference: &BatchReference, units: Quantity) {
        if let Some(index) = self.allocations.iter().position(|part| part.reference == *reference) {
            match self.allocations[index].quantity.minus(units.get()) {
                Some(rest) => self.allocations[index].quantity = rest,
                None => drop(self.allocations.remove(index)),
            }
        }
    }

    /// Sets the ETA of a batch.
    pub(crate) fn set_eta(&mut self, reference: &BatchReference, eta: Eta) {
        if let Some(part) = self.allocations.iter_mut().find(|part| part.reference == *reference) {
            part.eta = eta;
            self.sort();
        }
    }

    fn sort(&mut self) {
        self.allocations.sort_by_cached_key(Allocation::preference);
    }
}

impl QueuePosition {
    /// Returns the position of a line.
    #[must_use]
    pub fn of(order_id: &OrderId, line: &LineState) -> Self {
        Self::new(order_id.clone(), line.terms.priority, line.terms.placed_at)
    }
}
