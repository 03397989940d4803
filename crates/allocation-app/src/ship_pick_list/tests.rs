use super::*;
use crate::testing::{
    cause, conflict, ending, list_id, listed, locks, now, restored, rolled_back, saves, use_cases, with_list,
};
use allocation_domain::{PickLineId, PickListStatus, Product, Products, Units};
use allocation_ports::StoreError;
use allocation_ports::mocks::MockUnitOfWork;

/// Returns a lamp and a sofa of the list, all or none of their units picked, shipped or not.
fn shop(found: Option<u32>, shipped: bool) -> Vec<Product> {
    let mut shop = Products::from_iter(listed(&["LAMP", "SOFA"]));
    for line in [1, 2] {
        let id = PickLineId { list: list_id("P-1"), line };
        found.map(|found| shop.pick(&id, Units::new(found).unwrap(), now()).unwrap());
    }
    if shipped {
        shop.ship(&list_id("P-1")).unwrap();
    }
    shop.into_iter().map(|product| restored(&product)).collect()
}

fn ships(outcome: Result<(), StoreError>) -> Result<MockUnitOfWork, StoreError> {
    let unit = ending(outcome, |products| {
        locks(products, shop(Some(3), false));
        saves(products, &["shipped", "shipped"]);
    });
    with_list(unit, &shop(Some(3), false))
}

fn stays(products: &[Product]) -> Result<MockUnitOfWork, StoreError> {
    let locked = products.to_vec();
    with_list(rolled_back(|repository| locks(repository, locked)), products)
}

fn ship(units: Vec<Result<MockUnitOfWork, StoreError>>) -> Result<StoredPickList, UseCaseError<ShipError>> {
    use_cases(units).ship_pick_list(&list_id("P-1"))
}

#[test]
fn picked_units_are_shipped_with_an_event_for_each_line() {
    let shipped = ship(vec![ships(Ok(()))]).unwrap();
    assert_eq!((shipped.list.status(), shipped.created_at), (PickListStatus::Shipped, now()));
}

#[test]
fn a_shipped_list_stays_shipped() {
    assert_eq!(ship(vec![stays(&shop(Some(3), true))]).unwrap().list.status(), PickListStatus::Shipped);
}

#[test]
fn a_list_with_open_lines_is_not_shipped() {
    let error = ship(vec![stays(&shop(None, false))]).unwrap_err();
    assert!(matches!(error, UseCaseError::Refused(ShipError::NotPicked { lines, .. }) if lines == [1, 2]));
    let error = ship(vec![stays(&shop(Some(0), false))]).unwrap_err();
    assert!(matches!(error, UseCaseError::Refused(ShipError::NothingPicked(_))));
}

#[test]
fn an_unknown_pick_list_is_an_error() {
    let error = ship(vec![with_list(rolled_back(|_| {}), &[])]).unwrap_err();
    assert!(matches!(error, UseCaseError::Refused(ShipError::NotFound(_))));
}

#[test]
fn after_two_conflicts_the_third_run_ships_the_list() {
    ship(vec![ships(Err(conflict())), ships(Err(conflict())), ships(Ok(()))]).unwrap();
}

#[test]
fn a_list_shipped_by_a_commit_of_unknown_outcome_is_reported_as_shipped() {
    let lost = ships(Err(StoreError::OutcomeUnknown(cause("connection lost"))));
    ship(vec![lost, stays(&shop(Some(3), true))]).unwrap();
}

#[test]
fn a_store_that_stays_busy_is_an_error() {
    let busy = || Err(StoreError::Busy(cause("database is locked")));
    assert!(matches!(ship(vec![busy(), busy(), busy()]), Err(UseCaseError::Store(StoreError::Busy(_)))));
}
