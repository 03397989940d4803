//! Picks that were reported wrong, and picked units that are put back.

use crate::shop::{Shop, batch, id, order, parts, units};
use crate::warehouse::{list_id, listed, pick_line, rows};
use allocation_domain::{
    CancelError, Eta, Event, OpenLines, OrderStatus, Outcome, Pending, PickError, PickStatus, PutBackError,
    PutBackReason, Units,
};

/// OCA/stock-logistics-workflow#593, vendure#1250: the picker has miscounted, and nothing is shipped yet.
#[test]
fn a_pick_is_corrected_to_fewer_units_which_are_missing_and_replaced() {
    let mut shop = Shop::of_chairs(&[("B-1", 8, Eta::InStock), ("B-2", 2, Eta::InStock)]);
    shop.place(&order("O-1").of(8, "CHAIR").or_backorder());
    shop.list("P-1");
    shop.pick("P-1", 1, 8);
    let corrected = shop.pick("P-1", 1, 5);
    assert_eq!((corrected.missing, corrected.line.picked), (3, 5));
    assert_eq!(shop.counts("B-1"), [0, 5, 0, 3, 0]);
    assert_eq!((shop.holds("O-1"), shop.waits_for("O-1")), (parts([("B-2", 2)]), 1));
    assert_eq!(shop.history("O-1")[2..], ["pick_listed", "picked", "pick_corrected", "allocated", "backordered"]);
    assert!(matches!(shop.try_pick("P-1", 1, 5), Ok(Outcome::Unchanged(line)) if line.picked == 5), "a repeat");
    let none = shop.pick("P-1", 1, 0);
    assert_eq!((none.line.status, shop.counts("B-1")), (PickStatus::Missing, [0, 0, 0, 8, 0]));
    assert_eq!(shop.waits_for("O-1"), 6);
}

/// Found again: the pick itself is corrected.
#[test]
fn missing_units_are_found_again_and_come_back_to_a_line_that_waits() {
    let mut shop = listed();
    shop.pick("P-1", 1, 2);
    assert_eq!((shop.waits_for("O-1"), shop.counts("B-1")), (3, [0, 2, 0, 3, 0]));
    shop.pick("P-1", 1, 4);
    assert_eq!((shop.waits_for("O-1"), shop.counts("B-1")), (1, [0, 4, 0, 1, 0]));
    assert_eq!(shop.status("O-1"), OrderStatus::Short);
    shop.pick("P-1", 1, 5);
    assert_eq!((shop.status("O-1"), shop.counts("B-1")), (OrderStatus::Picked, [0, 5, 0, 0, 0]));
    assert_eq!(shop.history("O-1").last(), Some(&"pick_corrected"), "the event ends the wait as well");
    shop.ship("P-1");
    assert_eq!(shop.counts("B-1"), [0, 0, 5, 0, 0]);
}

#[test]
fn found_units_take_the_place_of_those_that_replaced_them() {
    let mut shop = Shop::of_chairs(&[("B-1", 5, Eta::InStock), ("B-2", 2, Eta::InStock)]);
    shop.place(&order("O-1").of(5, "CHAIR"));
    shop.list("P-1");
    shop.pick("P-1", 1, 3);
    assert_eq!(shop.holds("O-1"), parts([("B-2", 2)]));
    shop.list("P-2");
    shop.place(&Shop::waiting("NEXT", 1));
    let corrected = shop.pick("P-1", 1, 5);
    assert_eq!((corrected.line.picked, corrected.line.put_back), (5, 0));
    assert_eq!((shop.holds("O-1"), shop.status("O-1")), (parts([]), OrderStatus::Picked));
    assert_eq!(shop.pick_line("P-2", 1).status, PickStatus::Withdrawn, "they are not picked any more");
    assert_eq!(shop.holds("NEXT"), parts([("B-2", 1)]), "they serve the queue");
    let story = ["pick_line_withdrawn", "deallocated", "pick_corrected"];
    assert_eq!(shop.history("O-1")[shop.history("O-1").len() - 3..], story);
}

#[test]
fn found_units_that_no_line_wants_are_free_and_serve_the_queue_once() {
    let mut shop = listed();
    shop.pick("P-1", 1, 0);
    shop.cancel("O-1");
    shop.place(&Shop::waiting("NEXT", 2));
    let corrected = shop.pick("P-1", 1, 3);
    assert_eq!((corrected.line.picked, corrected.line.put_back), (0, 3));
    assert_eq!((corrected.line.status, shop.counts("B-1")), (PickStatus::Withdrawn, [2, 0, 0, 2, 1]));
    assert_eq!(shop.holds("NEXT"), parts([("B-1", 2)]));
    assert!(matches!(shop.try_pick("P-1", 1, 3), Ok(Outcome::Unchanged(_))), "a repeat");
    assert_eq!(shop.counts("B-1"), [2, 0, 0, 2, 1]);
}

/// The replacement was picked from another shelf and shipped, so the line wants nothing more.
#[test]
fn found_units_of_a_line_that_has_all_its_units_are_free() {
    let mut shop = Shop::of_chairs(&[("B-1", 5, Eta::InStock), ("B-2", 2, Eta::InStock)]);
    shop.place(&order("O-1").of(5, "CHAIR"));
    shop.list("P-1");
    shop.pick("P-1", 1, 3);
    shop.list("P-2");
    shop.pick("P-2", 1, 2);
    shop.ship("P-2");
    let corrected = shop.pick("P-1", 1, 5);
    assert_eq!((corrected.line.picked, corrected.line.put_back), (3, 2));
    assert_eq!(shop.counts("B-1"), [0, 3, 0, 0, 2]);
    shop.ship("P-1");
    assert_eq!(shop.status("O-1"), OrderStatus::Shipped);
}

#[test]
fn a_standalone_line_that_waits_for_all_its_units_has_them_again() {
    let mut shop = Shop::of_chairs(&[("B-1", 5, Eta::InStock)]);
    let now = shop.now;
    shop.chairs().allocate(&id("ALONE"), units(5), now).unwrap();
    shop.list("P-1");
    shop.pick("P-1", 1, 0);
    assert_eq!(shop.waits_for("ALONE"), 5);
    shop.pick("P-1", 1, 5);
    assert_eq!((shop.status("ALONE"), shop.counts("B-1")), (OrderStatus::Picked, [0, 5, 0, 0, 0]));
}

#[test]
fn a_closed_order_gets_nothing_in_place_of_missing_units() {
    let mut shop = listed();
    shop.receive("B-2", "CHAIR", 5, Eta::InStock);
    shop.pick("P-1", 1, 5);
    shop.close("O-1");
    let corrected = shop.pick("P-1", 1, 3);
    assert_eq!((corrected.missing, corrected.affected.len(), corrected.displaced), (2, 0, None));
    assert_eq!((shop.counts("B-1"), shop.counts("B-2")), ([0, 3, 0, 2, 0], [0, 0, 0, 0, 5]));
    let found = shop.pick("P-1", 1, 4);
    assert_eq!((found.line.picked, found.line.put_back), (3, 1), "nor found ones");
    shop.ship("P-1");
    assert_eq!(shop.status("O-1"), OrderStatus::Closed);
}

#[test]
fn a_shipped_pick_is_corrected_no_more_and_no_pick_exceeds_its_line() {
    let mut shop = listed();
    shop.pick("P-1", 1, 4);
    assert!(matches!(shop.try_pick("P-1", 1, 6), Err(PickError::TooMany { .. })));
    shop.ship("P-1");
    assert!(matches!(shop.try_pick("P-1", 1, 4), Ok(Outcome::Unchanged(_))), "a repeat");
    for other in [0, 3, 5, 6] {
        let (id, line, requested) = (pick_line("P-1", 1), shop.pick_line("P-1", 1), Units::new(other).unwrap());
        assert_eq!(shop.try_pick("P-1", 1, other), Err(PickError::AlreadyShipped { id, line, requested }));
    }
}

#[test]
fn units_of_a_batch_that_is_gone_are_not_found() {
    let mut shop = listed();
    shop.pick("P-1", 1, 0);
    shop.cancel("O-1");
    let now = shop.now;
    shop.chairs().remove_batch(&batch("B-1"), now).unwrap();
    let refused = shop.try_pick("P-1", 1, 2);
    assert!(matches!(refused, Err(PickError::NotMissing { missing: 0, found: 2, .. })), "{refused:?}");
}

#[test]
fn units_that_are_put_back_are_allocated_again_and_go_on_another_list_once() {
    let mut shop = listed();
    shop.pick("P-1", 1, 5);
    for _ in 0..2 {
        let line = match shop.try_put_back("P-1", 1, 2).unwrap() {
            Outcome::Changed(line) | Outcome::Unchanged(line) => line,
        };
        assert_eq!((line.picked, line.put_back, line.status), (3, 2, PickStatus::Picked));
        assert_eq!((shop.holds("O-1"), shop.counts("B-1")), (parts([("B-1", 2)]), [2, 3, 0, 0, 0]));
    }
    assert_eq!(shop.history("O-1").last(), Some(&"put_back"));
    assert_eq!(rows(&shop.list("P-2")), [(1, "B-1", "O-1", 2)]);
    shop.put_back("P-1", 1, 5);
    assert_eq!((shop.pick_line("P-1", 1).status, shop.counts("B-1")), (PickStatus::Withdrawn, [5, 0, 0, 0, 0]));
    assert!(shop.products.ship(&list_id("P-1"), OpenLines::Release).is_err(), "nothing of it is picked");
    assert!(matches!(shop.try_pick("P-1", 1, 5), Ok(Outcome::Unchanged(_))), "the report is as it was");
    shop.cancel("O-1");
    assert_eq!(shop.counts("B-1"), [0, 0, 0, 0, 5]);
}

#[test]
fn units_of_a_closed_order_that_are_put_back_serve_the_queue() {
    let mut shop = listed();
    shop.pick("P-1", 1, 5);
    shop.close("O-1");
    shop.place(&Shop::waiting("NEXT", 1));
    shop.put_back("P-1", 1, 3);
    assert_eq!((shop.holds("NEXT"), shop.counts("B-1")), (parts([("B-1", 1)]), [1, 2, 0, 0, 2]));
    assert_eq!(shop.history("O-1")[shop.history("O-1").len() - 2..], ["put_back", "deallocated"]);
    shop.put_back("P-1", 1, 5);
    assert_eq!((shop.status("O-1"), shop.free_chairs()), (OrderStatus::Closed, 4));
}

#[test]
fn an_order_can_be_cancelled_once_all_its_picked_units_are_put_back() {
    let mut shop = listed();
    shop.pick("P-1", 1, 5);
    let refused = shop.products.cancel(&id("O-1"), shop.now);
    assert_eq!(refused, Err(Pending::Refused(CancelError::Picked(id("O-1")))));
    shop.put_back("P-1", 1, 5);
    shop.cancel("O-1");
    assert_eq!(shop.free_chairs(), 5);
}

#[test]
fn no_more_units_are_put_back_than_are_picked_and_none_that_are_shipped() {
    let mut shop = listed();
    let put_back = |shop: &mut Shop, total| shop.try_put_back("P-1", 1, total);
    assert!(matches!(put_back(&mut shop, 1), Err(PutBackError::MoreThanPicked { .. })), "it is open");
    shop.pick("P-1", 1, 4);
    assert!(matches!(put_back(&mut shop, 5), Err(PutBackError::MoreThanPicked { .. })));
    shop.put_back("P-1", 1, 2);
    assert!(matches!(put_back(&mut shop, 1), Err(PutBackError::AlreadyPutBack { .. })));
    let refused = shop.try_pick("P-1", 1, 1);
    assert!(matches!(refused, Err(PickError::AlreadyPutBack { .. })), "two were put back: {refused:?}");
    shop.ship("P-1");
    assert!(matches!(put_back(&mut shop, 2), Ok(Outcome::Unchanged(_))), "a repeat");
    assert!(matches!(put_back(&mut shop, 3), Err(PutBackError::AlreadyShipped { .. })));
    assert!(matches!(shop.try_put_back("P-1", 2, 1), Err(PutBackError::NotFound(_))));
    assert!(matches!(shop.try_put_back("P-9", 1, 1), Err(PutBackError::NotFound(_))));
}

#[test]
fn a_report_is_corrected_beside_units_that_were_put_back() {
    let mut shop = listed();
    shop.pick("P-1", 1, 4);
    shop.put_back("P-1", 1, 3);
    shop.pick("P-1", 1, 3);
    let line = shop.pick_line("P-1", 1);
    assert_eq!((line.picked, line.put_back, line.status), (0, 3, PickStatus::Withdrawn));
    assert_eq!(shop.counts("B-1"), [3, 0, 0, 2, 0]);
    shop.pick("P-1", 1, 5);
    let line = shop.pick_line("P-1", 1);
    assert_eq!((line.picked, line.put_back, line.status), (2, 3, PickStatus::Picked));
    assert_eq!((shop.counts("B-1"), shop.waits_for("O-1")), ([3, 2, 0, 0, 0], 0));
}

#[test]
fn the_reason_is_in_the_event() {
    let mut shop = listed();
    shop.pick("P-1", 1, 5);
    let (reason, now) = (PutBackReason::parse("The box is damaged").unwrap(), shop.now);
    shop.products.put_back(&pick_line("P-1", 1), units(2), Some(&reason), now).unwrap();
    let last = shop.chairs().events().last().unwrap().clone();
    assert!(
        matches!(last, Event::PutBack { units, reason: Some(why) } if (units.quantity.get(), &why) == (2, &reason))
    );
}

/// A batch that is being lowered has no free units, so units that are found and not wanted leave it.
#[test]
fn found_units_of_a_batch_that_is_being_lowered_leave_it() {
    let mut shop = Shop::of_chairs(&[("B-1", 1_005, Eta::InStock)]);
    shop.place(&order("O-1").of(4, "CHAIR").with_priority(1));
    shop.list("P-1");
    shop.pick("P-1", 1, 0);
    shop.cancel("O-1");
    for number in 0..=1_000 {
        shop.place(&order(&format!("L-{number:04}")).of(1, "CHAIR"));
    }
    let lowered = shop.lower("B-1", 4).batch;
    assert!(lowered.moving().is_some(), "more than a thousand lines have to leave");
    let purchased = lowered.purchased().get();
    shop.pick("P-1", 1, 3);
    let found = shop.chairs().batch(&batch("B-1")).unwrap();
    assert_eq!((found.available(), found.purchased().get(), found.counts().missing), (0, purchased - 3, 1));
}
