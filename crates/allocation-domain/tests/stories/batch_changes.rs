//! Deliveries that are late, early, short or over.

use crate::shop::{Shop, batch, due, id, order, parts, units};
use allocation_domain::{BatchChange, BatchChanged, ChangeBatchError, Eta, Event, OnShortage, OrderStatus, Units};

/// Order, units, old and new ETA of each affected promise.
fn affected(changed: &BatchChanged) -> Vec<(&str, u32, Eta, Eta)> {
    let row = |it: &'_ allocation_domain::Affected| (it.quantity.get(), it.old_eta, it.new_eta);
    let rows = changed.affected.iter().map(|it| (it.order_id.as_str(), row(it)));
    rows.map(|(order_id, (units, old_eta, new_eta))| (order_id, units, old_eta, new_eta)).collect()
}

/// Order, units and shortness of each displaced line.
fn displaced(changed: &BatchChanged) -> Vec<(&str, u32, bool)> {
    changed.displaced.iter().map(|it| (it.order_id.as_str(), it.quantity.get(), it.short)).collect()
}

#[test]
fn the_lowest_priority_leaves_a_lowered_batch_first_then_the_youngest() {
    let mut shop = Shop::of_chairs(&[("B-1", 10, Eta::InStock)]);
    for (name, priority) in [("LAX", -1), ("OLD", 0), ("YOUNG", 0), ("URGENT", 1)] {
        shop.place(&order(name).of(2, "CHAIR").with_priority(priority));
    }
    assert_eq!(displaced(&shop.lower("B-1", 8)), []);
    assert_eq!(displaced(&shop.lower("B-1", 6)), [("LAX", 2, true)]);
    assert_eq!(displaced(&shop.lower("B-1", 4)), [("YOUNG", 2, true)]);
    assert_eq!(displaced(&shop.lower("B-1", 2)), [("OLD", 2, true)]);
    assert_eq!(displaced(&shop.lower("B-1", 0)), [("URGENT", 2, true)]);
    assert_eq!(shop.chairs().batch(&batch("B-1")).unwrap().purchased(), Units::ZERO);
}

#[test]
fn of_equal_age_the_greater_order_leaves_first() {
    let mut shop = Shop::of_chairs(&[("B-1", 4, Eta::InStock)]);
    let now = shop.now;
    for name in ["B", "A"] {
        shop.chairs().allocate(&id(name), units(2), now).unwrap();
    }
    assert_eq!(displaced(&shop.lower("B-1", 2)), [("B", 2, true)]);
}

#[test]
fn a_line_loses_no_more_units_than_it_must() {
    let mut shop = Shop::of_chairs(&[("B-1", 10, Eta::InStock)]);
    shop.place(&order("OLD").of(4, "CHAIR"));
    shop.place(&order("YOUNG").of(6, "CHAIR"));
    assert_eq!(displaced(&shop.lower("B-1", 7)), [("YOUNG", 3, true)]);
    assert_eq!(shop.holds("YOUNG"), parts([("B-1", 3)]));
    assert_eq!(shop.holds("OLD"), parts([("B-1", 4)]));
}

#[test]
fn displaced_lines_get_other_batches_in_order_of_preference() {
    let mut shop = Shop::of_chairs(&[("B-1", 5, Eta::InStock), ("LATE", 9, due(9)), ("SOON", 3, due(2))]);
    shop.place(&order("O-1").of(5, "CHAIR"));
    let changed = shop.lower("B-1", 2);
    assert_eq!(shop.holds("O-1"), parts([("B-1", 2), ("SOON", 3)]));
    assert_eq!(affected(&changed), [("O-1", 3, Eta::InStock, due(2))]);
    assert_eq!(shop.status("O-1"), OrderStatus::Allocated);
    let names: Vec<_> = shop.chairs().events().iter().skip(3).map(Event::name).collect();
    let story = ["line_placed", "allocated", "deallocated", "batch_changed", "allocated", "promise_worsened"];
    assert_eq!(names, story);
}

#[test]
fn a_displaced_line_waits_and_is_short_unless_it_accepts_backorders() {
    let mut shop = Shop::of_chairs(&[("B-1", 4, Eta::InStock)]);
    shop.place(&order("ASKED").of(2, "CHAIR").or_backorder());
    shop.place(&order("DID-NOT").of(2, "CHAIR"));
    let changed = shop.lower("B-1", 0);
    assert_eq!(displaced(&changed), [("ASKED", 2, false), ("DID-NOT", 2, true)]);
    assert_eq!(shop.status("ASKED"), OrderStatus::Backordered);
    assert_eq!(shop.status("DID-NOT"), OrderStatus::Short);
    assert_eq!(shop.history("ASKED").last(), Some(&"backordered"));
    assert_eq!(shop.history("DID-NOT").last(), Some(&"line_short"));
}

#[test]
fn a_short_order_is_refilled_before_any_newcomer() {
    let mut shop = Shop::of_chairs(&[("B-1", 4, Eta::InStock)]);
    shop.place(&order("O-1").of(4, "CHAIR"));
    shop.lower("B-1", 1);
    assert_eq!(shop.status("O-1"), OrderStatus::Short);
    shop.receive("B-2", "CHAIR", 3, Eta::InStock);
    assert_eq!(shop.status("O-1"), OrderStatus::Allocated);
}

#[test]
fn a_standalone_line_is_short_like_any_other() {
    let mut shop = Shop::of_chairs(&[("B-1", 4, Eta::InStock)]);
    let now = shop.now;
    shop.chairs().allocate(&id("O-1"), units(4), now).unwrap();
    assert_eq!(displaced(&shop.lower("B-1", 0)), [("O-1", 4, true)]);
    assert_eq!(shop.status("O-1"), OrderStatus::Short);
    assert_eq!(shop.line("O-1").terms.on_shortage, OnShortage::Reject);
}

#[test]
fn a_line_without_split_gets_all_displaced_units_or_waits_for_them() {
    let mut shop = Shop::of_chairs(&[("B-1", 6, Eta::InStock)]);
    shop.place(&order("O-1").of(6, "CHAIR").unsplit());
    shop.receive("B-2", "CHAIR", 3, Eta::InStock);
    assert_eq!(displaced(&shop.lower("B-1", 2)), [("O-1", 4, true)]);
    assert_eq!((shop.holds("O-1"), shop.free_chairs()), (parts([("B-1", 2)]), 3));
    shop.receive("B-3", "CHAIR", 1, Eta::InStock);
    assert_eq!(shop.holds("O-1"), parts([("B-1", 2), ("B-2", 3), ("B-3", 1)]));
}

#[test]
fn a_waiting_line_without_split_waits_for_its_whole_remainder() {
    let mut shop = Shop::of_chairs(&[("B-1", 6, Eta::InStock)]);
    shop.place(&order("O-1").of(6, "CHAIR").unsplit());
    shop.lower("B-1", 4);
    shop.receive("B-2", "CHAIR", 1, Eta::InStock);
    assert_eq!(displaced(&shop.lower("B-1", 3)), [("O-1", 1, true)]);
    assert_eq!((shop.waits_for("O-1"), shop.free_chairs()), (3, 1));
    shop.receive("B-3", "CHAIR", 2, Eta::InStock);
    assert_eq!(shop.waits_for("O-1"), 0);
}

#[test]
fn expired_holds_are_released_before_any_line_has_to_leave() {
    let mut shop = Shop::of_chairs(&[("B-1", 4, Eta::InStock)]);
    shop.place(&order("CART").of(2, "CHAIR").held_for(10).with_priority(9));
    shop.place(&order("FIRM").of(2, "CHAIR"));
    shop.pass(10);
    assert_eq!(displaced(&shop.lower("B-1", 2)), []);
    assert_eq!(shop.holds("FIRM"), parts([("B-1", 2)]));
}

#[test]
fn a_later_eta_is_recorded_for_all_lines_of_the_batch_in_the_order_of_service() {
    let mut shop = Shop::of_chairs(&[("B-1", 6, due(1))]);
    shop.place(&order("OLD").of(2, "CHAIR"));
    shop.place(&order("URGENT").of(3, "CHAIR").with_priority(1));
    let changed = shop.postpone("B-1", due(9), false);
    assert_eq!(affected(&changed), [("URGENT", 3, due(1), due(9)), ("OLD", 2, due(1), due(9))]);
    assert_eq!(shop.history("OLD").last(), Some(&"promise_worsened"));
    assert_eq!(shop.line("OLD").allocations[0].eta, due(9));
}

/// open-msupply#4128: a delivery of ten that customers were promised becomes one of seven, a week later.
#[test]
fn an_edit_of_a_promised_delivery_names_every_line_that_it_affects() {
    let mut shop = Shop::of_chairs(&[("B-1", 10, due(1))]);
    shop.place(&order("OLD").of(6, "CHAIR"));
    shop.place(&order("YOUNG").of(4, "CHAIR").or_backorder());
    let edit = BatchChange { purchased: Some(Units::new(7).unwrap()), eta: Some(due(8)), ..BatchChange::default() };
    let changed = shop.change("B-1", edit).unwrap();
    assert_eq!(affected(&changed), [("OLD", 6, due(1), due(8)), ("YOUNG", 1, due(1), due(8))]);
    assert_eq!(displaced(&changed), [("YOUNG", 3, false)]);
    assert_eq!((shop.holds("YOUNG"), shop.waits_for("YOUNG")), (parts([("B-1", 1)]), 3));
}

#[test]
fn an_earlier_eta_and_an_arrival_affect_no_line() {
    let mut shop = Shop::of_chairs(&[("B-1", 6, due(5))]);
    shop.place(&order("O-1").of(2, "CHAIR"));
    assert_eq!(affected(&shop.postpone("B-1", due(3), false)), []);
    assert_eq!(affected(&shop.postpone("B-1", Eta::InStock, false)), []);
    assert_eq!(shop.line("O-1").allocations[0].eta, Eta::InStock);
}

#[test]
fn lines_on_a_late_batch_move_to_a_better_one_where_there_is_one() {
    let mut shop = Shop::of_chairs(&[("B-1", 6, due(1)), ("B-2", 4, due(3)), ("B-3", 9, due(20))]);
    shop.place(&order("OLD").of(3, "CHAIR"));
    shop.place(&order("URGENT").of(3, "CHAIR").with_priority(1));
    let changed = shop.postpone("B-1", due(9), true);
    assert_eq!(shop.holds("URGENT"), parts([("B-2", 3)]));
    assert_eq!(shop.holds("OLD"), parts([("B-2", 1), ("B-1", 2)]));
    let all = [("URGENT", 3, due(1), due(3)), ("OLD", 1, due(1), due(3)), ("OLD", 2, due(1), due(9))];
    assert_eq!(affected(&changed), all);
}

#[test]
fn an_earlier_eta_moves_no_line_that_keeps_its_promise() {
    let mut shop = Shop::of_chairs(&[("B-1", 6, due(9))]);
    shop.place(&order("O-1").of(3, "CHAIR").stable());
    shop.receive("B-2", "CHAIR", 4, due(3));
    assert_eq!(affected(&shop.postpone("B-1", due(5), true)), []);
    assert_eq!(shop.holds("O-1"), parts([("B-1", 3)]));
}

#[test]
fn reallocation_can_be_requested_after_a_postponement() {
    let mut shop = Shop::of_chairs(&[("B-1", 6, due(1)), ("B-2", 4, due(3))]);
    shop.place(&order("O-1").of(3, "CHAIR").stable());
    assert_eq!(affected(&shop.postpone("B-1", due(9), false)), [("O-1", 3, due(1), due(9))]);
    let moved = shop.change("B-1", BatchChange { reallocate: true, ..BatchChange::default() }).unwrap();
    assert_eq!(affected(&moved), [("O-1", 3, due(9), due(3))]);
    assert_eq!(moved.batch.revision(), 2);
}

#[test]
fn a_line_without_split_moves_whole_or_stays() {
    let mut shop = Shop::of_chairs(&[("B-1", 6, due(1)), ("B-2", 4, due(3))]);
    shop.place(&order("O-1").of(5, "CHAIR").unsplit());
    shop.postpone("B-1", due(9), true);
    assert_eq!(shop.holds("O-1"), parts([("B-1", 5)]));
}

#[test]
fn units_that_move_off_a_late_batch_serve_the_waiting_lines() {
    let mut shop = Shop::of_chairs(&[("B-1", 4, due(1))]);
    shop.place(&order("O-1").of(4, "CHAIR"));
    shop.place(&order("WHOLE").of(5, "CHAIR").or_backorder().unsplit());
    shop.receive("B-2", "CHAIR", 4, due(2));
    shop.postpone("B-1", due(9), true);
    assert_eq!((shop.holds("O-1"), shop.waits_for("WHOLE")), (parts([("B-2", 4)]), 5));
    shop.receive("B-3", "CHAIR", 1, due(2));
    assert_eq!(shop.holds("WHOLE"), parts([("B-3", 1), ("B-1", 4)]));
}

#[test]
fn lines_move_off_a_late_and_short_batch_before_any_has_to_leave() {
    let mut shop = Shop::of_chairs(&[("B-1", 4, due(1)), ("B-2", 2, due(3))]);
    shop.place(&order("URGENT").of(2, "CHAIR").with_priority(1));
    shop.place(&order("OLD").of(2, "CHAIR"));
    let purchased = Some(Units::new(2).unwrap());
    let change = BatchChange { purchased, eta: Some(due(9)), reallocate: true, ..BatchChange::default() };
    let changed = shop.change("B-1", change).unwrap();
    assert_eq!(displaced(&changed), []);
    assert_eq!(shop.holds("URGENT"), parts([("B-2", 2)]));
    assert_eq!(shop.holds("OLD"), parts([("B-1", 2)]));
}

#[test]
fn two_purchasers_do_not_overwrite_each_other() {
    let mut shop = Shop::of_chairs(&[("B-1", 4, due(1))]);
    let version = |shop: &mut Shop| shop.chairs().batch(&batch("B-1")).unwrap().version();
    let at = |version| BatchChange { eta: Some(due(9)), expected: Some(version), ..BatchChange::default() };
    let expected = version(&mut shop);
    assert_eq!(shop.change("B-1", at(expected)).unwrap().batch.revision(), 2);
    let stale = ChangeBatchError::Stale { reference: batch("B-1"), expected, actual: version(&mut shop) };
    assert_eq!(shop.change("B-1", at(expected)), Err(stale));
}

#[test]
fn a_new_batch_with_the_reference_of_another_has_another_version() {
    let mut shop = Shop::of_chairs(&[("B-1", 4, due(1))]);
    let expected = Some(shop.chairs().batch(&batch("B-1")).unwrap().version());
    let now = shop.now;
    shop.chairs().remove_batch(&batch("B-1"), now).unwrap();
    shop.now += chrono::TimeDelta::seconds(1);
    shop.receive("B-1", "CHAIR", 4, due(1));
    let refusal =
        shop.change("B-1", BatchChange { eta: Some(due(9)), expected, ..BatchChange::default() }).unwrap_err();
    assert!(matches!(refusal, ChangeBatchError::Stale { .. }), "{refusal}");
}

#[test]
fn allocations_create_no_revision_so_a_busy_batch_can_be_changed() {
    let mut shop = Shop::of_chairs(&[("B-1", 4, due(1))]);
    shop.place(&order("O-1").of(2, "CHAIR"));
    assert_eq!(shop.chairs().batch(&batch("B-1")).unwrap().revision(), 1);
}

#[test]
fn a_change_to_the_current_values_is_no_change() {
    let mut shop = Shop::of_chairs(&[("B-1", 4, due(1))]);
    let events_before = shop.chairs().events().len();
    assert_eq!(shop.lower("B-1", 4).batch.revision(), 1);
    assert_eq!(shop.postpone("B-1", due(1), false).batch.revision(), 1);
    assert_eq!(shop.chairs().events().len(), events_before);
}

#[test]
fn an_unknown_batch_is_not_changed() {
    let mut shop = Shop::of_chairs(&[]);
    let unknown = shop.change("NONE", BatchChange::default());
    assert_eq!(unknown, Err(ChangeBatchError::NotFound(batch("NONE"))));
}

#[test]
fn a_corrected_batch_is_written_as_one_row() {
    let mut shop = Shop::of_chairs(&[("B-1", 4, Eta::InStock)]);
    shop.place(&order("O-1").of(4, "CHAIR"));
    let mut stored = crate::partly_loaded::stored(shop.chairs());
    let purchased = Some(Units::new(1).unwrap());
    let change = BatchChange { purchased, ..BatchChange::default() };
    stored.change_batch(&batch("B-1"), &change, shop.now).unwrap();
    let changes = stored.changes();
    assert!(changes.batch_deltas.is_empty() && changes.added_batches.is_empty() && changes.removed_batches.is_empty());
    let row = changes.changed_batches[0];
    assert_eq!((row.purchased().get(), row.allocated(), row.revision()), (1, 1, 2));
    assert_eq!((changes.totals.in_stock, changes.totals.allocated), (-3, -3));
    assert_eq!((changes.totals.backordered, changes.totals.waiting_lines), (3, 1));
}
