//! Cancelling an order, one product after the other.

use super::Products;
use crate::{CancelError, MoreNeeded, Order, OrderId, Sku};
use chrono::{DateTime, Utc};

/// An order that is being cancelled.
///
/// The products of an order have nothing to do with one another here, so what one of them lacks for
/// its decision is loaded without deciding on the others anew: an order of hundreds of lines, each
/// with lines that wait, costs what its lines cost.
#[derive(Debug)]
pub struct Cancellation {
    order_id: OrderId,
    /// The products that are left, the last first.
    left: Vec<Sku>,
}

impl Cancellation {
    /// Checks that an order can be cancelled.
    ///
    /// # Errors
    ///
    /// [`CancelError::NotFound`] and [`CancelError::Picked`], which stay so under the locks of its
    /// products.
    pub fn of(order_id: &OrderId, products: &Products) -> Result<Self, CancelError> {
        let lines = products.iter().filter_map(|product| Some((product.sku(), product.line(order_id)?)));
        let mut left = Vec::new();
        for (sku, line) in lines {
            if line.fulfilment.taken() > 0 {
                return Err(CancelError::Picked(order_id.clone()));
            }
            left.push(sku.clone());
        }
        if left.is_empty() {
            return Err(CancelError::NotFound(order_id.clone()));
        }
        left.reverse();
        Ok(Self { order_id: order_id.clone(), left })
    }

    /// Cancels the lines that are left, in the order of their SKUs: all they hold is free, and goes
    /// to the lines that wait. A line that was cancelled or has expired stays what it is.
    ///
    /// # Errors
    ///
    /// [`MoreNeeded`], and the lines of that product and of those after it have not changed: load
    /// what is needed, and call it again.
    pub fn go_on(&mut self, products: &mut Products, now: DateTime<Utc>) -> Result<(), MoreNeeded> {
        while let Some(sku) = self.left.last() {
            if let Some(product) = products.get_mut(sku) {
                product.catch_up(now)?;
                product.cancel_line(&self.order_id)?;
            }
            self.left.pop();
        }
        Ok(())
    }
}

impl Products {
    /// Cancels an order: all it holds is free, and goes to the lines that wait. An order that was
    /// cancelled or has expired stays what it is. One of which anything was picked stays too.
    ///
    /// It is [`Cancellation`] for products of which all is at hand.
    ///
    /// # Errors
    ///
    /// [`CancelError`], and nothing of the order has changed, but that after
    /// [`CancelError::MoreNeeded`] the lines of some products may be cancelled.
    pub fn cancel(&mut self, order_id: &OrderId, now: DateTime<Utc>) -> Result<Order, CancelError> {
        Cancellation::of(order_id, self)?.go_on(self, now)?;
        Ok(self.order_of(order_id))
    }
}

#[cfg(test)]
mod tests;
