//! Serving the lines that wait.

use super::Product;
use crate::{AllocationReason, Event, MoreNeeded, Needed, OnShortage, OrderId, Quantity};
use std::ops::Bound;

impl Product {
    /// Gives free units to the lines that wait, in their order, until nothing is free or nobody
    /// can take any. A line that takes only its whole rest is passed over while that is not there.
    ///
    /// An error leaves a half-served queue: the caller undoes it.
    pub(super) fn serve_waiting(&mut self) -> Result<(), MoreNeeded> {
        if self.queue.is_empty() && self.queue_horizon.is_all() {
            return Ok(());
        }
        self.need_all_batches()?;
        let mut free = self.available();
        let mut next = self.queue.first().cloned();
        while let Some(position) = next.take_if(|_| free > 0)
            && self.queue_horizon.covers(&position)
        {
            free -= u64::from(self.serve(position.order_id())?);
            next = self.queue.range((Bound::Excluded(&position), Bound::Unbounded)).next().cloned();
        }
        if free > 0 && !self.queue_horizon.is_all() {
            let after = self.queue_horizon.last().cloned();
            return Err(self.needs(Needed::WaitingLines { after }));
        }
        Ok(())
    }

    /// Gives a waiting line what it can take, and tells how much that was.
    fn serve(&mut self, order_id: &OrderId) -> Result<u32, MoreNeeded> {
        let Some((rest, parts)) = self.line(order_id).map(|line| (line.waiting, line.terms.allow_split)) else {
            return Ok(0);
        };
        let Ok(rest) = Quantity::new(rest) else { return Ok(0) };
        let plan = self.plan(rest, parts)?;
        Ok(self.carry_out(order_id, &plan, AllocationReason::Backorder))
    }

    pub(crate) fn need_all_batches(&self) -> Result<(), MoreNeeded> {
        if self.horizon.is_all() { Ok(()) } else { Err(self.needs(Needed::Batches)) }
    }

    /// Lets a line wait for units more: as its order has asked, or because it was left short.
    pub(super) fn wait_for(&mut self, order_id: &OrderId, units: Quantity) {
        let asked = self.line(order_id).is_some_and(|line| line.terms.on_shortage == OnShortage::Backorder);
        self.edit_line(order_id, |line| line.waiting += units.get());
        let (order_id, sku) = (order_id.clone(), self.sku.clone());
        self.events.push(if asked {
            Event::Backordered { order_id, sku, quantity: units }
        } else {
            Event::LineShort { order_id, sku, quantity: units }
        });
    }

    /// Lets a line wait no more.
    pub(super) fn stop_waiting(&mut self, order_id: &OrderId) {
        let Some(Ok(quantity)) = self.line(order_id).map(|line| Quantity::new(line.waiting)) else { return };
        self.edit_line(order_id, |line| line.waiting = 0);
        self.events.push(Event::WaitEnded { order_id: order_id.clone(), sku: self.sku.clone(), quantity });
    }
}
