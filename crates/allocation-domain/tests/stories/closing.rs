//! Orders that are closed: nothing more is to come, and what is picked is shipped.

use crate::shop::{Cart, Shop, due, id, order, parts, seconds, sku, units};
use crate::warehouse::list_id;
use allocation_domain::{
    AllocateError, CancelError, CloseError, Closing, ConfirmError, Eta, ExtendError, HoldExpired, NewPickList,
    OrderCancelled, OrderClosed, OrderId, OrderStatus, OrderVersion, Pending, PickCriteria, PickError, PickStatus,
    ReservationState, Stock, TermsChange,
};
use std::collections::BTreeSet;

fn closed(order_id: &str) -> OrderClosed {
    OrderClosed { order_id: id(order_id) }
}

/// Ten chairs, of which an order of ten has six in stock: four are picked, two are on a list, and four wait.
fn partly_picked() -> Shop {
    let mut shop = Shop::of_chairs(&[("B-1", 4, Eta::InStock), ("B-2", 2, Eta::InStock)]);
    shop.place(&Shop::waiting("O-1", 10));
    shop.list("P-1");
    shop.pick("P-1", 1, 4);
    shop
}

#[test]
fn a_closed_order_gets_nothing_more_and_ships_what_is_picked() {
    let mut shop = partly_picked();
    let order = shop.close("O-1");
    assert_eq!((order.status(shop.now), shop.holds("O-1"), shop.waits_for("O-1")), (OrderStatus::Picked, vec![], 0));
    let story = ["pick_line_withdrawn", "deallocated", "line_closed"];
    assert_eq!(shop.history("O-1")[shop.history("O-1").len() - 3..], story);
    assert_eq!(shop.pick_line("P-1", 2).status, PickStatus::Withdrawn);
    shop.receive("B-3", "CHAIR", 9, Eta::InStock);
    assert_eq!((shop.waits_for("O-1"), shop.free_chairs()), (0, 11));
    shop.ship("P-1");
    assert_eq!((shop.status("O-1"), shop.counts("B-1")), (OrderStatus::Closed, [0, 0, 4, 0, 0]));
}

/// OCA/sale-workflow#2357, IRP#771: seven of ten units are shipped and three wait; nothing more is to come.
#[test]
fn the_wait_for_the_rest_of_a_shipped_order_is_ended() {
    let mut shop = Shop::of_chairs(&[("B-1", 7, Eta::InStock)]);
    shop.place(&Shop::waiting("O-1", 10));
    shop.list("P-1");
    shop.pick("P-1", 1, 7);
    shop.ship("P-1");
    assert_eq!(shop.status("O-1"), OrderStatus::PartiallyShipped, "three are still to come");
    assert_eq!(shop.close("O-1").status(shop.now), OrderStatus::Closed);
    shop.receive("B-2", "CHAIR", 10, Eta::InStock);
    assert_eq!((shop.free_chairs(), shop.line("O-1").fulfilment.shipped), (10, 7));
}

/// Nothing of a complete line is allocated, backordered or picked.
#[test]
fn an_order_is_complete_once_it_was_shipped_or_has_ended() {
    let mut shop = partly_picked();
    let is_complete = |shop: &Shop, name: &str| shop.products.order(&id(name)).unwrap().is_complete();
    shop.close("O-1");
    assert!(!is_complete(&shop, "O-1"), "four units are picked");
    shop.ship("P-1");
    assert!(is_complete(&shop, "O-1"));
    shop.place(&Shop::waiting("O-2", 2));
    shop.place(&Shop::waiting("O-3", 2).held_for(60));
    assert!(!is_complete(&shop, "O-2") && !is_complete(&shop, "O-3"), "one has units, and one waits on hold");
    shop.list("P-2");
    assert!(!is_complete(&shop, "O-2"));
    shop.pick("P-2", 1, 2);
    assert!(!is_complete(&shop, "O-2"));
    shop.ship("P-2");
    assert!(is_complete(&shop, "O-2"));
    let now = shop.now;
    shop.products.cancel(&id("O-3"), now).unwrap();
    assert!(is_complete(&shop, "O-3"));
}

#[test]
fn units_that_a_closed_order_gives_up_serve_the_queue_at_once() {
    let mut shop = partly_picked();
    shop.place(&Shop::waiting("NEXT", 3));
    shop.close("O-1");
    assert_eq!((shop.holds("NEXT"), shop.waits_for("NEXT")), (parts([("B-2", 2)]), 1));
}

#[test]
fn closing_twice_is_closing_once() {
    let mut shop = partly_picked();
    let order = shop.close("O-1");
    let events = shop.chairs().events().len();
    assert_eq!(shop.close("O-1"), order);
    let (order_id, other) = (id("O-1"), BTreeSet::from([OrderVersion::from_number(0)]));
    assert!(Closing::of(&order_id, Some(&other), &shop.products, shop.now).is_ok(), "a repeat names an old version");
    assert_eq!(shop.chairs().events().len(), events);
}

#[test]
fn an_order_of_which_nothing_is_picked_is_closed_and_not_cancelled() {
    let mut shop = Shop::of(&["CHAIR", "LAMP"]);
    shop.receive("C-1", "CHAIR", 5, Eta::InStock);
    shop.receive("L-1", "LAMP", 5, due(1));
    shop.place(&order("O-1").of(5, "CHAIR").of(5, "LAMP"));
    assert_eq!(shop.close("O-1").status(shop.now), OrderStatus::Closed);
    assert_eq!((shop.free_chairs(), shop.product("LAMP").available()), (5, 5));
    shop.cancel("O-1");
    assert_eq!(shop.status("O-1"), OrderStatus::Closed, "it stays as it ended");
}

#[test]
fn a_wholly_shipped_order_stays_shipped() {
    let mut shop = Shop::of_chairs(&[("B-1", 5, Eta::InStock)]);
    shop.place(&order("O-1").of(5, "CHAIR"));
    shop.list("P-1");
    shop.pick("P-1", 1, 5);
    assert_eq!(shop.close("O-1").status(shop.now), OrderStatus::Picked);
    shop.ship("P-1");
    assert_eq!(shop.close("O-1").status(shop.now), OrderStatus::Shipped);
}

#[test]
fn a_hold_is_closed_like_a_firm_order_until_it_expires() {
    let mut shop = Shop::of_chairs(&[("B-1", 5, Eta::InStock)]);
    shop.place(&order("CART").of(2, "CHAIR").held_for(10));
    shop.place(&order("LATE").of(3, "CHAIR").held_for(10));
    assert_eq!(shop.close("CART").status(shop.now), OrderStatus::Closed);
    assert_eq!(shop.free_chairs(), 2);
    shop.pass(10);
    assert_eq!(shop.try_close("LATE"), Err(HoldExpired { order_id: id("LATE") }.into()));
    assert_eq!(shop.status("CART"), OrderStatus::Closed);
}

/// A held order for chairs with a standalone line of lamps, after the hold has expired.
fn half_expired() -> Shop {
    let mut shop = Shop::of(&["CHAIR", "LAMP"]);
    shop.receive("C-1", "CHAIR", 5, Eta::InStock);
    shop.receive("L-1", "LAMP", 5, Eta::InStock);
    shop.place(&order("O-1").of(2, "CHAIR").held_for(10));
    let now = shop.now;
    shop.product("LAMP").allocate(&id("O-1"), units(3), now).unwrap();
    shop.pass(10);
    shop
}

#[test]
fn the_firm_line_of_an_order_whose_hold_has_expired_is_closed_once() {
    let mut shop = half_expired();
    for _ in 0..2 {
        let order = shop.close("O-1");
        assert_eq!((order.status(shop.now), shop.product("LAMP").available()), (OrderStatus::Expired, 5));
        assert_eq!(order.lines[1].1.commitment, ReservationState::Closed);
    }
    let events = shop.product("LAMP").events();
    assert_eq!(events.iter().filter(|event| event.name() == "line_closed").count(), 1);
    let now = shop.now;
    assert!(shop.products.confirm(&id("O-1"), now).is_err(), "it stays over");
}

#[test]
fn the_firm_line_of_an_order_whose_hold_has_expired_is_changed_and_the_expired_one_is_not() {
    let mut shop = half_expired();
    shop.set("O-1", &[("LAMP", 4)]);
    assert_eq!((shop.product("LAMP").available(), shop.free_chairs()), (1, 5));
    let expired = Err(HoldExpired { order_id: id("O-1") }.into());
    assert_eq!(shop.try_set("O-1", &[("LAMP", 5), ("CHAIR", 1)]), expired);
    assert_eq!(shop.set_terms("O-1", TermsChange { hold: Some(seconds(60)), ..TermsChange::default() }), expired);
    for _ in 0..2 {
        let order = shop.set("O-1", &[("LAMP", 0)]);
        assert_eq!((order.status(shop.now), shop.product("LAMP").available()), (OrderStatus::Expired, 5));
    }
    assert_eq!(shop.try_set("O-1", &[("LAMP", 1)]), expired);
}

#[test]
fn an_order_that_is_unknown_cancelled_or_of_another_version_is_not_closed() {
    let mut shop = Shop::of_chairs(&[("B-1", 5, Eta::InStock)]);
    let placed = shop.place(&order("O-1").of(2, "CHAIR"));
    assert_eq!(shop.try_close("NONE"), Err(CloseError::NotFound(id("NONE"))));
    let close_if = |shop: &Shop, version| {
        Closing::of(&id("O-1"), Some(&BTreeSet::from([version])), &shop.products, shop.now).map(drop)
    };
    let stale = CloseError::Stale { order_id: id("O-1"), actual: placed.version() };
    assert_eq!(close_if(&shop, OrderVersion::from_number(0)), Err(stale));
    assert_eq!(close_if(&shop, placed.version()), Ok(()));
    shop.cancel("O-1");
    assert_eq!(shop.try_close("O-1"), Err(OrderCancelled { order_id: id("O-1") }.into()));
}

#[test]
fn a_closed_order_is_never_opened_again() {
    let mut shop = partly_picked();
    let version = shop.products.order(&id("O-1")).unwrap().version();
    let order = shop.close("O-1");
    assert_ne!(order.version(), version, "the version says that it is closed");
    let now = shop.now;
    let allocated = shop.chairs().allocate(&id("O-1"), units(10), now);
    assert_eq!(allocated, Err(Pending::Refused(AllocateError::OrderClosed(closed("O-1")))));
    assert_eq!(shop.products.confirm(&id("O-1"), now), Err(ConfirmError::Closed(closed("O-1"))));
    assert_eq!(shop.products.extend(&id("O-1"), seconds(60), now), Err(ExtendError::Closed(closed("O-1"))));
    assert_eq!(shop.try_set("O-1", &[("CHAIR", 4)]), Err(closed("O-1").into()));
    assert!(matches!(shop.try_pick("P-1", 2, 2), Err(PickError::Withdrawn(_))));
    let list = NewPickList::new(list_id("P-2"), PickCriteria::default());
    assert!(shop.products.make_pick_list(&list).is_err(), "nothing is left to pick");
    assert_eq!(shop.products.cancel(&id("O-1"), now), Err(Pending::Refused(CancelError::Picked(id("O-1")))));
    assert_eq!(shop.products.order(&id("O-1")), Some(order));
}

/// CoreShop#2529: a repeat never passes off an order that has ended as one that was placed.
#[test]
fn a_repeat_of_an_order_that_has_ended_says_how() {
    let now = chrono::DateTime::UNIX_EPOCH;
    let place = |stock: &mut Stock, cart: &Cart| stock.place(&cart.made(), now).map_err(|error| error.to_string());
    let mut stock = Stock::new();
    stock.register(&sku("CHAIR"));
    stock.register(&sku("LAMP"));
    let [first, second] = ["O-1", "O-2"].map(|order_id| Shop::waiting(order_id, 1));
    place(&mut stock, &first).unwrap();
    place(&mut stock, &second).unwrap();
    stock.close(&id("O-1"), now).unwrap();
    stock.cancel(&id("O-2"), now).unwrap();
    assert_eq!(place(&mut stock, &first), Err("Order O-1 was closed".to_owned()));
    assert_eq!(place(&mut stock, &second), Err("Order O-2 was cancelled".to_owned()));
    let line = |order_id: OrderId| allocation_domain::OrderLine::new(order_id, sku("LAMP"), units(1)).unwrap();
    assert_eq!(stock.allocate(&line(id("O-1")), now), Err(closed("O-1").into()), "no line of any SKU");
}
