//! Cancelling an order, one product after another.

use super::Products;
use crate::{CancelError, Order, OrderId, OrderVersion, Pending, Sku};
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;
use std::convert::Infallible;

/// An order that is being cancelled.
///
/// Its products are independent here, so data that one of them lacks is loaded without deciding on the
/// others again. An order of hundreds of lines, with waiting lines on each product, costs no more than its
/// lines.
#[derive(Debug)]
pub struct Cancellation {
    order_id: OrderId,
    /// The products that are left, in reverse order.
    left: Vec<Sku>,
}

impl Cancellation {
    /// Checks that an order can be cancelled.
    ///
    /// # Errors
    ///
    /// [`CancelError::NotFound`] and [`CancelError::Picked`]. Neither changes under the locks of the
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

    /// Checks that the order has one of the expected versions, unless it has ended or `expected` is `None`.
    ///
    /// # Errors
    ///
    /// [`CancelError::Stale`].
    pub fn if_version(
        self,
        expected: Option<&BTreeSet<OrderVersion>>,
        products: &Products,
    ) -> Result<Self, CancelError> {
        let living = products.order(&self.order_id).filter(|order| order.lines.iter().any(|(_, line)| line.lives()));
        let actual = living.map(|order| order.version());
        match (actual, expected) {
            (Some(actual), Some(expected)) if !expected.contains(&actual) => {
                Err(CancelError::Stale { order_id: self.order_id, actual })
            }
            _ => Ok(self),
        }
    }

    /// Cancels the remaining lines in the order of their SKUs. Their units are released and serve the
    /// waiting lines. A line that has ended is left unchanged.
    ///
    /// # Errors
    ///
    /// [`Pending`], never a refusal; the lines of that product and of later ones have not changed. After
    /// [`Pending::Load`], the caller loads the rows and calls again.
    pub fn resume(&mut self, products: &mut Products, now: DateTime<Utc>) -> Result<(), Pending<Infallible>> {
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
    /// Cancels an order: its units are released and serve the waiting lines. An order that has
    /// ended is left unchanged. An order of which units were picked is rejected.
    ///
    /// Runs a [`Cancellation`] on products that are loaded completely.
    ///
    /// # Errors
    ///
    /// [`Pending`]; nothing of the order has changed. Only after [`Pending::Load`] and [`Pending::CatchUp`]
    /// may the lines of some products be cancelled.
    pub fn cancel(&mut self, order_id: &OrderId, now: DateTime<Utc>) -> Result<Order, Pending<CancelError>> {
        let mut cancellation = Cancellation::of(order_id, self).map_err(Pending::Refused)?;
        cancellation.resume(self, now).map_err(Pending::widen)?;
        Ok(self.order_of(order_id))
    }
}

#[cfg(test)]
mod tests;
