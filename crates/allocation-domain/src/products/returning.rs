//! Taking back units, one product after another.

use super::Products;
use crate::{BatchReference, ExcessReturn, GoodsReturn, OrderId, Pending, Product, ReturnError, Returned, Sku};
use chrono::{DateTime, Utc};
use std::convert::Infallible;

/// A return that is being booked.
///
/// First the whole return is checked against all products, and changes nothing. Then the products are independent, as
/// those of a [`Cancellation`](crate::Cancellation) are: data that one of them lacks is loaded without deciding on the
/// others again.
#[derive(Debug)]
pub struct Returning {
    /// The products that are left, in reverse order.
    left: Vec<Sku>,
    returned: Returned,
}

impl Returning {
    /// Checks that all units can come back: they were shipped of the order and have not come back yet.
    ///
    /// # Errors
    ///
    /// [`Pending`]; nothing of the return has changed. Expired holds may have been released.
    pub fn of(
        goods_return: &GoodsReturn,
        products: &mut Products,
        now: DateTime<Utc>,
    ) -> Result<Self, Pending<ReturnError>> {
        let mut left = goods_return.skus();
        for sku in &left {
            if let Some(product) = products.get_mut(sku) {
                product.catch_up(now)?;
            }
        }
        let excess: Vec<_> = left.iter().filter_map(|sku| excess(goods_return, products, sku)).collect();
        if !excess.is_empty() {
            let order_id = goods_return.order_id().clone();
            return Err(Pending::Refused(ReturnError::MoreThanShipped { order_id, lines: excess }));
        }
        let exists = |reference: &BatchReference| products.iter().any(|product| product.batch(reference).is_some());
        if let Some(reference) = goods_return.references().into_iter().find(exists) {
            return Err(Pending::Refused(ReturnError::BatchExists(reference)));
        }
        left.reverse();
        Ok(Self { left, returned: Returned::default() })
    }

    /// Books the remaining products in the order of their SKUs. Restocked units serve the waiting lines.
    ///
    /// # Errors
    ///
    /// [`Pending`], never a refusal; that product and later ones have not changed. After [`Pending::Load`], the caller
    /// loads the rows and calls again.
    pub fn resume(
        &mut self,
        goods_return: &GoodsReturn,
        products: &mut Products,
        now: DateTime<Utc>,
    ) -> Result<Returned, Pending<Infallible>> {
        while let Some(sku) = self.left.last() {
            if let Some(product) = products.get_mut(sku) {
                self.returned.lines.extend(product.take_back(goods_return, now)?);
            }
            self.left.pop();
        }
        Ok(std::mem::take(&mut self.returned))
    }
}

/// Returns the units of a SKU that are too many to come back, `None` if they are not.
fn excess(goods_return: &GoodsReturn, products: &Products, sku: &Sku) -> Option<ExcessReturn> {
    let lines = goods_return.lines().iter().filter(|line| line.sku == *sku);
    let requested = lines.map(|line| u64::from(line.quantity.get())).sum();
    let returnable = products.get(sku).map_or(0, |product| returnable(product, goods_return.order_id()));
    (requested > u64::from(returnable)).then(|| ExcessReturn { sku: sku.clone(), requested, returnable })
}

fn returnable(product: &Product, order_id: &OrderId) -> u32 {
    product.line(order_id).map_or(0, |line| line.fulfilment.returnable())
}

impl Products {
    /// Takes back shipped units of an order: all of them, or none.
    ///
    /// Restocked units are batches in stock, which serve the waiting lines. The order gets no other units in their
    /// place.
    ///
    /// Runs [`Returning`] on products that are loaded completely.
    ///
    /// # Errors
    ///
    /// [`Pending`]; nothing of the return has changed. Only after [`Pending::Load`] may some products be booked.
    pub fn take_back(
        &mut self,
        goods_return: &GoodsReturn,
        now: DateTime<Utc>,
    ) -> Result<Returned, Pending<ReturnError>> {
        if self.iter().all(|product| product.line(goods_return.order_id()).is_none()) {
            return Err(Pending::Refused(ReturnError::OrderNotFound(goods_return.order_id().clone())));
        }
        let mut returning = Returning::of(goods_return, self, now)?;
        returning.resume(goods_return, self, now).map_err(Pending::widen)
    }
}
