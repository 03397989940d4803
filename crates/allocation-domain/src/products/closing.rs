//! Closing an order, one product after another.

use super::Products;
use crate::{
    CloseError, HoldExpired, LineState, Order, OrderCancelled, OrderId, OrderVersion, Pending, Product,
    ReservationState, Sku, Standing,
};
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;
use std::convert::Infallible;

/// An order that is being closed.
///
/// Its products are independent here, as for a [`Cancellation`](crate::Cancellation): data that one of them lacks
/// is loaded without deciding on the others again.
#[derive(Debug)]
pub struct Closing {
    order_id: OrderId,
    /// The products that are left, in reverse order.
    left: Vec<Sku>,
}

impl Closing {
    /// Checks that an order can be closed: a line of it is firm or held, and it has one of the expected versions
    /// unless `expected` is `None`. A closed order stays closed, whatever its version.
    ///
    /// # Errors
    ///
    /// [`CloseError`], which does not change under the locks of the products.
    pub fn of(
        order_id: &OrderId,
        expected: Option<&BTreeSet<OrderVersion>>,
        products: &Products,
        now: DateTime<Utc>,
    ) -> Result<Self, CloseError> {
        let closed = Self { order_id: order_id.clone(), left: Vec::new() };
        let any = |is: fn(&LineState, DateTime<Utc>) -> bool| {
            products.iter().filter_map(|product| product.line(order_id)).any(|line| is(line, now))
        };
        match products.standing(order_id, now) {
            Standing::Unknown => return Err(CloseError::NotFound(order_id.clone())),
            // A standalone line is firm beside the held lines of its order, and stays when their hold expires.
            Standing::Expired if any(LineState::lives_at) => {}
            Standing::Expired if any(|line, _| line.commitment == ReservationState::Closed) => return Ok(closed),
            Standing::Expired => return Err(HoldExpired { order_id: order_id.clone() }.into()),
            Standing::Cancelled => return Err(OrderCancelled { order_id: order_id.clone() }.into()),
            Standing::Closed => return Ok(closed),
            Standing::Firm | Standing::Held => {}
        }
        let actual = products.order_of(order_id).version();
        if expected.is_some_and(|expected| !expected.contains(&actual)) {
            return Err(CloseError::Stale { order_id: order_id.clone(), actual });
        }
        let lives = |product: &&Product| product.line(order_id).is_some_and(LineState::lives);
        let left = products.0.values().rev().filter(lives).map(|product| product.sku().clone()).collect();
        Ok(Self { left, ..closed })
    }

    /// Closes the remaining lines in the order of their SKUs. Their units that are not picked are released and
    /// serve the waiting lines.
    ///
    /// # Errors
    ///
    /// [`Pending`], never a refusal; the lines of that product and of later ones have not changed. After
    /// [`Pending::Load`], the caller loads the rows and calls again.
    pub fn resume(&mut self, products: &mut Products, now: DateTime<Utc>) -> Result<(), Pending<Infallible>> {
        while let Some(sku) = self.left.last() {
            if let Some(product) = products.get_mut(sku) {
                product.catch_up(now)?;
                product.close_line(&self.order_id)?;
            }
            self.left.pop();
        }
        Ok(())
    }
}

impl Products {
    /// Closes an order: nothing more is to come. Units that are not picked are released and serve the waiting
    /// lines, and the order waits for nothing. Picked units are still shipped. A closed order is left unchanged.
    ///
    /// Runs a [`Closing`] on products that are loaded completely.
    ///
    /// # Errors
    ///
    /// [`Pending`]; nothing of the order has changed. Only after [`Pending::Load`] and [`Pending::CatchUp`]
    /// may the lines of some products be closed.
    pub fn close(&mut self, order_id: &OrderId, now: DateTime<Utc>) -> Result<Order, Pending<CloseError>> {
        let mut closing = Closing::of(order_id, None, self, now).map_err(Pending::Refused)?;
        closing.resume(self, now).map_err(Pending::widen)?;
        Ok(self.order_of(order_id))
    }
}
