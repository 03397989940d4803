//! Several products at once, over which orders are decided.

use crate::{
    ConfirmError, ExtendError, HoldDuration, HoldExpired, HoldTooLong, NewOrder, OnShortage, Order, OrderCancelled,
    OrderClosed, OrderConfirmation, OrderEnd, OrderId, OrderVersion, Pending, PlaceError, Plan, Product, Shortages,
    Sku, Standing, UnknownSkus,
};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};

mod adjusting;
mod amending;
mod cancelling;
mod closing;
mod picking;
mod reinstating;
mod returning;

pub use adjusting::Adjusting;
pub use amending::Amendment;
pub use cancelling::Cancellation;
pub use closing::Closing;
pub use reinstating::Reinstatement;
pub use returning::Returning;

/// Locked products by SKU.
///
/// An order is decided over all products of its lines, or not at all. To place an order, pass the
/// products of its SKUs. To confirm, extend or cancel it, pass the products in which it has lines,
/// with those lines. Other products may be present, so several orders can be decided one after the
/// other.
///
/// ```
/// use allocation_domain::{
///     BatchReference, Eta, HoldDuration, NewBatch, NewOrder, OrderId, OrderStatus, OrderTerms, Product, Products,
///     Quantity, Sku,
/// };
/// use chrono::{DateTime, TimeDelta};
///
/// let now = DateTime::UNIX_EPOCH;
/// let mut chairs = Product::new(Sku::parse("RED-CHAIR")?);
/// chairs.add_batch(NewBatch::new(BatchReference::parse("B-1")?, Quantity::new(4)?, Eta::InStock), now)?;
/// let mut shop = Products::from_iter([chairs]);
///
/// let terms = OrderTerms { hold: Some(HoldDuration::from_seconds(600)?), ..OrderTerms::default() };
/// let cart = NewOrder::new(OrderId::parse("CART")?, [(Sku::parse("RED-CHAIR")?, Quantity::new(4)?)], terms)?;
/// let order = shop.place(&cart, now)?;
/// assert_eq!(order.status(now), OrderStatus::Held);
///
/// let order = shop.confirm(cart.order_id(), now + TimeDelta::minutes(9))?;
/// assert_eq!(order.status(now), OrderStatus::Allocated);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Products(BTreeMap<Sku, Product>);

impl FromIterator<Product> for Products {
    fn from_iter<Iter: IntoIterator<Item = Product>>(products: Iter) -> Self {
        let mut products = Self(products.into_iter().map(|product| (product.sku().clone(), product)).collect());
        products.share_bound();
        products
    }
}

impl IntoIterator for Products {
    type Item = Product;
    type IntoIter = std::collections::btree_map::IntoValues<Sku, Product>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_values()
    }
}

impl Products {
    /// Adds a product, or replaces the product with the same SKU.
    pub fn insert(&mut self, product: Product) {
        self.0.insert(product.sku().clone(), product);
        self.share_bound();
    }

    /// Shares the bound of a unit of work among the products.
    fn share_bound(&mut self) {
        let share = Product::share_of(self.0.len());
        self.0.values_mut().for_each(|product| product.serve_at_most(share));
    }

    /// Returns the product of a SKU.
    #[must_use]
    pub fn get(&self, sku: &Sku) -> Option<&Product> {
        self.0.get(sku)
    }

    /// Returns the product of a SKU for decisions and for loading more rows.
    pub fn get_mut(&mut self, sku: &Sku) -> Option<&mut Product> {
        self.0.get_mut(sku)
    }

    /// Returns the products, sorted by SKU.
    pub fn iter(&self) -> impl Iterator<Item = &Product> {
        self.0.values()
    }

    /// Returns the products for decisions, sorted by SKU.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Product> {
        self.0.values_mut()
    }

    /// Returns an order with its loaded lines, or `None` if no line is loaded.
    #[must_use]
    pub fn order(&self, order_id: &OrderId) -> Option<Order> {
        let line = |(sku, product): (&Sku, &Product)| Some((sku.clone(), product.line(order_id)?.clone()));
        let lines: Vec<_> = self.0.iter().filter_map(line).collect();
        (!lines.is_empty()).then(|| Order { order_id: order_id.clone(), lines })
    }

    /// Places a new order. The caller has already compared it with any stored order of the same id.
    ///
    /// An order that rejects shortages is allocated whole or not at all. Otherwise available units
    /// are allocated and the rest waits. A line that allows no split takes all its units or waits
    /// for all. No line waits for a SKU without a product.
    ///
    /// # Errors
    ///
    /// [`Pending`], and nothing of the order is placed. Expired holds of other orders may have
    /// been released.
    pub fn place(&mut self, order: &NewOrder, now: DateTime<Utc>) -> Result<Order, Pending<PlaceError>> {
        for (sku, _) in order.lines() {
            let Some(product) = self.0.get_mut(sku) else { continue };
            product.catch_up(now)?;
            if product.line(order.order_id()).is_some() {
                return Err(Pending::Refused(PlaceError::AlreadyExists(order.order_id().clone())));
            }
        }
        let plans = self.plans(order)?;
        for ((sku, quantity), plan) in order.lines().iter().zip(&plans) {
            if let Some(product) = self.0.get_mut(sku) {
                product.place_line(order, *quantity, plan, now);
            }
        }
        // Not `self.order`, which searches all products: many may belong to other orders.
        let line = |(sku, _): &(Sku, _)| Some((sku.clone(), self.0.get(sku)?.line(order.order_id())?.clone()));
        let lines = order.lines().iter().filter_map(line).collect();
        Ok(Order { order_id: order.order_id().clone(), lines })
    }

    /// Plans the allocation of each line.
    fn plans(&self, order: &NewOrder) -> Result<Vec<Plan>, Pending<PlaceError>> {
        let terms = order.terms();
        if terms.on_shortage == OnShortage::Backorder {
            self.reject_unknown_skus(order).map_err(Pending::refused)?;
        }
        let (mut plans, mut short) = (Vec::with_capacity(order.lines().len()), Vec::new());
        for (sku, quantity) in order.lines() {
            let nothing;
            let product = match self.0.get(sku) {
                Some(at_hand) => at_hand,
                None => {
                    nothing = Product::new(sku.clone());
                    &nothing
                }
            };
            let takes_parts = terms.on_shortage == OnShortage::Backorder && terms.allow_split;
            let plan = product.plan_newcomer(*quantity, takes_parts)?;
            short.extend(plan.shortage(product, *quantity));
            plans.push(plan);
        }
        if terms.on_shortage == OnShortage::Reject && !short.is_empty() {
            return Err(Pending::refused(Shortages(short)));
        }
        Ok(plans)
    }

    fn reject_unknown_skus(&self, order: &NewOrder) -> Result<(), UnknownSkus> {
        let skus = order.lines().iter().map(|(sku, _)| sku);
        let unknown: Vec<Sku> = skus.filter(|sku| !self.0.contains_key(sku)).cloned().collect();
        if unknown.is_empty() { Ok(()) } else { Err(UnknownSkus(unknown)) }
    }

    /// Makes a held order firm; a firm order stays firm.
    ///
    /// It succeeds or fails as a whole, and fails once any line has expired. A line keeps its
    /// expired state after its units are reallocated, so an order that lost units is never
    /// confirmed.
    ///
    /// # Errors
    ///
    /// [`ConfirmError`], and nothing changes.
    pub fn confirm(&mut self, order_id: &OrderId, now: DateTime<Utc>) -> Result<Order, ConfirmError> {
        self.confirm_if(&OrderConfirmation::new(order_id.clone()), now)
    }

    /// Makes a held order firm like [`Products::confirm`], if it has a version that the request expects. A firm order
    /// stays firm, whatever its version.
    ///
    /// # Errors
    ///
    /// [`ConfirmError`], and nothing changes.
    pub fn confirm_if(&mut self, request: &OrderConfirmation, now: DateTime<Utc>) -> Result<Order, ConfirmError> {
        let order_id = request.order_id();
        match self.standing(order_id, now) {
            Standing::Unknown => return Err(ConfirmError::NotFound(order_id.clone())),
            Standing::Expired => return Err(HoldExpired { order_id: order_id.clone() }.into()),
            Standing::Cancelled => return Err(OrderCancelled { order_id: order_id.clone() }.into()),
            Standing::Closed => return Err(OrderClosed { order_id: order_id.clone() }.into()),
            Standing::Held => {
                let actual = self.order_of(order_id).version();
                if !request.expects(actual) {
                    return Err(ConfirmError::Stale { order_id: order_id.clone(), actual });
                }
            }
            Standing::Firm => {}
        }
        self.0.values_mut().for_each(|product| product.confirm_line(order_id));
        Ok(self.order_of(order_id))
    }

    /// Extends the hold of an order to `hold` from `now`. It never shortens a hold, and never lets one last longer than
    /// [`HoldDuration::MAX`] from the instant at which the first of its current lines was placed.
    ///
    /// # Errors
    ///
    /// [`ExtendError`], and nothing changes.
    pub fn extend(&mut self, order_id: &OrderId, hold: HoldDuration, now: DateTime<Utc>) -> Result<Order, ExtendError> {
        self.extend_if(order_id, None, hold, now)
    }

    /// Extends the hold of an order like [`Products::extend`], if it has one of the expected versions or `expected` is
    /// `None`.
    ///
    /// # Errors
    ///
    /// [`ExtendError`], and nothing changes.
    pub fn extend_if(
        &mut self,
        order_id: &OrderId,
        expected: Option<&BTreeSet<OrderVersion>>,
        hold: HoldDuration,
        now: DateTime<Utc>,
    ) -> Result<Order, ExtendError> {
        match self.standing(order_id, now) {
            Standing::Unknown => return Err(ExtendError::NotFound(order_id.clone())),
            Standing::Expired => return Err(HoldExpired { order_id: order_id.clone() }.into()),
            Standing::Cancelled => return Err(OrderCancelled { order_id: order_id.clone() }.into()),
            Standing::Closed => return Err(OrderClosed { order_id: order_id.clone() }.into()),
            Standing::Firm => return Err(ExtendError::NotHeld(order_id.clone())),
            Standing::Held => {}
        }
        let actual = self.order_of(order_id).version();
        if expected.is_some_and(|expected| !expected.contains(&actual)) {
            return Err(ExtendError::Stale { order_id: order_id.clone(), actual });
        }
        let until = self.extended(order_id, hold, now)?;
        self.0.values_mut().for_each(|product| product.extend_line(order_id, until));
        Ok(self.order_of(order_id))
    }

    /// Returns when the hold of an order ends, if it is extended to `hold` from `now`.
    fn extended(
        &self,
        order_id: &OrderId,
        hold: HoldDuration,
        now: DateTime<Utc>,
    ) -> Result<DateTime<Utc>, HoldTooLong> {
        let until = hold.after(now);
        let lines = || self.iter().filter_map(|product| product.line(order_id));
        let held = || lines().filter_map(|line| line.commitment.expires_at().map(|expires_at| (line, expires_at)));
        let is_later = held().any(|(_, expires_at)| expires_at < until);
        let first = held().map(|(line, _)| line.terms.placed_at).min().filter(|_| is_later);
        let latest = first.map(|placed_at| HoldDuration::LONGEST.after(placed_at));
        match latest.filter(|latest| until > *latest) {
            Some(latest) => Err(HoldTooLong { order_id: order_id.clone(), latest }),
            None => Ok(until),
        }
    }

    /// Returns the order that was decided.
    #[expect(clippy::expect_used, reason = "an order without lines is refused before it is decided on")]
    fn order_of(&self, order_id: &OrderId) -> Order {
        self.order(order_id).expect("an order that is decided on has lines")
    }

    /// Returns how an order has ended according to its loaded lines, or `None` if it has not, or has none.
    #[must_use]
    pub fn end_of(&self, order_id: &OrderId, now: DateTime<Utc>) -> Option<OrderEnd> {
        self.standing(order_id, now).end()
    }

    fn standing(&self, order_id: &OrderId, now: DateTime<Utc>) -> Standing {
        Standing::of(self.0.values().filter_map(|product| product.line(order_id)), now)
    }
}
