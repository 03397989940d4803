//! The lines of pick lists, and their life cycle.

use crate::partly_loaded::stored;
use crate::shop::{Shop, batch, due, id, order, parts, sku, units};
use crate::warehouse::{all, list_id, listed, pick_line, rows};
use allocation_domain::{
    BatchChange, Eta, Event, MakePickListError, NewPickList, OpenLines, Outcome, Pending, PickCriteria, PickError,
    PickListStatus, PickStatus, Products, ReleasePickLineError, ReleasePickListError, ShipError, Units,
};
use std::collections::BTreeSet;

#[test]
fn a_list_is_sorted_by_batch_then_by_the_order_of_service() {
    let mut shop = Shop::of(&["CHAIR", "LAMP"]);
    shop.receive("B-2", "CHAIR", 9, Eta::InStock);
    shop.receive("B-1", "LAMP", 9, Eta::InStock);
    shop.place(&order("OLD").of(2, "CHAIR").of(1, "LAMP"));
    shop.place(&order("YOUNG").of(3, "CHAIR"));
    shop.place(&order("URGENT").of(4, "CHAIR").with_priority(1));
    let list = shop.list("P-1");
    let expected = [(1, "B-1", "OLD", 1), (2, "B-2", "URGENT", 4), (3, "B-2", "OLD", 2), (4, "B-2", "YOUNG", 3)];
    assert_eq!(rows(&list), expected);
    assert_eq!(list.status(), PickListStatus::Open);
    assert!(shop.products.get(&sku("LAMP")).unwrap().events().last().is_some_and(|it| it.name() == "pick_listed"));
}

/// openboxes#229: a second list finds nothing that is on the first.
#[test]
fn only_units_that_are_firm_in_stock_and_on_no_list_are_listed() {
    let mut shop = Shop::of_chairs(&[("HERE", 9, Eta::InStock)]);
    shop.place(&order("CART").of(2, "CHAIR").held_for(60));
    shop.place(&order("FIRM").of(7, "CHAIR"));
    shop.receive("LATER", "CHAIR", 9, due(2));
    shop.place(&order("ON-ITS-WAY").of(1, "CHAIR"));
    assert_eq!(rows(&shop.list("P-1")), [(1, "HERE", "FIRM", 7)]);
    assert_eq!(shop.products.make_pick_list(&all("P-2")), Err(Pending::Refused(MakePickListError::NothingToPick)));
    assert_eq!(
        shop.products.make_pick_list(&all("P-1")),
        Err(Pending::Refused(MakePickListError::AlreadyExists(list_id("P-1"))))
    );
    let now = shop.now;
    shop.products.confirm(&id("CART"), now).unwrap();
    assert_eq!(rows(&shop.list("P-2")), [(1, "HERE", "CART", 2)]);
}

#[test]
fn a_list_takes_only_units_that_match_its_criteria() {
    let mut shop = Shop::of_chairs(&[("B-1", 2, Eta::InStock), ("B-2", 4, Eta::InStock)]);
    for name in ["O-1", "O-2", "O-3"] {
        shop.place(&order(name).of(2, "CHAIR"));
    }
    let make = |criteria| NewPickList::new(list_id("P-1"), criteria);
    let ask = |list: NewPickList| rows_of(&shop.products, &list);
    let references = Some(BTreeSet::from([batch("B-2")]));
    assert_eq!(ask(make(PickCriteria { references, ..PickCriteria::default() })), ["O-2", "O-3"]);
    let order_ids = Some(BTreeSet::from([id("O-1"), id("O-3")]));
    assert_eq!(ask(make(PickCriteria { order_ids, ..PickCriteria::default() })), ["O-1", "O-3"]);
    assert_eq!(ask(make(PickCriteria::default()).with_max_lines(2).unwrap()), ["O-1", "O-2"]);
    let skus = Some(BTreeSet::from([sku("LAMP")]));
    assert!(ask(make(PickCriteria { skus, ..PickCriteria::default() })).is_empty());
}

/// Returns the orders of a list with these criteria, without making it.
fn rows_of(products: &Products, list: &NewPickList) -> Vec<String> {
    let made = products.clone().make_pick_list(list);
    made.map(|made| made.lines.values().map(|line| line.order_id.to_string()).collect()).unwrap_or_default()
}

#[test]
fn a_list_is_shipped_when_all_of_it_is_picked_withdrawn_or_missing() {
    let mut shop = Shop::of_chairs(&[("B-1", 6, Eta::InStock)]);
    for name in ["O-1", "O-2", "O-3"] {
        shop.place(&order(name).of(2, "CHAIR"));
    }
    shop.list("P-1");
    shop.pick("P-1", 1, 2);
    let lines = vec![2, 3];
    assert_eq!(
        shop.products.ship(&list_id("P-1"), OpenLines::Refuse),
        Err(Pending::Refused(ShipError::NotPicked { list: list_id("P-1"), lines }))
    );
    shop.cancel("O-2");
    shop.pick("P-1", 3, 0);
    let list = shop.ship("P-1");
    let statuses: Vec<_> = list.lines.values().map(|line| line.status).collect();
    assert_eq!(statuses, [PickStatus::Shipped, PickStatus::Withdrawn, PickStatus::Missing]);
    assert_eq!(
        shop.products.ship(&list_id("P-9"), OpenLines::Refuse),
        Err(Pending::Refused(ShipError::NotFound(list_id("P-9"))))
    );
}

#[test]
fn a_list_without_picked_units_is_released_and_not_shipped() {
    let mut shop = listed();
    assert!(matches!(shop.products.release_pick_list(&list_id("P-1")), Ok(Outcome::Changed(_))));
    assert!(matches!(shop.products.release_pick_list(&list_id("P-1")), Ok(Outcome::Unchanged(_))));
    assert_eq!(
        shop.products.ship(&list_id("P-1"), OpenLines::Refuse),
        Err(Pending::Refused(ShipError::NothingPicked(list_id("P-1"))))
    );
    assert_eq!(shop.try_pick("P-1", 1, 5), Err(PickError::Withdrawn(pick_line("P-1", 1))));
    assert_eq!(shop.holds("O-1"), parts([("B-1", 5)]));
    shop.list("P-2");
    shop.pick("P-2", 1, 5);
    assert_eq!(
        shop.products.release_pick_list(&list_id("P-2")),
        Err(Pending::Refused(ReleasePickListError::Picked(list_id("P-2"))))
    );
    assert_eq!(
        shop.products.release_pick_list(&list_id("P-3")),
        Err(Pending::Refused(ReleasePickListError::NotFound(list_id("P-3"))))
    );
}

/// erpnext#52851, #50398: what is picked leaves, and the rest goes on the next list.
#[test]
fn open_lines_are_released_on_request_when_their_list_is_shipped() {
    let mut shop = Shop::of(&["CHAIR", "LAMP"]);
    shop.receive("B-1", "CHAIR", 8, Eta::InStock);
    shop.receive("B-2", "LAMP", 2, Eta::InStock);
    for name in ["O-1", "O-2", "O-3"] {
        shop.place(&order(name).of(2, "CHAIR"));
    }
    shop.place(&order("O-4").of(2, "LAMP"));
    shop.list("P-1");
    shop.pick("P-1", 2, 2);
    shop.pick("P-1", 3, 0);
    let shipped = match shop.products.ship(&list_id("P-1"), OpenLines::Release) {
        Ok(Outcome::Changed(list)) => list,
        other => panic!("{other:?}"),
    };
    let statuses: Vec<_> = shipped.lines.values().map(|line| line.status).collect();
    use PickStatus::{Missing, Shipped, Withdrawn};
    assert_eq!(statuses, [Withdrawn, Shipped, Missing, Withdrawn]);
    for open in [OpenLines::Release, OpenLines::Refuse] {
        assert_eq!(shop.products.ship(&list_id("P-1"), open), Ok(Outcome::Unchanged(shipped.clone())), "a repeat");
    }
    assert_eq!(rows(&shop.list("P-2")), [(1, "B-1", "O-1", 2), (2, "B-1", "O-3", 2), (3, "B-2", "O-4", 2)]);
}

#[test]
fn a_list_of_which_nothing_is_picked_is_not_shipped_and_keeps_its_open_lines() {
    let mut shop = Shop::of_chairs(&[("B-1", 4, Eta::InStock)]);
    for name in ["O-1", "O-2"] {
        shop.place(&order(name).of(2, "CHAIR"));
    }
    shop.list("P-1");
    shop.pick("P-1", 1, 0);
    let refused = Err(Pending::Refused(ShipError::NothingPicked(list_id("P-1"))));
    assert_eq!(shop.products.ship(&list_id("P-1"), OpenLines::Release), refused);
    assert_eq!(shop.pick_line("P-1", 2).status, PickStatus::Open);
}

#[test]
fn one_line_goes_back_for_another_list_and_the_rest_ships() {
    let mut shop = Shop::of_chairs(&[("B-1", 9, Eta::InStock)]);
    for name in ["O-1", "O-2", "O-3"] {
        shop.place(&order(name).of(2, "CHAIR"));
    }
    shop.list("P-1");
    shop.pick("P-1", 1, 2);
    shop.pick("P-1", 3, 0);
    let counts = shop.counts("B-1");
    let released = shop.products.release_pick_line(&pick_line("P-1", 2)).unwrap();
    assert!(matches!(released, Outcome::Changed(line) if line == shop.pick_line("P-1", 2)));
    assert_eq!(shop.pick_line("P-1", 2).status, PickStatus::Withdrawn);
    assert_eq!((shop.holds("O-2"), shop.counts("B-1")), (parts([("B-1", 2)]), counts));
    assert_eq!(shop.history("O-2").last(), Some(&"pick_line_withdrawn"));
    // A repeat, and a line of which nothing was found.
    for line in [2, 3] {
        assert!(matches!(shop.products.release_pick_line(&pick_line("P-1", line)), Ok(Outcome::Unchanged(_))));
    }
    assert_eq!(shop.ship("P-1").status(), PickListStatus::Shipped);
    // Line 3 was missing, and its order has other units instead.
    assert_eq!(rows(&shop.list("P-2")), [(1, "B-1", "O-2", 2), (2, "B-1", "O-3", 2)]);
}

#[test]
fn a_line_with_picked_units_is_not_released() {
    let mut shop = listed();
    shop.pick("P-1", 1, 3);
    for _ in 0..2 {
        assert_eq!(
            shop.products.release_pick_line(&pick_line("P-1", 1)),
            Err(Pending::Refused(ReleasePickLineError::Picked(pick_line("P-1", 1))))
        );
        assert_eq!(shop.pick_line("P-1", 1).picked, 3);
        // The second time, it is shipped.
        let _ = shop.products.ship(&list_id("P-1"), OpenLines::Refuse);
    }
    for unknown in [pick_line("P-1", 2), pick_line("P-2", 1)] {
        assert_eq!(
            shop.products.release_pick_line(&unknown),
            Err(Pending::Refused(ReleasePickLineError::NotFound(unknown.clone())))
        );
    }
}

#[test]
fn deallocated_and_cancelled_units_leave_their_list() {
    let mut shop = Shop::of_chairs(&[("B-1", 4, Eta::InStock)]);
    shop.place(&order("O-1").of(2, "CHAIR"));
    shop.place(&order("O-2").of(2, "CHAIR"));
    shop.list("P-1");
    let now = shop.now;
    shop.chairs().deallocate(&id("O-1"), &batch("B-1"), now).unwrap();
    shop.cancel("O-2");
    assert_eq!(shop.history("O-1")[3..], ["pick_line_withdrawn", "deallocated"]);
    assert_eq!(shop.history("O-2")[3..], ["pick_line_withdrawn", "deallocated", "line_cancelled"]);
    for line in [1, 2] {
        assert_eq!(shop.try_pick("P-1", line, 2), Err(PickError::Withdrawn(pick_line("P-1", line))));
    }
    assert_eq!(shop.counts("B-1"), [0, 0, 0, 0, 4]);
}

#[test]
fn units_that_leave_a_lowered_batch_leave_their_list() {
    let mut shop = Shop::of_chairs(&[("B-1", 8, Eta::InStock)]);
    shop.place(&order("OLD").of(4, "CHAIR"));
    shop.place(&order("YOUNG").of(4, "CHAIR"));
    shop.list("P-1");
    shop.lower("B-1", 7);
    assert_eq!((shop.pick_line("P-1", 2).quantity, shop.history("YOUNG")[3]), (units(3), "pick_line_changed"));
    shop.lower("B-1", 3);
    assert_eq!(shop.pick_line("P-1", 2).status, PickStatus::Withdrawn);
    assert_eq!(shop.pick_line("P-1", 1).quantity, units(3));
    shop.pick("P-1", 1, 3);
}

#[test]
fn units_no_longer_in_stock_leave_their_list_and_stay_allocated() {
    let mut shop = listed();
    shop.postpone("B-1", due(2), false);
    assert_eq!(shop.pick_line("P-1", 1).status, PickStatus::Withdrawn);
    assert_eq!(shop.holds("O-1"), parts([("B-1", 5)]));
    let names: Vec<_> = shop.chairs().events().iter().skip(4).map(Event::name).collect();
    assert_eq!(names, ["pick_listed", "pick_line_withdrawn", "batch_changed", "promise_worsened"]);
    shop.postpone("B-1", Eta::InStock, false);
    assert_eq!(rows(&shop.list("P-2")), [(1, "B-1", "O-1", 5)]);
}

#[test]
fn units_that_an_allocation_gains_while_listed_are_for_another_list() {
    let mut shop = Shop::of_chairs(&[("B-1", 3, Eta::InStock)]);
    shop.place(&order("O-1").of(5, "CHAIR").or_backorder());
    shop.list("P-1");
    shop.lower("B-1", 3);
    shop.change("B-1", BatchChange { purchased: Some(Units::new(5).unwrap()), ..BatchChange::default() }).unwrap();
    assert_eq!(shop.holds("O-1"), parts([("B-1", 5)]));
    assert_eq!(rows(&shop.list("P-2")), [(1, "B-1", "O-1", 2)]);
    // Unlisted units leave first, then those of the greater list.
    shop.lower("B-1", 2);
    assert_eq!(shop.pick_line("P-2", 1).status, PickStatus::Withdrawn);
    assert_eq!(shop.pick_line("P-1", 1).quantity, units(2));
}

#[test]
fn a_list_is_stored_from_its_changes() {
    let mut shop = Shop::of_chairs(&[("B-1", 5, Eta::InStock)]);
    shop.place(&order("O-1").of(5, "CHAIR"));
    let mut some = Products::from_iter([stored(shop.chairs())]);
    some.make_pick_list(&all("P-1")).unwrap();
    let product = some.into_iter().next().unwrap();
    let changes = product.changes();
    assert_eq!((changes.pick_lines.len(), changes.lines.len()), (1, 1));
    assert!(changes.pick_lines[0].before.is_none() && changes.batch_deltas.is_empty());

    let mut product = stored(&product);
    product.pick(&pick_line("P-1", 1), Units::new(3).unwrap(), shop.now).unwrap();
    let changes = product.changes();
    assert_eq!(changes.pick_lines[0].after.picked, 3);
    let counts = changes.changed_batches[0].counts();
    assert_eq!((counts.allocated, counts.picked, counts.missing), (0, 3, 2));
    assert_eq!((changes.totals.picked, changes.totals.in_stock), (3, -2));
    assert!(changes.batch_deltas.is_empty());
}
