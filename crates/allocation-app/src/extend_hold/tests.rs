use super::*;
use crate::testing::{committed, locks, now, order, order_in, product_with_line, rolled_back, saves, use_cases};
use allocation_domain::{Product, ReservationState};
use allocation_ports::StoreError;
use allocation_ports::mocks::MockUnitOfWork;
use chrono::TimeDelta;

fn line(commitment: ReservationState) -> Vec<Product> {
    vec![product_with_line("LAMP", 9, 3, commitment)]
}

fn held(seconds: i64) -> Vec<Product> {
    line(ReservationState::Held { expires_at: now() + TimeDelta::seconds(seconds) })
}

fn extend_with(unit: Result<MockUnitOfWork, StoreError>) -> Result<Order, UseCaseError<ExtendError>> {
    let hold = HoldDuration::from_seconds(60).unwrap();
    use_cases(vec![order_in(unit, &["LAMP"])]).extend_hold(&order("O-1"), hold)
}

#[test]
fn a_hold_is_extended_from_now() {
    let unit = committed(|products| {
        locks(products, held(5));
        saves(products, &["hold_extended"]);
    });
    assert_eq!(extend_with(unit).unwrap().expires_at(), Some(now() + TimeDelta::seconds(60)));
}

#[test]
fn a_hold_is_never_shortened() {
    let unit = rolled_back(|products| locks(products, held(90)));
    assert_eq!(extend_with(unit).unwrap().expires_at(), Some(now() + TimeDelta::seconds(90)));
}

#[test]
fn an_order_that_is_not_on_hold_cannot_be_extended() {
    let refused =
        |products: Vec<Product>| extend_with(rolled_back(|repository| locks(repository, products))).unwrap_err();
    let told = |error: UseCaseError<ExtendError>| match error {
        UseCaseError::Refused(refusal) => refusal,
        UseCaseError::Store(error) => panic!("{error}"),
    };
    assert!(matches!(told(refused(held(0))), ExtendError::HoldExpired(_)));
    assert!(matches!(told(refused(line(ReservationState::Firm))), ExtendError::NotHeld(_)));
    assert!(matches!(told(refused(line(ReservationState::Cancelled))), ExtendError::Cancelled(_)));
    let unknown = use_cases(vec![order_in(rolled_back(|_| {}), &[])])
        .extend_hold(&order("O-1"), HoldDuration::from_seconds(60).unwrap());
    assert!(matches!(told(unknown.unwrap_err()), ExtendError::NotFound(_)));
}
