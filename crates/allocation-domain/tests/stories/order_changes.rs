//! Orders whose lines and terms are changed.

use crate::shop::{Shop, batch, due, id, order, parts, refusal, seconds, sku, units};
use allocation_domain::{
    ChangeOrderError, Eta, HoldExpired, NewOrder, NewPickList, OnShortage, OrderCancelled, OrderChange, OrderStatus,
    OutOfStock, PickCriteria, PickLineId, PickListId, PlaceError, Product, Shortages, TermsChange, Units, UnknownSkus,
};

fn list(text: &str) -> PickListId {
    PickListId::parse(text).unwrap()
}

fn picked(shop: &mut Shop, line: u32, found: u32) {
    let id = PickLineId { list: list("P-1"), line };
    shop.products.pick(&id, Units::new(found).unwrap(), shop.now).unwrap();
}

#[test]
fn a_lowered_line_gives_up_what_it_waits_for_then_units_of_its_worst_batch() {
    let mut shop = Shop::of_chairs(&[("B-1", 3, Eta::InStock), ("B-2", 4, due(1))]);
    shop.place(&order("O-1").of(9, "CHAIR").or_backorder());
    assert_eq!((shop.holds("O-1"), shop.waits_for("O-1")), (parts([("B-1", 3), ("B-2", 4)]), 2));
    shop.set("O-1", &[("CHAIR", 8)]);
    assert_eq!((shop.holds("O-1"), shop.waits_for("O-1")), (parts([("B-1", 3), ("B-2", 4)]), 1));
    shop.set("O-1", &[("CHAIR", 5)]);
    assert_eq!((shop.holds("O-1"), shop.waits_for("O-1")), (parts([("B-1", 3), ("B-2", 2)]), 0));
    shop.set("O-1", &[("CHAIR", 2)]);
    assert_eq!(shop.holds("O-1"), parts([("B-1", 2)]));
    let events = ["wait_ended", "line_changed", "wait_ended", "deallocated", "line_changed"];
    assert_eq!(shop.history("O-1")[4..9], events);
    assert_eq!(shop.status("O-1"), OrderStatus::Allocated);
}

/// cubecart/v6#4260, vendure#1210, saleor#577: a cart changes from 2 to 1 and from 1 to 3.
#[test]
fn a_cart_never_lets_go_of_the_units_that_it_keeps() {
    let mut shop = Shop::of_chairs(&[("B-1", 2, Eta::InStock)]);
    shop.place(&order("CART").of(2, "CHAIR").held_for(60));
    shop.place(&Shop::waiting("NEXT", 5));
    shop.set("CART", &[("CHAIR", 1)]);
    assert_eq!((shop.holds("CART"), shop.holds("NEXT")), (parts([("B-1", 1)]), parts([("B-1", 1)])));
    shop.receive("B-2", "CHAIR", 8, Eta::InStock);
    shop.set("CART", &[("CHAIR", 3)]);
    assert_eq!(shop.holds("CART"), parts([("B-1", 1), ("B-2", 2)]));
    assert_eq!(
        shop.history("CART"),
        ["line_placed", "allocated", "deallocated", "line_changed", "line_changed", "allocated"]
    );
    assert_eq!(shop.status("CART"), OrderStatus::Held);
}

/// erpnext#39030: 16 units are held and 4 wait; giving up the 4 does not lose the 16.
#[test]
fn a_wait_that_is_given_up_leaves_the_units_that_are_there() {
    let mut shop = Shop::of_chairs(&[("B-1", 16, Eta::InStock)]);
    shop.place(&Shop::waiting("O-1", 20).held_for(60));
    shop.set("O-1", &[("CHAIR", 16)]);
    assert_eq!((shop.holds("O-1"), shop.waits_for("O-1")), (parts([("B-1", 16)]), 0));
    assert_eq!(shop.status("O-1"), OrderStatus::Held);
    assert!(!shop.history("O-1").contains(&"deallocated"), "{:?}", shop.history("O-1"));
    shop.receive("B-2", "CHAIR", 4, Eta::InStock);
    assert_eq!((shop.holds("O-1"), shop.free_chairs()), (parts([("B-1", 16)]), 4));
}

/// OCA/sale-workflow#2357, IRP#771: seven of ten units are shipped, and the line is lowered to seven.
#[test]
fn a_line_that_is_lowered_to_what_is_shipped_waits_for_nothing_more() {
    let mut shop = Shop::of_chairs(&[("B-1", 7, Eta::InStock)]);
    shop.place(&Shop::waiting("O-1", 10));
    shop.list("P-1");
    picked(&mut shop, 1, 7);
    shop.ship("P-1");
    assert!(matches!(shop.try_set("O-1", &[("CHAIR", 6)]), Err(ChangeOrderError::Picked { picked: 7, .. })));
    shop.set("O-1", &[("CHAIR", 7)]);
    assert_eq!((shop.status("O-1"), shop.waits_for("O-1")), (OrderStatus::Shipped, 0));
    shop.receive("B-2", "CHAIR", 3, Eta::InStock);
    assert_eq!((shop.free_chairs(), shop.holds("O-1")), (3, parts([])));
}

/// woocommerce#67354: the cart has two of three units, and wants one more than it has.
#[test]
fn a_cart_is_raised_beside_its_own_hold() {
    let mut shop = Shop::of_chairs(&[("B-1", 3, Eta::InStock)]);
    shop.place(&order("CART").of(2, "CHAIR").held_for(60));
    let again = shop.try_place(&order("CART").of(3, "CHAIR").held_for(60));
    assert_eq!(again, Err(PlaceError::AlreadyExists(id("CART"))));
    shop.set("CART", &[("CHAIR", 3)]);
    assert_eq!((shop.holds("CART"), shop.status("CART")), (parts([("B-1", 3)]), OrderStatus::Held));
    assert!(shop.try_set("CART", &[("CHAIR", 4)]).is_err());
}

#[test]
fn a_raise_is_rejected_as_a_whole_if_stock_does_not_suffice() {
    let mut shop = Shop::of(&["CHAIR", "LAMP"]);
    shop.receive("C-1", "CHAIR", 5, Eta::InStock);
    shop.receive("L-1", "LAMP", 9, Eta::InStock);
    shop.place(&order("O-1").of(3, "CHAIR").of(1, "LAMP"));
    let before = shop.products.order(&id("O-1"));
    let events = shop.history("O-1");
    let short =
        |text: &str, requested, available| OutOfStock { sku: sku(text), requested: units(requested), available };
    let refused = shop.try_set("O-1", &[("LAMP", 4), ("CHAIR", 6), ("SOFA", 2)]);
    assert_eq!(refused, Err(Shortages(vec![short("CHAIR", 3, 2), short("SOFA", 2, 0)]).into()));
    assert_eq!((shop.products.order(&id("O-1")), shop.history("O-1")), (before, events));
    shop.set("O-1", &[("LAMP", 4), ("CHAIR", 5)]);
    assert_eq!((shop.free_chairs(), shop.product("LAMP").available()), (0, 5));
}

#[test]
fn a_raise_gets_only_what_no_waiting_line_can_take_and_waits_from_the_change() {
    let mut shop = Shop::of_chairs(&[("B-1", 2, Eta::InStock)]);
    shop.place(&Shop::waiting("OLD", 2));
    shop.place(&Shop::waiting("YOUNG", 1));
    assert_eq!((shop.waits_for("OLD"), shop.waits_for("YOUNG")), (0, 1));
    shop.set("OLD", &[("CHAIR", 3)]);
    shop.receive("B-2", "CHAIR", 1, Eta::InStock);
    assert_eq!((shop.waits_for("OLD"), shop.waits_for("YOUNG")), (1, 0), "the raise waits behind");
    shop.receive("B-3", "CHAIR", 1, Eta::InStock);
    assert_eq!(shop.holds("OLD"), parts([("B-1", 2), ("B-3", 1)]));
}

#[test]
fn a_raise_without_split_waits_for_all_its_units() {
    let mut shop = Shop::of_chairs(&[("B-1", 4, Eta::InStock)]);
    shop.place(&Shop::waiting("O-1", 2).unsplit());
    shop.set("O-1", &[("CHAIR", 5)]);
    assert_eq!((shop.holds("O-1"), shop.waits_for("O-1"), shop.free_chairs()), (parts([("B-1", 2)]), 3, 2));
    shop.set("O-1", &[("CHAIR", 6)]);
    assert_eq!((shop.waits_for("O-1"), shop.free_chairs()), (4, 2));
    shop.set("O-1", &[("CHAIR", 4)]);
    assert_eq!((shop.holds("O-1"), shop.waits_for("O-1")), (parts([("B-1", 4)]), 0), "the smaller rest is free");
}

#[test]
fn the_same_change_twice_has_the_effect_of_one() {
    let mut shop = Shop::of_chairs(&[("B-1", 9, Eta::InStock)]);
    shop.place(&order("O-1").of(3, "CHAIR"));
    for _ in 0..2 {
        shop.set("O-1", &[("CHAIR", 5)]);
        assert_eq!((shop.holds("O-1"), shop.history("O-1").len()), (parts([("B-1", 5)]), 4));
    }
    let now = shop.now;
    shop.chairs().deallocate(&id("O-1"), &batch("B-1"), now).unwrap();
    shop.set("O-1", &[("CHAIR", 5)]);
    assert_eq!(shop.holds("O-1"), parts([]), "units that were released stay released");
    shop.set("O-1", &[("CHAIR", 6)]);
    assert_eq!(shop.holds("O-1"), parts([("B-1", 1)]), "a raise gets the difference");
}

/// magento2#38154: a line that is added to a waiting order has a known SKU, too.
#[test]
fn a_line_is_added_on_the_terms_of_its_order() {
    let mut shop = Shop::of(&["CHAIR", "LAMP"]);
    shop.receive("C-1", "CHAIR", 5, Eta::InStock);
    let expires_at = shop.place(&order("O-1").of(3, "CHAIR").or_backorder().held_for(60).with_priority(7)).expires_at();
    let changed = shop.set("O-1", &[("LAMP", 2)]);
    let (_, lamps) = &changed.lines[1];
    assert_eq!((lamps.waiting, lamps.terms.priority, lamps.terms.of_order), (2, 7, true));
    assert_eq!((lamps.commitment.expires_at(), changed.lines.len()), (expires_at, 2));
    let unknown = shop.try_set("O-1", &[("SOFA", 1), ("BED", 1)]);
    assert_eq!(unknown, Err(UnknownSkus(vec![sku("BED"), sku("SOFA")]).into()));
    shop.pass(120);
    let expired = shop.try_set("O-1", &[("CHAIR", 1)]);
    assert_eq!(expired, Err(HoldExpired { order_id: id("O-1") }.into()));
    let removed = shop.try_set("O-1", &[("CHAIR", 0)]);
    assert_eq!(removed, Err(HoldExpired { order_id: id("O-1") }.into()), "nothing of an expired order is as requested");
}

#[test]
fn a_removed_line_leaves_its_order_and_can_return() {
    let mut shop = Shop::of(&["CHAIR", "LAMP"]);
    shop.receive("C-1", "CHAIR", 5, Eta::InStock);
    shop.receive("L-1", "LAMP", 5, Eta::InStock);
    shop.place(&order("O-1").of(3, "CHAIR").of(2, "LAMP"));
    for _ in 0..2 {
        let changed = shop.set("O-1", &[("CHAIR", 0)]);
        assert_eq!((changed.lines.len(), changed.status(shop.now), shop.free_chairs()), (1, OrderStatus::Allocated, 5));
    }
    let events: Vec<_> = shop.chairs().events().iter().map(|event| event.name()).collect();
    assert_eq!(events[1..], ["line_placed", "allocated", "deallocated", "line_removed"]);
    shop.set("O-1", &[("CHAIR", 4)]);
    assert_eq!(shop.free_chairs(), 1);
}

#[test]
fn an_order_without_lines_is_cancelled() {
    let mut shop = Shop::of(&["CHAIR", "LAMP"]);
    shop.receive("C-1", "CHAIR", 5, Eta::InStock);
    shop.receive("L-1", "LAMP", 5, Eta::InStock);
    shop.place(&order("O-1").of(3, "CHAIR").of(2, "LAMP"));
    for _ in 0..2 {
        let changed = shop.set("O-1", &[("CHAIR", 0), ("LAMP", 0)]);
        assert_eq!((changed.status(shop.now), shop.free_chairs()), (OrderStatus::Cancelled, 5));
    }
    let cancelled = Err(ChangeOrderError::from(OrderCancelled { order_id: id("O-1") }));
    assert_eq!(shop.try_set("O-1", &[("CHAIR", 1)]), cancelled);
    assert_eq!(shop.set_terms("O-1", TermsChange { priority: Some(1), ..TermsChange::default() }), cancelled);
    assert_eq!(shop.try_set("NONE", &[("CHAIR", 0)]), Err(ChangeOrderError::NotFound(id("NONE"))));
}

#[test]
fn units_leave_their_pick_list_and_picked_units_stay() {
    let mut shop = Shop::of_chairs(&[("B-1", 9, Eta::InStock)]);
    shop.place(&order("O-1").of(4, "CHAIR"));
    shop.products.make_pick_list(&NewPickList::new(list("P-1"), PickCriteria::default())).unwrap();
    shop.set("O-1", &[("CHAIR", 3)]);
    assert_eq!(shop.products.pick_list(&list("P-1")).unwrap().lines[&1].quantity, units(3));
    picked(&mut shop, 1, 3);
    let refused = shop.try_set("O-1", &[("CHAIR", 2)]);
    let requested = Units::new(2).unwrap();
    assert_eq!(refused, Err(ChangeOrderError::Picked { order_id: id("O-1"), sku: sku("CHAIR"), picked: 3, requested }));
    shop.set("O-1", &[("CHAIR", 5)]);
    assert_eq!((shop.holds("O-1"), shop.line("O-1").fulfilment.picked), (parts([("B-1", 2)]), 3));
    shop.set("O-1", &[("CHAIR", 3)]);
    assert_eq!(shop.status("O-1"), OrderStatus::Picked);
}

/// dynamics365smb-docs#570: an important customer is served first afterwards.
#[test]
fn an_important_customer_moves_ahead_in_the_queue() {
    let mut shop = Shop::of_chairs(&[]);
    shop.place(&Shop::waiting("FIRST", 1));
    shop.place(&Shop::waiting("IMPORTANT", 1));
    shop.set_terms("IMPORTANT", TermsChange { priority: Some(1), ..TermsChange::default() }).unwrap();
    shop.receive("B-1", "CHAIR", 1, Eta::InStock);
    assert_eq!((shop.waits_for("FIRST"), shop.waits_for("IMPORTANT")), (1, 0));
}

#[test]
fn a_waiting_line_that_accepts_parts_gets_the_free_ones() {
    let mut shop = Shop::of_chairs(&[("B-1", 2, Eta::InStock)]);
    shop.place(&Shop::waiting("O-1", 3).unsplit());
    shop.set_terms("O-1", TermsChange { allow_split: Some(true), ..TermsChange::default() }).unwrap();
    assert_eq!((shop.holds("O-1"), shop.waits_for("O-1")), (parts([("B-1", 2)]), 1));
}

#[test]
fn an_order_accepts_no_backorders_only_once_it_has_none() {
    let mut shop = Shop::of_chairs(&[("B-1", 2, Eta::InStock)]);
    shop.place(&Shop::waiting("O-1", 3));
    let reject = TermsChange { on_shortage: Some(OnShortage::Reject), ..TermsChange::default() };
    let short = OutOfStock { sku: sku("CHAIR"), requested: units(1), available: 0 };
    assert_eq!(shop.set_terms("O-1", reject), Err(Shortages(vec![short]).into()));
    let change = OrderChange::new(id("O-1"), [(sku("CHAIR"), Units::new(2).unwrap())], reject).unwrap();
    shop.products.change_order(&change, shop.now).unwrap();
    assert_eq!(shop.line("O-1").terms.on_shortage, OnShortage::Reject);
}

#[test]
fn a_hold_is_extended_with_the_change_and_a_firm_order_has_none() {
    let mut shop = Shop::of_chairs(&[("B-1", 2, Eta::InStock)]);
    shop.place(&order("CART").of(1, "CHAIR").held_for(60));
    shop.place(&order("FIRM").of(1, "CHAIR"));
    let hold = TermsChange { hold: Some(seconds(600)), ..TermsChange::default() };
    let changed = shop.set_terms("CART", hold).unwrap();
    assert_eq!(changed.expires_at(), Some(seconds(600).after(shop.now)));
    assert_eq!(shop.set_terms("FIRM", hold), Err(ChangeOrderError::NotHeld(id("FIRM"))));
}

#[test]
fn a_change_of_another_version_is_rejected() {
    let mut shop = Shop::of_chairs(&[("B-1", 9, Eta::InStock)]);
    let seen = shop.place(&order("O-1").of(3, "CHAIR")).version();
    let change = |quantity: u32| {
        let lines = [(sku("CHAIR"), Units::new(quantity).unwrap())];
        let change = OrderChange::new(id("O-1"), lines, TermsChange::default()).unwrap();
        change.if_version(Some([seen].into()))
    };
    let changed = shop.products.change_order(&change(4), shop.now).unwrap();
    let stale = shop.products.change_order(&change(5), shop.now).map_err(refusal);
    assert_eq!(stale, Err(ChangeOrderError::Stale { order_id: id("O-1"), actual: changed.version() }));
    assert_ne!(changed.version(), seen);
    assert_eq!(shop.products.change_order(&change(4), shop.now), Ok(changed.clone()), "a repeat is no other change");
    let now = shop.now;
    shop.chairs().deallocate(&id("O-1"), &batch("B-1"), now).unwrap();
    let released = shop.products.order(&id("O-1")).unwrap();
    assert_eq!(released.version(), changed.version(), "stock does not change the version");
}

#[test]
fn an_order_has_a_bounded_number_of_lines() {
    let names: Vec<_> = (0..=NewOrder::MAX_LINES).map(|number| format!("SKU-{number:03}")).collect();
    let mut shop = Shop::of(&[]);
    for name in &names {
        shop.products.insert(Product::new(sku(name)));
        shop.receive(name, name, 1, Eta::InStock);
    }
    let all = || names.iter().map(|name| (name.as_str(), 1));
    let full = all().take(NewOrder::MAX_LINES).fold(order("O-1"), |cart, (name, units)| cart.of(units, name));
    shop.place(&full);
    let last = all().next_back().unwrap();
    assert_eq!(shop.try_set("O-1", &[last]), Err(ChangeOrderError::TooManyLines(id("O-1"))));
    let changed = shop.set("O-1", &[(&names[0], 0), last]);
    assert_eq!(changed.lines.len(), NewOrder::MAX_LINES, "one line may replace another");
    let lines = names.iter().map(|name| (sku(name), Units::ZERO));
    assert!(OrderChange::new(id("O-1"), lines, TermsChange::default()).is_err());
    let twice = [(sku("LAMP"), Units::ZERO), (sku("LAMP"), Units::ZERO)];
    assert!(OrderChange::new(id("O-1"), twice, TermsChange::default()).is_err());
}
