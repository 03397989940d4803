use super::*;
use crate::testing::{
    Shop, cause, conflict, ending, list_id, listed, locks, now, restored, rolled_back, saves, use_cases, with_list,
};
use allocation_domain::{PickLineId, PickListStatus, Product, Products, Units};
use allocation_ports::StoreError;
use allocation_ports::mocks::MockUnitOfWork;
use chrono::TimeDelta;

/// Creates a shop with a list of three lamps and three sofas, of whose lines these numbers of units were found.
fn shop(found: impl IntoIterator<Item = u32>) -> Shop {
    let shop = Shop::with(&[("LAMP", "B-1", 3), ("SOFA", "B-2", 3)]);
    for name in ["LAMP", "SOFA"] {
        shop.allocate("O-1", name, 3);
    }
    shop.make_pick_list();
    for (line, found) in (1..).zip(found) {
        shop.use_cases.pick(&PickLineId { list: list_id("P-1"), line }, Units::new(found).unwrap()).unwrap();
    }
    shop.new_events();
    shop
}

/// Returns a lamp and a sofa of the list, all of whose units were picked, shipped or not.
fn picked(shipped: bool) -> Vec<Product> {
    let mut shop = Products::from_iter(listed(&["LAMP", "SOFA"]));
    for line in [1, 2] {
        let id = PickLineId { list: list_id("P-1"), line };
        shop.pick(&id, Units::new(3).unwrap(), now()).unwrap();
    }
    if shipped {
        shop.ship(&list_id("P-1"), OpenLines::Refuse).unwrap();
    }
    shop.into_iter().map(|product| restored(&product)).collect()
}

fn ships(outcome: Result<(), StoreError>) -> Result<MockUnitOfWork, StoreError> {
    let unit = ending(outcome, |products| {
        locks(products, picked(false));
        saves(products, &["shipped", "shipped"]);
    });
    with_list(unit, &picked(false))
}

fn stays(products: &[Product]) -> Result<MockUnitOfWork, StoreError> {
    let locked = products.to_vec();
    with_list(rolled_back(|repository| locks(repository, locked)), products)
}

fn ship(units: Vec<Result<MockUnitOfWork, StoreError>>) -> Result<StoredPickList, UseCaseError<ShipError>> {
    use_cases(units).ship_pick_list(&list_id("P-1"), OpenLines::Refuse)
}

#[test]
fn picked_units_are_shipped_once_with_an_event_for_each_line() {
    let shop = shop([3, 3]);
    for events in [&["shipped", "shipped"][..], &[]] {
        let shipped = shop.use_cases.ship_pick_list(&list_id("P-1"), OpenLines::Refuse).unwrap();
        assert_eq!(
            (shipped.list.status(), shipped.created_at),
            (PickListStatus::Shipped, now() + TimeDelta::seconds(1))
        );
        assert_eq!(shop.new_events(), events);
    }
}

#[test]
fn a_list_with_open_lines_or_nothing_picked_is_not_shipped() {
    let error = shop([]).use_cases.ship_pick_list(&list_id("P-1"), OpenLines::Refuse).unwrap_err();
    assert!(matches!(error, UseCaseError::Refused(ShipError::NotPicked { lines, .. }) if lines == [1, 2]));
    let error = shop([0, 0]).use_cases.ship_pick_list(&list_id("P-1"), OpenLines::Refuse).unwrap_err();
    assert!(matches!(error, UseCaseError::Refused(ShipError::NothingPicked(_))));
}

#[test]
fn open_lines_are_released_in_the_same_unit_of_work() {
    let shop = shop([3]);
    let ship = |use_cases: &UseCases| use_cases.ship_pick_list(&list_id("P-1"), OpenLines::Release).unwrap().list;
    let would_be = ship(&shop.use_cases.clone().as_dry_run(true));
    assert_eq!(shop.new_events(), [""; 0], "a dry run");
    for events in [&["pick_line_withdrawn", "shipped"][..], &[]] {
        assert_eq!(ship(&shop.use_cases), would_be);
        let mut seen = shop.new_events();
        seen.sort();
        assert_eq!(seen, events);
    }
    assert_eq!(would_be.status(), PickListStatus::Shipped);
    assert_eq!(shop.lines("O-1")[1].1.allocated(), 3, "for another list");
}

#[test]
fn an_unknown_pick_list_is_an_error() {
    let error = Shop::with(&[]).use_cases.ship_pick_list(&list_id("P-1"), OpenLines::Refuse).unwrap_err();
    assert!(matches!(error, UseCaseError::Refused(ShipError::NotFound(_))));
}

#[test]
fn after_two_conflicts_the_third_run_ships_the_list() {
    ship(vec![ships(Err(conflict())), ships(Err(conflict())), ships(Ok(()))]).unwrap();
}

#[test]
fn a_list_shipped_by_a_commit_of_unknown_outcome_is_reported_as_shipped() {
    let lost = ships(Err(StoreError::OutcomeUnknown(cause("connection lost"))));
    ship(vec![lost, stays(&picked(true))]).unwrap();
}

#[test]
fn a_store_that_stays_busy_is_an_error() {
    let busy = || Err(StoreError::Busy(cause("database is locked")));
    assert!(matches!(ship(vec![busy(), busy(), busy()]), Err(UseCaseError::Store(StoreError::Busy(_)))));
}
