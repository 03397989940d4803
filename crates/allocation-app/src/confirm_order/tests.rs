use super::*;
use crate::testing::{
    cause, committed, ending, locks, now, order, order_in, product_with_line, rolled_back, saves, use_cases,
};
use allocation_domain::{OrderStatus, Product, ReservationState};
use allocation_ports::StoreError;
use allocation_ports::mocks::MockUnitOfWork;
use chrono::TimeDelta;

/// Returns an order of one line whose hold expires in `seconds`, or expired before if negative.
fn held(seconds: i64) -> Vec<Product> {
    vec![product_with_line("LAMP", 9, 3, ReservationState::Held { expires_at: now() + TimeDelta::seconds(seconds) })]
}

fn confirm_with(unit: Result<MockUnitOfWork, StoreError>) -> Result<Order, UseCaseError<ConfirmError>> {
    use_cases(vec![order_in(unit, &["LAMP"])]).confirm_order(&order("O-1"))
}

#[test]
fn a_held_order_is_made_firm() {
    let unit = committed(|products| {
        locks(products, held(1));
        saves(products, &["hold_confirmed"]);
    });
    assert_eq!(confirm_with(unit).unwrap().status(now()), OrderStatus::Allocated);
}

#[test]
fn a_firm_order_stays_firm() {
    let unit = rolled_back(|products| locks(products, vec![product_with_line("LAMP", 9, 3, ReservationState::Firm)]));
    assert_eq!(confirm_with(unit).unwrap().status(now()), OrderStatus::Allocated);
}

#[test]
fn an_order_is_rejected_at_the_instant_its_hold_expires() {
    let refusal = confirm_with(rolled_back(|products| locks(products, held(0)))).unwrap_err();
    assert!(matches!(refusal, UseCaseError::Refused(ConfirmError::HoldExpired(_))), "{refusal}");
}

#[test]
fn a_cancelled_or_unknown_order_is_rejected() {
    let cancelled =
        rolled_back(|products| locks(products, vec![product_with_line("LAMP", 9, 3, ReservationState::Cancelled)]));
    let refusal = confirm_with(cancelled).unwrap_err();
    assert!(matches!(refusal, UseCaseError::Refused(ConfirmError::Cancelled(_))), "{refusal}");
    let refusal = use_cases(vec![order_in(rolled_back(|_| {}), &[])]).confirm_order(&order("O-1")).unwrap_err();
    assert!(matches!(refusal, UseCaseError::Refused(ConfirmError::NotFound(id)) if id == order("O-1")));
}

#[test]
fn a_confirmation_of_unknown_outcome_is_resolved_by_the_next_run() {
    let lost = ending(Err(StoreError::OutcomeUnknown(cause("connection lost"))), |products| {
        locks(products, held(1));
        saves(products, &["hold_confirmed"]);
    });
    let finds = rolled_back(|products| locks(products, vec![product_with_line("LAMP", 9, 3, ReservationState::Firm)]));
    let units = vec![order_in(lost, &["LAMP"]), order_in(finds, &["LAMP"])];
    assert_eq!(use_cases(units).confirm_order(&order("O-1")).unwrap().status(now()), OrderStatus::Allocated);
}

#[test]
fn a_failing_store_is_an_error() {
    let fails = ending(Err(StoreError::Failed(cause("disk on fire"))), |products| {
        locks(products, held(1));
        saves(products, &["hold_confirmed"]);
    });
    assert!(matches!(confirm_with(fails), Err(UseCaseError::Store(StoreError::Failed(_)))));
}
