use super::*;
use crate::testing::{
    Shop, cause, ending, locks, now, order, order_in, product_with_line, rolled_back, saves, use_cases,
};
use allocation_domain::{OrderTerms, ReservationState};
use chrono::TimeDelta;

/// Creates a shop with an order whose hold lasts a number of seconds.
fn shop(seconds: i64) -> Shop {
    let shop = Shop::with(&[("LAMP", "B-1", 9)]);
    shop.place_held("O-1", &[("LAMP", 3)], seconds);
    shop
}

/// Extends the hold of an order to a minute from now.
fn extend(shop: &Shop, order_id: &str) -> Result<Order, UseCaseError<ExtendError>> {
    shop.use_cases.extend_hold(&order(order_id), None, HoldDuration::from_seconds(60).unwrap())
}

fn refused(shop: &Shop, order_id: &str) -> ExtendError {
    match extend(shop, order_id) {
        Err(UseCaseError::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_hold_is_extended_from_now() {
    let shop = shop(10);
    shop.advance(TimeDelta::seconds(5));
    assert_eq!(extend(&shop, "O-1").unwrap().expires_at(), Some(now() + TimeDelta::seconds(65)));
    assert_eq!(shop.new_events().last().unwrap(), "hold_extended");
}

#[test]
fn a_hold_is_never_shortened() {
    let shop = shop(90);
    shop.new_events();
    assert_eq!(extend(&shop, "O-1").unwrap().expires_at(), Some(now() + TimeDelta::seconds(90)));
    assert!(shop.new_events().is_empty());
}

#[test]
fn an_order_that_is_not_on_hold_cannot_be_extended() {
    let shop = shop(10);
    shop.place("FIRM", &[("LAMP", 3)], OrderTerms::default());
    shop.place_held("CANCELLED", &[("LAMP", 3)], 10);
    shop.use_cases.cancel_order(&order("CANCELLED")).unwrap();
    shop.advance(TimeDelta::seconds(10));
    assert!(matches!(refused(&shop, "O-1"), ExtendError::HoldExpired(_)));
    assert!(matches!(refused(&shop, "FIRM"), ExtendError::NotHeld(_)));
    assert!(matches!(refused(&shop, "CANCELLED"), ExtendError::Cancelled(_)));
    assert!(matches!(refused(&shop, "UNKNOWN"), ExtendError::NotFound(_)));
}

#[test]
fn only_an_expected_version_is_extended_and_a_dry_run_extends_nothing() {
    let shop = shop(10);
    let minute = HoldDuration::from_seconds(60).unwrap();
    let other = BTreeSet::from([OrderVersion::from_number(0)]);
    let stale = shop.use_cases.extend_hold(&order("O-1"), Some(&other), minute);
    assert!(matches!(stale, Err(UseCaseError::Refused(ExtendError::Stale { .. }))), "{stale:?}");
    let seen = shop.use_cases.clone().as_dry_run(true).extend_hold(
        &order("O-1"),
        None,
        HoldDuration::from_seconds(10).unwrap(),
    );
    let seen = BTreeSet::from([seen.unwrap().version()]);
    let would_be = shop.use_cases.clone().as_dry_run(true).extend_hold(&order("O-1"), Some(&seen), minute).unwrap();
    assert!(!shop.new_events().contains(&"hold_extended".to_owned()));
    assert_eq!(shop.use_cases.extend_hold(&order("O-1"), Some(&seen), minute).unwrap(), would_be);
    assert_eq!(shop.new_events(), ["hold_extended"]);
}

/// An extension makes a new version, so after a lost reply no refusal says that it was not made.
#[test]
fn an_extension_of_unknown_outcome_is_not_rejected_for_its_version() {
    let held = |seconds| {
        let expires_at = now() + TimeDelta::seconds(seconds);
        vec![product_with_line("LAMP", 9, 3, ReservationState::Held { expires_at })]
    };
    let seen = allocation_domain::Products::from_iter(held(10)).order(&order("O-1")).unwrap().version();
    let lost = ending(Err(StoreError::OutcomeUnknown(cause("connection lost"))), |products| {
        locks(products, held(10));
        saves(products, &["hold_extended"]);
    });
    let extended = || order_in(rolled_back(|products| locks(products, held(60))), &["LAMP"]);
    let units = vec![order_in(lost, &["LAMP"]), extended(), extended()];
    let minute = HoldDuration::from_seconds(60).unwrap();
    let outcome = use_cases(units).extend_hold(&order("O-1"), Some(&BTreeSet::from([seen])), minute);
    assert!(matches!(outcome, Err(UseCaseError::Store(StoreError::OutcomeUnknown(_)))), "{outcome:?}");
}
