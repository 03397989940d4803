use super::*;
use crate::testing::{
    Shop, cause, committed, conflict, ending, list_id, listed, locks, now, order, restored, rolled_back, saves, units,
    use_cases, with_documents, with_list,
};
use allocation_domain::{
    Carrier, NewPickList, OrderStatus, PickCriteria, PickLineId, Product, ShipmentId, ShipmentLine, Tracking,
};
use allocation_ports::mocks::{MockProductRepository, MockStockDocuments, MockUnitOfWork};
use allocation_ports::{EventContext, OrderQueries, StoreError};
use chrono::TimeDelta;

fn pick_line(line: u32) -> PickLineId {
    PickLineId { list: list_id("P-1"), line }
}

/// Returns a shipment of lines of `P-1`: the number and the units of each, 0 for all that are left.
fn shipment(name: &str, lines: &[(u32, u32)]) -> NewShipment {
    let line = |(line, quantity): &(u32, u32)| ShipmentLine {
        id: pick_line(*line),
        quantity: (*quantity > 0).then(|| units(*quantity)),
    };
    let new = NewShipment::new(ShipmentId::parse(name).unwrap(), lines.iter().map(line)).unwrap();
    new.sent_by(Carrier::parse("ACME").ok(), Tracking::parse("1Z 999").ok())
}

fn ship(
    shop: &Shop,
    name: &str,
    lines: &[(u32, u32)],
) -> Result<Outcome<RecordedShipment>, UseCaseError<CreateShipmentError>> {
    shop.use_cases.create_shipment(&shipment(name, lines))
}

/// Creates a shop with three picked lamps and two picked sofas of an order.
fn shop() -> Shop {
    let shop = Shop::with(&[("LAMP", "B-1", 9), ("SOFA", "B-2", 2)]);
    shop.allocate("O-1", "LAMP", 3);
    shop.allocate("O-1", "SOFA", 2);
    shop.make_pick_list();
    shop.use_cases.pick(&pick_line(1), units(3).into()).unwrap();
    shop.use_cases.pick(&pick_line(2), units(2).into()).unwrap();
    shop.new_events();
    shop
}

#[test]
fn units_of_two_products_are_shipped_in_one_unit_of_work_and_once() {
    let shop = shop();
    shop.advance(TimeDelta::seconds(1));
    let Outcome::Changed(made) = ship(&shop, "S-1", &[(1, 2), (2, 0)]).unwrap() else { panic!("it is new") };
    assert_eq!(shop.new_events(), ["shipped", "shipped"]);
    assert_eq!(made.outcome.iter().map(|units| units.quantity.get()).collect::<Vec<_>>(), [2, 2]);
    assert_eq!(made.recorded_at, now() + TimeDelta::seconds(2));
    let Outcome::Unchanged(again) = ship(&shop, "S-1", &[(2, 0), (1, 2)]).unwrap() else { panic!("a repeat") };
    assert_eq!((made, shop.new_events().len()), (again, 0));
    ship(&shop, "S-2", &[(1, 0)]).unwrap();
    assert_eq!(shop.store.order(&order("O-1")).unwrap().unwrap().status(now()), OrderStatus::Shipped);
}

#[test]
fn another_shipment_of_the_same_id_is_rejected() {
    let shop = shop();
    ship(&shop, "S-1", &[(1, 2)]).unwrap();
    let without_carrier = NewShipment::new(
        ShipmentId::parse("S-1").unwrap(),
        [ShipmentLine { id: pick_line(1), quantity: Some(units(2)) }],
    );
    for other in [shipment("S-1", &[(1, 1)]), shipment("S-1", &[(1, 0)]), without_carrier.unwrap()] {
        let other = shop.use_cases.create_shipment(&other);
        let is_taken = matches!(other, Err(UseCaseError::Refused(CreateShipmentError::AlreadyExists(ref id))) if id.as_str() == "S-1");
        assert!(is_taken, "{other:?}");
    }
    assert_eq!(shop.lines("O-1")[0].1.fulfilment.shipped, 2);
}

#[test]
fn a_dry_run_returns_what_would_be_and_stores_nothing() {
    let shop = shop();
    let dry = shop.use_cases.clone().as_dry_run(true);
    let Outcome::Changed(would_be) = dry.create_shipment(&shipment("S-1", &[(1, 2)])).unwrap() else {
        panic!("it is new")
    };
    assert_eq!((shop.lines("O-1")[0].1.fulfilment.shipped, shop.new_events().len()), (0, 0));
    let Outcome::Changed(made) = ship(&shop, "S-1", &[(1, 2)]).unwrap() else { panic!("it is new") };
    assert_eq!(made.outcome, would_be.outcome);
    assert_eq!(dry.create_shipment(&shipment("S-1", &[(1, 2)])).unwrap(), Outcome::Unchanged(made));
}

#[test]
fn refusals_ship_nothing_of_any_line() {
    let shop = shop();
    for (line, quantity) in [(9, 0), (2, 3)] {
        let refused = ship(&shop, "S-1", &[(1, 1), (line, quantity)]);
        assert!(matches!(refused, Err(UseCaseError::Refused(_))), "{refused:?}");
    }
    assert_eq!((shop.lines("O-1")[0].1.fulfilment.shipped, shop.new_events().len()), (0, 0));
    assert!(matches!(ship(&shop, "S-1", &[(1, 1)]), Ok(Outcome::Changed(_))), "a refused one leaves its id free");
}

/// `POST /pick-lists/{id}/ship` and shipments work on the same units.
#[test]
fn a_list_ships_what_a_shipment_has_left_and_makes_no_shipment() {
    let shop = shop();
    ship(&shop, "S-1", &[(1, 2)]).unwrap();
    shop.use_cases.ship_pick_list(&list_id("P-1"), allocation_domain::OpenLines::Refuse).unwrap();
    let nothing = ship(&shop, "S-2", &[(1, 0)]);
    assert!(matches!(nothing, Err(UseCaseError::Refused(CreateShipmentError::AlreadyShipped { .. }))), "{nothing:?}");
    let shipped: Vec<_> = shop.lines("O-1").iter().map(|(_, line)| line.fulfilment.shipped).collect();
    assert_eq!(shipped, [3, 2]);
}

#[test]
fn a_list_with_shipped_units_is_not_released() {
    let shop = shop();
    ship(&shop, "S-1", &[(1, 0), (2, 0)]).unwrap();
    assert!(shop.use_cases.release_pick_list(&list_id("P-1")).is_err());
    let again = NewPickList::new(list_id("P-2"), PickCriteria::default());
    assert!(shop.use_cases.make_pick_list(&again).is_err(), "nothing is left to pick");
}

/// A lamp of which three units are picked, and some of them shipped.
fn lamp(shipped: u32) -> Vec<Product> {
    let mut lamp = listed(&["LAMP"]).remove(0);
    lamp.pick(&pick_line(1), units(3).into(), now()).unwrap();
    let mut products = allocation_domain::Products::from_iter([lamp]);
    if shipped > 0 {
        products.create_shipment(&shipment("S-0", &[(1, shipped)])).unwrap();
    }
    products.into_iter().map(|product| restored(&product)).collect()
}

/// Documents without any, of which one may be added.
fn no_documents(documents: &mut MockStockDocuments) {
    documents.expect_find().returning(|_| Ok(None));
    documents.expect_add().returning(|_| Ok(()));
}

fn locks_and_ships(products: &mut MockProductRepository) {
    locks(products, lamp(0));
    saves(products, &["shipped"]);
}

fn run(
    units: Vec<Result<MockUnitOfWork, StoreError>>,
) -> Result<Outcome<RecordedShipment>, UseCaseError<CreateShipmentError>> {
    use_cases(units).create_shipment(&shipment("S-1", &[(1, 2)]))
}

/// Returns the shipment that [`run`] makes.
fn made() -> RecordedShipment {
    let outcome = allocation_domain::Products::from_iter(lamp(0)).create_shipment(&shipment("S-1", &[(1, 2)])).unwrap();
    Recorded { request: shipment("S-1", &[(1, 2)]), outcome, recorded_at: now() }
}

#[test]
fn a_conflict_runs_the_unit_again() {
    let adding = with_documents(with_list(rolled_back(locks_and_ships), &lamp(0)), |documents| {
        documents.expect_find().returning(|_| Ok(None));
        documents.expect_add().returning(|_| Err(conflict()));
    });
    let again = with_documents(with_list(committed(locks_and_ships), &lamp(0)), no_documents);
    assert_eq!(run(vec![adding, again]).unwrap(), Outcome::Changed(made()));
}

#[test]
fn an_unknown_commit_is_resolved_by_the_recorded_shipment() {
    let unknown = StoreError::OutcomeUnknown(cause("connection lost"));
    let lost = with_documents(with_list(ending(Err(unknown), locks_and_ships), &lamp(0)), no_documents);
    let found = with_documents(rolled_back(|_| {}), |documents| {
        documents.expect_find().times(1).returning(move |_| Ok(Some(StockDocument::Shipment(made()))));
    });
    assert_eq!(run(vec![lost, found]).unwrap(), Outcome::Changed(made()));
}

#[test]
fn a_refusal_because_of_the_same_shipment_finds_it_instead() {
    let late = with_documents(with_list(rolled_back(|products| locks(products, lamp(2))), &lamp(2)), |documents| {
        let mut found = vec![Some(StockDocument::Shipment(made())), None];
        documents.expect_find().times(2).returning(move |_| Ok(found.pop().unwrap()));
    });
    let found = with_documents(rolled_back(|_| {}), |documents| {
        documents.expect_find().times(1).returning(move |_| Ok(Some(StockDocument::Shipment(made()))));
    });
    assert_eq!(run(vec![late, found]).unwrap(), Outcome::Unchanged(made()));
}

#[test]
fn events_name_the_author_and_repeats_record_none() {
    let shop = shop();
    let context = EventContext { actor: allocation_access::Actor::Anonymous, ..EventContext::default() };
    for events in [&["shipped by anonymous"][..], &[]] {
        shop.use_cases.clone().with_context(context.clone()).create_shipment(&shipment("S-1", &[(1, 2)])).unwrap();
        assert_eq!(shop.new_events_with_actors(), events);
    }
}
