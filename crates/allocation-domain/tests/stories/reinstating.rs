//! Payments that arrive after the hold has expired.

use crate::shop::{Shop, id, order, parts, refusal, sku, units};
use allocation_domain::{
    ConfirmError, Eta, HoldExpired, Order, OrderCancelled, OrderClosed, OrderConfirmation, OrderStatus, OrderVersion,
    OutOfStock, Shortages,
};
use std::collections::BTreeSet;

impl Shop {
    /// Confirms an order a second later, and gives it its units again if its hold has expired.
    fn try_reinstate(&mut self, order_id: &str) -> Result<Order, ConfirmError> {
        self.pass(1);
        let request = OrderConfirmation::new(id(order_id)).reallocating(true);
        self.products.reinstate(&request, self.now).map_err(refusal)
    }
}

/// Two carts for chairs and lamps, after their holds have expired.
fn late() -> Shop {
    let mut shop = Shop::of(&["CHAIR", "LAMP"]);
    shop.receive("C-1", "CHAIR", 5, Eta::InStock);
    shop.receive("L-1", "LAMP", 5, Eta::InStock);
    shop.place(&order("CART").of(3, "CHAIR").of(2, "LAMP").held_for(10));
    shop.place(&order("WAITS").of(2, "CHAIR").of(4, "LAMP").held_for(10).or_backorder());
    shop.pass(20);
    shop
}

/// CoreShop#2529: the payment arrives after the hold, and the units are still free.
#[test]
fn a_late_payment_gets_its_units_again_firmly_once() {
    let mut shop = late();
    let confirmed = shop.products.confirm(&id("CART"), shop.now);
    assert_eq!(confirmed, Err(HoldExpired { order_id: id("CART") }.into()), "only on request");
    for _ in 0..2 {
        let order = shop.try_reinstate("CART").unwrap();
        assert_eq!((order.status(shop.now), order.expires_at()), (OrderStatus::Allocated, None));
        assert_eq!((shop.holds("CART"), shop.free_chairs()), (parts([("C-1", 3)]), 2));
    }
    let story = ["line_placed", "allocated", "deallocated", "hold_expired", "line_reinstated", "allocated"];
    assert_eq!(shop.history("CART"), [story, story].concat());
    shop.pass(100);
    assert_eq!(shop.status("CART"), OrderStatus::Allocated, "it expires no more");
}

#[test]
fn an_order_that_rejects_shortage_gets_all_its_units_again_or_none() {
    let mut shop = late();
    shop.place(&order("QUICK").of(4, "CHAIR"));
    let events = shop.product("LAMP").events().len();
    let short = OutOfStock { sku: sku("CHAIR"), requested: units(3), available: 1 };
    assert_eq!(shop.try_reinstate("CART"), Err(Shortages(vec![short]).into()));
    assert_eq!(shop.status("CART"), OrderStatus::Expired);
    let lamps = &shop.product("LAMP").events()[events..];
    assert!(!lamps.iter().any(|event| event.name() == "line_reinstated"), "nothing of it, of no SKU");
    shop.cancel("QUICK");
    assert_eq!(shop.try_reinstate("CART").unwrap().status(shop.now), OrderStatus::Allocated);
}

#[test]
fn an_order_that_accepts_backorders_gets_what_is_free_and_waits_behind_waiting_lines() {
    let mut shop = late();
    shop.place(&order("QUICK").of(4, "CHAIR"));
    shop.place(&Shop::waiting("FIRST", 3));
    assert_eq!((shop.holds("FIRST"), shop.waits_for("FIRST")), (parts([("C-1", 1)]), 2));
    let order = shop.try_reinstate("WAITS").unwrap();
    assert_eq!(order.status(shop.now), OrderStatus::PartiallyAllocated);
    assert_eq!((shop.waits_for("WAITS"), order.lines[1].1.allocated()), (2, 4));
    shop.receive("C-2", "CHAIR", 3, Eta::InStock);
    assert_eq!((shop.waits_for("FIRST"), shop.waits_for("WAITS")), (0, 1), "it is a newcomer");
}

#[test]
fn a_held_order_is_confirmed_and_one_that_ended_on_request_stays_so() {
    let mut shop = Shop::of(&["CHAIR", "LAMP"]);
    shop.receive("C-1", "CHAIR", 9, Eta::InStock);
    shop.receive("L-1", "LAMP", 9, Eta::InStock);
    for order_id in ["HELD", "CANCELLED", "CLOSED", "HALF-CANCELLED", "HALF-CLOSED"] {
        shop.place(&order(order_id).of(1, "CHAIR").held_for(60));
    }
    let order = shop.try_reinstate("HELD").unwrap();
    assert_eq!(
        (order.status(shop.now), shop.history("HELD").last()),
        (OrderStatus::Allocated, Some(&"hold_confirmed"))
    );
    shop.cancel("CANCELLED");
    shop.close("CLOSED");
    for order_id in ["HALF-CANCELLED", "HALF-CLOSED"] {
        let now = shop.now;
        shop.product("LAMP").allocate(&id(order_id), units(1), now).unwrap();
    }
    shop.pass(60);
    shop.cancel("HALF-CANCELLED");
    shop.close("HALF-CLOSED");
    for order_id in ["CANCELLED", "HALF-CANCELLED"] {
        assert_eq!(shop.try_reinstate(order_id), Err(OrderCancelled { order_id: id(order_id) }.into()));
    }
    for order_id in ["CLOSED", "HALF-CLOSED"] {
        assert_eq!(shop.try_reinstate(order_id), Err(OrderClosed { order_id: id(order_id) }.into()));
    }
    assert_eq!(shop.try_reinstate("NONE"), Err(ConfirmError::NotFound(id("NONE"))));
}

#[test]
fn another_version_is_neither_confirmed_nor_reinstated_and_a_firm_order_stays_firm() {
    let mut shop = late();
    let other = BTreeSet::from([OrderVersion::from_number(0)]);
    let request =
        |order_id: &str| OrderConfirmation::new(id(order_id)).reallocating(true).if_version(Some(other.clone()));
    shop.place(&order("HELD").of(1, "CHAIR").held_for(60));
    let held = shop.products.order(&id("HELD")).unwrap().version();
    let stale = ConfirmError::Stale { order_id: id("HELD"), actual: held };
    assert_eq!(shop.products.confirm_if(&request("HELD"), shop.now), Err(stale));
    assert!(matches!(
        shop.products.reinstate(&request("CART"), shop.now).map_err(refusal),
        Err(ConfirmError::Stale { .. })
    ));
    assert_eq!(shop.status("CART"), OrderStatus::Expired);
    let seen = shop.products.order(&id("CART")).unwrap().version();
    let request = request("CART").if_version(Some(BTreeSet::from([seen])));
    for _ in 0..2 {
        let order = shop.products.reinstate(&request, shop.now).unwrap();
        assert_eq!(order.status(shop.now), OrderStatus::Allocated, "also for a repeat, which names an old version");
        assert!(shop.products.confirm_if(&request, shop.now).is_ok());
    }
}

#[test]
fn the_last_units_that_a_late_payment_gets_are_recorded() {
    let mut shop = Shop::of_chairs(&[("B-1", 2, Eta::InStock)]);
    shop.place(&order("CART").of(2, "CHAIR").held_for(10));
    shop.pass(10);
    shop.try_reinstate("CART").unwrap();
    assert_eq!(shop.chairs().events().last().unwrap().name(), "out_of_stock");
}
