//! Holds that expire, are confirmed or extended, and lines that are cancelled or closed.

use super::Product;
use crate::{DeallocationReason, Event, LineState, LoadRequest, OrderId, Pending, ReservationState};
use chrono::{DateTime, Utc};
use std::convert::Infallible;

impl Product {
    /// Releases the expired holds among the loaded lines, and serves the waiting lines. Returns the orders
    /// that have expired.
    ///
    /// Every decision begins with this; a sweeper only makes it happen earlier. If there is more to do than
    /// one unit of work allows, the product [is behind](Product::is_behind) afterwards. The changes so far
    /// are then to be saved, and another unit continues.
    ///
    /// # Errors
    ///
    /// [`Pending::Load`]; nothing has changed.
    pub fn release_expired(&mut self, now: DateTime<Utc>) -> Result<Vec<OrderId>, Pending<Infallible>> {
        Ok(self.release_due(now)?)
    }

    pub(crate) fn release_due(&mut self, now: DateTime<Utc>) -> Result<Vec<OrderId>, LoadRequest> {
        // `decided_at` may be slightly earlier than `now`: no event may report an expiry before its time.
        let by = self.expires_by(now);
        let has_expired = self.lines.expiries().next().is_some_and(|(expires_at, _)| *expires_at <= by);
        if self.has_stepped || !has_expired && !self.flags.unserved {
            return Ok(Vec::new());
        }
        let due = self.lines.expiries().take_while(|(expires_at, _)| *expires_at <= by);
        let expired: Vec<OrderId> = due.map(|(_, order_id)| order_id.clone()).collect();
        self.atomically(|product| {
            for order_id in &expired {
                product.expire(order_id)?;
            }
            product.serve_waiting()
        })?;
        self.has_stepped = self.is_behind();
        Ok(expired)
    }

    /// Releases expired holds before another decision.
    ///
    /// # Errors
    ///
    /// [`Pending::Load`], or [`Pending::CatchUp`] when there is more to do than one unit of work allows; the
    /// changes so far remain.
    pub(crate) fn catch_up<R>(&mut self, now: DateTime<Utc>) -> Result<(), Pending<R>> {
        self.release_due(now)?;
        if self.is_behind() { Err(Pending::CatchUp(self.sku.clone())) } else { Ok(()) }
    }

    fn expire(&mut self, order_id: &OrderId) -> Result<(), LoadRequest> {
        let Some(expires_at) = self.line(order_id).and_then(|line| line.commitment.expires_at()) else {
            return Ok(());
        };
        let (order_id, sku) = (order_id.clone(), self.sku.clone());
        self.free_all(&order_id, DeallocationReason::Expiry)?;
        self.edit_line(&order_id, |line| line.commitment = ReservationState::Expired);
        self.events.push(Event::HoldExpired { order_id, sku, expires_at });
        Ok(())
    }

    /// Makes a held line firm; the caller has checked that its hold has not expired.
    pub(crate) fn confirm_line(&mut self, order_id: &OrderId) {
        if self.line(order_id).is_some_and(|line| line.commitment.expires_at().is_some()) {
            self.edit_line(order_id, |line| line.commitment = ReservationState::Firm);
            self.events.push(Event::HoldConfirmed { order_id: order_id.clone(), sku: self.sku.clone() });
        }
    }

    /// Extends the hold of a line, never shortens it; the caller has checked that it has not expired.
    pub(crate) fn extend_line(&mut self, order_id: &OrderId, until: DateTime<Utc>) {
        let expires_at = self.line(order_id).and_then(|line| line.commitment.expires_at());
        if expires_at.is_some_and(|expires_at| expires_at < until) {
            self.edit_line(order_id, |line| line.commitment = ReservationState::Held { expires_at: until });
            let (order_id, sku) = (order_id.clone(), self.sku.clone());
            self.events.push(Event::HoldExtended { order_id, sku, expires_at: until });
        }
    }

    /// Releases the units of a line, marks it cancelled, and serves the waiting lines.
    ///
    /// # Errors
    ///
    /// [`LoadRequest`]; nothing has changed.
    pub(crate) fn cancel_line(&mut self, order_id: &OrderId) -> Result<(), LoadRequest> {
        let cancelled = Event::LineCancelled { order_id: order_id.clone(), sku: self.sku.clone() };
        self.end_line(order_id, DeallocationReason::Cancellation, ReservationState::Cancelled, cancelled)
    }

    /// Releases the units of a line that are not picked, marks it closed, and serves the waiting lines.
    ///
    /// # Errors
    ///
    /// [`LoadRequest`]; nothing has changed.
    pub(crate) fn close_line(&mut self, order_id: &OrderId) -> Result<(), LoadRequest> {
        let closed = Event::LineClosed { order_id: order_id.clone(), sku: self.sku.clone() };
        self.end_line(order_id, DeallocationReason::Closure, ReservationState::Closed, closed)
    }

    fn end_line(
        &mut self,
        order_id: &OrderId,
        reason: DeallocationReason,
        end: ReservationState,
        event: Event,
    ) -> Result<(), LoadRequest> {
        if !self.line(order_id).is_some_and(LineState::lives) {
            return Ok(());
        }
        self.atomically(|product| {
            product.free_all(order_id, reason)?;
            product.edit_line(order_id, |line| line.commitment = end);
            product.events.push(event);
            product.serve_waiting()
        })
    }
}
