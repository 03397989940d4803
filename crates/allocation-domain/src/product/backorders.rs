//! Serving the lines that wait.

use super::Product;
use crate::{AllocationReason, DataRequest, Event, MoreNeeded, OnShortage, OrderId, Quantity, QueuePosition};
use std::ops::Bound;

impl Product {
    /// Gives free units to the lines that wait, in their order, until nothing is free, no line can
    /// take any, or as many were served as one unit of work serves. A line that takes only its whole
    /// rest is passed over while that is not there.
    ///
    /// Lines that are left although they could be served make the product lag: see
    /// [`Product::is_behind`]. So do lines that wait while holds are left that have expired: which
    /// of those that wait have expired themselves is known only then.
    ///
    /// An error leaves a half-served queue: the caller undoes it.
    pub(super) fn serve_waiting(&mut self) -> Result<(), MoreNeeded> {
        if self.queue.is_empty() && self.known_queue.is_all() {
            self.set_unserved(false);
            return Ok(());
        }
        if self.more_expired {
            self.set_unserved(true);
            return Ok(());
        }
        self.need_all_batches()?;
        let all_served = self.serve_in_turn()?;
        self.set_unserved(!all_served);
        Ok(())
    }

    /// Serves waiting lines in their order, and tells whether no line is left that could be served.
    fn serve_in_turn(&mut self) -> Result<bool, MoreNeeded> {
        let (mut free, mut served) = (self.available(), 0);
        let mut last: Option<QueuePosition> = None;
        while free > 0 {
            let next = self.waiting_after(last.as_ref());
            let gap = self.known_queue.gap_after(last.as_ref(), free);
            if let Some(after) = gap.filter(|after| next.as_ref().is_none_or(|next| after.as_ref() < Some(next))) {
                if served > 0 && self.queue_loaded >= 2 * self.most_served {
                    return Ok(false);
                }
                let most =
                    self.most_served.saturating_sub(served).clamp(1, usize::try_from(free).unwrap_or(usize::MAX));
                return Err(self.needs(DataRequest::WaitingLines { after, free, most }));
            }
            let Some(position) = next else { break };
            let units = self.serve(position.order_id())?;
            served += usize::from(units > 0);
            free -= u64::from(units);
            last = Some(position);
            if served == self.most_served {
                return Ok(free == 0);
            }
        }
        Ok(true)
    }

    fn waiting_after(&self, place: Option<&QueuePosition>) -> Option<QueuePosition> {
        let from = place.map_or(Bound::Unbounded, Bound::Excluded);
        self.queue.range((from, Bound::Unbounded)).next().cloned()
    }

    /// Gives a waiting line what it can take, and tells how much that was.
    fn serve(&mut self, order_id: &OrderId) -> Result<u32, MoreNeeded> {
        let Some((rest, parts)) = self.line(order_id).map(|line| (line.waiting, line.terms.allow_split)) else {
            return Ok(0);
        };
        let Ok(rest) = Quantity::new(rest) else { return Ok(0) };
        let plan = self.plan(rest, parts)?;
        Ok(self.apply_plan(order_id, &plan, AllocationReason::Backorder))
    }

    pub(crate) fn need_all_batches(&self) -> Result<(), MoreNeeded> {
        if self.horizon.is_all() { Ok(()) } else { Err(self.needs(DataRequest::Batches)) }
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
