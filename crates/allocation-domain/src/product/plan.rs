//! Planning which units a line gets, and applying the plan.

use super::Product;
use crate::policy::{self, Choice};
use crate::{
    AllocationReason, Batch, DataRequest, Event, Fulfilment, LineRow, LineTerms, LoadRequest, NewOrder, OrderId,
    OutOfStock, Quantity, ReservationState,
};
use chrono::{DateTime, Utc};

/// The units that a line can get of the units that it wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Batches, by index, with the number of units taken from each.
    pub(super) parts: Vec<(usize, Quantity)>,
    /// The number of units that are not available.
    pub(super) missing: u32,
    /// The number of free units, if they are too few.
    available: u64,
    /// Whether the plan allocates the last free units to a new line.
    pub(super) sells_out: bool,
}

impl Plan {
    /// Returns a plan without any units.
    pub(super) const fn nothing(wanted: Quantity) -> Self {
        Self { parts: Vec::new(), missing: wanted.get(), available: 0, sells_out: false }
    }

    /// Returns the error for a line that needs all its units, if some are missing.
    pub(crate) fn shortage(&self, product: &Product, requested: Quantity) -> Option<OutOfStock> {
        let sku = product.sku();
        (self.missing > 0).then(|| OutOfStock { sku: sku.clone(), requested, available: self.available })
    }
}

impl Product {
    /// Plans a new line. Needs all batches if the line may take the last free units.
    pub(crate) fn plan_newcomer(&self, wanted: Quantity, takes_parts: bool) -> Result<Plan, LoadRequest> {
        let plan = self.plan(wanted, takes_parts)?;
        let sells_out = !plan.parts.is_empty() && u64::from(wanted.get() - plan.missing) == self.available();
        if sells_out {
            self.need_all_batches()?;
        }
        Ok(Plan { sells_out, ..plan })
    }

    /// Plans `wanted` units, or fewer if `takes_parts`.
    pub(super) fn plan(&self, wanted: Quantity, takes_parts: bool) -> Result<Plan, LoadRequest> {
        self.plan_among(self.batches.len(), wanted, takes_parts)
    }

    /// Plans units from the `count` most preferred batches.
    pub(super) fn plan_among(&self, count: usize, wanted: Quantity, takes_parts: bool) -> Result<Plan, LoadRequest> {
        let free = || self.batches[..count].iter().map(Batch::available);
        let complete = |parts| Plan { parts, missing: 0, available: 0, sells_out: false };
        if !self.horizon.is_all() {
            // A batch that is not loaded may precede one beyond the horizon, and may have to be part of a split.
            let whole = policy::first_whole(free(), wanted);
            let known = whole.filter(|index| self.horizon.covers(&self.batches[*index].preference()));
            return known.map(|index| complete(vec![(index, wanted)])).ok_or_else(|| self.needs(DataRequest::Batches));
        }
        let available = match policy::choose(free(), wanted) {
            Choice::Batches(parts) => return Ok(complete(parts)),
            Choice::Short { available } => available,
        };
        let part = u32::try_from(available).ok().filter(|_| takes_parts).and_then(|free| wanted.at_most(free));
        let parts = match part.map(|part| policy::choose(free(), part)) {
            Some(Choice::Batches(parts)) => parts,
            _ => Vec::new(),
        };
        let planned: u32 = parts.iter().map(|(_, part)| part.get()).sum();
        Ok(Plan { parts, missing: wanted.get() - planned, available, sells_out: false })
    }

    /// Allocates the planned units to a line, and returns their number.
    pub(super) fn apply_plan(&mut self, order_id: &OrderId, plan: &Plan, reason: AllocationReason) -> u32 {
        for (index, part) in &plan.parts {
            self.take(*index, order_id, *part, reason);
        }
        if plan.sells_out {
            self.record_out_of_stock();
        }
        plan.parts.iter().map(|(_, part)| part.get()).sum()
    }

    /// Places a line of an order as planned; missing units are backordered.
    pub(crate) fn place_line(&mut self, order: &NewOrder, quantity: Quantity, plan: &Plan, now: DateTime<Utc>) {
        let terms = order.terms();
        // All lines of an order expire at the same instant, so `now` counts and not each product's
        // `decided_at`.
        let (commitment, terms) = (terms.commitment(now), terms.of_line(self.decided_at(now)));
        self.add_line(order.order_id(), quantity, (terms, commitment), plan);
    }

    /// Adds a line to an order as planned; missing units are backordered.
    pub(super) fn add_line(
        &mut self,
        order_id: &OrderId,
        quantity: Quantity,
        (terms, commitment): (LineTerms, ReservationState),
        plan: &Plan,
    ) {
        let row = LineRow { quantity, terms, commitment, waiting: 0, fulfilment: Fulfilment::default() };
        self.insert_line(order_id.clone(), row.with(Vec::new()));
        self.events.push(Event::LinePlaced {
            order_id: order_id.clone(),
            sku: self.sku.clone(),
            quantity,
            priority: terms.priority,
            on_shortage: terms.on_shortage,
            allow_split: terms.allow_split,
            promises: terms.promises,
            ship_complete: terms.ship_complete,
            expires_at: commitment.expires_at(),
        });
        self.apply_plan(order_id, plan, AllocationReason::NewLine);
        if let Ok(missing) = Quantity::new(plan.missing) {
            self.wait_for(order_id, missing);
        }
    }
}
