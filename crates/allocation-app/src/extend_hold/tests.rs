use super::*;
use crate::testing::{Shop, now, order};
use allocation_domain::OrderTerms;
use chrono::TimeDelta;

/// Creates a shop with an order whose hold lasts a number of seconds.
fn shop(seconds: i64) -> Shop {
    let shop = Shop::with(&[("LAMP", "B-1", 9)]);
    shop.place_held("O-1", &[("LAMP", 3)], seconds);
    shop
}

/// Extends the hold of an order to a minute from now.
fn extend(shop: &Shop, order_id: &str) -> Result<Order, UseCaseError<ExtendError>> {
    shop.use_cases.extend_hold(&order(order_id), HoldDuration::from_seconds(60).unwrap())
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
