use super::*;
use crate::testing::{
    Shop, cause, conflict, ending, list_id, listed, locks, now, order, restored, rolled_back, saves, units, use_cases,
    with_list,
};
use allocation_domain::{PickStatus, Product};
use allocation_ports::StoreError;
use allocation_ports::mocks::MockUnitOfWork;

fn first() -> PickLineId {
    PickLineId { list: list_id("P-1"), line: 1 }
}

/// Creates a shop with three picked lamps of nine.
fn shop() -> Shop {
    let shop = Shop::with(&[("LAMP", "B-1", 9)]);
    shop.allocate("O-1", "LAMP", 3);
    shop.make_pick_list();
    shop.use_cases.pick(&first(), units(3).into()).unwrap();
    shop.new_events();
    shop
}

fn put_back(shop: &Shop, total: u32) -> Result<PickLine, UseCaseError<PutBackError>> {
    shop.use_cases.put_back(&first(), units(total), None)
}

#[test]
fn picked_units_are_put_back_once() {
    let shop = shop();
    let dry_run = shop.use_cases.clone().as_dry_run(true).put_back(&first(), units(2), None).unwrap();
    assert_eq!(shop.new_events(), [""; 0], "a dry run");
    for events in [&["put_back"][..], &[]] {
        let line = put_back(&shop, 2).unwrap();
        assert_eq!((line.picked, line.put_back, &line), (1, 2, &dry_run));
        assert_eq!(shop.new_events(), events);
        assert_eq!(shop.lines("O-1")[0].1.allocated(), 2);
    }
}

#[test]
fn units_of_a_closed_order_serve_the_queue_in_the_same_unit_of_work() {
    let shop = shop();
    shop.use_cases.close_order(&order("O-1"), None).unwrap();
    shop.place_waiting("NEXT", &[("LAMP", 7)]);
    shop.new_events();
    assert_eq!(put_back(&shop, 3).unwrap().status, PickStatus::Withdrawn);
    assert_eq!(shop.new_events(), ["put_back", "deallocated", "allocated", "back_in_stock"]);
    assert_eq!(shop.lines("NEXT")[0].1.waiting, 0);
}

#[test]
fn refusals_change_nothing() {
    let shop = shop();
    assert!(matches!(put_back(&shop, 4), Err(UseCaseError::Refused(PutBackError::MoreThanPicked { .. }))));
    put_back(&shop, 2).unwrap();
    shop.new_events();
    assert!(matches!(put_back(&shop, 1), Err(UseCaseError::Refused(PutBackError::AlreadyPutBack { .. }))));
    shop.use_cases.ship_pick_list(&list_id("P-1"), allocation_domain::OpenLines::Refuse).unwrap();
    assert!(matches!(put_back(&shop, 3), Err(UseCaseError::Refused(PutBackError::AlreadyShipped { .. }))));
    assert_eq!(shop.new_events(), ["shipped"]);
    let none = put_back(&Shop::with(&[]), 1);
    assert!(matches!(none, Err(UseCaseError::Refused(PutBackError::NotFound(id))) if id == first()));
}

/// Returns a lamp of which three units were picked and some put back.
fn lamp(put_back: u32) -> Vec<Product> {
    let mut lamp = listed(&["LAMP"]).remove(0);
    lamp.pick(&first(), units(3).into(), now()).unwrap();
    if put_back > 0 {
        lamp.put_back(&first(), units(put_back), None, now()).unwrap();
    }
    vec![restored(&lamp)]
}

fn puts_back(outcome: Result<(), StoreError>) -> Result<MockUnitOfWork, StoreError> {
    let unit = ending(outcome, |products| {
        locks(products, lamp(0));
        saves(products, &["put_back"]);
    });
    with_list(unit, &lamp(0))
}

#[test]
fn after_two_conflicts_the_third_run_puts_the_units_back() {
    let units_of_work = vec![puts_back(Err(conflict())), puts_back(Err(conflict())), puts_back(Ok(()))];
    assert_eq!(use_cases(units_of_work).put_back(&first(), units(2), None).unwrap().put_back, 2);
}

#[test]
fn units_put_back_by_a_commit_of_unknown_outcome_are_not_put_back_again() {
    let lost = puts_back(Err(StoreError::OutcomeUnknown(cause("connection lost"))));
    let finds = with_list(rolled_back(|products| locks(products, lamp(2))), &lamp(2));
    assert_eq!(use_cases(vec![lost, finds]).put_back(&first(), units(2), None).unwrap().picked, 1);
}
