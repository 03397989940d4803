//! Lines of orders that are added, raised, lowered, removed, reinstated or get other terms on request.

use super::{Plan, Product};
use crate::{
    AllocationReason, DataRequest, DeallocationReason, Event, LineState, LineTerms, LoadRequest, OnShortage, OrderId,
    OutOfStock, Promises, Quantity, ReservationState,
};
use chrono::{DateTime, SubsecRound, Utc};

/// The quantity and terms that a line is to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LineTarget {
    pub(crate) quantity: Quantity,
    pub(crate) priority: i32,
    pub(crate) on_shortage: OnShortage,
    pub(crate) allow_split: bool,
    pub(crate) promises: Promises,
    pub(crate) ship_complete: bool,
}

impl LineTarget {
    /// Returns the quantity and terms of a line as it is.
    pub(crate) const fn of(line: &LineState) -> Self {
        Self::with(line.quantity, line.terms)
    }

    /// Returns a quantity with these terms.
    pub(crate) const fn with(quantity: Quantity, terms: LineTerms) -> Self {
        let LineTerms { priority, on_shortage, allow_split, promises, ship_complete, .. } = terms;
        Self { quantity, priority, on_shortage, allow_split, promises, ship_complete }
    }

    /// Returns whether the line accepts a part of its units, and waits for the rest.
    const fn takes_parts(self) -> bool {
        matches!(self.on_shortage, OnShortage::Backorder) && self.allow_split
    }
}

/// A line that is added to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NewLine {
    pub(crate) target: LineTarget,
    pub(crate) commitment: ReservationState,
}

impl Product {
    /// Plans the additional units of a line that is raised. A line that waits for its whole rest gets none:
    /// the rest grows, and even the smaller one was not free.
    pub(crate) fn plan_raise(
        &self,
        line: &LineState,
        target: LineTarget,
        extra: Quantity,
    ) -> Result<Plan, LoadRequest> {
        if line.waiting > 0 && !target.allow_split {
            return Ok(Plan::nothing(extra));
        }
        self.plan_newcomer(extra, target.takes_parts())
    }

    /// Plans the units of a line that is added to an order.
    pub(crate) fn plan_addition(&self, target: LineTarget) -> Result<Plan, LoadRequest> {
        self.plan_newcomer(target.quantity, target.takes_parts())
    }

    /// Adds a line to an order. Units that are not free are backordered.
    ///
    /// # Errors
    ///
    /// [`LoadRequest`]; nothing has changed.
    pub(crate) fn join_order(
        &mut self,
        order_id: &OrderId,
        NewLine { target, commitment }: NewLine,
        now: DateTime<Utc>,
    ) -> Result<(), LoadRequest> {
        let LineTarget { quantity, priority, on_shortage, allow_split, promises, ship_complete } = target;
        let placed_at = self.decided_at(now).trunc_subsecs(6);
        let terms =
            LineTerms { of_order: true, priority, placed_at, on_shortage, allow_split, promises, ship_complete };
        let plan = self.plan_addition(target)?;
        self.add_line(order_id, quantity, (terms, commitment), &plan);
        Ok(())
    }

    /// Gives a line its new quantity and terms.
    ///
    /// A lowered line gives up the units that it waits for, then units of its least preferred batches. A raised
    /// line gets units that are free; it waits for the others, as a whole from now on.
    ///
    /// # Errors
    ///
    /// [`LoadRequest`]; nothing has changed.
    pub(crate) fn change_line(
        &mut self,
        order_id: &OrderId,
        target: LineTarget,
        now: DateTime<Utc>,
    ) -> Result<(), LoadRequest> {
        let before = self.need_own_line(order_id)?;
        if LineTarget::of(&before) == target {
            return Ok(());
        }
        let changed_at = self.decided_at(now).trunc_subsecs(6);
        self.atomically(|product| {
            let has_given_up = product.give_up_excess(order_id, &before, target.quantity)?;
            let extra = target.quantity.minus(before.quantity.get());
            let plan = extra.map(|extra| product.plan_raise(&before, target, extra)).transpose()?;
            let missing = plan.as_ref().map_or(0, |plan| plan.missing);
            product.set_target(order_id, &before, target, Some(changed_at).filter(|_| missing > 0));
            if let Some(plan) = plan {
                product.apply_plan(order_id, &plan, AllocationReason::LineChanged);
            }
            if let Ok(missing) = Quantity::new(missing) {
                product.wait_for(order_id, missing);
            }
            let accepts_parts = target.allow_split && !before.terms.allow_split;
            let moves = !before.is_improvable() && product.line(order_id).is_some_and(LineState::is_improvable);
            if has_given_up || accepts_parts || moves { product.serve_waiting() } else { Ok(()) }
        })
    }

    /// Returns the shortage of an expired line that would not get its units again, if it rejects shortage; `None` for any
    /// other line. All rows that [`Self::reinstate_line`] needs are then loaded.
    pub(crate) fn shortage_of_expired(&self, order_id: &OrderId) -> Result<Option<OutOfStock>, LoadRequest> {
        let Some(line) = self.line(order_id).filter(|line| line.commitment == ReservationState::Expired) else {
            return Ok(None);
        };
        let plan = self.plan_addition(LineTarget::of(line))?;
        let rejects = line.terms.on_shortage == OnShortage::Reject;
        Ok(plan.shortage(self, line.quantity).filter(|_| rejects))
    }

    /// Makes an expired line firm: it gets units as a new line does, and waits for those that are not free. Any other
    /// line stays unchanged.
    ///
    /// # Errors
    ///
    /// [`LoadRequest`]; nothing has changed.
    pub(crate) fn reinstate_line(&mut self, order_id: &OrderId, now: DateTime<Utc>) -> Result<(), LoadRequest> {
        let line = self.need_own_line(order_id)?;
        if line.commitment != ReservationState::Expired {
            return Ok(());
        }
        let plan = self.plan_addition(LineTarget::of(&line))?;
        let placed_at = self.decided_at(now).trunc_subsecs(6);
        self.edit_line(order_id, |line| {
            line.commitment = ReservationState::Firm;
            line.terms.placed_at = placed_at;
        });
        let (sku, quantity) = (self.sku.clone(), line.quantity);
        self.events.push(Event::LineReinstated { order_id: order_id.clone(), sku, quantity });
        self.apply_plan(order_id, &plan, AllocationReason::Refill);
        if let Ok(missing) = Quantity::new(plan.missing) {
            self.wait_for(order_id, missing);
        }
        Ok(())
    }

    /// Removes a line from its order, and serves the waiting lines from its units.
    ///
    /// # Errors
    ///
    /// [`LoadRequest`]; nothing has changed.
    pub(crate) fn leave_order(&mut self, order_id: &OrderId) -> Result<(), LoadRequest> {
        let quantity = self.need_own_line(order_id)?.quantity;
        self.atomically(|product| {
            product.free_all(order_id, DeallocationReason::LineChanged)?;
            product.remove_line(order_id);
            let (order_id, sku) = (order_id.clone(), product.sku.clone());
            product.events.push(Event::LineRemoved { order_id, sku, quantity });
            product.serve_waiting()
        })
    }

    fn need_own_line(&self, order_id: &OrderId) -> Result<LineState, LoadRequest> {
        self.line(order_id).cloned().ok_or_else(|| self.needs(DataRequest::Line(order_id.clone())))
    }

    /// Gives up the units that a line has or waits for beyond a quantity; returns whether there are any.
    fn give_up_excess(
        &mut self,
        order_id: &OrderId,
        line: &LineState,
        quantity: Quantity,
    ) -> Result<bool, LoadRequest> {
        let excess = (line.served() + line.waiting).saturating_sub(quantity.get());
        let waiting = line.waiting.min(excess);
        if let Ok(units) = Quantity::new(waiting) {
            self.stop_waiting_for(order_id, units);
        }
        let mut rest = excess - waiting;
        for part in line.allocations.iter().rev() {
            let Some(units) = part.quantity.at_most(rest) else { break };
            self.free(order_id, &part.reference, units, DeallocationReason::LineChanged)?;
            rest -= units.get();
        }
        Ok(excess > 0)
    }

    /// Sets the quantity and terms of a line, and its place in the order of service if it is `requeued`.
    fn set_target(
        &mut self,
        order_id: &OrderId,
        before: &LineState,
        target: LineTarget,
        requeued: Option<DateTime<Utc>>,
    ) {
        let LineTarget { quantity, priority, on_shortage, allow_split, promises, ship_complete } = target;
        let placed_at = requeued.unwrap_or(before.terms.placed_at);
        self.edit_line(order_id, |line| {
            line.quantity = quantity;
            line.terms =
                LineTerms { priority, placed_at, on_shortage, allow_split, promises, ship_complete, ..line.terms };
        });
        self.events.push(Event::LineChanged {
            order_id: order_id.clone(),
            sku: self.sku.clone(),
            quantity,
            old_quantity: before.quantity,
            priority,
            on_shortage,
            allow_split,
            promises,
            ship_complete,
            requeued: requeued.is_some(),
        });
    }
}
