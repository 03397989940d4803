//! The warehouse picks, misses and ships.

use crate::partly_loaded::stored;
use crate::shop::{Shop, batch, due, id, order, parts, sku, units};
use allocation_domain::{
    AllocationOutcome, BatchChange, CancelError, ChangeBatchError, DeallocateError, Eta, Event, GiveBackError,
    GiveBackOutcome, MakePickListError, NewPickList, OrderStatus, PickCriteria, PickError, PickLine, PickLineId,
    PickList, PickListId, PickListStatus, PickOutcome, PickStatus, Picked, Products, RemoveBatchError, ShipError,
    ShipOutcome, Units,
};
use std::collections::BTreeSet;

fn list_id(text: &str) -> PickListId {
    PickListId::parse(text).unwrap()
}

fn all(text: &str) -> NewPickList {
    NewPickList::new(list_id(text), PickCriteria::default())
}

fn pick_line(list: &str, line: u32) -> PickLineId {
    PickLineId { list: list_id(list), line }
}

impl Shop {
    fn list(&mut self, text: &str) -> PickList {
        self.products.make_pick_list(&all(text)).unwrap()
    }

    fn try_pick(&mut self, list: &str, line: u32, found: u32) -> Result<PickOutcome, PickError> {
        self.products.pick(&pick_line(list, line), Units::new(found).unwrap(), self.now)
    }

    fn pick(&mut self, list: &str, line: u32, found: u32) -> Picked {
        match self.try_pick(list, line, found) {
            Ok(PickOutcome::Picked(picked)) => picked,
            other => panic!("{other:?}"),
        }
    }

    fn ship(&mut self, list: &str) -> PickList {
        match self.products.ship(&list_id(list)) {
            Ok(ShipOutcome::Shipped(list)) => list,
            other => panic!("{other:?}"),
        }
    }

    fn pick_line(&self, list: &str, line: u32) -> PickLine {
        self.products.pick_list(&list_id(list)).unwrap().lines[&line].clone()
    }

    /// Allocated, picked, shipped, missing and free units of a batch of chairs.
    fn counts(&mut self, reference: &str) -> [u32; 5] {
        let found = self.chairs().batch(&batch(reference)).unwrap();
        let counts = found.counts();
        [counts.allocated, counts.picked, counts.shipped, counts.missing, found.available()]
    }
}

/// Number, batch, order and units of the lines of a list.
fn rows(list: &PickList) -> Vec<(u32, &str, &str, u32)> {
    let row = |(number, line): (&u32, &'_ PickLine)| (*number, line.quantity.get());
    let names = list.lines.values().map(|line| (line.reference.as_str(), line.order_id.as_str()));
    list.lines.iter().map(row).zip(names).map(|((line, units), (batch, order))| (line, batch, order, units)).collect()
}

/// A shop with five chairs for an order, on a list.
fn listed() -> Shop {
    let mut shop = Shop::of_chairs(&[("B-1", 5, Eta::InStock)]);
    shop.place(&order("O-1").of(5, "CHAIR"));
    shop.list("P-1");
    shop
}

#[test]
fn a_list_is_grouped_by_batch_and_in_the_order_in_which_lines_are_served() {
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

#[test]
fn only_what_is_firm_in_stock_and_on_no_list_is_listed() {
    let mut shop = Shop::of_chairs(&[("HERE", 9, Eta::InStock)]);
    shop.place(&order("CART").of(2, "CHAIR").held_for(60));
    shop.place(&order("FIRM").of(7, "CHAIR"));
    shop.receive("LATER", "CHAIR", 9, due(2));
    shop.place(&order("ON-ITS-WAY").of(1, "CHAIR"));
    assert_eq!(rows(&shop.list("P-1")), [(1, "HERE", "FIRM", 7)]);
    assert_eq!(shop.products.make_pick_list(&all("P-2")), Err(MakePickListError::NothingToPick));
    assert_eq!(shop.products.make_pick_list(&all("P-1")), Err(MakePickListError::AlreadyExists(list_id("P-1"))));
    let now = shop.now;
    shop.products.confirm(&id("CART"), now).unwrap();
    assert_eq!(rows(&shop.list("P-2")), [(1, "HERE", "CART", 2)]);
}

#[test]
fn a_list_takes_what_is_asked_for_and_no_more() {
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

/// The orders of a list if it were made.
fn rows_of(products: &Products, list: &NewPickList) -> Vec<String> {
    let made = products.clone().make_pick_list(list);
    made.map(|made| made.lines.values().map(|line| line.order_id.to_string()).collect()).unwrap_or_default()
}

#[test]
fn what_is_picked_is_shipped_for_good() {
    let mut shop = listed();
    assert_eq!(shop.pick("P-1", 1, 5).line.status, PickStatus::Picked);
    assert_eq!((shop.counts("B-1"), shop.status("O-1")), ([0, 5, 0, 0, 0], OrderStatus::Picked));
    let shipped = shop.ship("P-1");
    assert_eq!((shipped.status(), shop.status("O-1")), (PickListStatus::Shipped, OrderStatus::Shipped));
    assert_eq!(shop.counts("B-1"), [0, 0, 5, 0, 0]);
    let story = ["line_placed", "allocated", "pick_listed", "picked", "shipped"];
    assert_eq!(shop.history("O-1"), story);
    assert!(matches!(shop.products.ship(&list_id("P-1")), Ok(ShipOutcome::Unchanged(_))));
}

#[test]
fn totals_tell_what_is_there() {
    let mut shop = Shop::of_chairs(&[("B-1", 9, Eta::InStock), ("B-2", 3, due(2))]);
    shop.place(&order("O-1").of(4, "CHAIR"));
    shop.list("P-1");
    shop.pick("P-1", 1, 2);
    let now = shop.now;
    let totals = shop.chairs().totals(now).unwrap();
    assert_eq!((totals.in_stock, totals.on_its_way), (7, 3));
    assert_eq!((totals.allocated, totals.picked, totals.available), (2, 2, 6));
    shop.ship("P-1");
    let totals = shop.chairs().totals(now).unwrap();
    assert_eq!((totals.in_stock, totals.picked), (5, 0));
}

#[test]
fn picking_again_changes_nothing_and_never_another_quantity() {
    let mut shop = listed();
    assert!(matches!(shop.try_pick("P-1", 1, 6), Err(PickError::TooMany { .. })));
    shop.pick("P-1", 1, 4);
    let told = shop.chairs().events().len();
    assert!(matches!(shop.try_pick("P-1", 1, 4), Ok(PickOutcome::Unchanged(line)) if line.picked == 4));
    let error = shop.try_pick("P-1", 1, 5).unwrap_err();
    assert_eq!(error.to_string(), "Line 1 of pick list P-1 was picked with 4 units already, not with 5");
    assert_eq!(shop.try_pick("P-1", 2, 5), Err(PickError::NotFound(pick_line("P-1", 2))));
    assert_eq!(shop.chairs().events().len(), told);
}

#[test]
fn what_is_missing_is_taken_off_the_batch_and_had_from_another() {
    let mut shop = listed();
    shop.receive("B-2", "CHAIR", 2, due(2));
    let picked = shop.pick("P-1", 1, 3);
    assert_eq!((picked.line.picked, picked.missing, picked.displaced), (3, 2, None));
    assert_eq!(picked.affected[0].new_eta, due(2));
    assert_eq!((shop.counts("B-1"), shop.counts("B-2")), ([0, 3, 0, 2, 0], [2, 0, 0, 0, 0]));
    let story = ["picked", "units_missing", "allocated", "promise_worsened"];
    assert_eq!(shop.history("O-1")[3..], story);
    assert_eq!(shop.chairs().events().last().map(Event::name), Some("out_of_stock"));
}

#[test]
fn what_is_missing_and_nowhere_else_is_waited_for() {
    let mut shop = Shop::of_chairs(&[("B-1", 8, Eta::InStock)]);
    shop.place(&order("ASKED").of(4, "CHAIR").or_backorder());
    shop.place(&order("DID-NOT").of(4, "CHAIR"));
    shop.list("P-1");
    let asked = shop.pick("P-1", 1, 1).displaced.unwrap();
    assert_eq!((asked.quantity, asked.short), (units(3), false));
    let did_not = shop.pick("P-1", 2, 0).displaced.unwrap();
    assert_eq!((did_not.quantity, did_not.short), (units(4), true));
    assert_eq!(shop.pick_line("P-1", 2).status, PickStatus::Missing);
    assert_eq!((shop.status("ASKED"), shop.status("DID-NOT")), (OrderStatus::PartiallyAllocated, OrderStatus::Short));
    shop.receive("B-2", "CHAIR", 7, Eta::InStock);
    assert_eq!(rows(&shop.list("P-2")), [(1, "B-2", "ASKED", 3), (2, "B-2", "DID-NOT", 4)]);
}

#[test]
fn what_the_batch_still_has_is_taken_last() {
    let mut shop = Shop::of_chairs(&[("B-1", 9, Eta::InStock), ("B-2", 1, due(2))]);
    shop.place(&order("O-1").of(5, "CHAIR"));
    shop.list("P-1");
    let picked = shop.pick("P-1", 1, 2);
    assert_eq!((shop.holds("O-1"), picked.displaced), (parts([("B-1", 2), ("B-2", 1)]), None));
    assert_eq!(shop.counts("B-1"), [2, 2, 0, 3, 2]);
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
    assert_eq!(shop.products.ship(&list_id("P-1")), Err(ShipError::NotPicked { list: list_id("P-1"), lines }));
    shop.cancel("O-2");
    shop.pick("P-1", 3, 0);
    let list = shop.ship("P-1");
    let statuses: Vec<_> = list.lines.values().map(|line| line.status).collect();
    assert_eq!(statuses, [PickStatus::Shipped, PickStatus::Withdrawn, PickStatus::Missing]);
    assert_eq!(shop.products.ship(&list_id("P-9")), Err(ShipError::NotFound(list_id("P-9"))));
}

#[test]
fn a_list_of_which_nothing_was_picked_is_not_shipped_but_given_back() {
    let mut shop = listed();
    assert!(matches!(shop.products.give_back(&list_id("P-1")), Ok(GiveBackOutcome::GivenBack(_))));
    assert!(matches!(shop.products.give_back(&list_id("P-1")), Ok(GiveBackOutcome::Unchanged(_))));
    assert_eq!(shop.products.ship(&list_id("P-1")), Err(ShipError::NothingPicked(list_id("P-1"))));
    assert_eq!(shop.try_pick("P-1", 1, 5), Err(PickError::Withdrawn(pick_line("P-1", 1))));
    assert_eq!(shop.holds("O-1"), parts([("B-1", 5)]));
    shop.list("P-2");
    shop.pick("P-2", 1, 5);
    assert_eq!(shop.products.give_back(&list_id("P-2")), Err(GiveBackError::Picked(list_id("P-2"))));
    assert_eq!(shop.products.give_back(&list_id("P-3")), Err(GiveBackError::NotFound(list_id("P-3"))));
}

#[test]
fn what_is_deallocated_or_cancelled_leaves_its_list() {
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
fn what_leaves_a_lowered_batch_leaves_its_list_with_just_as_much() {
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
fn what_is_not_in_stock_any_more_leaves_its_list_and_keeps_its_units() {
    let mut shop = listed();
    shop.postpone("B-1", due(2), false);
    assert_eq!(shop.pick_line("P-1", 1).status, PickStatus::Withdrawn);
    assert_eq!(shop.holds("O-1"), parts([("B-1", 5)]));
    let told: Vec<_> = shop.chairs().events().iter().skip(4).map(Event::name).collect();
    assert_eq!(told, ["pick_listed", "pick_line_withdrawn", "batch_changed", "promise_worsened"]);
    shop.postpone("B-1", Eta::InStock, false);
    assert_eq!(rows(&shop.list("P-2")), [(1, "B-1", "O-1", 5)]);
}

#[test]
fn what_was_picked_is_not_undone() {
    let mut shop = Shop::of(&["CHAIR", "LAMP"]);
    shop.receive("B-1", "CHAIR", 5, Eta::InStock);
    shop.receive("L-1", "LAMP", 1, Eta::InStock);
    shop.place(&order("O-1").of(5, "CHAIR").of(1, "LAMP"));
    shop.list("P-1");
    shop.pick("P-1", 1, 5);
    let now = shop.now;
    let picked = DeallocateError::Picked { order_id: id("O-1"), reference: batch("B-1") };
    for _ in 0..2 {
        assert_eq!(shop.chairs().deallocate(&id("O-1"), &batch("B-1"), now), Err(picked.clone()));
        assert_eq!(shop.products.cancel(&id("O-1"), now), Err(CancelError::Picked(id("O-1"))));
        assert!(matches!(shop.chairs().remove_batch(&batch("B-1"), now), Err(RemoveBatchError::Picked { .. })));
        let purchased = Some(Units::new(4).unwrap());
        let error = shop.change("B-1", BatchChange { purchased, ..BatchChange::default() }).unwrap_err();
        assert!(matches!(error, ChangeBatchError::BelowGone { gone: 5, .. }));
        if shop.pick_line("P-1", 2).is_open() {
            shop.pick("P-1", 2, 1);
            shop.ship("P-1");
        }
    }
    assert_eq!(shop.status("O-1"), OrderStatus::Shipped);
}

#[test]
fn what_is_missing_cannot_be_lowered_away_but_removed_with_its_batch() {
    let mut shop = listed();
    shop.pick("P-1", 1, 0);
    let error = shop.change("B-1", BatchChange { purchased: Some(Units::ZERO), ..BatchChange::default() }).unwrap_err();
    assert_eq!(error.to_string(), "Batch B-1 cannot come to 0 units: 5 were picked, shipped or found missing");
    let now = shop.now;
    shop.chairs().remove_batch(&batch("B-1"), now).unwrap();
}

#[test]
fn a_lowered_batch_keeps_what_was_picked_and_loses_the_rest() {
    let mut shop = Shop::of_chairs(&[("B-1", 6, Eta::InStock)]);
    shop.place(&order("OLD").of(3, "CHAIR"));
    shop.place(&order("YOUNG").of(3, "CHAIR"));
    shop.list("P-1");
    shop.pick("P-1", 2, 3);
    let changed = shop.lower("B-1", 4);
    assert_eq!(changed.displaced[0].order_id, id("OLD"));
    assert_eq!((shop.counts("B-1"), shop.pick_line("P-1", 1).quantity), ([1, 3, 0, 0, 0], units(1)));
}

#[test]
fn a_line_that_is_sent_again_has_had_what_was_picked() {
    let mut shop = Shop::of_chairs(&[("B-1", 5, Eta::InStock)]);
    let now = shop.now;
    shop.chairs().allocate(&id("O-1"), units(5), now).unwrap();
    shop.list("P-1");
    shop.pick("P-1", 1, 5);
    let again = shop.chairs().allocate(&id("O-1"), units(5), now).unwrap();
    assert!(matches!(again, AllocationOutcome::Unchanged(line) if line.fulfilment.picked == 5));
    shop.ship("P-1");
    assert!(matches!(shop.chairs().allocate(&id("O-1"), units(5), now), Ok(AllocationOutcome::Unchanged(_))));
}

#[test]
fn what_an_allocation_gets_more_while_it_is_on_a_list_is_for_another() {
    let mut shop = Shop::of_chairs(&[("B-1", 3, Eta::InStock)]);
    shop.place(&order("O-1").of(5, "CHAIR").or_backorder());
    shop.list("P-1");
    shop.lower("B-1", 3);
    shop.change("B-1", BatchChange { purchased: Some(Units::new(5).unwrap()), ..BatchChange::default() }).unwrap();
    assert_eq!(shop.holds("O-1"), parts([("B-1", 5)]));
    assert_eq!(rows(&shop.list("P-2")), [(1, "B-1", "O-1", 2)]);
    // What is on no list leaves first, then the greater list.
    shop.lower("B-1", 2);
    assert_eq!(shop.pick_line("P-2", 1).status, PickStatus::Withdrawn);
    assert_eq!(shop.pick_line("P-1", 1).quantity, units(2));
}

#[test]
fn units_that_were_not_picked_can_be_given_back_beside_those_that_were() {
    let mut shop = Shop::of_chairs(&[("B-1", 3, Eta::InStock)]);
    shop.place(&order("O-1").of(5, "CHAIR").or_backorder());
    shop.list("P-1");
    shop.pick("P-1", 1, 3);
    shop.change("B-1", BatchChange { purchased: Some(Units::new(5).unwrap()), ..BatchChange::default() }).unwrap();
    let now = shop.now;
    assert_eq!(shop.chairs().deallocate(&id("O-1"), &batch("B-1"), now), Ok(units(2)));
    assert_eq!((shop.counts("B-1"), shop.status("O-1")), ([0, 3, 0, 0, 2], OrderStatus::PartiallyAllocated));
}

#[test]
fn a_list_is_stored_as_its_changes_tell() {
    let mut shop = Shop::of_chairs(&[("B-1", 5, Eta::InStock)]);
    shop.place(&order("O-1").of(5, "CHAIR"));
    let mut some = Products::from_iter([stored(shop.chairs())]);
    some.make_pick_list(&all("P-1")).unwrap();
    let product = some.into_iter().next().unwrap();
    let changes = product.changes();
    assert_eq!((changes.pick_lines.len(), changes.lines.len(), changes.allocations.len()), (1, 1, 0));
    assert!(changes.pick_lines[0].before.is_none() && changes.batch_deltas.is_empty());

    let mut product = stored(&product);
    product.pick(&pick_line("P-1", 1), Units::new(3).unwrap(), shop.now).unwrap();
    let changes = product.changes();
    assert_eq!(changes.pick_lines[0].after.picked, 3);
    let (_, counts) = changes.counted_batches[0];
    assert_eq!((counts.allocated, counts.picked, counts.missing), (-5, 3, 2));
    assert_eq!((changes.totals.picked, changes.totals.in_stock), (3, -2));
    assert!(changes.batch_deltas.is_empty());
}
