//! The invariants of pick lists after every command.

use allocation_domain::{
    BatchReference, Eta, Fulfilment, NewPickList, OrderId, Outcome, PickLine, PickLineId, PickStatus, Picked, Product,
    Products, QueuePosition, ReservationState,
};
use std::collections::BTreeMap;

/// Listed units are allocated firmly, in stock, and on one list; lines and batches count picked units.
pub(crate) fn lists_agree_with_allocations(product: &Product) {
    let mut of_lines: BTreeMap<&OrderId, Fulfilment> = BTreeMap::new();
    let mut of_batches: BTreeMap<&BatchReference, (u32, u32)> = BTreeMap::new();
    let mut open: BTreeMap<(&OrderId, &BatchReference), u32> = BTreeMap::new();
    for (_, pick) in product.pick_lines() {
        assert!(pick.picked <= pick.quantity.get());
        match pick.status {
            PickStatus::Open => {
                of_lines.entry(&pick.order_id).or_default().listed += pick.quantity.get();
                *open.entry((&pick.order_id, &pick.reference)).or_default() += pick.quantity.get();
            }
            PickStatus::Picked => {
                of_lines.entry(&pick.order_id).or_default().picked += pick.picked;
                of_batches.entry(&pick.reference).or_default().0 += pick.picked;
            }
            PickStatus::Shipped => {
                of_lines.entry(&pick.order_id).or_default().shipped += pick.picked;
                of_batches.entry(&pick.reference).or_default().1 += pick.picked;
            }
            PickStatus::Missing | PickStatus::Withdrawn => assert_eq!(pick.picked, 0),
        }
    }
    for ((order_id, reference), listed) in open {
        let line = product.line(order_id).unwrap();
        assert_eq!(line.commitment, ReservationState::Firm);
        assert!(line.holds(reference).unwrap().get() >= listed, "no unit is on two lists, or on one and not reserved");
        assert_eq!(product.batch(reference).unwrap().eta(), Eta::InStock);
    }
    for (order_id, line) in product.lines() {
        assert_eq!(line.fulfilment, of_lines.remove(order_id).unwrap_or_default());
    }
    assert!(of_lines.is_empty(), "no line is forgotten of which something is on a list or was picked");
    for batch in product.batches() {
        let counted = (batch.counts().picked, batch.counts().shipped);
        assert_eq!(counted, of_batches.remove(batch.reference()).unwrap_or_default());
    }
    assert!(of_batches.is_empty(), "no batch is removed of which something was picked");
}

/// Picked units stay picked until they are shipped, and shipped units stay shipped.
pub(crate) fn no_pick_is_undone(before: &Product, after: &Product) {
    for (id, was) in before.pick_lines() {
        let is = after.pick_line(id).unwrap();
        assert_eq!((&is.order_id, &is.reference), (&was.order_id, &was.reference));
        match was.status {
            PickStatus::Open => assert!(is.quantity <= was.quantity),
            PickStatus::Picked => {
                assert_eq!((is.picked, is.quantity), (was.picked, was.quantity));
                assert!(is.is_taken());
            }
            PickStatus::Missing | PickStatus::Shipped | PickStatus::Withdrawn => assert_eq!(is, was),
        }
    }
}

/// A new list is sorted, and leaves out no candidate for which it has room.
pub(crate) fn a_list_is_complete(after: &Products, list: &NewPickList) {
    let made = after.pick_list(list.list_id()).unwrap();
    assert!(made.lines.len() <= list.max_lines());
    assert_eq!(made.lines.keys().copied().collect::<Vec<_>>(), (1..).take(made.lines.len()).collect::<Vec<u32>>());
    let places = made.lines.values().map(|pick| {
        assert!(list.criteria().takes(&pick.reference, &pick.sku, &pick.order_id));
        let line = after.get(&pick.sku).unwrap().line(&pick.order_id).unwrap();
        (&pick.reference, QueuePosition::of(&pick.order_id, line))
    });
    assert!(places.is_sorted());
    if made.lines.len() < list.max_lines() {
        for product in after.iter() {
            nothing_is_left(product, list);
        }
    }
}

fn nothing_is_left(product: &Product, list: &NewPickList) {
    for (order_id, line) in product.lines().filter(|(_, line)| line.commitment == ReservationState::Firm) {
        for part in line.allocations.iter().filter(|part| part.eta == Eta::InStock) {
            let on = product
                .pick_lines()
                .filter(|(_, pick)| pick.is_open() && (&pick.order_id, &pick.reference) == (order_id, &part.reference));
            let listed: u32 = on.map(|(_, pick)| pick.quantity.get()).sum();
            let wanted = list.criteria().takes(&part.reference, product.sku(), order_id);
            assert!(!wanted || listed == part.quantity.get(), "{order_id} is left out");
        }
    }
}

/// The line gets short-picked units elsewhere or waits for them, and the batch loses them.
pub(crate) fn short_picked_units_are_replaced(before: &Products, after: &Products, id: &PickLineId) {
    let [was, is] = [before, after].map(|products| products.pick_list(&id.list).unwrap().lines[&id.line].clone());
    let missing = if was.is_open() { is.quantity.get() - is.picked } else { 0 };
    let (product_before, product) = (before.get(&is.sku).unwrap(), after.get(&is.sku).unwrap());
    let had = |product: &Product| product.line(&is.order_id).map(|line| line.served() + line.waiting);
    assert_eq!(had(product_before), had(product));
    let counted = |product: &Product| product.batch(&is.reference).unwrap().counts().missing;
    assert_eq!(counted(product_before) + missing, counted(product));
}

/// The outcome of a pick accounts for every missing unit.
pub(crate) fn every_missing_unit_is_accounted_for(outcome: &Outcome<Picked, PickLine>) {
    if let Outcome::Changed(picked) = outcome {
        let got: u32 = picked.affected.iter().map(|it| it.quantity.get()).sum();
        let waits_for = picked.displaced.as_ref().map_or(0, |it| it.quantity.get());
        assert_eq!(got + waits_for, picked.missing, "{picked:?}");
    }
}
