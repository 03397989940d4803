//! A shop with all rows in memory, and a clock that the story moves.

use allocation_domain::{
    BatchChange, BatchChanged, BatchReference, ChangeBatchError, ChangeOrderError, CloseError, Eta, Event,
    HoldDuration, LineState, NewBatch, NewOrder, OnShortage, Order, OrderChange, OrderId, OrderStatus, OrderTerms,
    Pending, PlaceError, Product, Products, Promises, Quantity, Sku, TermsChange, Units,
};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use std::fmt::Debug;

pub(crate) struct Shop {
    pub(crate) products: Products,
    pub(crate) now: DateTime<Utc>,
}

/// An order to be placed.
#[derive(Clone)]
pub(crate) struct Cart {
    order_id: OrderId,
    lines: Vec<(Sku, Quantity)>,
    terms: OrderTerms,
}

pub(crate) fn sku(text: &str) -> Sku {
    Sku::parse(text).unwrap()
}

pub(crate) fn batch(text: &str) -> BatchReference {
    BatchReference::parse(text).unwrap()
}

pub(crate) fn id(text: &str) -> OrderId {
    OrderId::parse(text).unwrap()
}

pub(crate) fn units(units: u32) -> Quantity {
    Quantity::new(units).unwrap()
}

pub(crate) fn due(day: u32) -> Eta {
    Eta::Due(NaiveDate::from_ymd_opt(2027, 2, day).unwrap())
}

pub(crate) fn seconds(seconds: u32) -> HoldDuration {
    HoldDuration::from_seconds(seconds).unwrap()
}

/// Returns the refusal of a decision on products that are loaded completely.
pub(crate) fn refusal<R: Debug>(error: Pending<R>) -> R {
    match error {
        Pending::Refused(refusal) => refusal,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn order(text: &str) -> Cart {
    Cart { order_id: id(text), lines: Vec::new(), terms: OrderTerms::default() }
}

impl Cart {
    /// Leaves the order out of pick lists until all of it is in stock.
    pub(crate) fn ships_complete(mut self) -> Self {
        self.terms.ship_complete = true;
        self
    }

    pub(crate) fn of(mut self, quantity: u32, sku_text: &str) -> Self {
        self.lines.push((sku(sku_text), units(quantity)));
        self
    }

    pub(crate) fn held_for(mut self, hold: u32) -> Self {
        self.terms.hold = Some(seconds(hold));
        self
    }

    pub(crate) const fn or_backorder(mut self) -> Self {
        self.terms.on_shortage = OnShortage::Backorder;
        self
    }

    pub(crate) const fn with_priority(mut self, priority: i32) -> Self {
        self.terms.priority = priority;
        self
    }

    pub(crate) fn named(mut self, order_id: &str) -> Self {
        self.order_id = id(order_id);
        self
    }

    pub(crate) const fn stable(mut self) -> Self {
        self.terms.promises = Promises::Stable;
        self
    }

    pub(crate) const fn unsplit(mut self) -> Self {
        self.terms.allow_split = false;
        self
    }

    pub(crate) fn made(&self) -> NewOrder {
        NewOrder::new(self.order_id.clone(), self.lines.clone(), self.terms).unwrap()
    }
}

impl Shop {
    /// A shop with these SKUs and no stock.
    pub(crate) fn of(skus: &[&str]) -> Self {
        let products = skus.iter().map(|text| Product::new(sku(text))).collect();
        Self { products, now: DateTime::from_timestamp(1_800_000_000, 0).unwrap() }
    }

    /// An order for chairs that accepts backorders.
    pub(crate) fn waiting(order_id: &str, quantity: u32) -> Cart {
        order(order_id).of(quantity, "CHAIR").or_backorder()
    }

    /// A shop of chairs with these batches, added one second after the other.
    pub(crate) fn of_chairs(batches: &[(&str, u32, Eta)]) -> Self {
        let mut shop = Self::of(&["CHAIR"]);
        for (reference, purchased, eta) in batches {
            shop.receive(reference, "CHAIR", *purchased, *eta);
        }
        shop
    }

    pub(crate) fn pass(&mut self, seconds: i64) {
        self.now += TimeDelta::seconds(seconds);
    }

    pub(crate) fn product(&mut self, sku_text: &str) -> &mut Product {
        self.products.get_mut(&sku(sku_text)).unwrap()
    }

    pub(crate) fn chairs(&mut self) -> &mut Product {
        self.product("CHAIR")
    }

    pub(crate) fn receive(&mut self, reference: &str, sku_text: &str, purchased: u32, eta: Eta) {
        self.pass(1);
        let now = self.now;
        self.product(sku_text).add_batch(NewBatch::new(batch(reference), units(purchased), eta), now).unwrap();
    }

    pub(crate) fn try_place(&mut self, cart: &Cart) -> Result<Order, PlaceError> {
        self.pass(1);
        self.products.place(&cart.made(), self.now).map_err(refusal)
    }

    pub(crate) fn place(&mut self, cart: &Cart) -> Order {
        self.try_place(cart).unwrap()
    }

    pub(crate) fn cancel(&mut self, order_id: &str) -> Order {
        self.products.cancel(&id(order_id), self.now).unwrap()
    }

    /// Closes an order, a second later.
    pub(crate) fn try_close(&mut self, order_id: &str) -> Result<Order, CloseError> {
        self.pass(1);
        self.products.close(&id(order_id), self.now).map_err(refusal)
    }

    pub(crate) fn close(&mut self, order_id: &str) -> Order {
        self.try_close(order_id).unwrap()
    }

    /// Changes the quantities of lines, a second later.
    pub(crate) fn try_set(&mut self, order_id: &str, lines: &[(&str, u32)]) -> Result<Order, ChangeOrderError> {
        self.try_change_order(order_id, lines, TermsChange::default())
    }

    pub(crate) fn set(&mut self, order_id: &str, lines: &[(&str, u32)]) -> Order {
        self.try_set(order_id, lines).unwrap()
    }

    /// Changes the terms of an order, a second later.
    pub(crate) fn set_terms(&mut self, order_id: &str, terms: TermsChange) -> Result<Order, ChangeOrderError> {
        self.try_change_order(order_id, &[], terms)
    }

    fn try_change_order(
        &mut self,
        order_id: &str,
        lines: &[(&str, u32)],
        terms: TermsChange,
    ) -> Result<Order, ChangeOrderError> {
        self.pass(1);
        let lines = lines.iter().map(|(text, quantity)| (sku(text), Units::new(*quantity).unwrap()));
        let change = OrderChange::new(id(order_id), lines, terms).unwrap();
        self.products.change_order(&change, self.now).map_err(refusal)
    }

    pub(crate) fn change(&mut self, reference: &str, change: BatchChange) -> Result<BatchChanged, ChangeBatchError> {
        let now = self.now;
        self.chairs().change_batch(&batch(reference), &change, now).map_err(refusal)
    }

    pub(crate) fn lower(&mut self, reference: &str, purchased: u32) -> BatchChanged {
        let purchased = Some(Units::new(purchased).unwrap());
        self.change(reference, BatchChange { purchased, ..BatchChange::default() }).unwrap()
    }

    pub(crate) fn postpone(&mut self, reference: &str, eta: Eta, reallocate: bool) -> BatchChanged {
        self.change(reference, BatchChange { eta: Some(eta), reallocate, ..BatchChange::default() }).unwrap()
    }

    pub(crate) fn status(&self, order_id: &str) -> OrderStatus {
        self.products.order(&id(order_id)).unwrap().status(self.now)
    }

    pub(crate) fn line(&self, order_id: &str) -> LineState {
        self.products.order(&id(order_id)).unwrap().lines.remove(0).1
    }

    /// The allocations of an order in the first of its SKUs, as pairs of batch and units.
    pub(crate) fn holds(&self, order_id: &str) -> Vec<(String, u32)> {
        let parts = self.line(order_id).allocations;
        parts.iter().map(|part| (part.reference.to_string(), part.quantity.get())).collect()
    }

    /// The backordered units of an order in the first of its SKUs.
    pub(crate) fn waits_for(&self, order_id: &str) -> u32 {
        self.line(order_id).waiting
    }

    pub(crate) fn free_chairs(&mut self) -> u64 {
        self.chairs().available()
    }

    /// The names of the events of an order, oldest first.
    pub(crate) fn history(&self, order_id: &str) -> Vec<&'static str> {
        let events = self.products.iter().flat_map(Product::events);
        events.filter(|event| event.order_id() == Some(&id(order_id))).map(Event::name).collect()
    }
}

/// Batches and units, to compare with [`Shop::holds`].
pub(crate) fn parts<const N: usize>(parts: [(&str, u32); N]) -> Vec<(String, u32)> {
    parts.map(|(reference, units)| (reference.to_owned(), units)).to_vec()
}
