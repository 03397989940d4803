//! Lines that lost units of a batch look for others.

use super::{Plan, Product};
use crate::{Affected, AllocationReason, Displaced, Eta, Event, LineState, MoreNeeded, OrderId, Quantity};

/// Units that left a batch and look for another.
pub(super) struct DisplacedUnits {
    pub(super) order_id: OrderId,
    pub(super) units: Quantity,
}

/// What lines got for the units that they lost.
#[derive(Default)]
pub(super) struct Reallocation {
    /// The units that they have now.
    pub(super) affected: Vec<Affected>,
    /// What they wait for.
    pub(super) displaced: Vec<Displaced>,
    /// How many units they got.
    pub(super) moved: u32,
}

impl Product {
    /// Gives lines that lost units others, as far as there are any; they wait for the rest.
    /// `old_eta` is when those were promised that they lost.
    pub(super) fn reallocate_all(
        &mut self,
        old_eta: Eta,
        lost: Vec<DisplacedUnits>,
    ) -> Result<Reallocation, MoreNeeded> {
        let mut others = Reallocation::default();
        for lost in lost {
            let rest = self.reallocate(old_eta, &lost, &mut others)?;
            if let Ok(quantity) = Quantity::new(rest) {
                self.wait_for(&lost.order_id, quantity);
                others.displaced.push(self.displaced(lost.order_id, quantity));
            }
        }
        Ok(others)
    }

    /// Gives a line that lost units others, and tells how many there are not.
    pub(super) fn reallocate(
        &mut self,
        old_eta: Eta,
        lost: &DisplacedUnits,
        others: &mut Reallocation,
    ) -> Result<u32, MoreNeeded> {
        let DisplacedUnits { order_id, units } = lost;
        let Some(line) = self.line(order_id) else { return Ok(0) };
        let (takes_parts, waits) = (line.terms.allow_split, line.waiting > 0);
        let mut plan = self.plan(*units, takes_parts)?;
        if waits && !takes_parts {
            // Its whole rest has grown by what it lost, and not even the smaller one was free.
            plan = Plan::nothing(*units);
        }
        others.moved += self.apply_plan(order_id, &plan, AllocationReason::Move);
        let affected = self.affected(order_id, old_eta, &plan.parts);
        self.events.extend(affected.iter().filter(|it| it.is_worse()).map(worsened));
        others.affected.extend(affected);
        Ok(plan.missing)
    }

    /// Tells that nothing is free any more, when so many units that moved were the last.
    pub(super) fn record_if_out_of_stock(&mut self, moved: u32) -> Result<(), MoreNeeded> {
        if moved > 0 && self.available() == 0 {
            self.need_all_batches()?;
            self.record_out_of_stock();
        }
        Ok(())
    }

    /// Where units of a line are now.
    pub(super) fn affected(&self, order_id: &OrderId, old_eta: Eta, parts: &[(usize, Quantity)]) -> Vec<Affected> {
        let affected = |(place, quantity): &(usize, Quantity)| {
            let batch = &self.batches[*place];
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

    /// A line that waits for so many units that it lost.
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
