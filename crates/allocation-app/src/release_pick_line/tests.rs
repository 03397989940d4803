use super::*;
use crate::testing::{
    Shop, cause, conflict, ending, list_id, listed, locks, restored, rolled_back, saves, use_cases, with_list,
};
use allocation_domain::{Product, Units};
use allocation_ports::StoreError;
use allocation_ports::mocks::MockUnitOfWork;

fn line(line: u32) -> PickLineId {
    PickLineId { list: list_id("P-1"), line }
}

/// Creates a shop with a list of lamps and sofas.
fn shop() -> Shop {
    let shop = Shop::with(&[("LAMP", "B-1", 9), ("SOFA", "B-2", 9)]);
    for name in ["LAMP", "SOFA"] {
        shop.allocate("O-1", name, 3);
    }
    shop.make_pick_list();
    shop.new_events();
    shop
}

fn released() -> Vec<Product> {
    let mut lamp = allocation_domain::Products::from_iter(listed(&["LAMP"]));
    lamp.release_pick_line(&line(1)).unwrap();
    lamp.into_iter().map(|product| restored(&product)).collect()
}

fn withdraws(outcome: Result<(), StoreError>) -> Result<MockUnitOfWork, StoreError> {
    let unit = ending(outcome, |products| {
        locks(products, listed(&["LAMP"]));
        saves(products, &["pick_line_withdrawn"]);
    });
    with_list(unit, &listed(&["LAMP"]))
}

fn stays(products: &[Product]) -> Result<MockUnitOfWork, StoreError> {
    let locked = products.to_vec();
    with_list(rolled_back(|repository| locks(repository, locked)), products)
}

fn release_line(units: Vec<Result<MockUnitOfWork, StoreError>>) -> Result<(), UseCaseError<ReleasePickLineError>> {
    use_cases(units).release_pick_line(&line(1))
}

#[test]
fn one_line_is_withdrawn_once_with_an_event() {
    let shop = shop();
    for events in [&["pick_line_withdrawn"][..], &[]] {
        shop.use_cases.release_pick_line(&line(1)).unwrap();
        assert_eq!(shop.new_events(), events);
    }
    shop.use_cases.pick(&line(2), Units::new(3).unwrap()).unwrap();
    shop.use_cases.ship_pick_list(&list_id("P-1"), allocation_domain::OpenLines::Refuse).unwrap();
}

#[test]
fn a_line_with_picked_units_is_not_released() {
    let shop = shop();
    shop.use_cases.pick(&line(1), Units::new(1).unwrap()).unwrap();
    let error = shop.use_cases.release_pick_line(&line(1)).unwrap_err();
    assert!(matches!(error, UseCaseError::Refused(ReleasePickLineError::Picked(id)) if id == line(1)));
}

#[test]
fn an_unknown_pick_line_is_an_error() {
    let error = shop().use_cases.release_pick_line(&line(3)).unwrap_err();
    assert!(matches!(error, UseCaseError::Refused(ReleasePickLineError::NotFound(id)) if id == line(3)));
}

#[test]
fn after_two_conflicts_the_third_run_releases_the_line() {
    release_line(vec![withdraws(Err(conflict())), withdraws(Err(conflict())), withdraws(Ok(()))]).unwrap();
}

#[test]
fn a_line_released_by_a_commit_of_unknown_outcome_is_released() {
    let lost = withdraws(Err(StoreError::OutcomeUnknown(cause("connection lost"))));
    release_line(vec![lost, stays(&released())]).unwrap();
}

#[test]
fn a_store_that_stays_busy_is_an_error() {
    let busy = || Err(StoreError::Busy(cause("database is locked")));
    assert!(matches!(release_line(vec![busy(), busy(), busy()]), Err(UseCaseError::Store(StoreError::Busy(_)))));
}
