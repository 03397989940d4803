//! Lines that wait for units.

use crate::shop::{Shop, batch, id, order, parts, units};
use allocation_domain::{AllocateError, AllocationReason, BatchChange, Eta, Event, OrderStatus, Pending, Units};

#[test]
fn available_units_are_allocated_and_the_rest_waits() {
    let mut shop = Shop::of_chairs(&[("B-1", 3, Eta::InStock)]);
    shop.place(&order("O-1").of(5, "CHAIR").or_backorder());
    assert_eq!((shop.holds("O-1"), shop.waits_for("O-1")), (parts([("B-1", 3)]), 2));
    assert_eq!(shop.status("O-1"), OrderStatus::PartiallyAllocated);
    assert_eq!(shop.history("O-1"), ["line_placed", "allocated", "backordered"]);
}

#[test]
fn a_line_without_split_waits_for_all_its_units() {
    let mut shop = Shop::of_chairs(&[("B-1", 3, Eta::InStock)]);
    shop.place(&order("O-1").of(5, "CHAIR").or_backorder().unsplit());
    assert_eq!((shop.holds("O-1"), shop.waits_for("O-1")), (parts([]), 5));
    assert_eq!(shop.status("O-1"), OrderStatus::Backordered);
    shop.receive("B-2", "CHAIR", 2, Eta::InStock);
    assert_eq!(shop.holds("O-1"), parts([("B-1", 3), ("B-2", 2)]));
}

#[test]
fn a_new_batch_serves_the_waiting_lines_first() {
    let mut shop = Shop::of_chairs(&[]);
    shop.place(&order("O-1").of(5, "CHAIR").or_backorder());
    shop.receive("B-1", "CHAIR", 8, Eta::InStock);
    assert_eq!(shop.holds("O-1"), parts([("B-1", 5)]));
    assert_eq!(shop.free_chairs(), 3);
    let of_order = |event: &&Event| event.order_id() == Some(&id("O-1"));
    let last = shop.chairs().events().iter().rev().find(of_order).cloned();
    assert!(matches!(last, Some(Event::Allocated { reason: AllocationReason::Backorder, .. })));
}

#[test]
fn the_higher_priority_is_served_first_then_the_older_line_then_the_smaller_id() {
    let mut shop = Shop::of_chairs(&[]);
    for (name, priority) in [("OLD", 0), ("YOUNG", 0), ("URGENT", 5), ("LAX", -5)] {
        shop.place(&order(name).of(2, "CHAIR").or_backorder().with_priority(priority));
    }
    let now = shop.now;
    let twin = order("LAX-TWIN").of(2, "CHAIR").or_backorder().with_priority(-5).made();
    shop.products.place(&twin, now).unwrap();
    let queue: Vec<_> = shop.chairs().waiting().map(|position| position.order_id().to_string()).collect();
    assert_eq!(queue, ["URGENT", "OLD", "YOUNG", "LAX", "LAX-TWIN"]);
    shop.receive("B-1", "CHAIR", 5, Eta::InStock);
    let waiting = ["URGENT", "OLD", "YOUNG", "LAX"].map(|name| shop.waits_for(name));
    assert_eq!(waiting, [0, 0, 1, 2]);
}

/// Sylius#3857, spree#5163: arrivals serve the oldest first, and a newcomer gets the rest.
#[test]
fn a_newcomer_gets_only_units_that_no_waiting_line_can_take() {
    let mut shop = Shop::of_chairs(&[]);
    shop.place(&order("OLD").of(5, "CHAIR").or_backorder());
    shop.place(&order("YOUNG").of(3, "CHAIR").or_backorder());
    shop.receive("B-1", "CHAIR", 6, Eta::InStock);
    assert_eq!((shop.waits_for("OLD"), shop.waits_for("YOUNG")), (0, 2));
    assert!(shop.try_place(&order("NEW").of(1, "CHAIR")).is_err());
    shop.receive("B-2", "CHAIR", 3, Eta::InStock);
    assert_eq!(shop.waits_for("YOUNG"), 0);
    shop.place(&order("NEW").of(1, "CHAIR"));
    assert!(shop.try_place(&order("NEWER").of(1, "CHAIR")).is_err());
}

#[test]
fn a_line_that_no_free_unit_fits_is_passed_over() {
    let mut shop = Shop::of_chairs(&[]);
    shop.place(&order("WHOLE").of(10, "CHAIR").or_backorder().unsplit());
    shop.place(&order("PARTS").of(4, "CHAIR").or_backorder());
    shop.receive("B-1", "CHAIR", 9, Eta::InStock);
    assert_eq!((shop.waits_for("WHOLE"), shop.waits_for("PARTS")), (10, 0));
    assert_eq!(shop.free_chairs(), 5);
    shop.cancel("PARTS");
    assert_eq!((shop.waits_for("WHOLE"), shop.free_chairs()), (10, 9));
    shop.receive("B-2", "CHAIR", 1, Eta::InStock);
    assert_eq!(shop.holds("WHOLE"), parts([("B-1", 9), ("B-2", 1)]));
}

#[test]
fn a_raised_batch_serves_the_waiting_lines() {
    let mut shop = Shop::of_chairs(&[("B-1", 3, Eta::InStock)]);
    shop.place(&order("O-1").of(5, "CHAIR").or_backorder());
    let purchased = Some(Units::new(6).unwrap());
    shop.change("B-1", BatchChange { purchased, ..BatchChange::default() }).unwrap();
    assert_eq!((shop.holds("O-1"), shop.free_chairs()), (parts([("B-1", 5)]), 1));
}

#[test]
fn a_cancelled_order_serves_the_waiting_lines() {
    let mut shop = Shop::of_chairs(&[("B-1", 5, Eta::InStock)]);
    shop.place(&order("O-1").of(5, "CHAIR"));
    shop.place(&order("O-2").of(4, "CHAIR").or_backorder());
    shop.cancel("O-1");
    assert_eq!((shop.holds("O-2"), shop.free_chairs()), (parts([("B-1", 4)]), 1));
}

#[test]
fn released_units_serve_the_waiting_lines() {
    let mut shop = Shop::of_chairs(&[("B-1", 5, Eta::InStock)]);
    let now = shop.now;
    shop.chairs().allocate(&id("O-1"), units(5), now).unwrap();
    shop.place(&order("O-2").of(4, "CHAIR").or_backorder());
    shop.chairs().deallocate(&id("O-1"), &batch("B-1"), now).unwrap();
    assert_eq!((shop.holds("O-2"), shop.free_chairs()), (parts([("B-1", 4)]), 1));
}

#[test]
fn a_line_that_releases_units_no_longer_waits() {
    let mut shop = Shop::of_chairs(&[("B-1", 3, Eta::InStock)]);
    shop.place(&order("O-1").of(5, "CHAIR").or_backorder());
    let now = shop.now;
    shop.chairs().deallocate(&id("O-1"), &batch("B-1"), now).unwrap();
    assert_eq!((shop.waits_for("O-1"), shop.free_chairs()), (0, 3));
    assert_eq!(shop.status("O-1"), OrderStatus::Cancelled);
    let history = ["line_placed", "allocated", "backordered", "deallocated", "wait_ended"];
    assert_eq!(shop.history("O-1"), history);
}

/// A late duplicate that no key marks is a new request.
#[test]
fn a_line_of_an_order_that_released_everything_can_be_sent_again() {
    let mut shop = Shop::of_chairs(&[("B-1", 5, Eta::InStock)]);
    shop.place(&order("O-1").of(5, "CHAIR"));
    let now = shop.now;
    shop.chairs().deallocate(&id("O-1"), &batch("B-1"), now).unwrap();
    shop.chairs().allocate(&id("O-1"), units(5), now).unwrap();
    assert_eq!(shop.status("O-1"), OrderStatus::Allocated);
}

#[test]
fn a_waiting_line_that_is_repeated_gets_nothing_out_of_turn() {
    let mut shop = Shop::of_chairs(&[("B-1", 3, Eta::InStock)]);
    shop.place(&order("O-1").of(5, "CHAIR").or_backorder());
    let now = shop.now;
    let again = shop.chairs().allocate(&id("O-1"), units(5), now);
    assert!(matches!(again, Err(Pending::Refused(AllocateError::OutOfStock(short))) if short.requested == units(5)));
}

#[test]
fn out_of_stock_is_recorded_once_and_not_for_units_that_pass_through() {
    let mut shop = Shop::of_chairs(&[("B-1", 3, Eta::InStock)]);
    shop.place(&order("O-1").of(5, "CHAIR").or_backorder());
    shop.receive("B-2", "CHAIR", 2, Eta::InStock);
    let shortages = shop.chairs().events().iter().filter(|event| matches!(event, Event::OutOfStock { .. })).count();
    assert_eq!(shortages, 1);
}
