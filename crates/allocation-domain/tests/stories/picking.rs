//! Picks, short picks and shipments.

use crate::shop::{Shop, batch, due, id, order, parts, units};
use crate::warehouse::{list_id, listed, pick_line, rows};
use allocation_domain::{
    BatchChange, CancelError, ChangeBatchError, DeallocateError, Eta, Event, OpenLines, OrderStatus, Outcome, Pending,
    PickError, PickListStatus, PickStatus, RemoveBatchError, Units,
};

#[test]
fn picked_units_are_shipped_for_good() {
    let mut shop = listed();
    assert_eq!(shop.pick("P-1", 1, 5).line.status, PickStatus::Picked);
    assert_eq!((shop.counts("B-1"), shop.status("O-1")), ([0, 5, 0, 0, 0], OrderStatus::Picked));
    let shipped = shop.ship("P-1");
    assert_eq!((shipped.status(), shop.status("O-1")), (PickListStatus::Shipped, OrderStatus::Shipped));
    assert_eq!(shop.counts("B-1"), [0, 0, 5, 0, 0]);
    let story = ["line_placed", "allocated", "pick_listed", "picked", "shipped"];
    assert_eq!(shop.history("O-1"), story);
    assert!(matches!(shop.products.ship(&list_id("P-1"), OpenLines::Refuse), Ok(Outcome::Unchanged(_))));
}

#[test]
fn totals_count_every_unit() {
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
fn a_repeated_pick_changes_nothing() {
    let mut shop = listed();
    assert!(matches!(shop.try_pick("P-1", 1, 6), Err(PickError::TooMany { .. })));
    shop.pick("P-1", 1, 4);
    let events_before = shop.chairs().events().len();
    assert!(matches!(shop.try_pick("P-1", 1, 4), Ok(Outcome::Unchanged(line)) if line.picked == 4));
    assert_eq!(shop.try_pick("P-1", 2, 5), Err(PickError::NotFound(pick_line("P-1", 2))));
    assert_eq!(shop.chairs().events().len(), events_before);
}

#[test]
fn short_picked_units_are_replaced_from_another_batch() {
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
fn a_line_waits_for_short_picked_units_without_replacement() {
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
fn units_of_the_same_batch_are_used_last() {
    let mut shop = Shop::of_chairs(&[("B-1", 9, Eta::InStock), ("B-2", 1, Eta::InStock)]);
    shop.place(&order("O-1").of(5, "CHAIR"));
    shop.list("P-1");
    let picked = shop.pick("P-1", 1, 2);
    assert_eq!((shop.holds("O-1"), picked.displaced), (parts([("B-1", 2), ("B-2", 1)]), None));
    assert_eq!(shop.counts("B-1"), [2, 2, 0, 3, 2]);
    let got: Vec<_> = picked.affected.iter().map(|it| (it.reference.as_str(), it.quantity.get())).collect();
    assert_eq!(got, [("B-2", 1), ("B-1", 2)], "all replacements are reported");
    let story = ["picked", "units_missing", "allocated", "allocated"];
    assert_eq!(shop.history("O-1")[3..], story, "it was never short");
}

#[test]
fn a_line_without_split_gets_all_short_picked_units_or_waits_for_them() {
    let mut shop = Shop::of_chairs(&[("B-1", 9, Eta::InStock), ("B-2", 2, due(2))]);
    shop.place(&order("O-1").of(6, "CHAIR").unsplit());
    shop.list("P-1");
    let picked = shop.pick("P-1", 1, 2);
    // Neither of the two batches has four, both together have.
    let got: Vec<_> = picked.affected.iter().map(|it| (it.reference.as_str(), it.quantity.get())).collect();
    assert_eq!((got, picked.displaced), (vec![("B-1", 3), ("B-2", 1)], None));
    shop.list("P-2");
    let displaced = shop.pick("P-2", 1, 0).displaced.unwrap();
    assert_eq!((displaced.quantity, shop.holds("O-1")), (units(3), parts([("B-2", 1)])));
}

#[test]
fn picked_units_are_neither_released_nor_cancelled() {
    let mut shop = Shop::of(&["CHAIR", "LAMP"]);
    shop.receive("B-1", "CHAIR", 5, Eta::InStock);
    shop.receive("L-1", "LAMP", 1, Eta::InStock);
    shop.place(&order("O-1").of(5, "CHAIR").of(1, "LAMP"));
    shop.list("P-1");
    shop.pick("P-1", 1, 5);
    let now = shop.now;
    let picked = DeallocateError::Picked { order_id: id("O-1"), reference: batch("B-1") };
    for _ in 0..2 {
        assert_eq!(shop.chairs().deallocate(&id("O-1"), &batch("B-1"), now), Err(Pending::Refused(picked.clone())));
        assert_eq!(shop.products.cancel(&id("O-1"), now), Err(Pending::Refused(CancelError::Picked(id("O-1")))));
        assert!(matches!(
            shop.chairs().remove_batch(&batch("B-1"), now),
            Err(Pending::Refused(RemoveBatchError::Picked { .. }))
        ));
        let purchased = Some(Units::new(4).unwrap());
        let error = shop.change("B-1", BatchChange { purchased, ..BatchChange::default() }).unwrap_err();
        assert!(matches!(error, ChangeBatchError::BelowConsumed { consumed: 5, .. }));
        if shop.pick_line("P-1", 2).is_open() {
            shop.pick("P-1", 2, 1);
            shop.ship("P-1");
        }
    }
    assert_eq!(shop.status("O-1"), OrderStatus::Shipped);
}

/// magento/inventory#1878: an order that is cancelled or closed after it was shipped frees nothing.
#[test]
fn shipped_units_are_not_freed_again() {
    let mut shop = Shop::of_chairs(&[("B-1", 8, Eta::InStock)]);
    shop.place(&order("O-1").of(5, "CHAIR"));
    shop.list("P-1");
    shop.pick("P-1", 1, 5);
    shop.ship("P-1");
    let now = shop.now;
    assert_eq!(shop.products.cancel(&id("O-1"), now), Err(Pending::Refused(CancelError::Picked(id("O-1")))));
    assert!(shop.chairs().deallocate(&id("O-1"), &batch("B-1"), now).is_err());
    assert_eq!(shop.close("O-1").status(shop.now), OrderStatus::Shipped);
    assert_eq!((shop.counts("B-1"), shop.free_chairs()), ([0, 0, 5, 0, 3], 3));
}

#[test]
fn a_batch_is_not_lowered_below_its_missing_units_but_can_be_removed() {
    let mut shop = listed();
    shop.pick("P-1", 1, 0);
    let error = shop.change("B-1", BatchChange { purchased: Some(Units::ZERO), ..BatchChange::default() }).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Batch B-1 cannot be lowered to 0 units: 5 were picked, shipped, found missing or removed by adjustments"
    );
    let now = shop.now;
    shop.chairs().remove_batch(&batch("B-1"), now).unwrap();
}

#[test]
fn a_lowered_batch_keeps_its_picked_units() {
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
fn a_repeated_line_counts_its_picked_units() {
    let mut shop = Shop::of_chairs(&[("B-1", 5, Eta::InStock)]);
    let now = shop.now;
    shop.chairs().allocate(&id("O-1"), units(5), now).unwrap();
    shop.list("P-1");
    shop.pick("P-1", 1, 5);
    let again = shop.chairs().allocate(&id("O-1"), units(5), now).unwrap();
    assert!(matches!(again, Outcome::Unchanged(line) if line.fulfilment.picked == 5));
    shop.ship("P-1");
    assert!(matches!(shop.chairs().allocate(&id("O-1"), units(5), now), Ok(Outcome::Unchanged(_))));
}

#[test]
fn unpicked_units_can_be_released_beside_picked_ones() {
    let mut shop = Shop::of_chairs(&[("B-1", 3, Eta::InStock)]);
    shop.place(&order("O-1").of(5, "CHAIR").or_backorder());
    shop.list("P-1");
    shop.pick("P-1", 1, 3);
    shop.change("B-1", BatchChange { purchased: Some(Units::new(5).unwrap()), ..BatchChange::default() }).unwrap();
    let now = shop.now;
    assert_eq!(shop.chairs().deallocate(&id("O-1"), &batch("B-1"), now), Ok(units(2)));
    assert_eq!((shop.counts("B-1"), shop.status("O-1")), ([0, 3, 0, 0, 2], OrderStatus::PartiallyAllocated));
}
