//! The invariants of pick lists after every command.

use allocation_domain::{
    BatchReference, Eta, Event, Fulfilment, LineState, NewPickList, NewShipment, OrderId, Outcome, PickLine,
    PickLineId, PickStatus, Picked, Product, Products, Quantity, QueuePosition, ReservationState,
};
use std::collections::BTreeMap;

/// Listed units are allocated firmly, in stock, and on one list; lines and batches count picked units.
pub(crate) fn lists_agree_with_allocations(product: &Product) {
    let mut of_lines: BTreeMap<&OrderId, Fulfilment> = BTreeMap::new();
    let mut of_batches: BTreeMap<&BatchReference, (u32, u32)> = BTreeMap::new();
    let mut open: BTreeMap<(&OrderId, &BatchReference), u32> = BTreeMap::new();
    for (_, pick) in product.pick_lines() {
        assert!(pick.picked + pick.put_back <= pick.quantity.get());
        assert_eq!(pick.status == PickStatus::Shipped, pick.picked > 0 && pick.shipped == pick.picked);
        match pick.status {
            PickStatus::Open => {
                of_lines.entry(&pick.order_id).or_default().listed += pick.quantity.get();
                *open.entry((&pick.order_id, &pick.reference)).or_default() += pick.quantity.get();
            }
            PickStatus::Picked | PickStatus::Shipped => {
                let of_line = of_lines.entry(&pick.order_id).or_default();
                of_line.picked += pick.picked - pick.shipped;
                of_line.shipped += pick.shipped;
                let of_batch = of_batches.entry(&pick.reference).or_default();
                of_batch.0 += pick.picked - pick.shipped;
                of_batch.1 += pick.shipped;
            }
            PickStatus::Missing | PickStatus::Withdrawn => assert_eq!((pick.picked, pick.shipped), (0, 0)),
        }
    }
    for ((order_id, reference), listed) in open {
        let line = product.line(order_id).unwrap();
        assert_eq!(line.commitment, ReservationState::Firm);
        assert!(line.holds(reference).unwrap().get() >= listed, "no unit is on two lists, or on one and not reserved");
        assert_eq!(product.batch(reference).unwrap().eta(), Eta::InStock);
    }
    for (order_id, line) in product.lines() {
        let on_lists = Fulfilment { returned: 0, ..line.fulfilment };
        assert_eq!(on_lists, of_lines.remove(order_id).unwrap_or_default());
    }
    assert!(of_lines.is_empty(), "no line is forgotten of which something is on a list or was picked");
    for batch in product.batches() {
        let counted = (batch.counts().picked, batch.counts().shipped);
        assert_eq!(counted, of_batches.remove(batch.reference()).unwrap_or_default());
    }
    assert!(of_batches.is_empty(), "no batch is removed of which something was picked");
}

/// Without a request for their pick line, picked units stay picked until they are shipped; shipped units stay shipped.
pub(crate) fn picks_change_only_on_request(before: &Product, after: &Product, of_line: Option<&PickLineId>) {
    for (id, was) in before.pick_lines() {
        let is = after.pick_line(id).unwrap();
        assert_eq!((&is.order_id, &is.reference), (&was.order_id, &was.reference));
        if of_line == Some(id) && was.status != PickStatus::Shipped {
            assert!(was.is_open() || is.quantity == was.quantity);
            assert!(is.put_back >= was.put_back, "what was put back is not picked again by that line");
            assert_eq!(is.shipped, was.shipped, "what is shipped is neither put back nor corrected");
            continue;
        }
        match was.status {
            PickStatus::Open => assert!(is.quantity <= was.quantity),
            PickStatus::Picked => {
                assert_eq!((is.picked, is.put_back, is.quantity), (was.picked, was.put_back, was.quantity));
                assert!(is.is_taken() && is.shipped >= was.shipped);
            }
            PickStatus::Missing | PickStatus::Shipped | PickStatus::Withdrawn => assert_eq!(is, was),
        }
    }
}

/// A new list is sorted, and leaves out no candidate for which it has room.
pub(crate) fn a_list_is_complete(before: &Products, after: &Products, list: &NewPickList) {
    let made = after.pick_list(list.list_id()).unwrap();
    for pick in made.lines.values() {
        let order = before.order(&pick.order_id).unwrap();
        let line = before.get(&pick.sku).unwrap().line(&pick.order_id).unwrap();
        assert!(!line.terms.ship_complete || order.is_in_stock(), "{pick:?} is of an order that is not in stock");
    }
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
            nothing_is_left(after, product, list);
        }
    }
}

fn nothing_is_left(after: &Products, product: &Product, list: &NewPickList) {
    let may_ship = |order_id: &OrderId, line: &LineState| {
        !line.terms.ship_complete || after.order(order_id).is_some_and(|order| order.is_in_stock())
    };
    let firm = product.lines().filter(|(_, line)| line.commitment == ReservationState::Firm);
    for (order_id, line) in firm.filter(|(order_id, line)| may_ship(order_id, line)) {
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

/// The batch loses the units that were not found, or has them again. A line that lives has or waits for as many units
/// as before, and one that has ended gets none.
pub(crate) fn found_and_missing_units_are_accounted_for(before: &Products, after: &Products, id: &PickLineId) {
    let [was, is] = [before, after].map(|products| products.pick_list(&id.list).unwrap().lines[&id.line].clone());
    let sku = &is.sku;
    let missing = |pick: &PickLine| pick.found().map_or(0, |found| pick.quantity.get() - found);
    let of_batch = |products: &Products| {
        let batch = products.get(sku).unwrap().batch(&is.reference);
        batch.map_or(0, |batch| batch.counts().missing)
    };
    assert_eq!(of_batch(before) + missing(&is), of_batch(after) + missing(&was));
    let line = |products: &Products| products.get(sku).unwrap().line(&is.order_id).cloned();
    let (Some(had), Some(has)) = (line(before), line(after)) else { return };
    if has.commitment == ReservationState::Firm {
        assert_eq!(had.served() + had.waiting, has.served() + has.waiting);
        let surplus = is.put_back - was.put_back;
        assert!(surplus == 0 || has.allocated() + has.waiting == 0, "units that the line wants are not put back");
    } else {
        assert!(has.allocated() == 0 && has.waiting == 0);
        assert!(has.fulfilment.picked <= had.fulfilment.picked, "nothing more is to come");
    }
}

/// A shipment ships the units of all its lines, or nothing.
pub(crate) fn shipped_as_requested(before: &Products, after: &Products, shipment: &NewShipment, is_done: bool) {
    for product in before.iter() {
        for (id, was) in product.pick_lines() {
            let is = after.get(product.sku()).unwrap().pick_line(id).unwrap();
            let line = shipment.lines().iter().find(|line| line.id == *id).filter(|_| is_done);
            let units = line.map_or(0, |line| line.quantity.map_or(was.to_ship(), Quantity::get));
            assert!(line.is_none() || units > 0, "each line ships something");
            assert_eq!((is.shipped, is.picked), (was.shipped + units, was.picked));
        }
    }
}

/// Units that are put back are allocated to their line again, or free if it is closed.
pub(crate) fn put_back_units_are_kept(before: &Products, after: &Products, id: &PickLineId, total: Quantity) {
    let [was, is] = [before, after].map(|products| products.pick_list(&id.list).unwrap().lines[&id.line].clone());
    assert_eq!((is.put_back, is.found()), (total.get(), was.found()));
    let units = is.put_back - was.put_back;
    let line = |products: &Products| products.get(&is.sku).unwrap().line(&is.order_id).cloned().unwrap();
    if units == 0 {
        return;
    }
    let (had, has) = (line(before), line(after));
    assert_eq!(had.fulfilment.picked, has.fulfilment.picked + units);
    if has.commitment == ReservationState::Firm {
        // Holds that expire in the same decision may have given it units that it waited for.
        assert_eq!(had.served() + had.waiting, has.served() + has.waiting);
        assert!(has.waiting <= had.waiting);
        // If their batch has an ETA again, they may move on at once to one that arrives before it, and an event says so.
        let [product, earlier] = [after, before].map(|products| products.get(&is.sku).unwrap());
        let new = &product.events()[earlier.events().len()..];
        let moved_on = new.iter().any(|event| {
            matches!(event, Event::PromiseImproved { order_id, old_reference, quantity, .. }
                if (order_id, old_reference) == (&is.order_id, &is.reference) && quantity.get() >= units)
        });
        assert!(moved_on || has.holds(&is.reference).is_some_and(|held| held.get() >= units));
    } else {
        assert_eq!((had.allocated(), has.allocated()), (0, 0));
    }
}

/// The outcome of a pick accounts for every missing unit, unless the order is closed and gets no others.
pub(crate) fn every_missing_unit_is_accounted_for(outcome: &Outcome<Picked, PickLine>, is_closed: bool) {
    if let Outcome::Changed(picked) = outcome {
        let got: u32 = picked.affected.iter().map(|it| it.quantity.get()).sum();
        let waits_for = picked.displaced.as_ref().map_or(0, |it| it.quantity.get());
        assert_eq!(got + waits_for, if is_closed { 0 } else { picked.missing }, "{picked:?}");
    }
}
