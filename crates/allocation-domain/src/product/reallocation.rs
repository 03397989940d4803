//! Reallocation of lines that lost units of a batch.

use super::{Plan, Product};
use crate::{Affected, AllocationReason, Displaced, Eta, Event, LineState, LoadRequest, OrderId, Quantity};

/// Units that left a batch and are to be reallocated.
pub(super) struct DisplacedUnits {
    pub(super) order_id: OrderId,
    pub(super) units: Quantity,
    /// The ETA of the lost units, as promised to the line.
    pub(super) old_eta: Eta,
}

/// The result of a reallocation.
#[derive(Default)]
pub(super) struct Reallocation {
    /// The units that lines got.
    pub(super) affected: Vec<Affected>,
    /// The units for which lines wait.
    pub(super) displaced: Vec<Displaced>,
    /// The number of units that lines got.
    pub(super) moved: u32,
}

impl Product {
    /// Reallocates lines that lost units, as far as units are free; they wait for the rest.
    pub(super) fn reallocate_all(&mut self, lost: Vec<DisplacedUnits>) -> Result<Reallocation, LoadRequest> {
        let mut others = Reallocation::default();
        for lost in lost {
            let rest = self.reallocate(&lost, &mut others)?;
            if let Ok(quantity) = Quantity::new(rest) {
                self.wait_for(&lost.order_id, quantity);
                others.displaced.push(self.displaced(lost.order_id, quantity));
            }
        }
        Ok(others)
    }

    /// Reallocates a line that lost units, and returns the number of units that it could not get.
    pub(super) fn reallocate(&mut self, lost: &DisplacedUnits, others: &mut Reallocation) -> Result<u32, LoadRequest> {
        let DisplacedUnits { order_id, units, old_eta } = lost;
        let Some(line) = self.line(order_id) else { return Ok(0) };
        let (takes_parts, waits) = (line.terms.allow_split, line.waiting > 0);
        let mut plan = self.plan(*units, takes_parts)?;
        if waits && !takes_parts {
            // The line takes only its whole rest. The rest has grown, and even the smaller one was not free.
            plan = Plan::nothing(*units);
        }
        others.moved += self.apply_plan(order_id, &plan, AllocationReason::Move);
        let affected = self.affected(order_id, *old_eta, &plan.parts);
        self.events.extend(affected.iter().filter(|it| it.is_worse()).map(worsened));
        others.affected.extend(affected);
        Ok(plan.missing)
    }

    /// Records that the product is out of stock, if the moved units were the last free ones.
    pub(super) fn record_if_out_of_stock(&mut self, moved: u32) -> Result<(), LoadRequest> {
        if moved > 0 && self.available() == 0 {
            self.need_all_batches()?;
            self.record_out_of_stock();
        }
        Ok(())
    }

    /// Returns where units of a line are now.
    pub(super) fn affected(&self, order_id: &OrderId, old_eta: Eta, parts: &[(usize, Quantity)]) -> Vec<Affected> {
        let affected = |(index, quantity): &(usize, Quantity)| {
            let batch = &self.batches[*index];
            Affected {
                order_id: order_id.clone(),
                sku: self.sku.clone(),
                reference: batch.reference().clone(),
                quantity: *quantity,
                old_eta,
                new_eta: batch.eta(),
            }
        };
        parts.iter().map(affected).collect()
    }

    /// Returns the entry of a line that waits for units that it lost.
    pub(super) fn displaced(&self, order_id: OrderId, quantity: Quantity) -> Displaced {
        let short = self.line(&order_id).is_some_and(LineState::is_short);
        Displaced { order_id, sku: self.sku.clone(), quantity, short }
    }
}

pub(super) fn worsened(affected: &Affected) -> Event {
    Event::PromiseWorsened {
        order_id: affected.order_id.clone(),
        sku: affected.sku.clone(),
        reference: affected.reference.clone(),
        quantity: affected.quantity,
        old_eta: affected.old_eta,
        new_eta: affected.new_eta,
    }
}
