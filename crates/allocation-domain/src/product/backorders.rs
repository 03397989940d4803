//! Backorders: serving the lines that wait.

use super::Product;
use crate::{AllocationReason, DataRequest, Event, LoadRequest, OnShortage, OrderId, Quantity, QueuePosition};

impl Product {
    /// Allocates free units to the waiting lines in order. Stops when nothing is free, when no line can
    /// take any, or at the limit of a unit of work. A line that takes only its whole rest is skipped
    /// unless that is free.
    ///
    /// If lines are left that could be served, the product falls behind: see [`Product::is_behind`]. The
    /// same applies to waiting lines while expired holds remain, since the waiting lines may have expired
    /// themselves.
    ///
    /// What is free then goes to lines whose units arrive later: see [`Product::improve_promises`].
    ///
    /// After an error the queue is half served: the caller undoes it.
    pub(super) fn serve_waiting(&mut self) -> Result<(), LoadRequest> {
        // What an earlier unit of work has left to do is not known any more.
        self.distribute_free(self.flags.unserved)
    }

    /// Serves the waiting lines and then, from the batches that this decision has freed units of or from all of them,
    /// the lines whose units arrive later.
    pub(super) fn distribute_free(&mut self, from_all: bool) -> Result<(), LoadRequest> {
        let has_queue = !(self.lines.has_no_queue() && self.known_queue.is_all());
        if self.more_expired && (has_queue || self.may_improve()) {
            self.set_unserved(true);
            return Ok(());
        }
        if has_queue {
            self.need_all_batches()?;
        }
        let all_served = (!has_queue || self.serve_in_turn()?) && self.improve_promises(from_all)?;
        self.set_unserved(!all_served);
        if all_served { self.record_if_back_in_stock(from_all) } else { Ok(()) }
    }

    /// Records that units are free again, if the product was sold out. Batches that are not loaded have free units only
    /// if an earlier decision left some: `maybe_elsewhere`.
    fn record_if_back_in_stock(&mut self, maybe_elsewhere: bool) -> Result<(), LoadRequest> {
        if !self.flags.sold_out {
            return Ok(());
        }
        if self.available() == 0 && maybe_elsewhere {
            self.need_all_batches()?;
        }
        if self.available() > 0 {
            self.flags.sold_out = false;
            self.events.push(Event::BackInStock { sku: self.sku.clone() });
        }
        Ok(())
    }

    /// Serves waiting lines in order, and returns whether none is left that could be served.
    fn serve_in_turn(&mut self) -> Result<bool, LoadRequest> {
        let (mut free, mut served) = (self.available(), 0);
        let mut last: Option<QueuePosition> = None;
        while free > 0 {
            let next = self.lines.next_taker(last.as_ref(), free).cloned();
            let gap = self.known_queue.gap_after(last.as_ref(), free);
            if let Some(after) = gap.filter(|after| next.as_ref().is_none_or(|next| after.as_ref() < Some(next))) {
                if served > 0 && self.queue_loaded >= 2 * self.most_served {
                    return Ok(false);
                }
                let limit =
                    self.most_served.saturating_sub(served).clamp(1, usize::try_from(free).unwrap_or(usize::MAX));
                return Err(self.needs(DataRequest::WaitingLines { after, free, limit }));
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

    /// Allocates to a waiting line the units that it can take, and returns their number.
    fn serve(&mut self, order_id: &OrderId) -> Result<u32, LoadRequest> {
        let Some((rest, parts)) = self.line(order_id).map(|line| (line.waiting, line.terms.allow_split)) else {
            return Ok(0);
        };
        let Ok(rest) = Quantity::new(rest) else { return Ok(0) };
        let plan = self.plan(rest, parts)?;
        Ok(self.apply_plan(order_id, &plan, AllocationReason::Backorder))
    }

    pub(crate) fn need_all_batches(&self) -> Result<(), LoadRequest> {
        if self.horizon.is_all() { Ok(()) } else { Err(self.needs(DataRequest::Batches)) }
    }

    /// Backorders more units of a line, as its order requests or because it was left short.
    pub(super) fn wait_for(&mut self, order_id: &OrderId, units: Quantity) {
        let accepts_backorders =
            self.line(order_id).is_some_and(|line| line.terms.on_shortage == OnShortage::Backorder);
        self.edit_line(order_id, |line| line.waiting += units.get());
        let (order_id, sku) = (order_id.clone(), self.sku.clone());
        self.events.push(if accepts_backorders {
            Event::Backordered { order_id, sku, quantity: units }
        } else {
            Event::LineShort { order_id, sku, quantity: units }
        });
    }

    /// Ends the backorder of a line.
    pub(super) fn stop_waiting(&mut self, order_id: &OrderId) {
        let Some(Ok(quantity)) = self.line(order_id).map(|line| Quantity::new(line.waiting)) else { return };
        self.stop_waiting_for(order_id, quantity);
    }

    /// Reduces the backorder of a line by units that it waits for.
    pub(super) fn stop_waiting_for(&mut self, order_id: &OrderId, quantity: Quantity) {
        self.edit_line(order_id, |line| line.waiting -= quantity.get());
        self.events.push(Event::WaitEnded { order_id: order_id.clone(), sku: self.sku.clone(), quantity });
    }
}
