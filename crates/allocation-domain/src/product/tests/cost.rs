//! The cost of a decision, counted in the lines and index entries that it visits.

use super::*;
use crate::indexed_lines::steps;
use crate::{
    Allocation, BatchChange, HoldDuration, LineRow, LineState, LineTerms, NewBatch, NewOrder, NewPickList, OnShortage,
    OpenLines, OrderTerms, PickCriteria, PickLineId, PickListId, Products, ReservationState, Units,
};
use chrono::TimeDelta;
use std::collections::BTreeSet;

/// Returns a product with free units in `B-1`, beside `others` lines that hold the units of `B-0` and
/// `others` lines that wait for more than is free.
fn crowded(others: u32) -> Product {
    let sku = Sku::parse("LAMP").unwrap();
    let crowd = Batch::new(reference("B-0"), sku.clone(), units(others), Eta::InStock, now());
    let crowd = crowd.with_allocated(others).unwrap();
    let free = Batch::new(reference("B-1"), sku.clone(), units(20), Eta::InStock, now() + TimeDelta::seconds(1));
    let holder = |number: u32| {
        let line = LineState::standalone(units(1), now());
        (order(&format!("H-{number:04}")), line.row().with(vec![Allocation::of(&crowd, units(1))]))
    };
    let terms = LineTerms {
        of_order: true,
        on_shortage: OnShortage::Backorder,
        allow_split: false,
        ..LineTerms::standalone(now())
    };
    let row = LineRow {
        quantity: units(1_000),
        terms,
        commitment: ReservationState::Firm,
        waiting: 1_000,
        ..LineState::standalone(units(1_000), now()).row()
    };
    let waiting = |number: u32| (order(&format!("W-{number:04}")), row.with(Vec::new()));
    Product::restore(ProductState {
        lines: (0..others).map(holder).collect(),
        waiting: (0..others).map(waiting).collect(),
        named_batches: vec![crowd.clone()],
        open_batches: vec![free],
        ..ProductState::new(sku, 1)
    })
}

/// Runs every decision beside `others` lines, and returns the steps that each of them takes.
fn steps_beside(others: u32) -> Vec<(&'static str, u64)> {
    let mut shop = Products::from_iter([crowded(others)]);
    let sku = Sku::parse("LAMP").unwrap();
    let new_order = |id: &str, hold| {
        let terms = OrderTerms { hold, ..OrderTerms::default() };
        NewOrder::new(order(id), [(sku.clone(), units(2))], terms).unwrap()
    };
    let hold = HoldDuration::from_seconds(600).unwrap();
    let list = |id: &str, criteria| NewPickList::new(PickListId::parse(id).unwrap(), criteria);
    let of_orders =
        PickCriteria { order_ids: Some(BTreeSet::from([order("O-1"), order("O-2")])), ..PickCriteria::default() };
    let line = |line| PickLineId { list: PickListId::parse("P-1").unwrap(), line };
    let change = |purchased| BatchChange { purchased: Some(Units::new(purchased).unwrap()), ..BatchChange::default() };
    let mut counted = Vec::new();
    macro_rules! count {
        ($name:literal, $shop:ident => $decision:expr) => {
            counted.push((
                $name,
                steps::of(|| {
                    let $shop = &mut shop;
                    std::hint::black_box($decision);
                }),
            ));
        };
    }
    macro_rules! lamps {
        ($shop:ident) => {
            $shop.get_mut(&sku).unwrap()
        };
    }
    // The first decision on a batch builds the index of all lines by batch.
    assert!(shop.get(&sku).unwrap().lines.batches().next().is_some());
    count!("allocate", shop => lamps!(shop).allocate(&order("O-1"), units(2), now()).unwrap());
    count!("place", shop => shop.place(&new_order("O-2", Some(hold)), now()).unwrap());
    count!("extend", shop => shop.extend(&order("O-2"), hold, now() + TimeDelta::seconds(1)).unwrap());
    count!("confirm", shop => shop.confirm(&order("O-2"), now()).unwrap());
    count!("place a cart", shop => shop.place(&new_order("O-3", Some(hold)), now()).unwrap());
    let later = now() + TimeDelta::seconds(601);
    count!("release expired", shop => lamps!(shop).release_expired(later).unwrap());
    count!("list by order", shop => shop.make_pick_list(&list("P-1", of_orders.clone())).unwrap());
    count!("pick short", shop => shop.pick(&line(1), Units::new(1).unwrap(), later).unwrap());
    count!("pick", shop => shop.pick(&line(2), Units::new(2).unwrap(), later).unwrap());
    count!("ship", shop => shop.ship(&line(1).list, OpenLines::Refuse).unwrap());
    let three = list("P-2", PickCriteria::default()).with_max_lines(3).unwrap();
    count!("list", shop => shop.make_pick_list(&three).unwrap());
    let first = PickLineId { list: three.list_id().clone(), line: 1 };
    count!("release list line", shop => shop.release_pick_line(&first).unwrap());
    count!("release list", shop => shop.release_pick_list(three.list_id()).unwrap());
    count!("raise", shop => lamps!(shop).change_batch(&reference("B-1"), &change(30), later).unwrap());
    count!("lower", shop => lamps!(shop).change_batch(&reference("B-1"), &change(4), later).unwrap());
    count!("deallocate", shop => lamps!(shop).deallocate(&order("H-0001"), &reference("B-0"), later).unwrap());
    count!("cancel", shop => shop.cancel(&order("H-0002"), later).unwrap());
    count!("add", shop => lamps!(shop).add_batch(NewBatch::new(reference("B-2"), units(9), Eta::InStock), later).unwrap().clone());
    count!("remove", shop => lamps!(shop).remove_batch(&reference("B-2"), later).unwrap());
    count!("changes", shop => lamps!(shop).changes());
    count!("drain events", shop => lamps!(shop).drain_events());
    counted
}

#[test]
fn the_cost_of_a_decision_does_not_grow_with_other_lines() {
    let few = steps_beside(10);
    assert_eq!(few, steps_beside(1_000));
    assert!(few.iter().any(|(name, steps)| *name == "allocate" && *steps > 0), "steps are counted: {few:?}");
}

#[test]
fn drained_events_end_a_unit_of_work() {
    let mut product = crowded(3);
    assert!(product.drain_events().is_empty());
    product.allocate(&order("O-1"), units(2), now()).unwrap();
    let names: Vec<_> = product.drain_events().iter().map(Event::name).collect();
    assert_eq!(names, ["allocated"]);
    assert!(product.changes().is_empty() && product.events().is_empty());
    product.deallocate(&order("O-1"), &reference("B-1"), now()).unwrap();
    let changes = product.changes();
    assert_eq!(changes.batch_deltas, [(&reference("B-1"), -2)]);
    assert_eq!(
        changes.lines.iter().map(|line| (line.before.is_some(), line.after)).collect::<Vec<_>>(),
        [(true, None)]
    );
}

#[test]
fn a_product_is_restored_from_its_state() {
    let mut product = crowded(3);
    product.allocate(&order("O-1"), units(2), now()).unwrap();
    let restored = Product::restore(product.state());
    assert_eq!(restored.batches(), product.batches());
    assert!(restored.lines().eq(product.lines()) && restored.waiting().eq(product.waiting()));
}
