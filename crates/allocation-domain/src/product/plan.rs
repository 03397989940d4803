//! Which units a line can have, and giving them to it.

use super::Product;
use crate::policy::{self, Choice};
use crate::{
    AllocationReason, DataRequest, Event, Fulfilment, LineRow, MoreNeeded, NewOrder, OrderId, OutOfStock, Quantity,
};
use chrono::{DateTime, Utc};

/// What a line can have of what it wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    /// These batches, by index, with so many units each.
    pub(super) parts: Vec<(usize, Quantity)>,
    /// What it cannot have.
    pub(super) missing: u32,
    /// How many units are free, when that is not enough.
    available: u64,
    /// Whether a newcomer that takes these units takes the last free ones.
    pub(super) sells_out: bool,
}

impl Plan {
    /// A plan that gives nothing of what is wanted.
    pub(super) const fn nothing(wanted: Quantity) -> Self {
        Self { parts: Vec::new(), missing: wanted.get(), available: 0, sells_out: false }
    }

    /// The refusal of a line that needs all it wants.
    pub(crate) fn shortage(&self, product: &Product, requested: Quantity) -> Option<OutOfStock> {
        let sku = product.sku();
        (self.missing > 0).then(|| OutOfStock { sku: sku.clone(), requested, available: self.available })
    }
}

impl Product {
    /// What a new line can have; all batches are needed to tell that it takes the last free units.
    pub(crate) fn plan_newcomer(&self, wanted: Quantity, takes_parts: bool) -> Result<Plan, MoreNeeded> {
        let plan = self.plan(wanted, takes_parts)?;
        let sells_out = !plan.parts.is_empty() && u64::from(wanted.get() - plan.missing) == self.available();
        if sells_out {
            self.need_all_batches()?;
        }
        Ok(Plan { sells_out, ..plan })
    }

    /// What can be had of `wanted` units, or of a part of them when that is taken too.
    pub(super) fn plan(&self, wanted: Quantity, takes_parts: bool) -> Result<Plan, MoreNeeded> {
        self.plan_among(self.batches.len(), wanted, takes_parts)
    }

    /// What can be had of so many of the most preferred batches.
    pub(super) fn plan_among(&self, count: usize, wanted: Quantity, takes_parts: bool) -> Result<Plan, MoreNeeded> {
        let batches = &self.batches[..count];
        let available = match policy::choose(batches, wanted, &self.horizon) {
            Choice::Batches(parts) => return Ok(Plan { parts, missing: 0, available: 0, sells_out: false }),
            Choice::NotKnown => return Err(self.needs(DataRequest::Batches)),
            Choice::Short(available) => available,
        };
        let part = u32::try_from(available).ok().filter(|_| takes_parts).and_then(|free| wanted.at_most(free));
        let parts = match part.map(|part| policy::choose(batches, part, &self.horizon)) {
            Some(Choice::Batches(parts)) => parts,
            _ => Vec::new(),
        };
        let planned: u32 = parts.iter().map(|(_, part)| part.get()).sum();
        Ok(Plan { parts, missing: wanted.get() - planned, available, sells_out: false })
    }

    /// Gives a line what was planned, and tells how much that is.
    pub(super) fn apply_plan(&mut self, order_id: &OrderId, plan: &Plan, reason: AllocationReason) -> u32 {
        for (place, part) in &plan.parts {
            self.take(*place, order_id, *part, reason);
        }
        if plan.sells_out {
            self.record_out_of_stock();
        }
        plan.parts.iter().map(|(_, part)| part.get()).sum()
    }

    /// Places a line of an order as planned; what is missing waits.
    pub(crate) fn place_line(&mut self, order: &NewOrder, quantity: Quantity, plan: &Plan, now: DateTime<Utc>) {
        let (order_id, terms) = (order.order_id(), order.terms());
        // Measured by the clock, the same for all lines of the order, whatever their products record.
        let commitment = terms.commitment(now);
        let (waiting, fulfilment) = (0, Fulfilment::default());
        let row = LineRow { quantity, terms: terms.of_line(self.decided_at(now)), commitment, waiting, fulfilment };
        let line = row.with(Vec::new());
        self.insert_line(order_id.clone(), line);
        self.events.push(Event::LinePlaced {
            order_id: order_id.clone(),
            sku: self.sku.clone(),
            quantity,
            priority: terms.priority,
            on_shortage: terms.on_shortage,
            allow_split: terms.allow_split,
            expires_at: commitment.expires_at(),
        });
        self.apply_plan(order_id, plan, AllocationReason::NewLine);
        if let Ok(missing) = Quantity::new(plan.missing) {
            self.wait_for(order_id, missing);
        }
    }
}
