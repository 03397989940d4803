//! Orders that ship in one go.

use crate::shop::{Shop, due, order, sku};
use crate::warehouse::{all, list_id, rows};
use allocation_domain::{
    Eta, Event, MakePickListError, NewPickList, OrderStatus, Pending, PickCriteria, PickList, TermsChange,
};

fn try_list(shop: &mut Shop, name: &str) -> Result<PickList, Pending<MakePickListError>> {
    shop.products.make_pick_list(&all(name))
}

fn nothing(shop: &mut Shop) -> bool {
    matches!(try_list(shop, "NONE"), Err(Pending::Refused(MakePickListError::NothingToPick)))
}

/// An order of three chairs, of which one is in stock, and a lamp.
fn incomplete() -> Shop {
    let mut shop = Shop::of(&["CHAIR", "LAMP"]);
    shop.receive("B-1", "CHAIR", 1, Eta::InStock);
    shop.receive("L-1", "LAMP", 1, Eta::InStock);
    shop.place(&order("O-1").of(3, "CHAIR").of(1, "LAMP").or_backorder().ships_complete());
    shop
}

fn set(shop: &mut Shop, name: &str, ship_complete: bool) {
    shop.set_terms(name, TermsChange { ship_complete: Some(ship_complete), ..TermsChange::default() }).unwrap();
}

#[test]
fn an_order_that_ships_complete_is_left_out_until_all_of_it_is_allocated() {
    let mut shop = incomplete();
    shop.place(&order("O-2").of(1, "LAMP").or_backorder());
    assert!(nothing(&mut shop));
    shop.receive("B-2", "CHAIR", 2, Eta::InStock);
    assert_eq!(rows(&shop.list("P-1")), [(1, "B-1", "O-1", 1), (2, "B-2", "O-1", 2), (3, "L-1", "O-1", 1)]);
}

#[test]
fn units_on_their_way_are_not_in_stock() {
    let mut shop = incomplete();
    shop.receive("B-2", "CHAIR", 2, due(1));
    assert_eq!(shop.status("O-1"), OrderStatus::Allocated);
    assert!(nothing(&mut shop));
}

#[test]
fn an_order_that_does_not_ship_complete_is_listed_as_far_as_it_is_in_stock() {
    let mut shop = incomplete();
    set(&mut shop, "O-1", false);
    assert_eq!(rows(&shop.list("P-1")), [(1, "B-1", "O-1", 1), (2, "L-1", "O-1", 1)]);
}

#[test]
fn an_order_ships_complete_on_request_and_the_event_says_so() {
    let mut shop = incomplete();
    for ship_complete in [false, true] {
        let before = shop.products.order(&crate::shop::id("O-1")).unwrap();
        set(&mut shop, "O-1", ship_complete);
        let after = shop.products.order(&crate::shop::id("O-1")).unwrap();
        assert_eq!(after.ships_complete(), ship_complete);
        assert_ne!(before.version(), after.version());
        let last = shop.chairs().events().last().unwrap().clone();
        assert!(matches!(last, Event::LineChanged { ship_complete: now, .. } if now == ship_complete));
    }
    assert!(nothing(&mut shop));
}

/// A list of some SKUs or batches takes a part of an order that is in stock as a whole; the rest is on another list.
#[test]
fn a_list_may_have_a_part_of_an_order_that_is_in_stock() {
    let mut shop = incomplete();
    shop.receive("B-2", "CHAIR", 2, Eta::InStock);
    let lamps = PickCriteria { skus: Some([sku("LAMP")].into()), ..PickCriteria::default() };
    let list = shop.products.make_pick_list(&NewPickList::new(list_id("P-1"), lamps)).unwrap();
    assert_eq!(rows(&list), [(1, "L-1", "O-1", 1)]);
    assert_eq!(rows(&shop.list("P-2")), [(1, "B-1", "O-1", 1), (2, "B-2", "O-1", 2)]);
}

#[test]
fn after_a_short_pick_the_rest_is_left_out_until_it_is_in_stock_again() {
    let mut shop = incomplete();
    shop.receive("B-2", "CHAIR", 2, Eta::InStock);
    let chairs = PickCriteria { skus: Some([sku("CHAIR")].into()), ..PickCriteria::default() };
    shop.products.make_pick_list(&NewPickList::new(list_id("P-1"), chairs)).unwrap();
    shop.pick("P-1", 1, 1);
    shop.pick("P-1", 2, 1);
    assert!(nothing(&mut shop), "a chair is missing, so the lamp stays");
    shop.ship("P-1");
    assert_eq!(shop.status("O-1"), OrderStatus::PartiallyShipped, "what is picked ships");
    shop.receive("B-3", "CHAIR", 1, Eta::InStock);
    assert_eq!(rows(&shop.list("P-2")), [(1, "B-3", "O-1", 1), (2, "L-1", "O-1", 1)]);
}

#[test]
fn a_line_that_is_removed_is_not_waited_for() {
    let mut shop = incomplete();
    shop.set("O-1", &[("CHAIR", 1)]);
    assert_eq!(rows(&shop.list("P-1")), [(1, "B-1", "O-1", 1), (2, "L-1", "O-1", 1)]);
}

#[test]
fn a_line_that_is_added_is_waited_for_and_ships_complete_as_well() {
    let mut shop = Shop::of(&["CHAIR", "LAMP"]);
    shop.receive("B-1", "CHAIR", 3, Eta::InStock);
    shop.receive("L-1", "LAMP", 1, due(1));
    shop.place(&order("O-1").of(3, "CHAIR").or_backorder().ships_complete());
    shop.set("O-1", &[("LAMP", 1)]);
    assert!(nothing(&mut shop));
    let order = shop.products.order(&crate::shop::id("O-1")).unwrap();
    assert!(order.lines.iter().all(|(_, line)| line.terms.ship_complete));
}

#[test]
fn an_order_that_ships_complete_is_left_out_unless_all_its_lines_are_loaded() {
    let mut shop = Shop::of_chairs(&[("B-1", 3, Eta::InStock)]);
    shop.place(&order("O-1").of(2, "CHAIR").ships_complete());
    shop.place(&order("O-2").of(1, "CHAIR"));
    let list = shop.products.make_pick_list_of(&all("P-1"), |_| false).unwrap();
    assert_eq!(rows(&list), [(1, "B-1", "O-2", 1)]);
}
