use super::*;
use crate::testing::{
    Shop, cause, ending, locks, now, order, order_in, product_with_line, rolled_back, saves, use_cases,
};
use allocation_domain::{OrderStatus, Product, ReservationState};
use allocation_ports::StoreError;
use allocation_ports::mocks::MockUnitOfWork;
use chrono::TimeDelta;

/// Returns the line of an order on hold.
fn held() -> Vec<Product> {
    vec![product_with_line("LAMP", 9, 3, ReservationState::Held { expires_at: now() + TimeDelta::seconds(1) })]
}

fn shop() -> Shop {
    Shop::with(&[("LAMP", "B-1", 9)])
}

fn confirm_with(unit: Result<MockUnitOfWork, StoreError>) -> Result<Order, UseCaseError<ConfirmError>> {
    use_cases(vec![order_in(unit, &["LAMP"])]).confirm_order(&order("O-1"))
}

#[test]
fn a_held_order_is_made_firm_once() {
    let shop = shop();
    shop.place_held("O-1", &[("LAMP", 3)], 10);
    shop.new_events();
    for events in [&["hold_confirmed"][..], &[]] {
        let confirmed = shop.use_cases.confirm_order(&order("O-1")).unwrap();
        assert_eq!((confirmed.status(now()), confirmed.expires_at()), (OrderStatus::Allocated, None));
        assert_eq!(shop.new_events(), events);
    }
}

#[test]
fn an_order_is_rejected_at_the_instant_its_hold_expires() {
    let shop = shop();
    shop.place_held("O-1", &[("LAMP", 3)], 10);
    shop.advance(TimeDelta::seconds(10));
    let refusal = shop.use_cases.confirm_order(&order("O-1")).unwrap_err();
    assert!(matches!(refusal, UseCaseError::Refused(ConfirmError::HoldExpired(_))), "{refusal}");
}

#[test]
fn a_cancelled_or_unknown_order_is_rejected() {
    let shop = shop();
    shop.place_held("O-1", &[("LAMP", 3)], 10);
    shop.use_cases.cancel_order(&order("O-1")).unwrap();
    let refusal = shop.use_cases.confirm_order(&order("O-1")).unwrap_err();
    assert!(matches!(refusal, UseCaseError::Refused(ConfirmError::Cancelled(_))), "{refusal}");
    let refusal = shop.use_cases.confirm_order(&order("O-2")).unwrap_err();
    assert!(matches!(refusal, UseCaseError::Refused(ConfirmError::NotFound(id)) if id == order("O-2")));
}

#[test]
fn a_confirmation_of_unknown_outcome_is_resolved_by_the_next_run() {
    let lost = ending(Err(StoreError::OutcomeUnknown(cause("connection lost"))), |products| {
        locks(products, held());
        saves(products, &["hold_confirmed"]);
    });
    let finds = rolled_back(|products| locks(products, vec![product_with_line("LAMP", 9, 3, ReservationState::Firm)]));
    let units = vec![order_in(lost, &["LAMP"]), order_in(finds, &["LAMP"])];
    assert_eq!(use_cases(units).confirm_order(&order("O-1")).unwrap().status(now()), OrderStatus::Allocated);
}

#[test]
fn a_failing_store_is_an_error() {
    let fails = ending(Err(StoreError::Failed(cause("disk on fire"))), |products| {
        locks(products, held());
        saves(products, &["hold_confirmed"]);
    });
    assert!(matches!(confirm_with(fails), Err(UseCaseError::Store(StoreError::Failed(_)))));
}
