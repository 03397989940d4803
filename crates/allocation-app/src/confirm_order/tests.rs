use super::*;
use crate::testing::{
    Shop, cause, ending, locks, now, order, order_in, product_with_line, rolled_back, saves, use_cases,
};
use allocation_domain::{OrderId, OrderStatus, OrderVersion, Product, ReservationState};
use allocation_ports::StoreError;
use allocation_ports::mocks::MockUnitOfWork;
use chrono::TimeDelta;
use std::collections::BTreeSet;

/// Returns the line of an order on hold.
fn held() -> Vec<Product> {
    vec![product_with_line("LAMP", 9, 3, ReservationState::Held { expires_at: now() + TimeDelta::seconds(1) })]
}

fn shop() -> Shop {
    Shop::with(&[("LAMP", "B-1", 9)])
}

fn confirm_with(unit: Result<MockUnitOfWork, StoreError>) -> Result<Order, UseCaseError<ConfirmError>> {
    use_cases(vec![order_in(unit, &["LAMP"])]).confirm_order(&OrderConfirmation::new(order("O-1")))
}

#[test]
fn a_held_order_is_made_firm_once() {
    let shop = shop();
    shop.place_held("O-1", &[("LAMP", 3)], 10);
    shop.new_events();
    for events in [&["hold_confirmed"][..], &[]] {
        let confirmed = shop.use_cases.confirm_order(&OrderConfirmation::new(order("O-1"))).unwrap();
        assert_eq!((confirmed.status(now()), confirmed.expires_at()), (OrderStatus::Allocated, None));
        assert_eq!(shop.new_events(), events);
    }
}

#[test]
fn an_order_is_rejected_at_the_instant_its_hold_expires() {
    let shop = shop();
    shop.place_held("O-1", &[("LAMP", 3)], 10);
    shop.advance(TimeDelta::seconds(10));
    let refusal = shop.use_cases.confirm_order(&OrderConfirmation::new(order("O-1"))).unwrap_err();
    assert!(matches!(refusal, UseCaseError::Refused(ConfirmError::HoldExpired(_))), "{refusal}");
}

#[test]
fn a_cancelled_or_unknown_order_is_rejected() {
    let shop = shop();
    shop.place_held("O-1", &[("LAMP", 3)], 10);
    shop.use_cases.cancel_order(&order("O-1")).unwrap();
    let refusal = shop.use_cases.confirm_order(&OrderConfirmation::new(order("O-1"))).unwrap_err();
    assert!(matches!(refusal, UseCaseError::Refused(ConfirmError::Cancelled(_))), "{refusal}");
    let refusal = shop.use_cases.confirm_order(&OrderConfirmation::new(order("O-2"))).unwrap_err();
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
    assert_eq!(
        use_cases(units).confirm_order(&OrderConfirmation::new(order("O-1"))).unwrap().status(now()),
        OrderStatus::Allocated
    );
}

#[test]
fn a_failing_store_is_an_error() {
    let fails = ending(Err(StoreError::Failed(cause("disk on fire"))), |products| {
        locks(products, held());
        saves(products, &["hold_confirmed"]);
    });
    assert!(matches!(confirm_with(fails), Err(UseCaseError::Store(StoreError::Failed(_)))));
}

/// Creates a shop with an order of lamps and sofas whose hold has expired.
fn expired() -> Shop {
    let shop = Shop::with(&[("LAMP", "B-1", 9), ("SOFA", "B-2", 2)]);
    shop.place_held("O-1", &[("LAMP", 3), ("SOFA", 2)], 10);
    shop.advance(TimeDelta::seconds(10));
    shop.new_events();
    shop
}

fn reallocating(order_id: OrderId) -> OrderConfirmation {
    OrderConfirmation::new(order_id).reallocating(true)
}

#[test]
fn a_late_payment_gets_its_units_again_once() {
    let shop = expired();
    let reinstated = ["deallocated", "hold_expired", "line_reinstated", "allocated"];
    let sold_out = ["deallocated", "hold_expired", "back_in_stock", "line_reinstated", "allocated", "out_of_stock"];
    for events in [&[&reinstated[..], &sold_out].concat()[..], &[]] {
        let order = shop.use_cases.confirm_order(&reallocating(order("O-1"))).unwrap();
        assert_eq!(
            (order.status(now() + TimeDelta::days(1)), &order.lines),
            (OrderStatus::Allocated, &shop.lines("O-1"))
        );
        assert_eq!(shop.new_events(), events);
    }
}

#[test]
fn a_late_payment_whose_units_are_gone_is_rejected_with_the_short_lines() {
    let shop = expired();
    shop.allocate("QUICK", "SOFA", 1);
    shop.new_events();
    let refusal = shop.use_cases.confirm_order(&reallocating(order("O-1"))).unwrap_err();
    let UseCaseError::Refused(ConfirmError::OutOfStock(short)) = refusal else { panic!("{refusal}") };
    assert_eq!(short.0.iter().map(|short| (short.sku.as_str(), short.available)).collect::<Vec<_>>(), [("SOFA", 1)]);
    assert!(!shop.new_events().contains(&"line_reinstated".to_owned()));
}

/// The version was read before the sweeper had recorded the expiry, which makes a new one.
#[test]
fn a_version_from_before_the_expiry_was_recorded_is_expected_until_then() {
    let shop = expired();
    let version = || allocation_domain::Order { order_id: order("O-1"), lines: shop.lines("O-1") }.version();
    let seen = BTreeSet::from([version()]);
    let dry = shop.use_cases.clone().as_dry_run(true);
    let confirm = |expected: &BTreeSet<OrderVersion>| {
        dry.confirm_order(&reallocating(order("O-1")).if_version(Some(expected.clone())))
    };
    assert_eq!(confirm(&seen).unwrap().status(now()), OrderStatus::Allocated);
    let other = BTreeSet::from([OrderVersion::from_number(0)]);
    assert!(matches!(confirm(&other), Err(UseCaseError::Refused(ConfirmError::Stale { .. }))));
    assert_eq!(shop.new_events(), [""; 0], "a dry run");
    shop.use_cases.release_expired_holds(|| true).unwrap();
    assert!(matches!(confirm(&seen), Err(UseCaseError::Refused(ConfirmError::Stale { .. }))));
    assert!(confirm(&BTreeSet::from([version()])).is_ok());
}

#[test]
fn a_reinstatement_of_unknown_outcome_is_resolved_by_the_next_run() {
    let expired = || {
        let mut lamps = product_with_line("LAMP", 9, 3, ReservationState::Held { expires_at: now() });
        lamps.release_expired(now()).unwrap();
        vec![crate::testing::restored(&lamps)]
    };
    let lost = ending(Err(StoreError::OutcomeUnknown(cause("connection lost"))), |products| {
        locks(products, expired());
        saves(products, &["line_reinstated", "allocated"]);
    });
    let finds = rolled_back(|products| locks(products, vec![product_with_line("LAMP", 9, 3, ReservationState::Firm)]));
    let units = vec![order_in(lost, &["LAMP"]), order_in(finds, &["LAMP"])];
    let order = use_cases(units).confirm_order(&reallocating(order("O-1"))).unwrap();
    assert_eq!(order.status(now()), OrderStatus::Allocated);
}
