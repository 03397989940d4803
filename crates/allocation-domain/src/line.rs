//! Lines as they are kept.

use crate::{Allocation, BatchReference, Eta, Fulfilment, OnShortage, Quantity, ReservationState};
use chrono::{DateTime, SubsecRound, Utc};

/// What was agreed of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineTerms {
    /// Whether the line was placed with an order, and is remembered when it gives its last unit
    /// back; one that was sent alone is forgotten then.
    pub of_order: bool,
    /// Who is served first: the higher number.
    pub priority: i32,
    /// When the line was placed, in microseconds.
    pub placed_at: DateTime<Utc>,
    /// Whether the line has asked to wait for what it lacks.
    pub on_shortage: OnShortage,
    /// Whether the line takes parts of what it waits for, or only its whole rest.
    pub allow_split: bool,
}

impl LineTerms {
    /// The terms of a line that was sent alone.
    #[must_use]
    pub fn standalone(placed_at: DateTime<Utc>) -> Self {
        Self {
            of_order: false,
            priority: 0,
            placed_at: placed_at.trunc_subsecs(6),
            on_shortage: OnShortage::Reject,
            allow_split: true,
        }
    }
}

/// A line with what it holds.
///
/// What it holds, what was picked and shipped, and what it waits for are its quantity together, but
/// for what it has given back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineState {
    /// How many units the line has ordered.
    pub quantity: Quantity,
    /// What was agreed.
    pub terms: LineTerms,
    /// How firmly it keeps its units.
    pub commitment: ReservationState,
    /// For how many units it waits.
    pub waiting: u32,
    /// How many of its units are on pick lists, picked and shipped.
    pub fulfilment: Fulfilment,
    /// What it holds and was not picked yet, the most preferred batch first.
    pub allocations: Vec<Allocation>,
}

/// The row of a line: all of it but for its allocations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineRow {
    /// How many units the line has ordered.
    pub quantity: Quantity,
    /// What was agreed.
    pub terms: LineTerms,
    /// How firmly it keeps its units.
    pub commitment: ReservationState,
    /// For how many units it waits.
    pub waiting: u32,
    /// How many of its units are on pick lists, picked and shipped.
    pub fulfilment: Fulfilment,
}

impl LineRow {
    /// The line of this row with what it holds.
    #[must_use]
    pub fn with(self, mut allocations: Vec<Allocation>) -> LineState {
        allocations.sort_by_cached_key(Allocation::preference);
        let Self { quantity, terms, commitment, waiting, fulfilment } = self;
        LineState { quantity, terms, commitment, waiting, fulfilment, allocations }
    }
}

impl LineState {
    /// A firm line that was sent alone, and holds nothing yet.
    #[must_use]
    pub fn standalone(quantity: Quantity, placed_at: DateTime<Utc>) -> Self {
        let (terms, fulfilment) = (LineTerms::standalone(placed_at), Fulfilment::default());
        Self { quantity, terms, commitment: ReservationState::Firm, waiting: 0, fulfilment, allocations: Vec::new() }
    }

    /// The line without its allocations.
    #[must_use]
    pub const fn row(&self) -> LineRow {
        let Self { quantity, terms, commitment, waiting, fulfilment, .. } = *self;
        LineRow { quantity, terms, commitment, waiting, fulfilment }
    }

    /// How many units the line holds that were not picked yet.
    #[must_use]
    pub fn allocated(&self) -> u32 {
        self.allocations.iter().map(|part| part.quantity.get()).sum()
    }

    /// How many units the line has had of its quantity: allocated, picked or shipped.
    #[must_use]
    pub fn served(&self) -> u32 {
        self.allocated() + self.fulfilment.taken()
    }

    /// How many units the line holds of a batch, `None` when none.
    #[must_use]
    pub fn holds(&self, reference: &BatchReference) -> Option<Quantity> {
        self.allocations.iter().find(|part| part.reference == *reference).map(|part| part.quantity)
    }

    /// Whether the line waits for units that it lost without having asked to wait.
    #[must_use]
    pub const fn is_short(&self) -> bool {
        self.waiting > 0 && matches!(self.terms.on_shortage, OnShortage::Reject)
    }

    /// Whether the line holds nothing, waits for nothing, and nothing of it was picked.
    #[must_use]
    pub const fn is_idle(&self) -> bool {
        self.waiting == 0 && self.allocations.is_empty() && self.fulfilment.taken() == 0
    }

    /// Adds units of a batch; a batch that serves the line already serves it with more.
    pub(crate) fn add(&mut self, taken: Allocation) {
        let place = self.allocations.partition_point(|held| held.rank() < taken.rank());
        match self.allocations.get_mut(place) {
            Some(held) if held.reference == taken.reference => held.quantity = held.quantity.plus(taken.quantity),
            _ => self.allocations.insert(place, taken),
        }
    }

    /// Gives units of a batch back; the caller has checked that the line holds them.
    pub(crate) fn give_back(&mut self, reference: &BatchReference, units: Quantity) {
        if let Some(place) = self.allocations.iter().position(|part| part.reference == *reference) {
            match self.allocations[place].quantity.minus(units.get()) {
                Some(rest) => self.allocations[place].quantity = rest,
                None => drop(self.allocations.remove(place)),
            }
        }
    }

    /// Notes when a batch comes.
    pub(crate) fn expect(&mut self, reference: &BatchReference, eta: Eta) {
        if let Some(part) = self.allocations.iter_mut().find(|part| part.reference == *reference) {
            part.eta = eta;
            self.sort();
        }
    }

    fn sort(&mut self) {
        self.allocations.sort_by_cached_key(Allocation::preference);
    }
}
