//! Confirming an order whose hold has expired, one product after another.

use super::Products;
use crate::{
    ConfirmError, Order, OrderCancelled, OrderClosed, OrderConfirmation, OrderId, Pending, ReservationState, Shortages,
    Sku, Standing,
};
use chrono::{DateTime, Utc};
use std::convert::Infallible;

/// An order that is being made firm, and gets its units again if its hold has expired.
///
/// First all products are checked, and nothing changes. Then the products are independent, as for a
/// [`Cancellation`](crate::Cancellation): data that one of them lacks is loaded without deciding on the others again.
#[derive(Debug)]
pub struct Reinstatement {
    order_id: OrderId,
    /// The products that are left, in reverse order.
    left: Vec<Sku>,
}

impl Reinstatement {
    /// Checks that an order can be made firm: it has not ended, or it has expired and its units are to be had by its
    /// terms. A firm order stays firm, whatever its version.
    ///
    /// # Errors
    ///
    /// [`Pending`]; nothing of the order has changed. Expired holds may have been released.
    pub fn of(
        request: &OrderConfirmation,
        products: &mut Products,
        now: DateTime<Utc>,
    ) -> Result<Self, Pending<ConfirmError>> {
        let order_id = request.order_id();
        for product in products.0.values_mut().filter(|product| product.line(order_id).is_some()) {
            product.catch_up(now)?;
        }
        let firm = Self { order_id: order_id.clone(), left: Vec::new() };
        products.reject_ended(order_id, now).map_err(Pending::Refused)?;
        let to_confirm = |commitment| matches!(commitment, ReservationState::Held { .. } | ReservationState::Expired);
        let order = products.order_of(order_id);
        let left = order.lines.iter().rev().filter(|(_, line)| to_confirm(line.commitment));
        let left: Vec<Sku> = left.map(|(sku, _)| sku.clone()).collect();
        if left.is_empty() {
            return Ok(firm);
        }
        let actual = order.version();
        if !request.expects(actual) {
            return Err(Pending::Refused(ConfirmError::Stale { order_id: order_id.clone(), actual }));
        }
        let mut short = Vec::new();
        for product in products.iter() {
            short.extend(product.shortage_of_expired(order_id)?);
        }
        if short.is_empty() { Ok(Self { left, ..firm }) } else { Err(Pending::refused(Shortages(short))) }
    }

    /// Makes the remaining lines firm in the order of their SKUs. Expired ones get units as new lines do.
    ///
    /// # Errors
    ///
    /// [`Pending`], never a refusal; the lines of that product and of later ones have not changed. After
    /// [`Pending::Load`], the caller loads the rows and calls again.
    pub fn resume(&mut self, products: &mut Products, now: DateTime<Utc>) -> Result<(), Pending<Infallible>> {
        while let Some(sku) = self.left.last() {
            if let Some(product) = products.get_mut(sku) {
                product.reinstate_line(&self.order_id, now)?;
                product.confirm_line(&self.order_id);
            }
            self.left.pop();
        }
        Ok(())
    }
}

impl Products {
    /// Makes an order firm, as [`Products::confirm`] does. An order whose hold has expired gets all its units again, if
    /// they are still to be had by its terms. Its lines then count as placed now.
    ///
    /// Runs a [`Reinstatement`] on products that are loaded completely.
    ///
    /// # Errors
    ///
    /// [`Pending`]; nothing of the order has changed. Only after [`Pending::Load`] may the lines of some products be
    /// firm.
    pub fn reinstate(
        &mut self,
        request: &OrderConfirmation,
        now: DateTime<Utc>,
    ) -> Result<Order, Pending<ConfirmError>> {
        let mut reinstatement = Reinstatement::of(request, self, now)?;
        reinstatement.resume(self, now).map_err(Pending::widen)?;
        Ok(self.order_of(request.order_id()))
    }

    /// Rejects an order that is unknown, or was cancelled or closed, whatever else has expired.
    fn reject_ended(&self, order_id: &OrderId, now: DateTime<Utc>) -> Result<(), ConfirmError> {
        let is = |commitment| {
            self.iter().filter_map(|product| product.line(order_id)).any(|line| line.commitment == commitment)
        };
        let (cancelled, closed) = (is(ReservationState::Cancelled), is(ReservationState::Closed));
        match self.standing(order_id, now) {
            Standing::Unknown => Err(ConfirmError::NotFound(order_id.clone())),
            Standing::Cancelled => Err(OrderCancelled { order_id: order_id.clone() }.into()),
            Standing::Closed => Err(OrderClosed { order_id: order_id.clone() }.into()),
            // The rest of an expired order was ended on request, so its units are not wanted again.
            Standing::Expired if cancelled => Err(OrderCancelled { order_id: order_id.clone() }.into()),
            Standing::Expired if closed => Err(OrderClosed { order_id: order_id.clone() }.into()),
            Standing::Expired | Standing::Held | Standing::Firm => Ok(()),
        }
    }
}
