//! Projections reject events that do not follow from the events before them.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use allocation_domain::{
    BatchChange, BatchReference, Eta, Event, NewBatch, NewPickList, OpenLines, OrderId, PickCriteria, PickLineId,
    PickListId, Product, Products, Projection, ProjectionConflict, Quantity, Sku, Units,
};
use chrono::{DateTime, NaiveDate};

const NOW: DateTime<chrono::Utc> = DateTime::UNIX_EPOCH;

fn units(units: u32) -> Quantity {
    Quantity::new(units).unwrap()
}

fn batch(name: &str) -> BatchReference {
    BatchReference::parse(name).unwrap()
}

fn lamp() -> Sku {
    Sku::parse("LAMP").unwrap()
}

/// A line of five units is picked short by three, which are replaced; then its batch is postponed.
fn history() -> Products {
    let mut lamps = Product::new(lamp());
    lamps.add_batch(NewBatch::new(batch("B-1"), units(10), Eta::InStock), NOW).unwrap();
    lamps.allocate(&OrderId::parse("O-1").unwrap(), units(5), NOW).unwrap();
    let mut shop = Products::from_iter([lamps]);
    let list = PickListId::parse("P-1").unwrap();
    shop.make_pick_list(&NewPickList::new(list.clone(), PickCriteria::default())).unwrap();
    shop.pick(&PickLineId { list: list.clone(), line: 1 }, Units::new(2).unwrap(), NOW).unwrap();
    shop.ship(&list, OpenLines::Refuse).unwrap();
    let later = BatchChange { eta: Some(Eta::Due(NaiveDate::MAX)), ..BatchChange::default() };
    shop.get_mut(&lamp()).unwrap().change_batch(&batch("B-1"), &later, NOW).unwrap();
    shop
}

fn projected(events: &[Event]) -> Projection {
    let mut projection = Projection::default();
    for event in events {
        projection.apply(event, NOW).unwrap();
    }
    projection
}

#[test]
fn events_alone_give_the_products_orders_and_lists() {
    let shop = history();
    let product = shop.get(&lamp()).unwrap();
    let projection = projected(product.events());
    assert!(projection.batches().eq(product.batches()));
    assert_eq!(projection.product(&lamp()).unwrap().available(), product.available());
    let (order, list) = (OrderId::parse("O-1").unwrap(), PickListId::parse("P-1").unwrap());
    assert_eq!(projection.order(&order), shop.order(&order));
    assert_eq!(projection.pick_list(&list), shop.pick_list(&list));
}

#[test]
fn a_rejected_event_changes_nothing() {
    let shop = history();
    let events = shop.get(&lamp()).unwrap().events();
    let mut rejected = 0;
    for index in 0..events.len() {
        let before = projected(&events[..index]);
        for wrong in events[..index].iter().chain(&events[index + 1..]) {
            let mut projection = before.clone();
            if projection.apply(wrong, NOW).is_err() {
                assert_eq!(projection, before, "{wrong:?} after {index} events");
                rejected += 1;
            }
        }
    }
    assert!(rejected > events.len(), "{rejected} rejected");
}

#[test]
fn a_repeated_or_premature_event_is_rejected() {
    let shop = history();
    let events = shop.get(&lamp()).unwrap().events();
    let second = projected(&events[..1]).apply(&events[0], NOW).unwrap_err();
    assert_eq!(second.conflict, ProjectionConflict::BatchExists(batch("B-1")));
    assert_eq!(
        second.to_string(),
        "event batch_added of SKU LAMP does not follow from the events before it: batch B-1 exists already"
    );
    let without_batch = Projection::default().apply(&events[1], NOW).unwrap_err();
    assert_eq!(without_batch.conflict, ProjectionConflict::NoBatch(batch("B-1")));
}

#[test]
fn an_event_of_an_unknown_product_is_rejected_without_adding_it() {
    let shop = history();
    let mut projection = Projection::default();
    assert!(projection.apply(&shop.get(&lamp()).unwrap().events()[1], NOW).is_err());
    assert_eq!(projection.product(&lamp()), None);
}
