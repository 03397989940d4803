//! A product that was out of stock is back once units are left free.

use crate::shop::{Shop, batch, due, order, parts, sku, units};
use allocation_domain::{Batch, DataRequest, Eta, Event, LoadRequest, Pending, Product, ProductFlags, ProductState};

/// A shop without free units: `OLD` has all of them.
fn sold_out() -> Shop {
    let mut shop = Shop::of_chairs(&[("STOCK", 4, Eta::InStock)]);
    shop.place(&order("OLD").of(4, "CHAIR"));
    shop
}

fn signals(shop: &mut Shop) -> Vec<&'static str> {
    let is_signal = |event: &&Event| matches!(event, Event::OutOfStock { .. } | Event::BackInStock { .. });
    shop.chairs().events().iter().filter(is_signal).map(Event::name).collect()
}

const SOLD_OUT: &str = "out_of_stock";
const BACK: &str = "back_in_stock";

/// saleor#11637: customers of a sold-out product are told that it is available again.
#[test]
fn a_sold_out_product_is_back_when_units_are_added_or_given_back() {
    let mut shop = sold_out();
    shop.receive("LATER", "CHAIR", 2, due(9));
    assert_eq!(signals(&mut shop), [SOLD_OUT, BACK], "units in transit can be sold");
    shop.place(&order("NEW").of(2, "CHAIR"));
    shop.cancel("OLD");
    assert_eq!(signals(&mut shop), [SOLD_OUT, BACK, SOLD_OUT, BACK]);
}

#[test]
fn a_product_that_is_not_sold_out_is_not_back() {
    let mut shop = Shop::of(&["CHAIR"]);
    shop.receive("FIRST", "CHAIR", 3, Eta::InStock);
    shop.place(&order("O-1").of(2, "CHAIR"));
    shop.cancel("O-1");
    shop.lower("FIRST", 0);
    shop.receive("SECOND", "CHAIR", 3, Eta::InStock);
    assert_eq!(signals(&mut shop), [""; 0], "no line has taken the last unit");
}

#[test]
fn units_that_waiting_lines_take_bring_nothing_back() {
    let mut shop = sold_out();
    shop.place(&Shop::waiting("WAITS", 3));
    shop.receive("NEXT", "CHAIR", 3, Eta::InStock);
    assert_eq!(signals(&mut shop), [SOLD_OUT]);
    shop.receive("MORE", "CHAIR", 1, Eta::InStock);
    assert_eq!(signals(&mut shop), [SOLD_OUT, BACK]);
}

#[test]
fn a_line_that_moves_to_the_only_free_units_leaves_others() {
    let mut shop = Shop::of_chairs(&[("MARCH", 4, due(9))]);
    shop.place(&order("OLD").of(4, "CHAIR"));
    shop.receive("STOCK", "CHAIR", 4, Eta::InStock);
    assert_eq!(shop.holds("OLD"), parts([("STOCK", 4)]));
    assert_eq!(signals(&mut shop), [SOLD_OUT, BACK]);
}

#[test]
fn free_units_that_an_earlier_unit_of_work_has_left_are_looked_for() {
    let flags = ProductFlags { sold_out: true, unserved: true, ..ProductFlags::NEW };
    let state = ProductState { flags, more_open_batches: true, ..ProductState::new(sku("CHAIR"), 1) };
    let (mut product, now) = (Product::restore(state), Shop::of(&[]).now);
    let needed = product.release_expired(now).unwrap_err();
    assert!(matches!(needed, Pending::Load(LoadRequest { what: DataRequest::Batches, .. })), "{needed:?}");
    product.complete([Batch::new(batch("STOCK"), sku("CHAIR"), units(3), Eta::InStock, now)]);
    product.release_expired(now).unwrap();
    assert_eq!(product.events().iter().map(Event::name).collect::<Vec<_>>(), [BACK]);
    assert!(!product.is_behind());
}
